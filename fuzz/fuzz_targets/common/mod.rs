//! Documents grown from bytes, of words that a reader looks for, in any shape.

use serde_json::{Map, Value};

include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// No deeper than this: how readers take depth is for bytes as they come.
const DEEPEST: usize = 7;

/// Grows documents from bytes; without bytes left, everything is null.
pub struct Grower<'a> {
    bytes: &'a [u8],
    words: &'a [&'a str],
}

impl<'a> Grower<'a> {
    /// Grows of these words.
    pub fn new(bytes: &'a [u8], words: &'a [&'a str]) -> Self {
        Self { bytes, words }
    }

    /// Whether nothing is left to grow from.
    pub fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A document.
    pub fn document(&mut self) -> Value {
        self.value(0)
    }

    fn byte(&mut self) -> usize {
        let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        usize::from(*first)
    }

    fn word(&mut self) -> &'a str {
        let number = self.byte() << 8 | self.byte();
        self.words[number % self.words.len()]
    }

    /// Some bytes as they come.
    fn text(&mut self) -> String {
        let length = (self.byte() % 32).min(self.bytes.len());
        let (text, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn value(&mut self, depth: usize) -> Value {
        if self.is_over() {
            return Value::Null;
        }
        let inner = depth < DEEPEST;
        match self.byte() % 16 {
            0 => Value::Null,
            1 => Value::Bool(self.byte() % 2 == 0),
            2 => Value::from(self.byte()),
            3 => Value::from(f64::from_bits(u64::from_le_bytes(std::array::from_fn(
                |_| self.byte() as u8,
            )))),
            4 => Value::String(self.text()),
            5 => {
                const FORMS: &[&str] = &[
                    "arn:aws:iam::111122223333:role/deploy",
                    "arn:aws:sts::111122223333:assumed-role/deploy/session",
                    "arn:aws:kms:eu-west-1:111122223333:key/0",
                    "111122223333",
                    "2026-03-03T07:44:00Z",
                    "198.51.100.7",
                    "*",
                ];
                Value::from(FORMS[self.byte() % FORMS.len()])
            }
            6 | 7 => Value::from(self.word()),
            // Documents inside texts, as policies are.
            8 if inner => Value::String(self.value(depth + 1).to_string()),
            9 | 10 if inner => (0..self.byte() % 4)
                .map(|_| self.value(depth + 1))
                .collect(),
            _ if inner => {
                let mut object = Map::new();
                for _ in 0..1 + self.byte() % 8 {
                    let word = self.word();
                    let value = self.value(depth + 1);
                    put(&mut object, word, value);
                }
                Value::Object(object)
            }
            _ => Value::from(self.word()),
        }
    }
}

/// Puts a value where a path with dots leads; as it stands where something else is in the way.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    if let Some((first, rest)) = path.split_once('.')
        && let Value::Object(inner) = object
            .entry(first)
            .or_insert_with(|| Value::Object(Map::new()))
    {
        put(inner, rest, value);
    } else {
        object.insert(path.to_owned(), value);
    }
}
