//! What those who follow inputs tell the watch beside records, and whether they are to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// What they tell.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// Files of inventory, or with data of networks, came, went or changed.
    pub(crate) inventory_changed: AtomicBool,
    /// Files that tell of wallets came, went or changed.
    pub(crate) wallets_changed: AtomicBool,
    /// Which those are.
    wallet_files: Mutex<BTreeSet<PathBuf>>,
    /// All is read that was there at the last look.
    pub(crate) caught_up: AtomicBool,
    /// Standard input is read and has not ended.
    pub(crate) stdin_open: AtomicBool,
    /// To stop.
    pub(crate) stop: AtomicBool,
    /// Inputs that are not to be had at the moment, and why.
    troubles: Mutex<BTreeMap<String, String>>,
    /// Buckets that were not listed to the end yet.
    unlisted: Mutex<BTreeSet<String>>,
}

impl Signs {
    /// Files that tell of wallets, as of the last look.
    pub(crate) fn wallet_files(&self) -> BTreeSet<PathBuf> {
        let files = self.wallet_files.lock();
        files.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets down which files tell of wallets.
    pub(super) fn set_wallet_files(&self, files: BTreeSet<PathBuf>) {
        let known = self.wallet_files.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// Whether the watch is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The watch is to end.
    pub(crate) fn set_stopping(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Inputs that are not to be had at the moment, and why.
    pub(crate) fn troubles(&self) -> BTreeMap<String, String> {
        let troubles = self.troubles.lock();
        troubles.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets down whether an input is to be had.
    pub(crate) fn set_trouble(&self, input: &str, why: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => troubles.insert(input.to_owned(), why),
            None => troubles.remove(input),
        };
    }

    /// A bucket will be listed.
    pub(crate) fn expect_listing(&self, bucket: &str) {
        let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.insert(bucket.to_owned());
    }

    /// A bucket was listed to the end.
    pub(crate) fn listed(&self, bucket: &str) {
        let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.remove(bucket);
    }

    /// Whether all buckets were.
    pub(crate) fn all_listed(&self) -> bool {
        let unlisted = self.unlisted.lock();
        unlisted.unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
