//! Stage one of the watch: pieces of inputs to the event log and to batches.

use std::collections::{BTreeMap, HashMap};
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use portreeve_detect::Batch;
use portreeve_model::DeadLetter;
use portreeve_record::{RawRecord, Split};
use serde::{Deserialize, Serialize};

use super::event_log::{Entry, EventLog};
use super::handover::Taken;
use super::hold::Beat;
use super::intake::Chunk;
use super::ledger::Ledger;
use super::mark::Mark;
use super::request::WatchError;
use super::source::Source;
use crate::prepared::Prepared;
use crate::reader::{FileOutcome, LogReader};
use crate::seam::Seam;

/// How many records and bytes one brought who has no file.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    records: u64,
    bytes: u64,
}

/// Where records come from, as stage one counts it.
#[derive(Default)]
pub(crate) struct Origins {
    /// Records of each input that has no mark of its own.
    counters: HashMap<String, Counter>,
    sources: BTreeMap<(String, String), Source>,
}

impl Origins {
    /// Goes on from offsets that were stored.
    pub(crate) fn new(offsets: &[(String, Vec<u8>)]) -> Self {
        let mut origins = Self::default();
        for (name, mark) in offsets {
            if Mark::read(mark).is_none()
                && let Ok(counter) = serde_json::from_slice(mark)
            {
                origins.counters.insert(name.clone(), counter);
            }
        }
        origins
    }
}

/// Batches of stage one, on their way to stage two.
#[derive(Debug, Default)]
pub(crate) struct Collected(Mutex<Vec<Batch>>);

impl Seam for Collected {
    fn hand_over(&self, batch: Batch) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(batch);
    }
}

/// What was taken in and is not committed yet.
#[derive(Default)]
pub(crate) struct Pending {
    /// How far inputs were read; nothing for those that are forgotten.
    pub(crate) offsets: BTreeMap<String, Option<Vec<u8>>>,
    /// Up to when inputs were forgotten, in seconds since 1970.
    pub(crate) floor: Option<i64>,
    pub(crate) dead: Vec<DeadLetter>,
    /// Between each two it is to be looked how many rows are held.
    pub(crate) pieces: Vec<Vec<Batch>>,
    /// All else that came with them.
    pub(crate) taken: Taken,
    /// The latest time of any record.
    pub(crate) latest: Option<Timestamp>,
    pub(crate) rows: usize,
}

/// Stage one with its readers, as long as what is known stays the same.
pub(crate) struct Taking<'p> {
    readers: Vec<LogReader<'p>>,
    collected: &'p Collected,
}

impl<'p> Taking<'p> {
    pub(crate) fn new(prepared: &'p Prepared, collected: &'p Collected) -> Self {
        Self {
            readers: prepared.readers(collected),
            collected,
        }
    }

    fn reader(&self, source: &str) -> Option<usize> {
        let mut readers = self.readers.iter();
        readers.position(|reader| reader.source.id() == source)
    }

    /// What the readers hold, with the latest time of any of it.
    fn batches(&mut self) -> (Vec<Batch>, Option<Timestamp>) {
        self.readers.iter_mut().for_each(LogReader::flush);
        let mut collected = self
            .collected
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let batches = take(&mut *collected);
        let latest = batches.iter().filter_map(Batch::latest).max();
        (batches, latest)
    }

    /// Writes a chunk to the log, and judges its records.
    pub(crate) fn chunk(
        &mut self,
        chunk: Chunk,
        log: &mut dyn EventLog,
        beat: &mut Beat,
        origins: &mut Origins,
        ledger: &Ledger,
        pending: &mut Pending,
    ) -> Result<(), WatchError> {
        if chunk.forgotten.is_some() {
            pending.floor = pending.floor.max(chunk.forgotten);
            pending.taken.files.push((chunk.input.clone(), None));
            pending.offsets.insert(chunk.input, None);
            return Ok(());
        }
        let before = match &chunk.mark {
            Some(mark) => {
                let read = Mark::read(mark).map(|mark| (chunk.input.clone(), Some(mark)));
                pending.taken.files.extend(read);
                let mark = Some(mark.clone());
                pending.offsets.insert(chunk.input.clone(), mark);
                Counter::default()
            }
            None => {
                let counter = origins.counters.entry(chunk.input.clone()).or_default();
                let before = *counter;
                counter.records += chunk.records.len() as u64;
                counter.bytes += chunk.bytes.len() as u64;
                if !chunk.records.is_empty() {
                    let mark = serde_json::to_vec(counter).unwrap_or_default();
                    pending.offsets.insert(chunk.input.clone(), Some(mark));
                }
                before
            }
        };
        let mut outcome = FileOutcome::default();
        let (mut latest, mut passed) = (None, None::<(u64, u64)>);
        if let Some(number) = self.reader(chunk.source) {
            let mut file = self.readers[number].batch.add_file(chunk.file.clone());
            for place in &chunk.records {
                if let Some(floor) = chunk.floor {
                    let bytes = chunk.bytes.get(place.start..place.end).unwrap_or_default();
                    let time = self.readers[number].time_of(bytes);
                    if time.is_some_and(|time| time.as_second() <= floor) {
                        let (_, count) = passed.get_or_insert((before.bytes + place.offset, 0));
                        *count += 1;
                        continue;
                    }
                }
                let record = RawRecord {
                    bytes: chunk.bytes.get(place.start..place.end).unwrap_or_default(),
                    index: before.records + place.index,
                    offset: before.bytes + place.offset,
                    likely: false,
                };
                let entry = Entry {
                    source: chunk.source,
                    file: &chunk.file,
                    index: record.index,
                    offset: record.offset,
                    bytes: record.bytes,
                };
                ledger
                    .patiently(|| log.append(entry))
                    .map_err(WatchError::Log)?;
                let split = Split::Record(record);
                self.readers[number].take(split, &chunk.file, &mut file, &mut outcome);
                if beat.is_due() {
                    latest = latest.max(self.piece_ends(pending));
                    pending.pieces.push(Vec::new());
                    file = self.readers[number].batch.add_file(chunk.file.clone());
                }
            }
        }
        latest = latest.max(self.piece_ends(pending));
        let records = outcome.records;
        if let Some((offset, count)) = passed {
            let until = chunk.floor.and_then(|it| Timestamp::from_second(it).ok());
            let until = until.map(|it| it.to_string()).unwrap_or_default();
            let reason = format!(
                "{count} records up to {until} are passed over: files with records of that time were forgotten, and this may be one that came back"
            );
            outcome.bury(&chunk.file, offset, reason);
        }
        let taken = &mut pending.taken;
        taken.records += records;
        taken.bytes += chunk.bytes.len() as u64;
        for letter in chunk.dead.into_iter().chain(outcome.dead) {
            taken.dead.push(letter.clone());
            pending.dead.push(letter);
        }
        taken.arrived.push((chunk.arrived, records));
        taken.acknowledge.extend(chunk.acknowledge);
        pending.latest = pending.latest.max(latest);
        if records > 0 {
            let key = (chunk.source.to_owned(), kind_of_input(&chunk.input));
            origins
                .sources
                .entry(key.clone())
                .or_insert_with(|| Source::new(key))
                .arrived(records, latest);
        }
        taken.sources = origins.sources.values().map(Source::told).collect();
        Ok(())
    }

    /// Adds what the readers hold to the last piece; the latest time of any of it.
    fn piece_ends(&mut self, pending: &mut Pending) -> Option<Timestamp> {
        let (batches, latest) = self.batches();
        pending.rows += batches.iter().map(Batch::len).sum::<usize>();
        match pending.pieces.last_mut() {
            Some(piece) => piece.extend(batches),
            None => pending.pieces.push(batches),
        }
        latest
    }
}

/// Reads the event log back, piece by piece.
pub(crate) struct Replay<'t, 'p> {
    taking: &'t mut Taking<'p>,
    current: Option<Current>,
    outcome: FileOutcome,
    pub(crate) latest: Option<Timestamp>,
}

/// The file that records are of.
struct Current {
    source: String,
    file: Arc<str>,
    reader: usize,
    number: u32,
}

impl<'t, 'p> Replay<'t, 'p> {
    pub(crate) fn new(taking: &'t mut Taking<'p>) -> Self {
        Self {
            taking,
            current: None,
            outcome: FileOutcome::default(),
            latest: None,
        }
    }

    /// Judges one record; `false` where it is of a source that this version does not know.
    pub(crate) fn entry(&mut self, entry: Entry<'_>) -> bool {
        let is_same = |it: &Current| it.source == entry.source && it.file == *entry.file;
        if !self.current.as_ref().is_some_and(is_same) {
            self.current = self.taking.reader(entry.source).map(|reader| Current {
                source: entry.source.to_owned(),
                file: entry.file.clone(),
                reader,
                number: self.taking.readers[reader]
                    .batch
                    .add_file(entry.file.clone()),
            });
        }
        let Some(current) = &mut self.current else {
            return false;
        };
        let record = RawRecord {
            bytes: entry.bytes,
            index: entry.index,
            offset: entry.offset,
            likely: false,
        };
        self.taking.readers[current.reader].take(
            Split::Record(record),
            &current.file,
            &mut current.number,
            &mut self.outcome,
        );
        true
    }

    /// What was read since the last piece.
    pub(crate) fn piece(&mut self) -> Taken {
        self.current = None;
        let (batches, latest) = self.taking.batches();
        self.latest = self.latest.max(latest);
        // What could not be read was told, and stored, when it arrived.
        self.outcome.dead.clear();
        Taken {
            batches,
            records: take(&mut self.outcome.records),
            ..Taken::default()
        }
    }
}

/// When what was taken in is committed at the latest.
pub(crate) fn until(first: Instant, pace: std::time::Duration) -> Instant {
    first + pace.min(GATHER)
}

/// For how long pieces are gathered before they are committed together: what a commit costs is paid so often
/// at most.
const GATHER: std::time::Duration = std::time::Duration::from_millis(50);

fn kind_of_input(input: &str) -> String {
    match input.split_once(':') {
        Some(("file" | "path", _)) => "files".to_owned(),
        Some(("object", _)) => "buckets".to_owned(),
        _ => input.to_owned(),
    }
}
