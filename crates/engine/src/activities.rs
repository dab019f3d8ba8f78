//! The activities of logs one by one, for what joins them with things beside the estate.

use std::path::PathBuf;
use std::sync::Arc;

use portreeve_model::{Activity, DeadLetter};
use portreeve_record::{Extractor, Fields, SlotBuffer, Split, Splitter};
use portreeve_telemetry::{Container, Reader, Source, Unwrapped, recognise, source};

use crate::discover::{Found, discover};
use crate::open::Opened;

/// An activity with the record that tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a, 'r> {
    /// The activity.
    pub activity: &'a Activity<'r>,
    /// The record, as JSON, without what was around it.
    pub record: &'a [u8],
    /// The file.
    pub file: &'a Arc<str>,
    /// The record's number in it, from 0.
    pub index: u64,
}

/// Reads the logs below paths, in order of their names, and hands each activity over. Files that are
/// no logs are passed over; what cannot be read is told, and the rest is read. One thread, nothing
/// kept.
pub fn each_activity(paths: &[PathBuf], each: &mut dyn FnMut(&Seen<'_, '_>)) -> Vec<DeadLetter> {
    let (found, mut dead) = discover(paths);
    for file in found {
        if let Err(error) = read(&file, each, &mut dead) {
            dead.push(DeadLetter {
                file: file.name.clone(),
                offset: 0,
                reason: error.to_string(),
            });
        }
    }
    dead
}

fn read(
    file: &Found,
    each: &mut dyn FnMut(&Seen<'_, '_>),
    dead: &mut Vec<DeadLetter>,
) -> std::io::Result<()> {
    let mut opened = match &file.path {
        Some(path) => Opened::file(path)?,
        None => Opened::new(Box::new(std::io::stdin()))?,
    };
    let Some(recognition) = recognise(opened.first()).or_else(|| recognise(opened.head())) else {
        return Ok(());
    };
    let Some(source) = source(recognition.source) else {
        return Ok(());
    };
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let extractor = Extractor::new(&fields);
    let mut one = One {
        source,
        reader: &*reader,
        extractor: &extractor,
        buffer: SlotBuffer::new(),
        file: &file.name,
        each,
        dead,
    };
    match recognition.container {
        Container::Ignored => {}
        Container::Json => {
            let mut splitter = Splitter::new(&mut opened, one.source.split_options());
            while let Some(split) = splitter.next() {
                one.take(split);
            }
        }
        Container::Csv => {
            if let Some(mut rows) = source.rows(Box::new(&mut opened)) {
                while let Some(split) = rows.next() {
                    one.take(split);
                }
            }
        }
    }
    Ok(())
}

struct One<'a> {
    source: &'a dyn Source,
    reader: &'a dyn Reader,
    extractor: &'a Extractor,
    buffer: SlotBuffer,
    file: &'a Arc<str>,
    each: &'a mut dyn FnMut(&Seen<'_, '_>),
    dead: &'a mut Vec<DeadLetter>,
}

impl One<'_> {
    fn take(&mut self, split: Split<'_>) {
        match split {
            Split::Dead { offset, reason } => self.bury(offset, reason.into_owned()),
            Split::Record(record) => {
                if self.native(record.bytes, record.index, record.offset) {
                    return;
                }
                match self.reader.unwrap(record.bytes) {
                    Unwrapped::Ignored(_) => {}
                    Unwrapped::Native => self.bury(
                        record.offset,
                        "a record that says neither what happened nor where".to_owned(),
                    ),
                    Unwrapped::Foreign(reason) => self.bury(record.offset, reason.to_owned()),
                    Unwrapped::Broken(reason) => self.bury(record.offset, reason),
                    Unwrapped::Inner { records, dead } => {
                        for reason in dead {
                            self.bury(record.offset, reason);
                        }
                        for inner in records {
                            self.native(&inner, record.index, record.offset);
                        }
                    }
                }
            }
        }
    }

    /// Whether it is dealt with: the source's own record, or none that can be read.
    fn native(&mut self, bytes: &[u8], index: u64, offset: u64) -> bool {
        let slots = match self.extractor.extract(bytes, &mut self.buffer) {
            Ok(slots) => slots,
            Err(error) => {
                self.dead.push(DeadLetter {
                    file: self.file.clone(),
                    offset,
                    reason: error.to_string(),
                });
                return true;
            }
        };
        if !self.reader.is_native(&slots) {
            return false;
        }
        let activity = self.reader.activity(&slots);
        (self.each)(&Seen {
            activity: &activity,
            record: bytes,
            file: self.file,
            index,
        });
        true
    }

    fn bury(&mut self, offset: u64, reason: String) {
        self.dead.push(DeadLetter {
            file: self.file.clone(),
            offset,
            reason,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_is_handed_over_once_and_what_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let record = |id: &str| {
            format!(
                r#"{{"eventVersion":"1.11","eventID":"{id}","eventTime":"2026-03-03T07:05:00Z","eventSource":"kms.amazonaws.com","eventName":"Sign","awsRegion":"eu-west-1","userIdentity":{{"type":"AWSService","invokedBy":"x.amazonaws.com"}}}}"#
            )
        };
        let log = format!("{{\"Records\":[{},{}]}}", record("a"), record("b"));
        std::fs::write(folder.path().join("log.json"), log).unwrap();
        std::fs::write(folder.path().join("note.txt"), "no log").unwrap();
        let missing = folder.path().join("missing");
        let mut seen = Vec::new();
        let dead = each_activity(&[folder.path().to_owned(), missing], &mut |one| {
            assert!(one.record.starts_with(b"{\"eventVersion\""));
            seen.push((
                one.activity.operation.to_string(),
                one.activity.event_id.as_deref().unwrap().to_owned(),
                one.index,
            ));
        });
        assert_eq!(
            seen,
            [
                ("Sign".to_owned(), "a".to_owned(), 0),
                ("Sign".to_owned(), "b".to_owned(), 1)
            ]
        );
        assert_eq!(dead.len(), 1);
    }
}
