//! What a watch is asked for, and why it ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portreeve_detect::Sign;
use portreeve_store::StoreError;

use super::retention::Keep;
use super::signs::Signs;
use crate::config::Config;
use crate::content::ContentFile;

/// How many records are held whole, where nothing else is said: with what hangs on them some hundred
/// megabytes, and folded in about a second.
pub const HOLD: usize = 500_000;

/// What to watch, and how.
#[derive(Clone, Debug)]
pub struct WatchRequest {
    /// Files and folders, of logs and of inventory; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// What the user declares.
    pub config: Config,
    /// Files that are not input.
    pub skip: Vec<PathBuf>,
    /// The rules and correlations.
    pub rules: Vec<ContentFile>,
    /// Signs to start from.
    pub signs: Vec<Sign>,
    /// How often and how eagerly.
    pub pace: Pace,
    /// How many records stage two holds whole, about; of older ones it keeps what may still matter.
    pub hold: usize,
    /// How much of the event log is kept.
    pub keep: Keep,
}

/// How often and how eagerly the watch looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often folders are looked at.
    pub poll: Duration,
    /// How long the unfinished end of a file is waited for.
    pub settle: Duration,
    /// What arrives is folded after so long at least.
    pub fold: Duration,
    /// How often inventory is read again, where its files have changed.
    pub inventory: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            settle: Duration::from_secs(60),
            fold: Duration::from_millis(200),
            inventory: Duration::from_secs(60),
        }
    }
}

/// Why the watch ended.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The store is of no use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event log cannot be read or written.
    #[error("the event log: {0}")]
    Log(std::io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// Stage two broke down, which is a fault of the program.
    #[error("folding records broke down; this is a fault of Portreeve, please report it")]
    Fold,
}

/// Ends a watch from another thread.
#[derive(Clone, Debug)]
pub struct Stop(pub(super) Arc<Signs>);

impl Stop {
    /// Has the watch commit what it holds, and end.
    pub fn stop(&self) {
        self.0.set_stopping();
    }
}
