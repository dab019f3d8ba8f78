//! The store as both stages write to it: one commit at a time, patiently.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portreeve_store::{Commit, Store, StoreError};

use super::board::{Board, Health};
use super::signs::Signs;

/// How long a passing trouble is waited for before the next try.
const RETRY: Duration = Duration::from_secs(1);

/// The store of a watch.
pub(crate) struct Ledger {
    store: Mutex<Box<dyn Store>>,
    board: Arc<Board>,
    signs: Arc<Signs>,
}

impl Ledger {
    pub(crate) fn new(store: Box<dyn Store>, board: Arc<Board>, signs: Arc<Signs>) -> Self {
        Self {
            store: Mutex::new(store),
            board,
            signs,
        }
    }

    /// The store, to be read.
    pub(crate) fn store(&self) -> MutexGuard<'_, Box<dyn Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a commit, and waits for what passes; gives its number.
    pub(crate) fn commit(&self, commit: &Commit) -> Result<u64, StoreError> {
        loop {
            // Not held while it is waited: the other stage may have better luck.
            let result = self.store().commit(commit);
            match result {
                Ok(revision) => {
                    self.board.set_health(Health::Watching);
                    return Ok(revision);
                }
                Err(error) if error.is_passing() && !self.signs.is_stopping() => {
                    self.board.set_health(Health::Waiting(error.to_string()));
                    std::thread::sleep(RETRY);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Tries something that writes beside the store until it goes, or the watch is to end.
    pub(crate) fn patiently<T>(
        &self,
        mut what: impl FnMut() -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        loop {
            match what() {
                Err(error) if !self.signs.is_stopping() => {
                    self.board.set_health(Health::Waiting(format!(
                        "the event log cannot be written: {error}"
                    )));
                    std::thread::sleep(RETRY);
                }
                result => return result,
            }
        }
    }
}
