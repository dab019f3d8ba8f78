//! What comes in: pieces of inputs, split into records, on their way to stage one.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use portreeve_model::DeadLetter;
use portreeve_record::{Split, Splitter};
use portreeve_telemetry::{Container, Source};

/// How many pieces wait at most for stage one. Behind it whoever brings more waits: files are read later,
/// a pipe fills, and HTTP is answered with 429.
const WAITING: usize = 32;

/// A piece of an input.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The input, as its mark is stored.
    pub(crate) input: String,
    /// How far the input was read with this piece; without one the watch counts the input's records.
    pub(crate) mark: Option<Vec<u8>>,
    /// Records up to this time, in seconds since 1970, are passed over.
    pub(crate) floor: Option<i64>,
    /// The input is forgotten: its mark is taken away, and this becomes the floor of what is new.
    pub(crate) forgotten: Option<i64>,
    pub(crate) source: &'static str,
    pub(crate) file: Arc<str>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: Vec<Place>,
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) arrived: Instant,
    /// Told the number of the commit that holds it.
    pub(crate) acknowledge: Option<SyncSender<u64>>,
}

/// Where one record is in its piece, and in its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) index: u64,
    pub(crate) offset: u64,
}

impl Chunk {
    pub(crate) fn new(input: &str, source: &'static str, file: Arc<str>) -> Self {
        Self {
            input: input.to_owned(),
            mark: None,
            floor: None,
            forgotten: None,
            source,
            file,
            bytes: Vec::new(),
            records: Vec::new(),
            dead: Vec::new(),
            arrived: Instant::now(),
            acknowledge: None,
        }
    }

    pub(crate) fn add(&mut self, bytes: &[u8], index: u64, offset: u64) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.records.push(Place {
            start,
            end: self.bytes.len(),
            index,
            offset,
        });
    }

    pub(crate) fn bury(&mut self, offset: u64, reason: impl Into<String>) {
        self.dead.push(DeadLetter {
            file: self.file.clone(),
            offset,
            reason: reason.into(),
        });
    }
}

/// Hands over each record and dead letter of a stream; `false` where there is no reader of its form.
pub(crate) fn each_split(
    source: &dyn Source,
    container: Container,
    stream: &mut dyn Read,
    take: &mut dyn FnMut(Split<'_>) -> bool,
) {
    match container {
        Container::Ignored => {}
        Container::Json => {
            let mut splitter = Splitter::new(stream, source.split_options());
            while let Some(split) = splitter.next() {
                if !take(split) {
                    return;
                }
            }
        }
        Container::Csv => {
            if let Some(mut rows) = source.rows(Box::new(stream)) {
                while let Some(split) = rows.next() {
                    if !take(split) {
                        return;
                    }
                }
            }
        }
    }
}

/// Why records that were handed in are not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// More is waiting than is taken in.
    #[error("more records are waiting than are taken in; try again in a few seconds")]
    Busy,
    /// They are of no known log source.
    #[error(
        "these are records of no log source that is known; AWS CloudTrail in any of its forms is"
    )]
    Unknown,
    /// The watch has ended.
    #[error("the watch has ended")]
    Ended,
}

/// Where records are handed in.
#[derive(Clone, Debug)]
pub struct Intake {
    sender: SyncSender<Chunk>,
}

/// What was taken in, once it is stored.
#[derive(Debug)]
pub struct Receipt {
    /// How many records.
    pub records: usize,
    /// How many parts could not be read.
    pub dead_letters: usize,
    committed: Receiver<u64>,
}

impl Receipt {
    /// Waits until all of it is stored, and what follows from it; `None` where the watch ended before.
    pub fn wait(&self) -> Option<u64> {
        self.committed.recv().ok()
    }
}

impl Intake {
    /// One that nobody takes from: whatever is handed in is refused.
    pub fn closed() -> Self {
        Self::new().0
    }

    pub(crate) fn new() -> (Self, Receiver<Chunk>) {
        let (sender, receiver) = sync_channel(WAITING);
        (Self { sender }, receiver)
    }

    /// Waits until there is room; `false` where the watch has ended.
    pub(crate) fn bring(&self, chunk: Chunk) -> bool {
        self.sender.send(chunk).is_ok()
    }

    /// Hands in the records of a document: lines, an array, an envelope as the source writes them. `name`
    /// says who brought them.
    ///
    /// # Errors
    /// Where they are not taken; nothing of them was, then.
    pub fn offer(&self, name: &str, body: &[u8]) -> Result<Receipt, Refusal> {
        let recognition = portreeve_telemetry::recognise(body).ok_or(Refusal::Unknown)?;
        let source = portreeve_telemetry::source(recognition.source).ok_or(Refusal::Unknown)?;
        let mut chunk = Chunk::new(name, recognition.source, name.into());
        each_split(source, recognition.container, &mut &*body, &mut |split| {
            match split {
                Split::Record(record) => chunk.add(record.bytes, record.index, record.offset),
                Split::Dead { offset, reason } => chunk.bury(offset, reason),
            }
            true
        });
        let (acknowledge, committed) = sync_channel(1);
        chunk.acknowledge = Some(acknowledge);
        let receipt = Receipt {
            records: chunk.records.len(),
            dead_letters: chunk.dead.len(),
            committed,
        };
        match self.sender.try_send(chunk) {
            Ok(()) => Ok(receipt),
            Err(TrySendError::Full(_)) => Err(Refusal::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refusal::Ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"eventVersion":"1.09","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","eventTime":"2026-03-03T07:44:00Z","eventID":"1","userIdentity":{"type":"Root","accountId":"111122223333"}}"#;

    #[test]
    fn who_brings_more_than_fits_is_told_so() {
        let (intake, waiting) = Intake::new();
        let body = format!("{RECORD}\n{RECORD}\n{{\"broken");
        for _ in 0..WAITING {
            let receipt = intake.offer("http:soc", body.as_bytes()).unwrap();
            assert_eq!((receipt.records, receipt.dead_letters), (2, 1));
        }
        assert_eq!(
            intake.offer("http:soc", body.as_bytes()).unwrap_err(),
            Refusal::Busy
        );
        assert_eq!(
            intake.offer("http:soc", b"hello").unwrap_err(),
            Refusal::Unknown
        );
        assert_eq!(waiting.recv().unwrap().records.len(), 2);
        assert!(intake.offer("http:soc", body.as_bytes()).is_ok());
        drop(waiting);
        assert_eq!(
            intake.offer("http:soc", body.as_bytes()).unwrap_err(),
            Refusal::Ended
        );
    }
}
