use std::io::Read;
use std::sync::Arc;

use portreeve_detect::{Batch, Position, StageOne};
use portreeve_model::{DeadLetter, Timestamp};
use portreeve_record::{Extractor, SlotBuffer, Slots, Sought, Split, Splitter};
use portreeve_telemetry::{Container, Reader, Source, Unwrapped};

use crate::seam::Seam;

/// A batch is handed over when it holds so many activities: about a hundred megabytes. Smaller ones
/// cost more, since joining batches looks each distinct text up again.
const BATCH: usize = 1 << 20;

/// The most that is kept of what a file was read into: one huge record does not fill memory until the end.
const ROOM: usize = 4 << 20;

/// How many dead letters of one file are kept; the rest are counted.
const DEAD_LETTERS: usize = 200;

/// Reads the logs of one source on one thread: stage one with everything around it.
pub(crate) struct LogReader<'s> {
    pub(crate) source: &'s dyn Source,
    pub(crate) reader: &'s dyn Reader,
    pub(crate) extractor: &'s Extractor,
    pub(crate) stage: StageOne<'s>,
    pub(crate) seam: &'s dyn Seam,
    pub(crate) buffer: SlotBuffer,
    pub(crate) batch: Batch,
    /// What the last file was read into, for the next.
    pub(crate) room: Vec<u8>,
}

/// What reading one file gave.
#[derive(Debug, Default)]
pub(crate) struct FileOutcome {
    pub(crate) records: u64,
    /// Decompressed.
    pub(crate) bytes: u64,
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) dead_omitted: u64,
    /// The SHA-256 of the content, decompressed, where that is asked for.
    pub(crate) content: Option<[u8; 32]>,
}

impl FileOutcome {
    pub(crate) fn bury(&mut self, file: &Arc<str>, offset: u64, reason: impl Into<String>) {
        if self.dead.len() < DEAD_LETTERS {
            self.dead.push(DeadLetter {
                file: file.clone(),
                offset,
                reason: reason.into(),
            });
        } else {
            self.dead_omitted += 1;
        }
    }
}

impl LogReader<'_> {
    /// Reads one file to its end.
    pub(crate) fn read(
        &mut self,
        name: &Arc<str>,
        stream: &mut dyn Read,
        container: Container,
    ) -> FileOutcome {
        let mut outcome = FileOutcome::default();
        let mut file = self.batch.add_file(name.clone());
        match container {
            Container::Ignored => {}
            Container::Json => {
                let room = std::mem::take(&mut self.room);
                let options = self.source.split_options();
                let mut splitter = Splitter::with_room(stream, options, room);
                while let Some(split) = splitter.next_likely() {
                    if !self.take(split, name, &mut file, &mut outcome) {
                        splitter.reread();
                    }
                }
                outcome.bytes = splitter.bytes_read();
                let room = splitter.into_room();
                if room.len() <= ROOM {
                    self.room = room;
                }
            }
            Container::Csv => {
                let mut counted = Counted { stream, bytes: 0 };
                if let Some(mut rows) = self.source.rows(Box::new(&mut counted)) {
                    while let Some(split) = rows.next() {
                        self.take(split, name, &mut file, &mut outcome);
                    }
                }
                outcome.bytes = counted.bytes;
            }
        }
        outcome
    }

    /// Takes in a record; `false` where what seemed to be one has to be read again.
    pub(crate) fn take(
        &mut self,
        split: Split<'_>,
        name: &Arc<str>,
        file: &mut u32,
        outcome: &mut FileOutcome,
    ) -> bool {
        let record = match split {
            Split::Dead { offset, reason } => {
                outcome.bury(name, offset, reason);
                return true;
            }
            Split::Record(record) => record,
        };
        let position = Position {
            file: *file,
            index: record.index,
            offset: record.offset,
        };
        let time = |text: &str| self.reader.time(text);
        let kind = |id: &str| self.reader.credential_kind(id);
        let (stage, batch) = (&mut self.stage, &mut self.batch);
        let sought = match stage.repeat(record.bytes, position, time, kind, batch) {
            Ok(_) => {
                outcome.records += 1;
                self.flush_full(name, file);
                return true;
            }
            Err(sought) => sought,
        };
        let slots = match self.extractor.extract(record.bytes, &mut self.buffer) {
            Ok(slots) => slots,
            Err(_) if record.likely => return false,
            Err(error) => {
                outcome.bury(name, record.offset + error.offset as u64, error.to_string());
                return true;
            }
        };
        if self.reader.is_native(&slots) {
            observe(
                self.reader,
                &mut self.stage,
                &mut self.batch,
                slots,
                position,
                sought,
            );
            outcome.records += 1;
        } else {
            drop(slots);
            self.take_wrapped(record.bytes, position, name, outcome);
        }
        self.flush_full(name, file);
        true
    }

    /// Hands a full batch over, and goes on with the file in the next.
    fn flush_full(&mut self, name: &Arc<str>, file: &mut u32) {
        if self.batch.len() >= BATCH {
            self.flush();
            *file = self.batch.add_file(name.clone());
        }
    }

    /// The time of a record, and nothing else of it; of one that holds several, the latest.
    pub(crate) fn time_of(&mut self, bytes: &[u8]) -> Option<Timestamp> {
        if let Ok(slots) = self.extractor.extract(bytes, &mut self.buffer)
            && self.reader.is_native(&slots)
        {
            return self.reader.activity(&slots).time;
        }
        let Unwrapped::Inner { records, .. } = self.reader.unwrap(bytes) else {
            return None;
        };
        let mut latest = None;
        for inner in records {
            let slots = self.extractor.extract(&inner, &mut self.buffer).ok()?;
            latest = latest.max(Some(self.reader.activity(&slots).time?));
        }
        latest
    }

    /// A record that has something around it: whatever is inside stands at the same position.
    fn take_wrapped(
        &mut self,
        bytes: &[u8],
        position: Position,
        name: &Arc<str>,
        outcome: &mut FileOutcome,
    ) {
        match self.reader.unwrap(bytes) {
            Unwrapped::Ignored(_) => {}
            Unwrapped::Native => {
                outcome.bury(
                    name,
                    position.offset,
                    "a record that says neither what happened nor where",
                );
            }
            Unwrapped::Foreign(reason) => outcome.bury(name, position.offset, reason),
            Unwrapped::Broken(reason) => outcome.bury(name, position.offset, reason),
            Unwrapped::Inner { records, dead } => {
                for reason in dead {
                    outcome.bury(name, position.offset, reason);
                }
                for inner in records {
                    match self.extractor.extract(&inner, &mut self.buffer) {
                        Ok(slots) => {
                            observe(
                                self.reader,
                                &mut self.stage,
                                &mut self.batch,
                                slots,
                                position,
                                None,
                            );
                            outcome.records += 1;
                        }
                        Err(error) => outcome.bury(name, position.offset, error.to_string()),
                    }
                }
            }
        }
    }

    /// Hands over what is left.
    pub(crate) fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            self.seam.hand_over(batch);
        }
    }
}

fn observe<'s: 'r, 'r>(
    reader: &dyn Reader,
    stage: &mut StageOne<'s>,
    batch: &mut Batch,
    mut slots: Slots<'r>,
    position: Position,
    sought: Option<Sought>,
) {
    let row = {
        let kind = reader.event_kind(&slots);
        let activity = reader.activity(&slots);
        stage.fold(&activity, kind, position, batch)
    };
    stage.set_derived(&mut slots);
    stage.observe(&slots, row, batch);
    stage.remember(sought, &slots, row, batch);
}

/// Counts what is read.
pub(crate) struct Counted<'r> {
    pub(crate) stream: &'r mut dyn Read,
    pub(crate) bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}
