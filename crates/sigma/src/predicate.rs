//! What a rule asks of one field, as data: the result of reading a field, its modifiers and values.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;

use crate::date::DatePart;
use crate::modifier::Place;
use crate::number::{Comparison, Number};
use crate::pattern::Part;

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

/// A regular expression: run in linear time where it can be, else by backtracking with a bound on
/// the steps.
pub(crate) enum Regex {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// The most steps of a backtracking expression on one value.
const MAX_STEPS: usize = 100_000;
/// The most memory of a compiled expression.
const MAX_COMPILED_BYTES: usize = 4 << 20;
/// The longest expression.
const MAX_PATTERN_BYTES: usize = 32 << 10;

impl Regex {
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "a regular expression of more than {MAX_PATTERN_BYTES} bytes"
            ));
        }
        let linear = regex::RegexBuilder::new(pattern)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .nest_limit(100)
            .build();
        let error = match linear {
            Ok(regex) => return Ok(Regex::Linear(regex)),
            Err(error @ regex::Error::Syntax(_)) => error,
            Err(error) => return Err(error.to_string()),
        };
        fancy_regex::RegexBuilder::new(pattern)
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(MAX_COMPILED_BYTES)
            .delegate_dfa_size_limit(MAX_COMPILED_BYTES)
            .build()
            .map(|regex| Regex::Backtracking(Box::new(regex)))
            .map_err(|_| error.to_string())
    }

    /// `None` where the bound on steps was reached.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        match self {
            Regex::Linear(regex) => Some(regex.is_match(text)),
            Regex::Backtracking(regex) => regex.is_match(text).ok(),
        }
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Regex::Linear(regex) => write!(formatter, "{:?}", regex.as_str()),
            Regex::Backtracking(regex) => write!(formatter, "{:?}", regex.as_str()),
        }
    }
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
