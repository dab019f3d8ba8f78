//! JSON read level by level, so that every value knows where it stands in the text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One value of a JSON text, not read further than to its kind.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    text: &'a str,
    offset: usize,
}

/// A value one level deep.
pub(super) enum Value<'a> {
    Null,
    Bool,
    Number,
    String(String),
    Array(Vec<Node<'a>>),
    Object(Vec<(String, Node<'a>)>),
}

impl Value<'_> {
    /// What a reader calls its kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool => "true or false",
            Value::Number => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// Where and why a text is not JSON.
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) reason: String,
}

impl From<serde_json::Error> for SyntaxError {
    fn from(error: serde_json::Error) -> Self {
        // serde_json puts the position at the end of its message.
        let message = error.to_string();
        let reason = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(text, _)| text);
        Self {
            line: error.line(),
            column: error.column(),
            reason: reason.to_owned(),
        }
    }
}

impl<'a> Node<'a> {
    /// The value that a whole text holds. The text is checked to its end.
    pub(super) fn document(text: &'a str) -> Result<Self, SyntaxError> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Ok(Self::inside(raw, text, 0))
    }

    /// Where it begins in the document.
    pub(super) fn offset(self) -> usize {
        self.offset
    }

    /// Its text.
    pub(super) fn text(self) -> &'a str {
        self.text
    }

    pub(super) fn read(self) -> Result<Value<'a>, SyntaxError> {
        Ok(match self.text.as_bytes().first() {
            Some(b'{') => {
                let Entries(entries) = serde_json::from_str(self.text)?;
                let node = |(key, raw)| (key, Self::inside(raw, self.text, self.offset));
                Value::Object(entries.into_iter().map(node).collect())
            }
            Some(b'[') => {
                let items: Vec<&'a RawValue> = serde_json::from_str(self.text)?;
                let node = |raw| Self::inside(raw, self.text, self.offset);
                Value::Array(items.into_iter().map(node).collect())
            }
            Some(b'"') => Value::String(serde_json::from_str(self.text)?),
            Some(b't' | b'f') => Value::Bool,
            Some(b'n') => Value::Null,
            _ => Value::Number,
        })
    }

    /// A borrowed raw value is a part of the text that it was read from.
    fn inside(raw: &'a RawValue, text: &str, offset: usize) -> Self {
        let within = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        Self {
            text: raw.get(),
            offset: offset + within,
        }
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(after_breaks.map(|(index, _)| index + 1))
                .collect(),
        )
    }

    /// Line and column, both from 1, of a byte.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= offset).max(1);
        let start = self.0.get(line - 1).copied().unwrap_or(0);
        (line, offset - start + 1)
    }
}

/// An object's entries in order, repeated keys kept.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}
