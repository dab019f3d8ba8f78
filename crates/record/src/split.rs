mod recover;

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};
use smallvec::SmallVec;

use crate::buffer::{View, Window};
use crate::envelope::Envelopes;
use crate::machine::{Machine, Step};
use crate::scan::{self, Flaw};
use recover::LOOK_BACK;

/// A line is looked at this far for a newline, a prefix for the object behind it, a record for the next
/// one.
const LOOK_AHEAD: usize = 64 * 1024;
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

    fn between(&mut self) -> Option<Found> {
        let bytes = self.window.bytes();
        let top = self.frames.is_empty();
        let mut position = self.scan;
        loop {
            position = scan::white_space(bytes, position);
            match bytes.get(position) {
                // A closing bracket here belongs to something that broke before.
                Some(b',') => position += 1,
                Some(b']' | b'}') if top => position += 1,
                Some(0xEF) if top && bytes[position..].starts_with(b"\xEF\xBB\xBF") => {
                    position += 3;
                }
                _ => break,
            }
        }
        self.scan = position;
        self.start = position;
        let byte = match bytes.get(position) {
            Some(0xEF) if bytes.len() - position < 3 && !self.window.ended() => None,
            other => other.copied(),
        };
        let Some(byte) = byte else {
            if self.window.ended() && position == bytes.len() {
                return Some(self.finish());
            }
            self.fill();
            return None;
        };
        if top {
            return match byte {
                b'{' => self.line_record(),
                b'"' => self.begin(),
                b'[' => self.open_array(),
                _ => self.text(),
            };
        }
        if byte == b']' {
            self.scan += 1;
            if let Some(Frame::Envelope(machine)) = self.frames.pop() {
                self.machine = machine;
                self.envelope = true;
                self.oversized = false;
                self.mode = Mode::Inside;
            }
            return None;
        }
        if self.takes_likely
            && let Some(range) = self.likely_record()
        {
            self.scan = range.end;
            self.likely = true;
            return Some(Found::Record(range));
        }
        self.begin()
    }

    /// The record at hand, if it stands in an envelope, begins with the key that the first one began
    /// with, and the next object that begins so follows as an element does. A range that is one whole
    /// value is the record: no other value can begin there.
    fn likely_record(&self) -> Option<Range<usize>> {
        let (Some(Frame::Envelope(_)), Some(mark)) = (self.frames.last(), &self.mark) else {
            return None;
        };
        let rest = self.window.bytes().get(self.scan..)?;
        let near = rest.get(..LOOK_AHEAD).unwrap_or(rest);
        let key = scan::white_space(near, 1);
        let inside = key + mark.needle().len();
        if near.first() != Some(&b'{') || near.get(key..inside) != Some(mark.needle()) {
            return None;
        }
        let before = |end: usize, byte: u8| {
            let text = near.get(..end)?.trim_ascii_end();
            (text.last() == Some(&byte)).then(|| text.len() - 1)
        };
        let next = inside + mark.find(near.get(inside..)?)?;
        let comma = before(before(next, b'{')?, b',')?;
        let end = before(comma, b'}')? + 1;
        (end <= self.max_record).then(|| self.scan..self.scan + end)
    }

    fn begin(&mut self) -> Option<Found> {
        let tracked = self.has_envelopes && matches!(self.frames.as_slice(), [] | [Frame::Array]);
        self.machine.start(tracked);
        self.mode = Mode::Inside;
        self.start = self.scan;
        self.origin = self.offset(self.scan);
        self.envelope = false;
        self.oversized = false;
        None
    }

    /// An object at the top level. The common case, one record a line, is told without looking
    /// into the record: in JSON that is right, a line that begins with `{` at the top level and
    /// ends with `}` can be followed by a `{` only if it was complete.
    fn line_record(&mut self) -> Option<Found> {
        let bytes = self.window.bytes();
        let rest = bytes.get(self.scan..).unwrap_or_default();
        let ended = self.window.ended();
        let Some(newline) = memchr(b'\n', rest) else {
            if !ended && rest.len() < LOOK_AHEAD {
                self.fill();
                return None;
            }
            return self.begin();
        };
        let next = scan::white_space(bytes, self.scan + newline);
        // However much is read at a time: how far it is to what stands behind the line decides.
        if next - self.scan > self.max_record {
            return self.begin();
        }
        if next == bytes.len() && !ended {
            self.fill();
            return None;
        }
        let line = rest.get(..newline).unwrap_or_default().trim_ascii_end();
        let alone = line.last() == Some(&b'}')
            && matches!(bytes.get(next), None | Some(b'{'))
            && self.is_like_the_first(line)
            && (self.takes_likely || !holds_two(line));
        if !alone {
            return self.begin();
        }
        let range = self.scan..self.scan + line.len();
        self.likely = self.takes_likely;
        self.start = self.scan;
        self.scan = next;
        Some(Found::Record(range))
    }

    /// Whether an object cannot be an envelope, since it begins with the key that the first record
    /// began with. Without envelope keys none can.
    fn is_like_the_first(&self, line: &[u8]) -> bool {
        !self.has_envelopes
            || self.mark_is_plain
                && self.mark.as_ref().is_some_and(|mark| {
                    line.get(scan::white_space(line, 1)..)
                        .is_some_and(|members| members.starts_with(mark.needle()))
                })
    }

    fn open_array(&mut self) -> Option<Found> {
        let bytes = self.window.bytes();
        let next = scan::white_space(bytes, self.scan + 1);
        match bytes.get(next) {
            None if !self.window.ended() && next - self.scan < LOOK_AHEAD => {
                self.fill();
                None
            }
            Some(b'{' | b'[' | b'"' | b']') => {
                self.scan = next;
                self.frames.push(Frame::Array);
                None
            }
            _ => self.text(),
        }
    }

    /// A line of other text at the top level, perhaps with an object behind a prefix.
    fn text(&mut self) -> Option<Found> {
        let bytes = self.window.bytes();
        let rest = bytes.get(self.scan..).unwrap_or_default();
        let ended = self.window.ended();
        let newline = memchr(b'\n', rest);
        let line = rest
            .get(..newline.unwrap_or(rest.len()))
            .unwrap_or_default();
        let near = line.get(..LOOK_AHEAD).unwrap_or(line);
        for brace in memchr_iter(b'{', near) {
            let next = scan::white_space(bytes, self.scan + brace + 1);
            match bytes.get(next) {
                Some(b'"' | b'}') => {
                    self.scan += brace;
                    return self.begin();
                }
                None if !ended && line.len() < LOOK_AHEAD => {
                    self.fill();
                    return None;
                }
                _ => {}
            }
        }
        if newline.is_none() && !ended && line.len() < LOOK_AHEAD {
            self.fill();
            return None;
        }
        let offset = self.offset(self.scan);
        let length = line.len();
        self.scan += length;
        if newline.is_none() {
            self.mode = Mode::Line;
        }
        Some(Found::Dead {
            offset,
            reason: "a line that is not JSON".into(),
        })
    }

    fn line(&mut self) -> Option<Found> {
        let rest = self.window.bytes().get(self.scan..).unwrap_or_default();
        match memchr(b'\n', rest) {
            Some(newline) => {
                self.scan += newline + 1;
                self.mode = Mode::Between;
            }
            None => {
                self.scan = self.window.bytes().len();
                self.start = self.scan;
                if self.window.ended() {
                    self.mode = Mode::Between;
                } else {
                    self.fill();
                }
            }
        }
        None
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

/// Whether a closing brace is followed by an opening one, as between two documents. A string may
/// hold such a pair too.
fn holds_two(line: &[u8]) -> bool {
    memchr_iter(b'{', line).any(|brace| {
        line.get(..brace)
            .unwrap_or_default()
            .trim_ascii_end()
            .last()
            == Some(&b'}')
    })
}
