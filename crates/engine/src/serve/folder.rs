//! The folder that a watch keeps everything in.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Holds a data folder, so that no second watch writes to it.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
    path: PathBuf,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another watch is at it.
    #[error("{}: another `portreeve serve` watches with this data folder", .0.display())]
    Taken(PathBuf),
    /// It cannot be made or written.
    #[error("{}: {error}", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl DataFolder {
    /// Takes a folder, made where there is none, until this is dropped or the process ends in whatever way.
    ///
    /// # Errors
    /// Where it is taken, or cannot be written.
    pub fn take(path: PathBuf) -> Result<Self, DataFolderError> {
        let unusable = |error| DataFolderError::Unusable {
            path: path.clone(),
            error,
        };
        std::fs::create_dir_all(&path).map_err(unusable)?;
        let lock = File::create(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock, path }),
            Err(std::fs::TryLockError::WouldBlock) => Err(DataFolderError::Taken(path)),
            Err(std::fs::TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join("portreeve.db")
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the event log.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }
}

/// What a folder that is written to is called where it lies below paths that are followed: it is no input.
pub fn below(folder: &Path, paths: &[PathBuf]) -> Vec<PathBuf> {
    let Ok(absolute) = std::path::absolute(folder) else {
        return Vec::new();
    };
    // One that is not there yet lies where its nearest parent that is there does.
    let own = absolute.ancestors().find_map(|there| {
        let rest = absolute.strip_prefix(there).ok()?;
        Some(there.canonicalize().ok()?.join(rest))
    });
    let Some(own) = own else {
        return Vec::new();
    };
    let names = paths.iter().filter_map(|path| {
        let rest = own.strip_prefix(path.canonicalize().ok()?).ok()?;
        Some(path.join(rest))
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_below_what_is_followed_before_it_is_made() {
        let parent = tempfile::tempdir().unwrap();
        let logs = parent.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let paths = [logs.clone(), parent.path().join("missing")];
        let inside = logs.join("lake/ext");
        assert_eq!(below(&inside, &paths), [inside]);
        assert!(below(&parent.path().join("lake"), &paths).is_empty());
    }
}
