//! Compiled predicates and their verdict on a record.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use portreeve_record::{FieldId, Fields, Record, Value};
use smallvec::SmallVec;

use crate::Verdict;
use crate::date::DatePart;
use crate::json;
use crate::keywords::fragments;
use crate::modifier::Place;
use crate::number::{Comparison, Number};
use crate::predicate::{self, Predicate};
use crate::regular::Regex;
use crate::text::{TextSet, fold};

/// Arrays in arrays are gone through to this depth; what is deeper is matched as JSON text.
const MAX_ARRAY_DEPTH: usize = 32;

/// A predicate ready to run.
#[derive(Debug)]
pub(crate) struct Test {
    field: Option<FieldId>,
    kind: Kind,
    /// Where it is about the record's text: of these fragments one must be there.
    fragments: Option<Box<[String]>>,
}

#[derive(Debug)]
enum Kind {
    Text {
        set: TextSet,
        numbers: Vec<Number>,
    },
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
        other: FieldId,
        place: Place,
        cased: bool,
    },
}

/// The record's text as a reader sees it, made when a keyword first asks for it.
#[derive(Debug, Default)]
pub(crate) struct PlainRecord(Option<Option<String>>);

impl PlainRecord {
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    pub(crate) fn of(&mut self, text: &str) -> Option<&str> {
        self.0
            .get_or_insert_with(|| json::plain_text(text))
            .as_deref()
    }
}

impl Test {
    pub(crate) fn new(predicate: &Predicate, fields: &mut Fields) -> Result<Self, String> {
        let kind = match &predicate.test {
            predicate::Test::Text(test) => Kind::Text {
                set: TextSet::new(&test.patterns, test.cased)?,
                numbers: test.numbers.clone(),
            },
            predicate::Test::Null => Kind::Null,
            predicate::Test::Exists(wanted) => Kind::Exists(*wanted),
            predicate::Test::Compare {
                part,
                comparison,
                number,
            } => Kind::Compare {
                part: *part,
                comparison: *comparison,
                number: *number,
            },
            predicate::Test::Regex(regex) => Kind::Regex(regex.clone()),
            predicate::Test::Cidr(networks) => Kind::Cidr(networks.clone()),
            predicate::Test::Reference {
                other,
                place,
                cased,
            } => Kind::Reference {
                other: fields.intern(other),
                place: *place,
                cased: *cased,
            },
        };
        let field = predicate.field.as_deref().map(|path| fields.intern(path));
        let fragments = match (&predicate.test, field) {
            (predicate::Test::Text(test), None) => fragments(&test.patterns),
            _ => None,
        };
        Ok(Self {
            field,
            kind,
            fragments,
        })
    }

    /// Fragments, in lower case, of which the record's text must hold one; `None` where it can match
    /// in other ways.
    pub(crate) fn required_fragments(&self) -> Option<&[String]> {
        self.fragments.as_deref()
    }

    /// A guess of what it costs, to ask cheap ones first.
    pub(crate) fn cost(&self) -> u32 {
        match &self.kind {
            _ if self.field.is_none() => 100,
            Kind::Null | Kind::Exists(_) => 0,
            Kind::Text { set, .. } if set.only_exact().is_some() => 1,
            Kind::Compare { .. } => 2,
            Kind::Text { .. } => 4,
            Kind::Cidr(_) => 6,
            Kind::Reference { .. } => 8,
            Kind::Regex(_) => 20,
        }
    }

    /// The fields that it asks for.
    pub(crate) fn fields(&self) -> impl Iterator<Item = FieldId> {
        let other = match self.kind {
            Kind::Reference { other, .. } => Some(other),
            _ => None,
        };
        self.field.into_iter().chain(other)
    }

    /// The field without which it cannot match.
    pub(crate) fn needed_field(&self) -> Option<FieldId> {
        match self.kind {
            Kind::Null | Kind::Exists(false) => None,
            _ => self.field,
        }
    }

    /// Whether values of its field can lead to it.
    pub(crate) fn leads(&self) -> bool {
        matches!(&self.kind, Kind::Text { set, .. } if set.only_exact().is_some())
    }

    /// The field and the texts, in lower case, of which one of the field's values must be one;
    /// `None` where it can match in other ways.
    pub(crate) fn required_values(&self) -> Option<(FieldId, Vec<String>)> {
        let Kind::Text { set, numbers } = &self.kind else {
            return None;
        };
        let texts = set.only_exact()?.iter().map(|text| fold(text));
        let values = texts
            .chain(numbers.iter().map(|number| number.canonical()))
            .collect();
        Some((self.field?, values))
    }

    /// The one text that the verdict follows from, where it costs more to find than to remember.
    pub(crate) fn memorable<'r, R: Record + ?Sized>(&self, record: &'r R) -> Option<&'r str> {
        let costs = match &self.kind {
            Kind::Text { set, .. } => set.costs(),
            Kind::Regex(_) => true,
            _ => false,
        };
        match record.values(self.field.filter(|_| costs)?) {
            [Value::String(text)] => Some(&**text),
            _ => None,
        }
    }

    pub(crate) fn evaluate<R: Record + ?Sized>(
        &self,
        record: &R,
        plain: &mut PlainRecord,
    ) -> Verdict {
        let Some(field) = self.field else {
            let text = record.text();
            return self
                .on_text(text)
                .or_else_no(|| plain.of(text).map(|text| self.on_text(text)));
        };
        let values = record.values(field);
        match &self.kind {
            Kind::Exists(wanted) => {
                if !values.is_empty() && values.iter().all(|value| *value == Value::Unknown) {
                    Verdict::Unknown
                } else {
                    Verdict::from(values.is_empty() != *wanted)
                }
            }
            Kind::Null if values.is_empty() => Verdict::Yes,
            Kind::Null => any_value(values, 0, &mut |value| Verdict::from(*value == Value::Null)),
            Kind::Reference {
                other,
                place,
                cased,
            } => reference(values, record.values(*other), *place, *cased),
            _ => match values {
                [Value::String(text)] => self.on_text(text),
                _ => any_value(values, 0, &mut |value| self.on_value(value)),
            },
        }
    }

    fn on_value(&self, value: &Value<'_>) -> Verdict {
        match (value, &self.kind) {
            (Value::Unknown, _) => Verdict::Unknown,
            (Value::Null, _) => Verdict::No,
            (Value::Number(text), Kind::Text { set, numbers }) => Verdict::from(
                set.is_match(text)
                    || !numbers.is_empty()
                        && Number::parse(text).is_some_and(|number| numbers.contains(&number)),
            ),
            (Value::Object(text) | Value::Array(text), Kind::Text { .. } | Kind::Regex(_)) => self
                .on_text(text)
                .or_else_no(|| json::plain_text(text).map(|text| self.on_text(&text))),
            (Value::Object(_) | Value::Array(_), _) => Verdict::No,
            (Value::Bool(value), _) => self.on_text(if *value { "true" } else { "false" }),
            (Value::Number(text), _) => self.on_text(text),
            (Value::String(text), _) => self.on_text(text),
        }
    }

    fn on_text(&self, text: &str) -> Verdict {
        match &self.kind {
            Kind::Text { set, .. } => Verdict::from(set.is_match(text)),
            // Where the bound on steps bites, neither answer would be true.
            Kind::Regex(regex) => regex.is_match(text).map_or(Verdict::Unknown, Verdict::from),
            Kind::Cidr(networks) => Verdict::from(text.parse::<IpAddr>().is_ok_and(|address| {
                let address = address.to_canonical();
                networks.iter().any(|network| network.contains(&address))
            })),
            Kind::Compare {
                part,
                comparison,
                number,
            } => {
                let field = match part {
                    Some(part) => part.of(text),
                    None => Number::parse(text),
                };
                Verdict::from(field.is_some_and(|field| comparison.holds(field, *number)))
            }
            Kind::Null | Kind::Exists(_) | Kind::Reference { .. } => Verdict::No,
        }
    }
}

impl Verdict {
    /// This verdict, or the other one's where this is not yes and there is another.
    fn or_else_no(self, other: impl FnOnce() -> Option<Verdict>) -> Verdict {
        match self {
            Verdict::Yes => Verdict::Yes,
            verdict => other().map_or(verdict, |other| verdict.or(other)),
        }
    }
}

/// Whether one of the values, or of the elements of arrays among them, passes.
pub(crate) fn any_value(
    values: &[Value<'_>],
    depth: usize,
    test: &mut dyn FnMut(&Value<'_>) -> Verdict,
) -> Verdict {
    let mut verdict = Verdict::No;
    for value in values {
        let one = match value {
            Value::Unknown => Verdict::Unknown,
            Value::Array(_) if depth < MAX_ARRAY_DEPTH => {
                let mut any = Verdict::No;
                for element in value.elements() {
                    any = any.or(any_value(std::slice::from_ref(&element), depth + 1, test));
                    if any == Verdict::Yes {
                        break;
                    }
                }
                any
            }
            other => test(other),
        };
        verdict = verdict.or(one);
        if verdict == Verdict::Yes {
            break;
        }
    }
    verdict
}

/// The text of a value that is neither null nor a container.
pub(crate) fn scalar_text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(text) => Some(text),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        _ => None,
    }
}

fn reference(values: &[Value<'_>], others: &[Value<'_>], place: Place, cased: bool) -> Verdict {
    let normal = |text: &str| -> String { if cased { text.to_owned() } else { fold(text) } };
    let mut wanted: SmallVec<[String; 2]> = SmallVec::new();
    let open = any_value(others, 0, &mut |value| {
        wanted.extend(scalar_text(value).map(normal));
        Verdict::No
    });
    if wanted.is_empty() && open == Verdict::No {
        return Verdict::No;
    }
    any_value(values, 0, &mut |value| {
        let Some(text) = scalar_text(value) else {
            return Verdict::No;
        };
        let text: Cow<'_, str> = normal(text).into();
        let holds = wanted.iter().any(|wanted| match place {
            Place::Whole => *wanted == text,
            // An empty value is a part of every text, and says nothing of it.
            _ if wanted.is_empty() => false,
            Place::Start => text.starts_with(wanted.as_str()),
            Place::End => text.ends_with(wanted.as_str()),
            Place::Anywhere => text.contains(wanted.as_str()),
        });
        Verdict::from(holds).or(open)
    })
}
