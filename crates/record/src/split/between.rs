//! Between two values: where the next one begins, and records that are told without looking into them.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::{Found, Frame, Mode, Splitter};
use crate::buffer::View;
use crate::scan;

/// A line is looked at this far for a newline, a prefix for the object behind it, a record for the next
/// one.
const LOOK_AHEAD: usize = 64 * 1024;
impl<V: View> Splitter<V> {
    pub(super) fn between(&mut self) -> Option<Found> {
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

    pub(super) fn line(&mut self) -> Option<Found> {
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
