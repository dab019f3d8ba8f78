//! Where data of networks are kept between runs.

use std::path::{Path, PathBuf};

use portreeve_detect::{DataOrigin, NetworkData};

/// The folder in which `portreeve networks update` keeps data: `networks` in the user's data
/// folder. That is `PORTREEVE_DATA_DIR` where it is set, else the platform's: `XDG_DATA_HOME` or
/// `~/.local/share`, on macOS `~/Library/Application Support`, on Windows `%LOCALAPPDATA%`.
pub fn default_network_folder() -> Option<PathBuf> {
    folder_by(|name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    })
}

fn folder_by(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let own = variable("PORTREEVE_DATA_DIR");
    let data = own.or_else(|| {
        let shared = if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else {
            // The specification of base directories asks that relative ones be ignored.
            variable("XDG_DATA_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| {
                    let below = if cfg!(target_os = "macos") {
                        "Library/Application Support"
                    } else {
                        ".local/share"
                    };
                    Some(variable("HOME")?.join(below))
                })
        };
        Some(shared?.join("portreeve"))
    })?;
    Some(data.join("networks"))
}

/// The files of a folder, in the order in which they count.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// A file of stored data.
#[derive(Debug)]
pub struct StoredData {
    /// Where it is.
    pub path: PathBuf,
    /// Its size on disk.
    pub bytes: u64,
    /// What it is, or why it cannot be read.
    pub content: Result<StoredContent, String>,
}

/// What is in a file of stored data.
#[derive(Debug)]
pub struct StoredContent {
    /// Where it comes from.
    pub origin: DataOrigin,
    /// How many ranges it has, where that is known without counting.
    pub ranges: Option<usize>,
    /// Whether it tells operators.
    pub tells_asn: bool,
    /// Whether it tells countries.
    pub tells_country: bool,
}

impl StoredContent {
    pub(super) fn of(data: &NetworkData) -> Self {
        Self {
            origin: data.origin().clone(),
            ranges: data.ranges(),
            tells_asn: data.tells_asn(),
            tells_country: data.tells_country(),
        }
    }
}

/// What is stored in a folder, in the order in which it counts.
pub fn stored_data(folder: &Path) -> Vec<StoredData> {
    files(folder)
        .into_iter()
        .map(|path| {
            let name = path.to_string_lossy().into_owned();
            let bytes = path.metadata().map_or(0, |metadata| metadata.len());
            let content = std::fs::read(&path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| {
                    NetworkData::read(&name, bytes).map_err(|error| error.to_string())
                })
                .map(|(data, _)| StoredContent::of(&data));
            StoredData {
                path,
                bytes,
                content,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)]) -> Option<PathBuf> {
        folder_by(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| PathBuf::from(value))
        })
    }

    #[test]
    fn the_users_own_folder_goes_first() {
        assert_eq!(
            folder(&[("PORTREEVE_DATA_DIR", "/data"), ("HOME", "/home/mira")]),
            Some(PathBuf::from("/data/networks"))
        );
        assert_eq!(folder(&[]), None);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn base_directories_are_honoured() {
        assert_eq!(
            folder(&[("XDG_DATA_HOME", "/share"), ("HOME", "/home/mira")]),
            Some(PathBuf::from("/share/portreeve/networks"))
        );
        assert_eq!(
            folder(&[("XDG_DATA_HOME", "relative"), ("HOME", "/home/mira")]),
            Some(PathBuf::from("/home/mira/.local/share/portreeve/networks"))
        );
    }
}
