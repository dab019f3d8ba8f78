//! The folder that a watch keeps everything in.

use std::fs::File;
use std::path::PathBuf;

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

    /// What it is called where it lies below paths that are followed: it is no input.
    pub fn below(&self, paths: &[PathBuf]) -> Vec<PathBuf> {
        let Ok(own) = self.path.canonicalize() else {
            return Vec::new();
        };
        paths
            .iter()
            .filter_map(|path| {
                let rest = own.strip_prefix(path.canonicalize().ok()?).ok()?;
                Some(path.join(rest))
            })
            .collect()
    }

    /// The folder of the event log.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }
}
