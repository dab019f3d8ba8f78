mod between;
mod recover;

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::buffer::{View, Window};
use crate::envelope::Envelopes;
use crate::machine::{Machine, Step};
use crate::scan::{self, Flaw};
use recover::LOOK_BACK;

/// A number of more digits than this is not waited for.
const LONGEST_NUMBER: usize = 1 << 20;

/// How a stream is split.
#[derive(Clone, Debug)]
pub struct SplitOptions {
    /// Keys of an object whose array holds the records, as `Records`; a dotted path leads into
    /// objects, as `hits.hits`. Looked for in top-level objects and in the objects of a top-level
    /// array. A record that itself has such a key with an array is split too: give only the keys
    /// of the log source that the stream was recognised as.
    pub envelopes: Vec<String>,
    /// A record of more bytes is a dead letter.
    pub max_record: usize,
    /// A record with containers nested deeper is a dead letter; 128 at most.
    pub max_depth: usize,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self {
            envelopes: Vec::new(),
            max_record: 16 << 20,
            max_depth: crate::MAX_DEPTH,
        }
    }
}

/// The bytes of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'b> {
    /// The JSON value: an object mostly; a string or an array where an array held such, or a line
    /// was a string. UTF-8.
    pub bytes: &'b [u8],
    /// Its number among the stream's records, from 0. Dead letters have none.
    pub index: u64,
    /// Its first byte in the stream.
    pub offset: u64,
    /// Whether its end was taken from where the next one seems to begin; see
    /// [`Splitter::next_likely`].
    pub likely: bool,
}

/// What a stream is split into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split<'b> {
    /// A record.
    Record(RawRecord<'b>),
    /// Something that cannot be read.
    Dead {
        /// Its first byte in the stream.
        offset: u64,
        /// What was found.
        reason: Cow<'static, str>,
    },
}

enum Found {
    Record(Range<usize>),
    Dead {
        offset: u64,
        reason: Cow<'static, str>,
    },
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Between two values.
    Between,
    /// In a value.
    Inside,
    /// In a value that is nested too deep: only brackets are counted.
    TooDeep {
        open: u64,
        in_string: bool,
    },
    /// In a line that is no record.
    Line,
    /// Behind something broken: looking for the next record. Holds the offset of the break.
    Search {
        broken: u64,
    },
    Done,
}

/// An array whose elements are records.
#[derive(Debug)]
enum Frame {
    /// At the top level.
    Array,
    /// In an envelope; the machine as it stood there.
    Envelope(Machine),
}

/// Splits a stream of bytes into records, in memory bounded by the largest record allowed.
///
/// It reads JSON objects one a line, concatenated, pretty-printed, as elements of an array, as
/// elements of an array in an envelope (`{"Records":[…]}`), and lines with other text before the
/// object, as exports of CloudWatch Logs have. What is broken becomes a dead letter, as small as
/// can be told: reading goes on at the next line or element that begins a record.
///
/// Records are checked to be UTF-8. A record that stands alone on its line is not looked into
/// further: [`Extractor`](crate::Extractor) checks it whole.
///
/// ```
/// use portreeve_record::{Split, SplitOptions, Splitter};
///
/// let log = br#"{"Records":[{"n":1},{"n":2}]}"#;
/// let options = SplitOptions { envelopes: vec!["Records".into()], ..SplitOptions::default() };
/// let mut splitter = Splitter::new(&log[..], options);
/// let mut records = Vec::new();
/// while let Some(Split::Record(record)) = splitter.next() {
///     records.push((record.index, record.offset, record.bytes.to_vec()));
/// }
/// assert_eq!(records, [(0, 12, br#"{"n":1}"#.to_vec()), (1, 20, br#"{"n":2}"#.to_vec())]);
/// ```
#[derive(Debug)]
pub struct Splitter<V> {
    window: V,
    max_record: usize,
    envelopes: Envelopes,
    has_envelopes: bool,
    mode: Mode,
    frames: SmallVec<[Frame; 2]>,
    machine: Machine,
    /// The first byte in the window that is still needed.
    start: usize,
    /// The next byte to look at.
    scan: usize,
    /// The stream's offset of the value at hand.
    origin: u64,
    /// Whether the value at hand is an envelope, so no record itself.
    envelope: bool,
    /// Whether the value at hand is too large to keep.
    oversized: bool,
    /// Whether the user has been told already that the stream ends too early.
    end_told: bool,
    /// The first key of the first good record, quoted: what the next record is found by behind a
    /// break.
    mark: Option<Finder<'static>>,
    /// Whether that record might have been an envelope, and was none.
    mark_is_plain: bool,
    /// Whether who checks a record whole allows no more depth than is allowed here.
    depth_is_checked: bool,
    /// Whether ends of records may be taken from where the next one seems to begin.
    takes_likely: bool,
    /// Whether the record that comes next is to be looked into.
    rereads: bool,
    /// Whether the end of the record at hand was taken so.
    likely: bool,
    index: u64,
}

impl<R: Read> Splitter<Window<R>> {
    /// A splitter of a stream that is not compressed any more.
    pub fn new(reader: R, options: SplitOptions) -> Self {
        Self::with_room(reader, options, Vec::new())
    }

    /// The same, which reads into a room that served another splitter before: where files are many and
    /// small, making room for each takes longer than finding its records.
    pub fn with_room(reader: R, options: SplitOptions, room: Vec<u8>) -> Self {
        Self::of(Window::new(reader, room), options)
    }

    /// Its room, for the next one. As large as the largest record that it held, or twice that.
    pub fn into_room(self) -> Vec<u8> {
        self.window.into_room()
    }
}

impl<'b> Splitter<&'b [u8]> {
    /// A splitter of bytes that are all there. It copies none of them.
    pub fn whole(bytes: &'b [u8], options: SplitOptions) -> Self {
        Self::of(bytes, options)
    }
}

impl<V: View> Splitter<V> {
    fn of(window: V, options: SplitOptions) -> Self {
        let envelopes = Envelopes::new(&options.envelopes);
        Self {
            window,
            max_record: options.max_record,
            envelopes,
            has_envelopes: !options.envelopes.is_empty(),
            mode: Mode::Between,
            frames: SmallVec::new(),
            machine: Machine::new(options.max_depth),
            start: 0,
            scan: 0,
            origin: 0,
            envelope: false,
            oversized: false,
            end_told: false,
            mark: None,
            mark_is_plain: false,
            depth_is_checked: options.max_depth >= crate::MAX_DEPTH,
            takes_likely: false,
            rereads: false,
            likely: false,
            index: 0,
        }
    }

    /// The next record or dead letter; `None` at the end. A read error ends the stream with a dead
    /// letter behind everything that was read before it.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Split<'_>> {
        self.takes_likely = false;
        self.split()
    }

    /// As [`Splitter::next`], for readers that check each record whole, as
    /// [`Extractor`](crate::Extractor) does: within an envelope a record is taken to end before the
    /// next object that begins with the same key, and a line to be one record, without looking into
    /// them.
    ///
    /// A record that turns out not to be one value, and says that it is
    /// [`likely`](RawRecord::likely), is to be given back with [`Splitter::reread`]. All records and
    /// dead letters are then the same as those of [`Splitter::next`].
    pub fn next_likely(&mut self) -> Option<Split<'_>> {
        self.takes_likely = self.depth_is_checked && !std::mem::take(&mut self.rereads);
        self.split()
    }

    /// Reads the record that came last again, now looking into it.
    pub fn reread(&mut self) {
        if self.likely {
            self.index -= 1;
            self.scan = self.start;
            self.rereads = true;
        }
    }

    fn split(&mut self) -> Option<Split<'_>> {
        let (range, checked) = loop {
            self.likely = false;
            let found = match self.mode {
                Mode::Between => self.between(),
                Mode::Inside => self.inside(),
                Mode::TooDeep { open, in_string } => self.too_deep(open, in_string),
                Mode::Line => self.line(),
                Mode::Search { broken } => self.search(broken),
                Mode::Done => return None,
            };
            match found {
                None => {}
                Some(Found::End) => return None,
                Some(Found::Dead { offset, reason }) => {
                    return Some(Split::Dead { offset, reason });
                }
                Some(Found::Record(range)) => {
                    let checked = self.check(range.clone());
                    if checked.is_ok() || !self.likely {
                        break (range, checked);
                    }
                    self.scan = self.start;
                    self.takes_likely = false;
                }
            }
        };
        let offset = self.offset(range.start);
        Some(match checked {
            Err(reason) => Split::Dead { offset, reason },
            Ok(()) => {
                self.index += 1;
                Split::Record(RawRecord {
                    bytes: self.window.bytes().get(range).unwrap_or_default(),
                    index: self.index - 1,
                    offset,
                    likely: self.likely,
                })
            }
        })
    }

    /// Whether what stands in a range can be a record.
    fn check(&self, range: Range<usize>) -> Result<(), Cow<'static, str>> {
        let bytes = self.window.bytes().get(range).unwrap_or_default();
        match bytes.first() {
            // Who takes it checks it whole.
            Some(b'{') if self.likely => Ok(()),
            Some(b'{' | b'[' | b'"') => match std::str::from_utf8(bytes) {
                Ok(_) => Ok(()),
                Err(error) => {
                    Err(format!("byte {} of the record is not UTF-8", error.valid_up_to()).into())
                }
            },
            _ => Err("a number, true, false or null where a record should be".into()),
        }
    }

    /// The bytes that have been read from the stream so far.
    pub fn bytes_read(&self) -> u64 {
        self.window.base() + self.window.bytes().len() as u64
    }

    /// Reads more. What a search may look back on stays, so that the size of what is read at a time
    /// does not show.
    fn fill(&mut self) {
        let keep = self.start.min(self.scan).saturating_sub(LOOK_BACK);
        let moved = self.window.fill(keep);
        self.start = self.start.saturating_sub(moved);
        self.scan = self.scan.saturating_sub(moved);
    }

    fn offset(&self, position: usize) -> u64 {
        self.window.base() + position as u64
    }

    fn inside(&mut self) -> Option<Found> {
        let ended = self.window.ended();
        let bytes = self.window.bytes();
        match self.machine.run(bytes, self.scan, ended, &self.envelopes) {
            Step::Complete(after) => {
                let range = self.start..after;
                self.scan = after;
                self.mode = Mode::Between;
                if self.envelope {
                    return None;
                }
                if self.oversized || range.len() > self.max_record {
                    return Some(self.too_large());
                }
                self.remember_mark(range.start, true);
                Some(Found::Record(range))
            }
            Step::Records(after) => {
                self.scan = after;
                self.frames.push(Frame::Envelope(self.machine.clone()));
                self.mode = Mode::Between;
                None
            }
            Step::More(position) => {
                self.scan = position;
                if ended {
                    return Some(self.cut_off());
                }
                // Only a number waits for its end unread; one this long would be read again and again.
                if bytes.len() - position > LONGEST_NUMBER {
                    self.mode = Mode::Search {
                        broken: self.offset(position),
                    };
                    return Some(self.too_large());
                }
                if position - self.start > self.max_record {
                    self.oversized = true;
                }
                if self.oversized || self.envelope {
                    self.start = position;
                }
                self.fill();
                None
            }
            Step::TooDeep(position) => {
                self.scan = position;
                self.mode = Mode::TooDeep {
                    open: u64::from(self.machine.depth()),
                    in_string: false,
                };
                None
            }
            Step::Bad(position, reason) => Some(self.broken(position, reason)),
        }
    }

    fn too_large(&self) -> Found {
        Found::Dead {
            offset: self.origin,
            reason: format!("a record of more than {} bytes", self.max_record).into(),
        }
    }

    fn too_deep(&mut self, mut open: u64, mut in_string: bool) -> Option<Found> {
        let top = self.frames.is_empty();
        let ended = self.window.ended();
        let bytes = self.window.bytes();
        let mut position = self.scan;
        let dead = Found::Dead {
            offset: self.origin,
            reason: "a record nested too deep".into(),
        };
        loop {
            if in_string {
                match scan::string(bytes, position) {
                    Ok(end) => position = end.after,
                    Err(Flaw::Ends(resume)) => {
                        position = resume;
                        break;
                    }
                    Err(Flaw::At(at, _)) => {
                        self.scan = at;
                        self.end_told = true;
                        self.mode = Mode::Search {
                            broken: self.offset(at),
                        };
                        return Some(dead);
                    }
                }
                in_string = false;
            }
            match bytes.get(position) {
                None => break,
                Some(b'"') => in_string = true,
                Some(b'{' | b'[') => open += 1,
                Some(b'}' | b']') => open = open.saturating_sub(1),
                // A new line that begins an object begins a record, however many are still open.
                Some(b'\n') if top => match bytes.get(position + 1) {
                    Some(b'{') => open = 0,
                    None if !ended => break,
                    _ => {}
                },
                Some(_) => {}
            }
            position += 1;
            if open == 0 {
                self.scan = position;
                self.mode = Mode::Between;
                return Some(dead);
            }
        }
        self.scan = position;
        self.start = position;
        if ended {
            self.end_told = true;
            self.mode = Mode::Between;
            self.scan = bytes.len();
            return Some(dead);
        }
        self.mode = Mode::TooDeep { open, in_string };
        self.fill();
        None
    }

    fn finish(&mut self) -> Found {
        self.mode = Mode::Done;
        let offset = self.offset(self.scan);
        if let Some(error) = self.window.take_error() {
            return Found::Dead {
                offset,
                reason: format!("reading failed here: {error}").into(),
            };
        }
        if !self.frames.is_empty() && !self.end_told {
            return Found::Dead {
                offset,
                reason: "the data end before their array does".into(),
            };
        }
        Found::End
    }
}
