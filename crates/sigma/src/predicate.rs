//! What a rule asks of one field, as data: the result of reading a field, its modifiers and values.

use std::sync::Arc;

use ipnet::IpNet;

use crate::date::DatePart;
use crate::modifier::Place;
use crate::number::{Comparison, Number};
use crate::pattern::Part;
use crate::regular::Regex;

/// A test of one field, or of the whole record.
#[derive(Clone, Debug)]
pub(crate) struct Predicate {
    /// Without one, the record's text is tested.
    pub(crate) field: Option<Arc<str>>,
    pub(crate) test: Test,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    Text(TextTest),
    Null,
    Exists(bool),
    Compare {
        part: Option<DatePart>,
        comparison: Comparison,
        number: Number,
    },
    Regex(Arc<Regex>),
    Cidr(Vec<IpNet>),
    Reference {
        other: Arc<str>,
        place: Place,
        cased: bool,
    },
}

/// One of these patterns or numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextTest {
    pub(crate) cased: bool,
    pub(crate) patterns: Vec<Vec<Part>>,
    pub(crate) numbers: Vec<Number>,
}

impl Predicate {
    /// The field paths that it asks for.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        let other = match &self.test {
            Test::Reference { other, .. } => Some(other),
            _ => None,
        };
        self.field.iter().chain(other)
    }
}
