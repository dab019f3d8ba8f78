//! YAML documents as small trees whose nodes know their place in the file.
//!
//! Built from the parser's event stream with an explicit stack, so that nothing recurses on input.
//! An alias shares its anchor's node; each node carries how many nodes it stands for when all
//! aliases are written out, and that number is bounded, so that a small file cannot explode.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::number::Number;

/// Larger files are refused.
pub(crate) const MAX_FILE_BYTES: usize = 1 << 20;
/// Lists and maps nested deeper are refused.
const MAX_DEPTH: u32 = 32;
/// A document that has more nodes, aliases written out, is refused.
const MAX_NODES: u64 = 200_000;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) data: Data,
    pub(crate) span: Range<usize>,
    /// Nodes in it, itself included, with aliases written out.
    weight: u64,
    /// Levels of lists and maps in it.
    height: u32,
}

#[derive(Debug)]
pub(crate) enum Data {
    Scalar(Scalar),
    List(Vec<Arc<Node>>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Arc<Node>,
}

/// A scalar as it is written, with its type by the core schema of YAML 1.2.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) kind: ScalarKind,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ScalarKind {
    Null,
    Bool(bool),
    Number(Number),
    Text,
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.data {
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
            Data::Scalar(scalar) => match scalar.kind {
                ScalarKind::Null => "null",
                ScalarKind::Bool(_) => "a boolean",
                ScalarKind::Number(_) => "a number",
                ScalarKind::Text => "a string",
            },
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The text of a scalar that is not null.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(scalar) if scalar.kind != ScalarKind::Null => Some(&scalar.text),
            _ => None,
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.data {
            Data::List(items) => items.iter().map(|item| item.to_json()).collect(),
            Data::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Data::Scalar(scalar) => match scalar.kind {
                ScalarKind::Null => serde_json::Value::Null,
                ScalarKind::Bool(value) => value.into(),
                ScalarKind::Number(Number::Integer(value)) => match i64::try_from(value) {
                    Ok(value) => value.into(),
                    Err(_) => scalar.text.clone().into(),
                },
                ScalarKind::Number(Number::Fraction(value)) => value.into(),
                ScalarKind::Text => scalar.text.clone().into(),
            },
        }
    }
}

/// The parts of a file that are documents of their own: the text between the markers `---` and
/// `...` in the first column, where no scalar can go on. So a broken document does not take those
/// behind it along.
pub(crate) fn documents(text: &str) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    // Some editors begin a file with a byte order mark.
    let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut offset = start;
    for line in text[start..].split_inclusive('\n') {
        let rest = line
            .strip_prefix("---")
            .or_else(|| line.strip_prefix("..."));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])) {
            documents.push(start..offset);
            // What stands behind `---` on its line belongs to the new document.
            start = offset + 3;
        }
        offset += line.len();
    }
    documents.push(start..text.len());
    documents.retain(|range| {
        text[range.clone()].lines().any(|line| {
            let line = line.trim();
            !(line.is_empty() || line.starts_with('#') || line.starts_with("%YAML"))
        })
    });
    documents
}

/// Turns the parser's lines and columns into byte offsets of the file.
struct Offsets<'a> {
    text: &'a str,
    base: usize,
    lines: Vec<usize>,
    /// The last answer: line, column, offset. Markers rise, so the next is found from here.
    last: (usize, usize, usize),
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str, base: usize) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                lines.push(at + 1);
            }
        }
        Self {
            text,
            base,
            lines,
            last: (0, 0, 0),
        }
    }

    fn of(&mut self, marker: &Marker) -> usize {
        let (line, column) = (marker.line(), marker.col());
        let start = self
            .lines
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(self.text.len());
        let (from, skip) = match self.last {
            (known, before, offset) if known == line && before <= column => {
                (offset, column - before)
            }
            _ => (start, column),
        };
        let rest = self.text.get(from..).unwrap_or_default();
        let offset = rest
            .char_indices()
            .nth(skip)
            .map_or(self.text.len(), |(at, _)| from + at);
        self.last = (line, column, offset);
        self.base + offset
    }
}

enum Frame {
    List {
        items: Vec<Arc<Node>>,
        start: usize,
        anchor: usize,
    },
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Range<usize>)>,
        start: usize,
        anchor: usize,
    },
}

/// Reads the document that stands at `range` of `file`.
pub(crate) fn read(file: &str, range: &Range<usize>) -> Result<Option<Arc<Node>>, Problem> {
    let text = file.get(range.clone()).unwrap_or_default();
    let mut offsets = Offsets::new(text, range.start);
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let at = offsets.of(error.marker());
            Problem::error(
                DiagnosticKind::Yaml,
                &(at..at),
                format!("not YAML: {}", error.info()),
            )
        })?;
        let start = offsets.of(&span.start);
        let mut span = start..offsets.of(&span.end).max(start);
        if let Event::Scalar(..) = event {
            let written = file.get(span.clone()).unwrap_or_default();
            span.end = start + quoted_length(written).unwrap_or(written.trim_end().len());
        }
        builder.take(event, span)?;
    }
    Ok(builder.root)
}

/// The length of the quoted scalar at the start of `text`; the parser's end of it takes in a
/// comment behind it.
fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = bytes
        .first()
        .filter(|first| matches!(first, b'"' | b'\''))?;
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && *quote == b'"' {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if *quote == b'\'' && bytes.get(at + 1) == Some(quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
    None
}

#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    anchors: HashMap<usize, Arc<Node>>,
    root: Option<Arc<Node>>,
    nodes: u64,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let typed = match &tag {
                    Some(tag) if tag.suffix == "str" => Scalar::text(&text),
                    Some(_) | None if style == ScalarStyle::Plain => Scalar::plain(&text),
                    _ => Scalar::text(&text),
                };
                self.add(Data::Scalar(typed), span, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(
                Frame::List {
                    items: Vec::new(),
                    start: span.start,
                    anchor,
                },
                &span,
            ),
            Event::MappingStart(anchor, _) => {
                let frame = Frame::Map {
                    entries: Vec::new(),
                    key: None,
                    start: span.start,
                    anchor,
                };
                self.open(frame, &span)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.frames.pop() {
                Some(Frame::List {
                    items,
                    start,
                    anchor,
                }) => {
                    let end = items
                        .last()
                        .map_or(span.start, |item| item.span.end.max(start));
                    self.add(Data::List(items), start..end.max(start), anchor)
                }
                Some(Frame::Map {
                    entries,
                    start,
                    anchor,
                    ..
                }) => {
                    let end = entries
                        .last()
                        .map_or(span.start, |entry| entry.value.span.end);
                    self.add(Data::Map(entries), start..end.max(start), anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.attach(node, &span),
                None => Err(Problem::error(
                    DiagnosticKind::Yaml,
                    &span,
                    "an alias of an anchor that is not complete here",
                )),
            },
            Event::DocumentStart(_) if self.root.is_some() => Err(Problem::error(
                DiagnosticKind::Yaml,
                &span,
                "more text behind the end of the document",
            )),
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame, span: &Range<usize>) -> Result<(), Problem> {
        if let Some(Frame::Map { key: None, .. }) = self.frames.last() {
            return Err(Problem::error(
                DiagnosticKind::Yaml,
                span,
                "a list or a map cannot be a key",
            ));
        }
        if self.frames.len() as u32 >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.frames.push(frame);
        Ok(())
    }

    fn add(&mut self, data: Data, span: Range<usize>, anchor: usize) -> Result<(), Problem> {
        let (weight, height) = match &data {
            Data::Scalar(_) => (0, 0),
            Data::List(items) => weigh(items.iter()),
            Data::Map(entries) => weigh(entries.iter().map(|entry| &entry.value)),
        };
        let height = height + u32::from(!matches!(data, Data::Scalar(_)));
        let node = Arc::new(Node {
            data,
            span: span.clone(),
            weight: weight + 1,
            height,
        });
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.nodes += 1;
        self.attach(node, &span)
    }

    fn attach(&mut self, node: Arc<Node>, span: &Range<usize>) -> Result<(), Problem> {
        if node.weight > MAX_NODES || self.nodes > MAX_NODES {
            return Err(Problem::error(
                DiagnosticKind::Limit,
                span,
                format!("more than {MAX_NODES} values in a document, aliases written out"),
            ));
        }
        if self.frames.len() as u32 + node.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, .. }) => match key.take() {
                Some((key, key_span)) => entries.push(Entry {
                    key,
                    key_span,
                    value: node,
                }),
                None => {
                    let Data::Scalar(scalar) = &node.data else {
                        return Err(Problem::error(
                            DiagnosticKind::Yaml,
                            span,
                            "a list or a map cannot be a key",
                        ));
                    };
                    if scalar.text == "<<" {
                        return Err(Problem::error(
                            DiagnosticKind::Yaml,
                            span,
                            "the merge key `<<` is no part of YAML 1.2",
                        )
                        .help("write the merged entries out"));
                    }
                    *key = Some((scalar.text.clone(), span.clone()));
                }
            },
        }
        Ok(())
    }
}

fn too_deep(span: &Range<usize>) -> Problem {
    Problem::error(
        DiagnosticKind::Limit,
        span,
        format!("lists and maps nested deeper than {MAX_DEPTH}"),
    )
}

fn weigh<'a>(parts: impl Iterator<Item = &'a Arc<Node>>) -> (u64, u32) {
    parts.fold((0, 0), |(weight, height), part| {
        (
            u64::saturating_add(weight, part.weight),
            height.max(part.height),
        )
    })
}

/// A map without one of its keys; anything else as it is.
pub(crate) fn without(node: &Arc<Node>, key: &str) -> Arc<Node> {
    let Data::Map(entries) = &node.data else {
        return node.clone();
    };
    let entries = entries.iter().filter(|entry| entry.key != key);
    map(entries.cloned().collect(), node)
}

/// A map with the entries of another put in: maps within maps, anything else in place of what is
/// there. `copies` counts the entries that were copied.
pub(crate) fn merge(base: &Arc<Node>, over: &Arc<Node>, copies: &mut u64) -> Arc<Node> {
    let (Data::Map(entries), Data::Map(more)) = (&base.data, &over.data) else {
        return over.clone();
    };
    *copies = copies.saturating_add((entries.len() + more.len()) as u64);
    let mut merged = entries.clone();
    let places: HashMap<&str, usize> = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| (entry.key.as_str(), place))
        .collect();
    for entry in more {
        match places
            .get(entry.key.as_str())
            .and_then(|place| merged.get_mut(*place))
        {
            Some(known) => known.value = merge(&known.value, &entry.value, copies),
            None => merged.push(entry.clone()),
        }
    }
    map(merged, base)
}

fn map(entries: Vec<Entry>, like: &Node) -> Arc<Node> {
    let (weight, height) = weigh(entries.iter().map(|entry| &entry.value));
    Arc::new(Node {
        data: Data::Map(entries),
        span: like.span.clone(),
        weight: weight + 1,
        height: height + 1,
    })
}

/// The first key that stands twice in a map, found without comparing each with each.
pub(crate) fn repeated_key(entries: &[Entry]) -> Option<&Entry> {
    let mut seen = std::collections::HashSet::with_capacity(entries.len());
    entries
        .iter()
        .find(|entry| !seen.insert(entry.key.as_str()))
}

impl Scalar {
    fn text(text: &str) -> Self {
        Self {
            kind: ScalarKind::Text,
            text: text.to_owned(),
        }
    }

    fn plain(text: &str) -> Self {
        let kind = match text {
            "" | "~" | "null" | "Null" | "NULL" => ScalarKind::Null,
            "true" | "True" | "TRUE" => ScalarKind::Bool(true),
            "false" | "False" | "FALSE" => ScalarKind::Bool(false),
            _ => match number(text) {
                Some(number) => ScalarKind::Number(number),
                None => ScalarKind::Text,
            },
        };
        Self {
            kind,
            text: text.to_owned(),
        }
    }
}

fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix: u32| {
        (!digits.starts_with(['+', '-']))
            .then(|| i128::from_str_radix(digits, radix).ok())
            .flatten()
            .map(Number::Integer)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    // `.5` and `5.` are numbers in YAML, `+` and `e5` are not.
    text.bytes()
        .any(|byte| byte.is_ascii_digit())
        .then(|| Number::parse(text))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Arc<Node> {
        read(text, &(0..text.len())).unwrap().unwrap()
    }

    #[test]
    fn nodes_know_their_place_behind_wide_characters() {
        let text = "# é comment é\nkey: 'ünï'  # ö\nother: [ä, value]\n";
        let root = root(text);
        let Data::List(items) = &root.get("other").unwrap().value.data else {
            panic!("a list is read as a list");
        };
        assert_eq!(&text[items[1].span.clone()], "value");
        assert_eq!(&text[root.get("key").unwrap().value.span.clone()], "'ünï'");
    }

    #[test]
    fn scalars_have_the_types_of_the_core_schema() {
        let root =
            root("a: no\nb: 0x10\nc: '5'\nd: ~\ne: True\nf: 1.5\ng: 2024-01-01\nh: !!str 5\n");
        let kind = |key: &str| match &root.get(key).unwrap().value.data {
            Data::Scalar(scalar) => scalar.kind,
            _ => panic!("a scalar is read as a scalar"),
        };
        assert_eq!(kind("a"), ScalarKind::Text);
        assert_eq!(kind("b"), ScalarKind::Number(Number::Integer(16)));
        assert_eq!(kind("c"), ScalarKind::Text);
        assert_eq!(kind("d"), ScalarKind::Null);
        assert_eq!(kind("e"), ScalarKind::Bool(true));
        assert_eq!(kind("f"), ScalarKind::Number(Number::Fraction(1.5)));
        assert_eq!(kind("g"), ScalarKind::Text);
        assert_eq!(kind("h"), ScalarKind::Text);
    }

    #[test]
    fn aliases_cannot_explode() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let alias = format!("*a{}, ", level - 1).repeat(9);
            text += &format!("a{level}: &a{level} [{alias}x]\n");
        }
        let problem = read(&text, &(0..text.len())).unwrap_err();
        assert_eq!(problem.kind, DiagnosticKind::Limit);
        assert!(read("a: &a [*a]", &(0..10)).is_err());
    }

    #[test]
    fn depth_is_bounded_without_and_with_aliases() {
        let deep = "[".repeat(100_000);
        assert!(read(&deep, &(0..deep.len())).is_err());
        let mut text = String::from("a0: &a0 [x]\n");
        for level in 1..100 {
            text += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
        }
        assert_eq!(
            read(&text, &(0..text.len())).unwrap_err().kind,
            DiagnosticKind::Limit
        );
    }

    #[test]
    fn documents_are_split_at_their_markers() {
        let text = "%YAML 1.2\n---\na: 1\n--- # two\nb: |\n  ---\n  text\n...\n---\nc: 3";
        let parts: Vec<&str> = documents(text)
            .into_iter()
            .map(|range| text[range].trim())
            .collect();
        assert_eq!(parts, ["a: 1", "# two\nb: |\n  ---\n  text", "c: 3"]);
    }
}
