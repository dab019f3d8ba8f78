//! Reads one file from where reading ended.
//!
//! A file of lines is read line by line as it grows, and a line counts once its end is written. Any other
//! form (compressed, one JSON document, a table) is read from its beginning each time that it changed, and
//! what was taken before is skipped; its end counts when it is whole, or when the file has not changed for
//! as long as `settle` says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use portreeve_record::Split;
use portreeve_telemetry::{Container, Recognition, Source};

use super::{Ended, Failure, Follower};
use crate::open::Opened;
use crate::serve::intake::{Chunk, each_split};
use crate::serve::mark::{Mark, Stamp};

/// So many bytes are taken as one piece.
const PIECE: usize = 1 << 20;

/// A line that is longer is not waited for any more.
const LONGEST_LINE: usize = 32 << 20;

/// Of a file that is not whole yet so much is kept back until it is.
const KEPT_BACK: usize = 64 << 20;

/// Whether all of a file was taken.
pub(super) enum Taken {
    All,
    /// An end that is not whole yet.
    Waits,
}

/// One file that is read.
pub(super) struct Reading<'f> {
    pub(super) follower: &'f mut Follower,
    pub(super) key: String,
    pub(super) mark: Mark,
    pub(super) recognition: Recognition,
    pub(super) source: &'f dyn Source,
}

impl Reading<'_> {
    fn chunk(&self) -> Chunk {
        let name: Arc<str> = self.mark.name.as_str().into();
        let mut chunk = Chunk::new(&self.key, self.recognition.source, name);
        chunk.floor = self.mark.floor;
        chunk
    }

    /// Sends a piece, with how far the file was read with it.
    fn send(&mut self, mut chunk: Chunk) -> Result<(), Ended> {
        chunk.mark = Some(self.mark.bytes());
        self.follower
            .marks
            .insert(self.key.clone(), self.mark.clone());
        self.follower.send(chunk)
    }

    /// Reads lines from where reading ended to the last line's end.
    pub(super) fn lines(
        &mut self,
        path: &Path,
        stamp: Stamp,
        settled: bool,
    ) -> Result<Taken, Failure> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.mark.done))?;
        let mut rest = Vec::new();
        let mut ended = false;
        loop {
            let mut grown = 0;
            while !ended
                && (rest.len() < PIECE || !rest.contains(&b'\n'))
                && rest.len() < LONGEST_LINE
            {
                let count = (&mut file).take(PIECE as u64).read_to_end(&mut rest)?;
                grown += count;
                ended = count == 0;
            }
            let is_too_long = rest.len() >= LONGEST_LINE;
            let ready = match rest.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if is_too_long => rest.len(),
                None if settled && is_value(&rest) => rest.len(),
                None => 0,
            };
            if ready > 0 {
                let mut chunk = self.chunk();
                let (base, first) = (self.mark.done, self.mark.index);
                let mut index = first;
                each_split(
                    self.source,
                    self.recognition.container,
                    &mut &rest[..ready],
                    &mut |split| {
                        match split {
                            Split::Record(record) => {
                                index = first + record.index + 1;
                                chunk.add(record.bytes, first + record.index, base + record.offset);
                            }
                            Split::Dead { offset, reason } => chunk.bury(base + offset, reason),
                        }
                        true
                    },
                );
                self.mark.index = index;
                self.mark.done += ready as u64;
                self.mark.size = self.mark.done;
                self.mark.whole = false;
                self.send(chunk)?;
                rest.drain(..ready);
            }
            if ended && (grown == 0 || ready == 0) {
                break;
            }
        }
        let whole = self.mark.done >= stamp.size;
        Ok(if whole { Taken::All } else { Taken::Waits })
    }

    /// Reads a file that is not of lines from its beginning, and takes what was not taken before.
    pub(super) fn document(
        &mut self,
        stamp: Stamp,
        settled: bool,
        mut opened: Opened,
    ) -> Result<Taken, Failure> {
        // Of a table without compression nothing tells whether its last row is whole.
        let is_table = self.recognition.container == Container::Csv;
        if is_table && opened.is_plain() && !settled {
            return Ok(Taken::Waits);
        }
        let before = self.mark.index;
        let mut ready: Vec<Chunk> = Vec::new();
        let mut kept_back = 0;
        // Dead letters behind the last record: perhaps only because the file is not whole yet.
        let mut trailing: Vec<(u64, String)> = Vec::new();
        let mut chunk = self.chunk();
        let mut ended = Ok(());
        let mut counted = Counted {
            stream: &mut opened,
            bytes: 0,
        };
        let (source, container) = (self.source, self.recognition.container);
        each_split(source, container, &mut counted, &mut |split| {
            match split {
                Split::Dead { offset, reason } => trailing.push((offset, reason.into_owned())),
                Split::Record(record) if record.index < before => trailing.clear(),
                Split::Record(record) => {
                    for (offset, reason) in trailing.drain(..) {
                        chunk.bury(offset, reason);
                    }
                    chunk.add(record.bytes, record.index, record.offset);
                    self.mark.index = record.index + 1;
                    if chunk.bytes.len() >= PIECE {
                        let next = self.chunk();
                        let mut full = std::mem::replace(&mut chunk, next);
                        full.mark = Some(self.mark.bytes());
                        kept_back += full.bytes.len();
                        ready.push(full);
                    }
                }
            }
            if kept_back >= KEPT_BACK {
                for one in ready.drain(..) {
                    ended = ended
                        .and_then(|()| self.follower.intake.bring(one).then_some(()).ok_or(()));
                }
            }
            ended.is_ok()
        });
        ended.map_err(|()| Ended)?;
        let is_whole = trailing.is_empty();
        if !is_whole && !settled {
            // What was sent already stays taken: its records were whole.
            if kept_back < KEPT_BACK {
                self.mark.index = before;
                return Ok(Taken::Waits);
            }
        } else {
            for (offset, reason) in trailing {
                chunk.bury(offset, reason);
            }
            self.mark.done = counted.bytes;
            self.mark.size = stamp.size;
            self.mark.whole = true;
        }
        for one in ready {
            self.follower.send(one)?;
        }
        self.send(chunk)?;
        Ok(if self.mark.whole {
            Taken::All
        } else {
            Taken::Waits
        })
    }
}

struct Counted<'r> {
    stream: &'r mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Whether what a file begins with is a whole line that stands for itself: one JSON value, or other text
/// before one.
pub(super) fn begins_with_a_line(head: &[u8]) -> bool {
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    let line = head[..end].trim_ascii();
    match line.first() {
        Some(b'{' | b'[') => is_value(line),
        Some(_) => true,
        None => false,
    }
}

fn is_value(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
