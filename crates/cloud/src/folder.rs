//! The folder that a collection is written to: one file a part, and the manifest.
//!
//! A part's file appears whole or not at all, so that a part is done if its file is there and says
//! that it lacks nothing. That is what a later run goes on from.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::caller::Unseen;

/// The manifest's name.
pub const MANIFEST: &str = "collection.json";

/// What the name of a file begins with while it is written.
const UNFINISHED: &str = ".portreeve-";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is something in it that no collection wrote.
    #[error("{} is not empty and holds no {MANIFEST}: give an empty folder, or that of an earlier collection", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
}

/// One surface in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Place {
    /// The account.
    pub account: String,
    /// The region; `None` for what an account has once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What was read, by the surface's id.
    pub surface: String,
}

impl Place {
    /// Its file, below the folder.
    #[must_use]
    pub fn file(&self) -> String {
        let Place {
            account,
            region,
            surface,
        } = self;
        match region {
            Some(region) => format!("{account}/{region}/{surface}.json"),
            None => format!("{account}/{surface}.json"),
        }
    }
}

/// A part of a collection: what one surface said in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Part {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// How many calls it took, retries not counted.
    pub calls: u64,
    /// What was not seen.
    pub unseen: Vec<Unseen>,
    /// Whether an earlier run had it already.
    #[serde(skip)]
    pub kept: bool,
}

/// An open folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens a folder, and makes it if it is not there.
    pub(crate) fn open(root: &Path) -> Result<Self, FolderError> {
        let io = |source| FolderError::Io {
            path: root.to_owned(),
            source,
        };
        std::fs::create_dir_all(root).map_err(io)?;
        let mut entries = std::fs::read_dir(root).map_err(io)?;
        if entries.next().is_some() && !root.join(MANIFEST).exists() {
            return Err(FolderError::NotOurs {
                path: root.to_owned(),
            });
        }
        sweep(root, 0).map_err(io)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// A part as an earlier run wrote it, if it did and the part lacks nothing.
    pub(crate) fn done(&self, place: &Place) -> Option<Part> {
        let text = std::fs::read(self.root.join(place.file())).ok()?;
        let head: Part = serde_json::from_slice(&text).ok()?;
        (head.place == *place && head.unseen.is_empty()).then_some(Part { kept: true, ..head })
    }

    /// Writes a part: what it found, beside what it says of itself.
    pub(crate) fn write(
        &self,
        part: &Part,
        formats: &[&str],
        found: Map<String, Value>,
    ) -> Result<(), FolderError> {
        let mut text = found;
        if let Ok(Value::Object(head)) = serde_json::to_value(part) {
            text.extend(head);
        }
        text.insert("Formats".to_owned(), json!(formats));
        self.replace(&part.place.file(), &Value::Object(text))
    }

    /// Writes the manifest.
    pub(crate) fn manifest(&self, manifest: &impl Serialize) -> Result<(), FolderError> {
        let manifest = serde_json::to_value(manifest).unwrap_or_default();
        self.replace(MANIFEST, &manifest)
    }

    /// Puts a whole file in the place of what was there: a reader sees the one or the other.
    fn replace(&self, name: &str, value: &Value) -> Result<(), FolderError> {
        let path = self.root.join(name);
        let write = || -> std::io::Result<()> {
            let folder = path.parent().unwrap_or(&self.root);
            std::fs::create_dir_all(folder)?;
            // Readable by the user alone, as temporary files are.
            let mut file = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .tempfile_in(folder)?;
            serde_json::to_writer_pretty(&mut file, value)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| FolderError::Io {
            path: path.clone(),
            source,
        })
    }
}

/// Removes what a run that was killed had not finished writing: below accounts and regions, no deeper.
fn sweep(folder: &Path, depth: usize) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && depth < 2 {
            sweep(&entry.path(), depth + 1)?;
        } else if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            account: "111122223333".to_owned(),
            region: Some("eu-west-1".to_owned()),
            surface: "keys".to_owned(),
        }
    }

    #[test]
    fn a_part_is_done_if_it_lacks_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        let mut part = Part {
            place: place(),
            calls: 3,
            unseen: Vec::new(),
            kept: false,
        };
        assert_eq!(folder.done(&place()), None);
        folder.write(&part, &["aws.keys"], Map::new()).unwrap();
        assert!(folder.done(&place()).unwrap().kept);
        part.unseen.push(Unseen::default());
        folder.write(&part, &[], Map::new()).unwrap();
        assert_eq!(folder.done(&place()), None);
        let left = root.path().join("111122223333/eu-west-1/.portreeve-a");
        std::fs::write(&left, "{").unwrap();
        Folder::open(root.path()).unwrap_err();
        std::fs::write(root.path().join(MANIFEST), "{}").unwrap();
        Folder::open(root.path()).unwrap();
        assert!(!left.exists());
        std::fs::write(root.path().join(place().file()), "{\"Account\": ").unwrap();
        assert_eq!(folder.done(&place()), None);
    }

    #[test]
    fn a_folder_with_other_things_is_refused() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("notes"), "").unwrap();
        assert!(matches!(
            Folder::open(root.path()),
            Err(FolderError::NotOurs { .. })
        ));
        std::fs::write(root.path().join(MANIFEST), "{}").unwrap();
        assert!(Folder::open(root.path()).is_ok());
    }
}
