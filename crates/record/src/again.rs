//! Objects that come again: what a record says of its caller is mostly, byte for byte, what one of the
//! records shortly before it said. Comparing costs a tenth of walking.

use std::borrow::Cow;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::extract::NodeId;
use crate::{Slots, Value};

/// How many objects are remembered; a power of two. A later one takes the place of an earlier one.
const PLACES: usize = 128;
/// Objects shorter than this, in bytes, are walked. By so many bytes a longer one is looked for, too.
const SHORTEST: usize = 96;
/// Longer ones are too seldom the same.
const LONGEST: usize = 4096;

/// Objects at so many keys are counted apart, more or less: by the last bits of where paths stand in them.
const COUNTS: usize = 16;
/// Of so many objects it is counted how many came again.
const TRIED: u16 = 256;
/// Where fewer than one of so many did, looking and remembering cost more than they spare.
const SELDOM: u16 = 4;
/// Then so many are walked before it is tried again.
const RESTING: u16 = 8_192;

/// How often objects come again.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    tried: u16,
    came: u16,
    resting: u16,
}

/// What was read of the last objects at the top of records. Memory that is kept from record to record.
#[derive(Debug, Default)]
pub(crate) struct Again {
    known: Vec<Known>,
    counts: [Count; COUNTS],
}

/// One object, and what the walk over it gave.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What walked it, and where its paths stood; no extractor has the number 0.
    extractor: u64,
    node: NodeId,
    text: Vec<u8>,
    pub(crate) tokens: usize,
    values: Vec<Piece>,
}

/// A value of a field, by its place in the object.
#[derive(Clone, Copy, Debug)]
struct Piece {
    field: u32,
    kind: Kind,
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Null,
    Bool(bool),
    Number,
    String,
    Array,
    Object,
}

/// An object that is being walked, to be remembered at its end.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) place: usize,
    pub(crate) start: usize,
    pub(crate) token: usize,
    pub(crate) node: NodeId,
    /// How many values there were before it.
    pub(crate) values: usize,
}

impl Again {
    /// Whether to look for an object, by how often others of the same node came again.
    #[inline(always)]
    pub(crate) fn pays(&mut self, node: NodeId) -> bool {
        let count = &mut self.counts[node as usize % COUNTS];
        if count.resting > 0 {
            count.resting -= 1;
            return false;
        }
        if count.tried == TRIED {
            let resting = if count.came < TRIED / SELDOM {
                RESTING
            } else {
                0
            };
            *count = Count {
                resting,
                ..Count::default()
            };
        }
        count.tried += 1;
        true
    }

    /// One of the node came again.
    #[inline(always)]
    pub(crate) fn came(&mut self, node: NodeId) {
        self.counts[node as usize % COUNTS].came += 1;
    }

    /// The object that begins at a position, if it is known; else the place where it is to be
    /// remembered, `None` where it is too short.
    #[inline(always)]
    pub(crate) fn find(
        &self,
        (extractor, node): (u64, NodeId),
        bytes: &[u8],
        position: usize,
    ) -> Result<&Known, Option<usize>> {
        let Some(begin) = bytes.get(position..position + SHORTEST) else {
            return Err(None);
        };
        let place = FixedState::default().hash_one(begin) as usize % PLACES;
        match self.known.get(place) {
            Some(known)
                if known.extractor == extractor
                    && known.node == node
                    && bytes.get(position..position + known.text.len())
                        == Some(known.text.as_slice()) =>
            {
                Ok(known)
            }
            _ => Err(Some(place)),
        }
    }

    /// Remembers an object that was walked to its end; `tokens` is how many it has.
    pub(crate) fn remember(
        &mut self,
        extractor: u64,
        open: Open,
        text: &str,
        end: usize,
        tokens: usize,
        slots: &Slots<'_>,
    ) {
        let own = open.start..end;
        if !(SHORTEST..=LONGEST).contains(&own.len()) {
            return;
        }
        if self.known.is_empty() {
            self.known.resize_with(PLACES, Known::default);
        }
        let Some(known) = self.known.get_mut(open.place) else {
            return;
        };
        // Until it is whole it is nobody's.
        known.extractor = 0;
        known.values.clear();
        for (field, value) in slots.pushed_since(open.values) {
            let Some(piece) = Piece::new(field, value, text, own.start) else {
                return;
            };
            known.values.push(piece);
        }
        known.text.clear();
        known
            .text
            .extend_from_slice(text.as_bytes().get(own).unwrap_or_default());
        known.tokens = tokens;
        known.node = open.node;
        known.extractor = extractor;
    }
}

impl Known {
    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Gives its values to a record that has it, at a position.
    #[inline(always)]
    pub(crate) fn give<'r>(&self, text: &'r str, position: usize, slots: &mut Slots<'r>) {
        for piece in &self.values {
            let raw = || {
                let range = position + piece.start as usize..position + piece.end as usize;
                text.get(range).unwrap_or_default()
            };
            let value = match piece.kind {
                Kind::Null => Value::Null,
                Kind::Bool(truth) => Value::Bool(truth),
                Kind::Number => Value::Number(raw()),
                Kind::String => Value::String(Cow::Borrowed(raw())),
                Kind::Array => Value::Array(raw()),
                Kind::Object => Value::Object(raw()),
            };
            slots.push(piece.field, value);
        }
    }
}

impl Piece {
    /// `None` for a value that does not stand in the text as it is.
    fn new(field: u32, value: &Value<'_>, text: &str, start: usize) -> Option<Self> {
        let (kind, raw) = match value {
            Value::Null => (Kind::Null, None),
            Value::Bool(truth) => (Kind::Bool(*truth), None),
            Value::Number(raw) => (Kind::Number, Some(*raw)),
            Value::String(Cow::Borrowed(raw)) => (Kind::String, Some(*raw)),
            Value::Array(raw) => (Kind::Array, Some(*raw)),
            Value::Object(raw) => (Kind::Object, Some(*raw)),
            Value::String(Cow::Owned(_)) | Value::Unknown => return None,
        };
        let range = match raw {
            None => 0..0,
            Some("") => 0..0,
            Some(raw) => {
                let begin = (raw.as_ptr() as usize).checked_sub(text.as_ptr() as usize + start)?;
                begin..begin + raw.len()
            }
        };
        Some(Self {
            field,
            kind,
            start: range.start as u32,
            end: range.end as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_again_is_seldom_looked_for() {
        let mut again = Again::default();
        let mut looked = |node: NodeId, comes: bool| {
            let all = usize::from(TRIED) + usize::from(RESTING);
            (0..all)
                .filter(|_| {
                    let pays = again.pays(node);
                    if pays && comes {
                        again.came(node);
                    }
                    pays
                })
                .count()
        };
        assert_eq!(looked(3, true), usize::from(TRIED) + usize::from(RESTING));
        // Counted apart, and tried again after a while.
        for _ in 0..3 {
            assert!(looked(4, false) <= usize::from(TRIED) + 2);
        }
        assert!(looked(3, true) > usize::from(RESTING));
    }
}
