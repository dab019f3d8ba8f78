//! Regular expressions, run with bounds.

use std::fmt;

use memchr::memmem::Finder;
use regex_syntax::hir::{Hir, HirKind, Literal};

/// A regular expression: run in linear time where it can be, else by backtracking with a bound on
/// the steps.
pub(crate) enum Regex {
    Linear {
        regex: regex::Regex,
        /// Finds what stands in every text that matches. Most texts do not hold it, and are through.
        required: Option<Box<Finder<'static>>>,
    },
    Backtracking(Box<fancy_regex::Regex>),
}

/// The most steps of a backtracking expression on one value.
const MAX_STEPS: usize = 100_000;
/// The most memory of a compiled expression.
const MAX_COMPILED_BYTES: usize = 4 << 20;
/// The longest expression.
const MAX_PATTERN_BYTES: usize = 32 << 10;
/// A shorter text stands in too many others to be looked for.
const SHORTEST_REQUIRED: usize = 3;

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
            Ok(regex) => {
                let required =
                    required(pattern).map(|text| Box::new(Finder::new(&text).into_owned()));
                return Ok(Regex::Linear { regex, required });
            }
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
            Regex::Linear { regex, required } => {
                let may_match = required
                    .as_ref()
                    .is_none_or(|required| required.find(text.as_bytes()).is_some());
                Some(may_match && regex.is_match(text))
            }
            Regex::Backtracking(regex) => regex.is_match(text).ok(),
        }
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Regex::Linear { regex, .. } => write!(formatter, "{:?}", regex.as_str()),
            Regex::Backtracking(regex) => write!(formatter, "{:?}", regex.as_str()),
        }
    }
}

/// The longest text of which the syntax of an expression tells that each match holds it.
fn required(pattern: &str) -> Option<Vec<u8>> {
    fn longest(expression: &Hir) -> Option<&[u8]> {
        match expression.kind() {
            HirKind::Literal(Literal(bytes)) => Some(bytes),
            HirKind::Capture(group) => longest(&group.sub),
            HirKind::Repetition(repeated) if repeated.min > 0 => longest(&repeated.sub),
            HirKind::Concat(parts) => parts
                .iter()
                .filter_map(longest)
                .max_by_key(|text| text.len()),
            _ => None,
        }
    }
    let expression = regex_syntax::parse(pattern).ok()?;
    longest(&expression)
        .filter(|text| text.len() >= SHORTEST_REQUIRED)
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_each_match_holds_is_told() {
        for (pattern, expected) in [
            (".+:assumed-role/aws:.+", Some(":assumed-role/aws:")),
            (r"(?s)\A(?:ab|cd).*(user(name)+)\z", Some("name")),
            ("(?:abc)?def", Some("def")),
            ("(abc){2,}", Some("abc")),
            ("é+éé", Some("éé")),
            ("(?i)abcdef", None),
            ("abcdef|abcxyz", None),
            ("(abcdef)*", None),
            ("ab", None),
        ] {
            let required = required(pattern).map(|text| String::from_utf8(text).unwrap());
            assert_eq!(required.as_deref(), expected, "{pattern}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_matches_what_the_expression_by_itself_matches(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "abc", "abcd", "(abc)", "(abc)?", "(abcd)*", "(abc){2}", "(abc|bcd)", "(?i:abc)",
                    ".*", ".+", "[abc]+", "é", "^", "$", r"\b", "(?s)", "(?:b(?:cda)+)", "(?-u:abc)",
                ]),
                0..5,
            ),
            texts in prop::collection::vec("[abcdABéx\n]{0,12}", 0..20),
        ) {
            let pattern = parts.concat();
            let plain = regex::Regex::new(&pattern).unwrap();
            let own = Regex::new(&pattern).unwrap();
            for text in texts {
                prop_assert_eq!(own.is_match(&text), Some(plain.is_match(&text)), "{} on {}", pattern, text);
            }
        }
    }
}
