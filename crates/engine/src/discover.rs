use std::path::{Path, PathBuf};
use std::sync::Arc;

use portreeve_model::DeadLetter;

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// The file as the user named it, folders below it included; `-` for standard input.
    pub(crate) name: Arc<str>,
    /// Where it is; `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    /// Its size on disk, for progress and for the order of work.
    pub(crate) bytes: u64,
}

/// Lists the files below the given paths, in order of their names, each once. Links are followed; a
/// folder that cannot be read, or a path that does not exist, is a dead letter.
pub(crate) fn discover(paths: &[PathBuf]) -> (Vec<Found>, Vec<DeadLetter>) {
    let mut found = Vec::new();
    let mut dead = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(Found {
                name: "-".into(),
                path: None,
                bytes: 0,
            });
            continue;
        }
        let walk = walkdir::WalkDir::new(path)
            .follow_links(true)
            .sort_by_file_name();
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_file() => found.push(Found {
                    name: name_of(entry.path()),
                    path: Some(entry.path().to_owned()),
                    bytes: entry.metadata().map_or(0, |metadata| metadata.len()),
                }),
                Ok(_) => {}
                Err(error) => dead.push(DeadLetter {
                    file: name_of(error.path().unwrap_or(path)),
                    offset: 0,
                    reason: error
                        .io_error()
                        .map_or_else(|| error.to_string(), std::string::ToString::to_string),
                }),
            }
        }
    }
    found.sort();
    found.dedup();
    (found, dead)
}

fn name_of(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_and_missing_paths_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("b/c")).unwrap();
        std::fs::write(folder.path().join("b/c/log.json"), "{}").unwrap();
        std::fs::write(folder.path().join("a.json"), "{}").unwrap();
        let missing = folder.path().join("missing");
        let (found, dead) = discover(&[
            folder.path().to_owned(),
            folder.path().join("a.json"),
            missing,
        ]);
        assert_eq!(found.len(), 2);
        assert!(found[0].name.ends_with("a.json"));
        assert_eq!(dead.len(), 1);
        assert!(dead[0].file.ends_with("missing"));
    }
}
