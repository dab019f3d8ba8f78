//! What to do when the stream breaks: where the next record begins.

use memchr::memmem::Finder;
use memchr::{memchr2_iter, memrchr};

use super::{Found, Frame, Mode, Splitter};
use crate::buffer::View;
use crate::envelope::ROOT;
use crate::scan;

/// Bytes kept before the position in a search, to tell what stands before it.
pub(super) const LOOK_BACK: usize = 512;
/// A first key longer than this is no mark to find the next record by.
const LONGEST_MARK: usize = 64;

impl<V: View> Splitter<V> {
    /// The stream ends inside a value.
    pub(super) fn cut_off(&mut self) -> Found {
        self.end_told = true;
        let error = self.window.take_error();
        let offset = if self.envelope {
            self.offset(self.scan)
        } else {
            self.origin
        };
        if let Some(error) = error {
            self.mode = Mode::Done;
            return Found::Dead {
                offset,
                reason: format!("reading failed here: {error}").into(),
            };
        }
        // A bracket that was never closed may have swallowed records that can be read.
        let oversized = self.is_oversized(self.window.bytes().len());
        if !oversized && !self.envelope {
            self.scan = self.start + 1;
        }
        self.mode = Mode::Search {
            broken: self.offset(self.window.bytes().len()),
        };
        if oversized {
            return self.too_large();
        }
        Found::Dead {
            offset,
            reason: "the data end in the middle of a record".into(),
        }
    }

    /// Whether the value at hand, which reaches to `end` at least, is too large to keep; told alike
    /// whether its beginning was let go already or not.
    fn is_oversized(&self, end: usize) -> bool {
        self.oversized || (!self.envelope && end - self.start > self.max_record)
    }

    /// Something at `position` cannot be.
    pub(super) fn broken(&mut self, position: usize, reason: &'static str) -> Found {
        let broken = self.offset(position);
        let mut offset = self.origin;
        if self.envelope {
            offset = broken;
            self.frames.clear();
            self.scan = position;
        } else if self.is_oversized(position) {
            self.scan = position;
        } else {
            self.remember_mark(self.start, false);
            self.scan = self.start + 1;
        }
        self.end_told = true;
        self.mode = Mode::Search { broken };
        Found::Dead {
            offset,
            reason: format!("not JSON: at byte {broken} {reason}").into(),
        }
    }

    /// Keeps the first key of a record that begins at `position`, if none is kept yet, or none of a
    /// whole record that might have been an envelope.
    pub(super) fn remember_mark(&mut self, position: usize, whole: bool) {
        let tracked = matches!(self.frames.as_slice(), [] | [Frame::Array]);
        if self.mark.is_some() && (self.mark_is_plain || !tracked || !whole) {
            return;
        }
        let bytes = self.window.bytes();
        if bytes.get(position) != Some(&b'{') {
            return;
        }
        let key = scan::white_space(bytes, position + 1);
        if bytes.get(key) == Some(&b'"')
            && let Ok(end) = scan::string(bytes, key + 1)
            && end.after - key <= LONGEST_MARK
        {
            let mark = bytes.get(key..end.after);
            self.mark_is_plain = whole
                && tracked
                && bytes
                    .get(key + 1..end.after - 1)
                    .is_some_and(|key| self.envelopes.step(ROOT, key).is_none());
            self.mark = mark.map(|mark| Finder::new(mark).into_owned());
        }
    }

    /// Looks for the next place where a record begins.
    pub(super) fn search(&mut self, broken: u64) -> Option<Found> {
        let ended = self.window.ended();
        let bytes = self.window.bytes();
        let base = self.window.base();
        let mut from = bytes.len();
        let mut accepted = None;
        for at in memchr2_iter(b'{', b'[', bytes.get(self.scan..).unwrap_or_default()) {
            let at = self.scan + at;
            if !ended && bytes.len() - at < LOOK_BACK {
                from = at;
                break;
            }
            if let Some(new_document) = self.begins_record(bytes, base, at, broken) {
                accepted = Some((at, new_document));
                break;
            }
        }
        if let Some((at, new_document)) = accepted {
            if new_document {
                self.frames.clear();
            }
            self.scan = at;
            self.start = at;
            self.end_told = false;
            self.mode = Mode::Between;
            return None;
        }
        self.scan = from;
        self.start = from;
        if ended {
            self.scan = bytes.len();
            self.mode = Mode::Between;
        } else {
            self.fill();
        }
        None
    }

    /// Whether a record begins at the bracket at `at`; if so, whether it is at the top level.
    fn begins_record(&self, bytes: &[u8], base: u64, at: usize, broken: u64) -> Option<bool> {
        let before_at = bytes
            .get(at.saturating_sub(LOOK_BACK)..at)
            .unwrap_or_default();
        let line = memrchr(b'\n', before_at).map(|newline| newline + 1);
        let in_first_column = before_at.last() == Some(&b'\n');
        let before = before_at.trim_ascii_end().last().copied();
        let bytes = bytes.get(..at + LOOK_BACK).unwrap_or(bytes);
        let next = scan::white_space(bytes, at + 1);
        let next_byte = bytes.get(next).copied();
        let marked = self.mark.as_ref().map(|mark| {
            bytes
                .get(next..)
                .is_some_and(|rest| rest.starts_with(mark.needle()))
        });
        if bytes.get(at) == Some(&b'[') {
            let opens = in_first_column
                && self.frames.is_empty()
                && base + at as u64 >= broken
                && next_byte == Some(b'{');
            return opens.then_some(true);
        }
        if in_first_column && !matches!(before, Some(b',' | b'[')) {
            return Some(true);
        }
        if !matches!(next_byte, Some(b'"' | b'}')) {
            return None;
        }
        if !self.frames.is_empty() {
            let separated = match marked {
                Some(marked) => marked && matches!(before, Some(b',' | b'[')),
                None => before == Some(b','),
            };
            return separated.then_some(false);
        }
        if in_first_column || marked == Some(true) && matches!(before, Some(b'}' | b',' | b'[')) {
            return Some(true);
        }
        // Behind a prefix, on a line of its own behind the break.
        let line = line?;
        let line_offset = base + (at - before_at.len() + line) as u64;
        let prefix = before_at.get(line..).unwrap_or_default();
        let plain =
            prefix.first().is_some_and(u8::is_ascii_alphanumeric) && !prefix.contains(&b'{');
        (plain && line_offset >= broken).then_some(true)
    }
}
