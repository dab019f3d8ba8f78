use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;

use crate::scan::{self, Flaw};
use crate::shapes::Shapes;
use crate::tokens::{self, Tokens};
use crate::{FieldId, Fields, SlotBuffer, Slots, Value};

/// Containers nested deeper than this are an error.
pub const MAX_DEPTH: usize = 128;

/// Why a record could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the record: {reason}")]
pub struct ExtractError {
    /// The position in the record.
    pub offset: usize,
    /// What stands there.
    pub reason: &'static str,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

pub(crate) type NodeId = u32;
/// No wanted path leads here.
pub(crate) const NOWHERE: NodeId = NodeId::MAX;
pub(crate) const NO_FIELD: u32 = u32::MAX;

/// Longer keys are looked up together.
const LONGEST_KEY: usize = 62;

/// A prefix of wanted paths.
#[derive(Debug)]
pub(crate) struct Node {
    /// The field that ends here.
    pub(crate) field: u32,
    /// Keys that lead on, by length.
    keys: Vec<Key>,
    /// For each length where its keys begin and end in `keys`.
    of_length: [(u32, u32); LONGEST_KEY + 2],
}

#[derive(Debug)]
struct Key {
    ends: (u64, u64),
    to: NodeId,
    bytes: Box<[u8]>,
}

/// Keys of one length that are no longer than this are equal where their ends are.
const WHOLE_IN_ENDS: usize = 16;

/// The first and the last bytes of a key, eight of each where there are as many; they may overlap.
/// Comparing two numbers costs less than a call that compares a few bytes.
fn ends(key: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        let number = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        return (number(first), number(last));
    }
    let byte = |at: usize| key.get(at).copied().map_or(0, u64::from);
    (byte(0) << 8 | byte(1), byte(2))
}

fn length_class(key: &[u8]) -> usize {
    key.len().min(LONGEST_KEY + 1)
}

impl Node {
    fn new() -> Self {
        Self {
            field: NO_FIELD,
            keys: Vec::new(),
            of_length: [(0, 0); LONGEST_KEY + 2],
        }
    }

    fn add(&mut self, key: &[u8], to: NodeId) {
        self.keys.push(Key {
            ends: ends(key),
            to,
            bytes: key.into(),
        });
    }

    /// Makes the keys ready for [`Node::step`].
    fn finish(&mut self) {
        self.keys.sort_by_key(|key| length_class(&key.bytes));
        for (length, place) in self.of_length.iter_mut().enumerate() {
            let begin = |length| {
                let shorter = |key: &Key| length_class(&key.bytes) < length;
                self.keys.partition_point(shorter) as u32
            };
            *place = (begin(length), begin(length + 1));
        }
    }

    #[inline]
    pub(crate) fn step(&self, key: &[u8]) -> NodeId {
        let (begin, end) = self.of_length[length_class(key)];
        if begin == end {
            return NOWHERE;
        }
        let own = ends(key);
        for wanted in &self.keys[begin as usize..end as usize] {
            if wanted.ends == own && (key.len() <= WHOLE_IN_ENDS || *wanted.bytes == *key) {
                return wanted.to;
            }
        }
        NOWHERE
    }
}

/// Fills the slots that a set of fields asks for, in one pass over a record's bytes.
///
/// The pass checks the whole record: JSON that is broken anywhere gives an error, never a part of
/// its fields. It descends with an explicit stack, no deeper than [`MAX_DEPTH`]. A record of a shape
/// that the buffer has seen before is compared; of another one the tokens are found by many bytes at a
/// time; what is found broken, or is long, is read byte by byte. All three give the same.
///
/// * A path leads through arrays into every element: `resources.ARN` of
///   `{"resources":[{"ARN":"a"},{"ARN":"b"}]}` has two values.
/// * A path that ends at an array has one value, [`Value::Array`], with the array's text;
///   [`Value::elements`] splits it.
/// * A key that holds dots answers the path that it spells: `{"a.b":1}` answers `a.b`.
/// * A key that stands twice gives both values, in the order of the record.
/// * An escaped key is compared unescaped.
#[derive(Debug)]
pub struct Extractor {
    /// Tells it from every other one, for what is remembered in a buffer that several may use.
    pub(crate) number: u64,
    nodes: Vec<Node>,
    fields: usize,
}

struct Frame {
    /// Where paths stand inside this container.
    node: NodeId,
    object: bool,
    /// The field that this container is the value of.
    field: u32,
    start: usize,
}

/// What a walk over a record tells, in the order of the record. A field is [`NO_FIELD`] where no
/// wanted path ends.
pub(crate) trait Visitor<'r> {
    /// A container begins at a position; in it paths go on from a node.
    fn open(&mut self, position: usize, node: NodeId, object: bool, field: u32);
    /// The container ends before a position.
    fn close(&mut self, raw: &'r str, after: usize, object: bool, field: u32);
    /// A string, whose inside begins at a position.
    fn string(&mut self, raw: &'r str, start: usize, escaped: bool, field: u32);
    /// A number or a constant.
    fn scalar(&mut self, raw: &'r str, start: usize, field: u32);
}

impl<'r> Visitor<'r> for Slots<'r> {
    fn open(&mut self, _: usize, _: NodeId, _: bool, _: u32) {}

    fn close(&mut self, raw: &'r str, _: usize, object: bool, field: u32) {
        if field != NO_FIELD {
            self.push(field, container_value(raw, object));
        }
    }

    fn string(&mut self, raw: &'r str, _: usize, escaped: bool, field: u32) {
        if field != NO_FIELD {
            self.push(field, string_value(raw, escaped));
        }
    }

    fn scalar(&mut self, raw: &'r str, _: usize, field: u32) {
        if field != NO_FIELD {
            self.push(field, scalar_value(raw));
        }
    }
}

impl Extractor {
    /// An extractor for all fields interned so far, derived ones (`portreeve.*`) left out.
    pub fn new(fields: &Fields) -> Self {
        Self::of(fields, &|_| true)
    }

    /// An extractor for some of the fields: the others look absent. For a first look at records of
    /// which few need a second one.
    pub fn of(fields: &Fields, is_wanted: &dyn Fn(FieldId) -> bool) -> Self {
        let mut prefixes: Vec<&str> = vec![""];
        let mut nodes = vec![Node::new()];
        let mut index = std::collections::BTreeMap::from([("", 0usize)]);
        for (id, path) in fields.paths().iter().enumerate() {
            let wanted = is_wanted(FieldId(id as u32));
            if path.is_empty() || path.starts_with("portreeve.") || !wanted {
                continue;
            }
            let ends = path
                .match_indices('.')
                .map(|(at, _)| at)
                .chain([path.len()]);
            for end in ends {
                let prefix = &path[..end];
                if prefix.is_empty() {
                    continue;
                }
                index.entry(prefix).or_insert_with(|| {
                    prefixes.push(prefix);
                    nodes.push(Node::new());
                    nodes.len() - 1
                });
            }
            if let Some(node) = index.get(path.as_str()) {
                nodes[*node].field = id as u32;
            }
        }
        // A prefix is reached from each of its own prefixes by the key that is the rest of it,
        // dots included.
        for (to, prefix) in prefixes.iter().enumerate().skip(1) {
            let mut link = |from: &str, key: &str| {
                if let Some(from) = index.get(from)
                    && !key.is_empty()
                {
                    nodes[*from].add(key.as_bytes(), to as NodeId);
                }
            };
            link("", prefix);
            for (dot, _) in prefix.match_indices('.') {
                if dot > 0 {
                    link(&prefix[..dot], &prefix[dot + 1..]);
                }
            }
        }
        nodes.iter_mut().for_each(Node::finish);
        Self {
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            nodes,
            fields: fields.paths().len(),
        }
    }

    /// Reads one record: a JSON object in UTF-8, with white space around it at most.
    pub fn extract<'r>(
        &self,
        record: &'r [u8],
        buffer: &'r mut SlotBuffer,
    ) -> Result<Slots<'r>, ExtractError> {
        let text = match simdutf8::basic::from_utf8(record) {
            Ok(text) => text,
            // It does not tell where.
            Err(_) => std::str::from_utf8(record).map_err(|error| ExtractError {
                offset: error.valid_up_to(),
                reason: "bytes that are not UTF-8",
            })?,
        };
        let mut tokens = std::mem::take(&mut buffer.tokens);
        let mut learned = std::mem::take(&mut buffer.learned);
        let mut slots = Slots::empty(text, self.fields, buffer);
        let is_read = self.read_quickly(text, &mut tokens, learned.of(self.number), &mut slots);
        slots.give_back(tokens, learned);
        if is_read {
            slots.gather();
            return Ok(slots);
        }
        slots.clear();
        self.walk_plainly(text, slots)
    }

    /// Fills the slots; `false` where the record is broken, or only the walk byte by byte can tell.
    #[inline]
    fn read_quickly<'r>(
        &self,
        text: &'r str,
        tokens: &mut Tokens,
        shapes: &mut Shapes,
        slots: &mut Slots<'r>,
    ) -> bool {
        let tries = text.len() <= tokens::LONGEST && shapes.pays();
        if tries && shapes.read(text, slots) {
            return true;
        }
        slots.clear();
        let is_read =
            tokens.find(text.as_bytes()) && self.walk_quickly(text, tokens, slots).is_some();
        if is_read && tries {
            shapes.learn(self, text);
        }
        is_read
    }

    fn walk_plainly<'r>(
        &self,
        text: &'r str,
        mut slots: Slots<'r>,
    ) -> Result<Slots<'r>, ExtractError> {
        self.walk(text, &mut slots).map_err(|flaw| match flaw {
            Flaw::Ends(_) => ExtractError {
                offset: text.len(),
                reason: "the record ends too early",
            },
            Flaw::At(offset, reason) => ExtractError { offset, reason },
        })?;
        slots.gather();
        Ok(slots)
    }

    /// The same, byte by byte.
    #[cfg(test)]
    pub(crate) fn extract_plainly<'r>(
        &self,
        text: &'r str,
        buffer: &'r mut SlotBuffer,
    ) -> Result<Slots<'r>, ExtractError> {
        let slots = Slots::empty(text, self.fields, buffer);
        self.walk_plainly(text, slots)
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// Walks over a record byte by byte and tells what it finds.
    pub(crate) fn walk<'r>(
        &self,
        text: &'r str,
        visitor: &mut impl Visitor<'r>,
    ) -> Result<(), Flaw> {
        let bytes = text.as_bytes();
        let mut stack: SmallVec<[Frame; 24]> = SmallVec::new();
        let mut position = scan::white_space(bytes, 0);
        if bytes.get(position) != Some(&b'{') {
            return Err(Flaw::At(position, "not an object"));
        }
        // What the value at `position` answers: the node for paths that go on into it, and the
        // field that it is itself a value of.
        let mut node: NodeId = 0;
        let mut field = NO_FIELD;
        'value: loop {
            match bytes.get(position) {
                Some(open @ (b'{' | b'[')) => {
                    if stack.len() >= MAX_DEPTH {
                        return Err(Flaw::At(position, "nested too deep"));
                    }
                    let object = *open == b'{';
                    visitor.open(position, node, object, field);
                    stack.push(Frame {
                        node,
                        object,
                        field,
                        start: position,
                    });
                    position = scan::white_space(bytes, position + 1);
                    let close = if object { b'}' } else { b']' };
                    if bytes.get(position) != Some(&close) {
                        if object {
                            (position, node, field) = self.key(text, position, node)?;
                        } else {
                            // An element is reached by the array's own path; the array has
                            // answered for the path that ends here.
                            field = NO_FIELD;
                        }
                        continue 'value;
                    }
                }
                Some(b'"') => {
                    let end = scan::string(bytes, position + 1)?;
                    let raw = text.get(position + 1..end.after - 1).unwrap_or_default();
                    visitor.string(raw, position + 1, end.escaped, field);
                    position = end.after;
                }
                _ => {
                    let after = scan::scalar(bytes, position)?;
                    let raw = text.get(position..after).unwrap_or_default();
                    visitor.scalar(raw, position, field);
                    position = after;
                }
            }
            // Behind a value: go on in its container, or close containers until one goes on.
            loop {
                position = scan::white_space(bytes, position);
                let Some(frame) = stack.last() else {
                    return if position == bytes.len() {
                        Ok(())
                    } else {
                        Err(Flaw::At(position, "more behind the record's end"))
                    };
                };
                match (bytes.get(position), frame.object) {
                    (Some(b','), true) => {
                        position = scan::white_space(bytes, position + 1);
                        (position, node, field) = self.key(text, position, frame.node)?;
                        continue 'value;
                    }
                    (Some(b','), false) => {
                        node = frame.node;
                        field = NO_FIELD;
                        position = scan::white_space(bytes, position + 1);
                        continue 'value;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        position += 1;
                        let raw = text.get(frame.start..position).unwrap_or_default();
                        visitor.close(raw, position, frame.object, frame.field);
                        stack.pop();
                    }
                    (None, _) => return Err(Flaw::Ends(position)),
                    (Some(_), true) => return Err(Flaw::At(position, "neither `,` nor `}`")),
                    (Some(_), false) => return Err(Flaw::At(position, "neither `,` nor `]`")),
                }
            }
        }
    }

    /// Reads a key and its colon; gives the position of the value and what the value answers.
    fn key(&self, text: &str, position: usize, from: NodeId) -> Result<(usize, NodeId, u32), Flaw> {
        let bytes = text.as_bytes();
        match bytes.get(position) {
            None => return Err(Flaw::Ends(position)),
            Some(b'"') => {}
            Some(_) => return Err(Flaw::At(position, "not a key")),
        }
        let end = scan::string(bytes, position + 1)?;
        let colon = scan::white_space(bytes, end.after);
        match bytes.get(colon) {
            None => return Err(Flaw::Ends(position)),
            Some(b':') => {}
            Some(_) => return Err(Flaw::At(colon, "no `:` behind a key")),
        }
        let value = scan::white_space(bytes, colon + 1);
        let Some(from) = self.node(from) else {
            return Ok((value, NOWHERE, NO_FIELD));
        };
        let raw = text.get(position + 1..end.after - 1).unwrap_or_default();
        let to = if end.escaped {
            from.step(scan::unescape(raw).as_bytes())
        } else {
            from.step(raw.as_bytes())
        };
        let field = self.node(to).map_or(NO_FIELD, |node| node.field);
        Ok((value, to, field))
    }
}

/// The value of a string, by what stands between its quotes.
#[inline]
pub(crate) fn string_value(raw: &str, escaped: bool) -> Value<'_> {
    Value::String(if escaped {
        Cow::Owned(scan::unescape(raw))
    } else {
        Cow::Borrowed(raw)
    })
}

pub(crate) fn container_value(raw: &str, object: bool) -> Value<'_> {
    if object {
        Value::Object(raw)
    } else {
        Value::Array(raw)
    }
}

pub(crate) fn scalar_value(raw: &str) -> Value<'_> {
    match raw {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        number => Value::Number(number),
    }
}

impl<'r> Value<'r> {
    /// The elements of a [`Value::Array`], in order; nothing for any other value. Text that did
    /// not come from an extractor may be broken: the elements end before the break.
    pub fn elements(&self) -> Elements<'r> {
        match self {
            Value::Array(text) => Elements { text, position: 1 },
            _ => Elements {
                text: "",
                position: 0,
            },
        }
    }
}

/// The elements of an array's JSON text; see [`Value::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'r> {
    text: &'r str,
    position: usize,
}

impl<'r> Iterator for Elements<'r> {
    type Item = Value<'r>;

    fn next(&mut self) -> Option<Value<'r>> {
        let bytes = self.text.as_bytes();
        let start = scan::white_space(bytes, self.position);
        let (after, value) = element(self.text, start).unwrap_or((bytes.len(), None));
        let next = scan::white_space(bytes, after);
        self.position = match bytes.get(next) {
            Some(b',') => next + 1,
            _ => bytes.len(),
        };
        value
    }
}

/// The value at `start` and the position behind it; without value at the array's end.
fn element(text: &str, start: usize) -> Result<(usize, Option<Value<'_>>), Flaw> {
    let bytes = text.as_bytes();
    match bytes.get(start) {
        None | Some(b']') => Ok((bytes.len(), None)),
        Some(b'"') => {
            let end = scan::string(bytes, start + 1)?;
            let raw = text.get(start + 1..end.after - 1).unwrap_or_default();
            Ok((end.after, Some(string_value(raw, end.escaped))))
        }
        Some(open @ (b'{' | b'[')) => {
            let after = container_end(bytes, start)?;
            let raw = text.get(start..after).unwrap_or_default();
            Ok((after, Some(container_value(raw, *open == b'{'))))
        }
        Some(_) => {
            let after = scan::scalar(bytes, start)?;
            Ok((
                after,
                Some(scalar_value(text.get(start..after).unwrap_or_default())),
            ))
        }
    }
}

fn container_end(bytes: &[u8], start: usize) -> Result<usize, Flaw> {
    let mut depth = 0usize;
    let mut position = start;
    loop {
        match bytes.get(position) {
            None => return Err(Flaw::Ends(position)),
            Some(b'"') => {
                position = scan::string(bytes, position + 1)?.after;
                continue;
            }
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(position + 1);
                }
            }
            Some(_) => {}
        }
        position += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_keys_are_told_apart_by_their_ends() {
        let text = b"abcdefghijklmnop";
        for length in 1..=WHOLE_IN_ENDS {
            let key = &text[..length];
            for changed in 0..length {
                let mut other = key.to_vec();
                other[changed] = b'X';
                assert_ne!(ends(key), ends(&other), "byte {changed} of {length}");
            }
        }
    }
}
