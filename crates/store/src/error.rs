use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the store did not do what it was asked for. Whatever it was, nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database for longer than was waited.
    #[error(
        "the database is locked by another process; is a second `portreeve serve` running on this data folder?"
    )]
    Locked,
    /// There is no room left.
    #[error("there is no room left for the database; free some, and the watch goes on by itself")]
    Full,
    /// The file is no database, or is damaged.
    #[error(
        "the database is damaged ({0}); `portreeve doctor` says more, and a backup can be put in its place"
    )]
    Corrupt(String),
    /// The database may only be read.
    #[error("the database cannot be written: it, or its folder, is read-only")]
    ReadOnly,
    /// A newer program wrote it.
    #[error(
        "the database is of a newer version of portreeve (schema {found}; this one knows up to {known}): use that version, or a backup from before the upgrade"
    )]
    TooNew {
        /// The schema that was found.
        found: i64,
        /// The newest schema that is known.
        known: i64,
    },
    /// An older program wrote it, and it cannot be brought up to date where it lies.
    #[error(
        "the database is of an older version of portreeve (schema {found}; this one needs {known}) and is only read here: open the case anew with this version"
    )]
    TooOld {
        /// The schema that was found.
        found: i64,
        /// The schema that is needed.
        known: i64,
    },
    /// The place of a backup is taken.
    #[error("{} exists already; a backup never replaces a file", .0.display())]
    Exists(PathBuf),
    /// A file of the database cannot be opened, read or written.
    #[error("the database cannot be read or written: {0}")]
    Unavailable(String),
    /// A stored value is none that was ever written.
    #[error("the database holds {0}, which no version writes")]
    Value(String),
    /// Anything else that the database says.
    #[error("the database: {0}")]
    Other(rusqlite::Error),
}

impl StoreError {
    /// Whether trying again later may help, without anyone doing anything to the database itself.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Locked | Self::Full | Self::Unavailable(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => Self::Unavailable(text),
            _ => Self::Other(error),
        }
    }
}
