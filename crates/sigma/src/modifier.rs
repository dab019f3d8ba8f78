//! The modifiers behind a field's name, read into what they mean together.

use std::ops::Range;

use crate::date::DatePart;
use crate::diagnostic::{DiagnosticKind, Problem};
use crate::number::Comparison;
use crate::pattern::Encoding;

/// Where in a field's text a value must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Whole,
    Start,
    End,
    Anywhere,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Text,
    Existence,
    Regex {
        insensitive: bool,
        multi_line: bool,
        dot_all: bool,
    },
    Cidr,
    Comparison(Comparison),
    Date(DatePart, Comparison),
    Reference,
}

/// A step that transforms a string value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Dashes,
    Encode(Encoding),
}

/// All modifiers of a field.
#[derive(Clone, Debug)]
pub(crate) struct Modifiers {
    pub(crate) meaning: Meaning,
    pub(crate) place: Place,
    pub(crate) all: bool,
    pub(crate) negated: bool,
    pub(crate) cased: bool,
    pub(crate) expand: bool,
    pub(crate) steps: Vec<Step>,
}

const NAMES: &[&str] = &[
    "all",
    "base64",
    "base64offset",
    "cased",
    "cidr",
    "contains",
    "day",
    "endswith",
    "exists",
    "expand",
    "fieldref",
    "gt",
    "gte",
    "hour",
    "i",
    "lt",
    "lte",
    "m",
    "minute",
    "month",
    "neq",
    "re",
    "s",
    "startswith",
    "utf16",
    "utf16be",
    "utf16le",
    "week",
    "wide",
    "windash",
    "year",
];

impl Modifiers {
    /// No modifiers: a plain value.
    pub(crate) fn none() -> Self {
        Self {
            meaning: Meaning::Text,
            place: Place::Whole,
            all: false,
            negated: false,
            cased: false,
            expand: false,
            steps: Vec::new(),
        }
    }

    /// Reads the names between the bars. `span` is that of the whole key.
    pub(crate) fn read<'a>(
        names: impl Iterator<Item = &'a str>,
        span: &Range<usize>,
    ) -> Result<Self, Problem> {
        let refuse = |message: String| Problem::error(DiagnosticKind::Detection, span, message);
        let mut modifiers = Self::none();
        let mut comparison = None;
        let mut date = None;
        for name in names {
            if let Meaning::Regex {
                insensitive,
                multi_line,
                dot_all,
            } = &mut modifiers.meaning
            {
                let flag = match name {
                    "i" => Some(insensitive),
                    "m" => Some(multi_line),
                    "s" => Some(dot_all),
                    _ => None,
                };
                if let Some(flag) = flag {
                    *flag = true;
                    continue;
                }
            }
            let new_meaning = match name {
                "exists" => Some(Meaning::Existence),
                "re" => Some(Meaning::Regex {
                    insensitive: false,
                    multi_line: false,
                    dot_all: false,
                }),
                "cidr" => Some(Meaning::Cidr),
                "fieldref" => Some(Meaning::Reference),
                _ => None,
            };
            if let Some(meaning) = new_meaning {
                if modifiers.meaning != Meaning::Text {
                    return Err(refuse(format!("`{name}` contradicts a modifier before it")));
                }
                modifiers.meaning = meaning;
                continue;
            }
            let new_place = match name {
                "contains" => Some(Place::Anywhere),
                "startswith" => Some(Place::Start),
                "endswith" => Some(Place::End),
                _ => None,
            };
            if let Some(place) = new_place {
                if modifiers.place != Place::Whole {
                    return Err(refuse(format!("`{name}` contradicts a modifier before it"))
                        .help("use one of `contains`, `startswith`, `endswith`"));
                }
                modifiers.place = place;
                continue;
            }
            let new_comparison = match name {
                "lt" => Some(Comparison::Less),
                "lte" => Some(Comparison::LessOrEqual),
                "gt" => Some(Comparison::Greater),
                "gte" => Some(Comparison::GreaterOrEqual),
                _ => None,
            };
            if new_comparison.is_some() {
                if comparison.replace(new_comparison).is_some() {
                    return Err(refuse("two comparisons in one field".into())
                        .help("write the field twice: a lower bound and an upper bound"));
                }
                continue;
            }
            let new_date = match name {
                "minute" => Some(DatePart::Minute),
                "hour" => Some(DatePart::Hour),
                "day" => Some(DatePart::Day),
                "week" => Some(DatePart::Week),
                "month" => Some(DatePart::Month),
                "year" => Some(DatePart::Year),
                _ => None,
            };
            if new_date.is_some() {
                if date.replace(new_date).is_some() {
                    return Err(refuse("two parts of a date in one field".into()));
                }
                continue;
            }
            let encoding = match name {
                "base64" => Some(Encoding::Base64),
                "base64offset" => Some(Encoding::Base64Offset),
                "wide" | "utf16le" => Some(Encoding::Utf16LittleEndian),
                "utf16be" => Some(Encoding::Utf16BigEndian),
                "utf16" => Some(Encoding::Utf16),
                _ => None,
            };
            if let Some(encoding) = encoding {
                if modifiers.place != Place::Whole {
                    return Err(refuse(format!(
                        "`{name}` cannot encode a value that has wildcards around it"
                    ))
                    .help(format!(
                        "modifiers apply in order: write `{name}` before `contains`"
                    )));
                }
                modifiers.steps.push(Step::Encode(encoding));
                continue;
            }
            match name {
                "all" => modifiers.all = true,
                "neq" => modifiers.negated = true,
                "cased" => modifiers.cased = true,
                "expand" => modifiers.expand = true,
                "windash" => modifiers.steps.push(Step::Dashes),
                "i" | "m" | "s" => {
                    return Err(refuse(format!("`{name}` has a meaning only behind `re`")));
                }
                unknown => return Err(unknown_modifier(unknown, span)),
            }
        }
        let comparison = comparison.flatten();
        let special = match (date.flatten(), comparison) {
            (Some(part), comparison) => {
                Some(Meaning::Date(part, comparison.unwrap_or(Comparison::Equal)))
            }
            (None, Some(comparison)) => Some(Meaning::Comparison(comparison)),
            (None, None) => None,
        };
        if let Some(meaning) = special {
            if modifiers.meaning != Meaning::Text {
                return Err(refuse(
                    "a comparison contradicts another modifier of this field".into(),
                ));
            }
            modifiers.meaning = meaning;
        }
        modifiers.check(span)?;
        Ok(modifiers)
    }

    fn check(&self, span: &Range<usize>) -> Result<(), Problem> {
        let refuse = |message: &str| Err(Problem::error(DiagnosticKind::Detection, span, message));
        if !self.steps.is_empty() && self.meaning != Meaning::Text {
            return refuse("an encoding or `windash` can only change plain strings");
        }
        if self.expand && !matches!(self.meaning, Meaning::Text | Meaning::Cidr) {
            return refuse("`expand` can only fill in strings and networks");
        }
        match self.meaning {
            Meaning::Text | Meaning::Regex { .. } | Meaning::Reference => Ok(()),
            Meaning::Existence if self.all || self.negated || self.cased => {
                refuse("`exists` stands alone")
            }
            _ if self.place != Place::Whole => {
                refuse("`contains`, `startswith` and `endswith` apply to text only")
            }
            _ => Ok(()),
        }
    }
}

fn unknown_modifier(name: &str, span: &Range<usize>) -> Problem {
    let problem = Problem::error(
        DiagnosticKind::Detection,
        span,
        format!("`{name}` is not a Sigma modifier"),
    );
    match closest(name, NAMES.iter().copied()) {
        Some(known) => problem.help(format!("did you mean `{known}`?")),
        None => problem.help(format!("the modifiers are {}", NAMES.join(", "))),
    }
}

/// The candidate that a misspelt name most likely stands for.
pub(crate) fn closest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    candidates
        .filter(|candidate| candidate.len() <= 64)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.len().max(2))
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, character) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let change = diagonal + usize::from(character != *other);
            diagonal = *cell;
            before = change.min(*cell + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &str) -> Result<Modifiers, Problem> {
        Modifiers::read(names.split('|'), &(0..0))
    }

    #[test]
    fn order_matters_where_the_specification_says_so() {
        assert!(read("wide|base64offset|contains").is_ok());
        assert!(read("contains|base64").is_err());
        assert!(read("contains|windash").is_ok());
        assert!(read("i|re").is_err());
        assert!(read("re|i|s").is_ok());
        assert!(read("hour|gte").is_ok());
        assert!(read("gte|hour").is_ok());
    }

    #[test]
    fn contradictions_are_refused() {
        for names in [
            "re|cidr",
            "contains|startswith",
            "lt|gt",
            "exists|neq",
            "cidr|contains",
            "re|base64",
            "re|lt",
            "hour|day",
            "windash|fieldref",
        ] {
            assert!(read(names).is_err(), "{names}");
        }
    }

    #[test]
    fn a_misspelt_modifier_is_guessed() {
        assert_eq!(
            read("contain").unwrap_err().help.as_deref(),
            Some("did you mean `contains`?")
        );
        assert_eq!(
            read("startwith").unwrap_err().help.as_deref(),
            Some("did you mean `startswith`?")
        );
        assert!(
            read("frobnicate")
                .unwrap_err()
                .help
                .unwrap()
                .starts_with("the modifiers are")
        );
    }
}
