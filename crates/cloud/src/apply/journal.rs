//! What was done, written before and after it is done: one line of JSON each, so that a run that was
//! killed is gone on from, or taken back.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use portreeve_graph::cut::Change;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ApplyError;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum Entry {
    /// The first: which plan, by whom.
    Begun {
        version: u32,
        /// The plan's digest.
        plan: String,
        caller: String,
        time: Timestamp,
    },
    /// The change is about to be made; this is what was before.
    Making {
        change: Box<Change>,
        was: Value,
        detail: Value,
        time: Timestamp,
    },
    /// The change was made, and seen to be.
    Made { id: String, time: Timestamp },
    /// The change was taken back, and seen to be.
    Undone { id: String, time: Timestamp },
}

/// What the journal says of one change.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) change: Change,
    pub(super) was: Value,
    pub(super) detail: Value,
    /// Whether it was seen to be made.
    pub(super) made: bool,
    pub(super) undone: bool,
}

/// A journal that is open for writing, with what it said.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    pub(super) plan: Option<String>,
    pub(super) records: Vec<Record>,
}

impl Journal {
    /// Opens a journal, and makes it where it is not there.
    pub(super) fn open(path: &Path, make: bool) -> Result<Self, ApplyError> {
        let io = |source| ApplyError::Journal {
            path: path.to_owned(),
            source,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if make && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(error)),
        };
        let mut journal = Self {
            path: path.to_owned(),
            file: OpenOptions::new()
                .create(make)
                .append(true)
                .open(path)
                .map_err(io)?,
            plan: None,
            records: Vec::new(),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for (number, line) in text.get(..whole).unwrap_or_default().lines().enumerate() {
            let entry = serde_json::from_str(line).map_err(|error| ApplyError::Unreadable {
                path: path.to_owned(),
                line: number + 1,
                reason: error.to_string(),
            })?;
            journal.take(entry);
        }
        // What a kill cut off was never acted on: a line is written whole before its change is made.
        if whole < text.len() {
            journal.file.set_len(whole as u64).map_err(io)?;
        }
        Ok(journal)
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Begun { plan, .. } => self.plan = Some(plan),
            Entry::Making {
                change,
                was,
                detail,
                ..
            } => {
                self.records.retain(|record| record.change.id != change.id);
                self.records.push(Record {
                    change: *change,
                    was,
                    detail,
                    made: false,
                    undone: false,
                });
            }
            Entry::Made { id, .. } => self.with(&id, |record| record.made = true),
            Entry::Undone { id, .. } => self.with(&id, |record| record.undone = true),
        }
    }

    fn with(&mut self, id: &str, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self
            .records
            .iter_mut()
            .find(|record| record.change.id == id)
        {
            change(record);
        }
    }

    /// What it says of a change that was not taken back.
    pub(super) fn of(&self, id: &str) -> Option<&Record> {
        self.records
            .iter()
            .find(|record| record.change.id == id && !record.undone)
    }

    /// Adds a line; when this returns it is on the disk.
    pub(super) fn write(&mut self, entry: Entry) -> Result<(), ApplyError> {
        let write = |file: &mut File| -> std::io::Result<()> {
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            file.write_all(&line)?;
            file.sync_all()
        };
        write(&mut self.file).map_err(|source| ApplyError::Journal {
            path: self.path.clone(),
            source,
        })?;
        self.take(entry);
        Ok(())
    }
}
