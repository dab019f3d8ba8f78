//! Why a rule matches a record, or does not: predicate by predicate.

use std::collections::BTreeMap;

use portreeve_record::{ExtractError, Extractor, Fields, Record, SlotBuffer, Value};

use crate::Verdict;
use crate::detection::Leaf;
use crate::expression::Expression;
use crate::modifier::Place;
use crate::number::Comparison;
use crate::pattern::Part;
use crate::predicate::{self, Predicate};
use crate::rule::Rule;
use crate::test::{PlainRecord, Test};

/// So many values of a list or a record are written out.
const SHOWN: usize = 8;

/// A value of a record is written out so far.
const LONGEST: usize = 120;

/// A part of a rule's condition, and how it turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What it asks, in words.
    pub asks: String,
    /// The answer.
    pub verdict: Verdict,
    /// The values that the record has for it; empty where it has none, and for whole parts.
    pub values: Vec<String>,
    /// Whether it asks a field itself.
    pub is_predicate: bool,
    /// What it is made of.
    pub parts: Vec<Explained>,
}

/// Explains the verdict of a rule on one record, given as JSON. Every predicate is asked, also those
/// that no longer matter.
pub fn explain(
    rule: &Rule,
    placeholders: &BTreeMap<String, Vec<String>>,
    record: &[u8],
) -> Result<Explained, ExtractError> {
    let mut fields = Fields::default();
    let condition = rule.condition.try_map(&mut |leaf| match leaf {
        Leaf::Ready(predicate) => Ok(compiled(predicate, &mut fields)),
        Leaf::Pending(item, _) => {
            let filled = item.fill(placeholders).map_err(|problem| problem.message)?;
            filled.try_map(&mut |predicate| Ok::<_, String>(compiled(predicate, &mut fields)))
        }
    });
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let record = extractor.extract(record, &mut buffer)?;
    Ok(match condition {
        Ok(condition) => explained(&condition, &record, &mut PlainRecord::default()),
        Err(reason) => Explained {
            asks: reason,
            verdict: Verdict::No,
            values: Vec::new(),
            is_predicate: false,
            parts: Vec::new(),
        },
    })
}

type Question = (String, Result<Test, String>);

fn compiled(predicate: &Predicate, fields: &mut Fields) -> Expression<Question> {
    Expression::Leaf((words(predicate), Test::new(predicate, fields)))
}

fn explained<R: Record>(
    condition: &Expression<Question>,
    record: &R,
    plain: &mut PlainRecord,
) -> Explained {
    let mut whole = |asks: String, inner: &[Expression<Question>]| {
        let parts: Vec<Explained> = inner
            .iter()
            .map(|part| explained(part, record, plain))
            .collect();
        let leaves = parts
            .iter()
            .map(|part| Expression::Leaf(part.verdict))
            .collect();
        let verdict = match condition {
            Expression::All(_) => Expression::All(leaves),
            Expression::Any(_) => Expression::Any(leaves),
            Expression::AtLeast(count, _) => Expression::AtLeast(*count, leaves),
            _ => Expression::Not(Box::new(Expression::All(leaves))),
        };
        Explained {
            asks,
            verdict: verdict.evaluate(&mut |leaf| *leaf),
            values: Vec::new(),
            is_predicate: false,
            parts,
        }
    };
    match condition {
        Expression::All(parts) => whole("all of".to_owned(), parts),
        Expression::Any(parts) => whole("one of".to_owned(), parts),
        Expression::AtLeast(count, parts) => whole(format!("{count} at least of"), parts),
        Expression::Not(inner) => whole("not".to_owned(), std::slice::from_ref(&**inner)),
        Expression::Leaf((asks, test)) => {
            let (verdict, values) = match test {
                Ok(test) => {
                    let fields = test.fields();
                    let values = fields.flat_map(|field| record.values(field).iter().map(written));
                    (test.evaluate(record, plain), values.take(SHOWN).collect())
                }
                Err(_) => (Verdict::No, Vec::new()),
            };
            Explained {
                asks: asks.clone(),
                verdict,
                values,
                is_predicate: true,
                parts: Vec::new(),
            }
        }
    }
}

/// A value of a record, not longer than can be read.
fn written(value: &Value<'_>) -> String {
    let text = match value {
        Value::Unknown => "not known".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) | Value::Array(text) | Value::Object(text) => (*text).to_owned(),
        Value::String(text) => format!("{text:?}"),
    };
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// What a predicate asks.
fn words(predicate: &Predicate) -> String {
    let field = predicate.field.as_deref().unwrap_or("the record's text");
    match &predicate.test {
        predicate::Test::Text(test) => {
            let texts = test.patterns.iter().map(|parts| pattern(parts));
            let numbers = test.numbers.iter().map(|number| number.canonical());
            let all: Vec<String> = texts.chain(numbers).collect();
            let more = all.len().saturating_sub(SHOWN);
            let mut list = all
                .get(..SHOWN.min(all.len()))
                .unwrap_or_default()
                .join(" or ");
            if more > 0 {
                list.push_str(&format!(" or {more} more"));
            }
            let cased = if test.cased { ", case minded" } else { "" };
            let verb = if predicate.field.is_some() {
                "is"
            } else {
                "holds"
            };
            format!("{field} {verb} {list}{cased}")
        }
        predicate::Test::Null => format!("{field} is absent or null"),
        predicate::Test::Exists(true) => format!("{field} is there"),
        predicate::Test::Exists(false) => format!("{field} is not there"),
        predicate::Test::Compare {
            part,
            comparison,
            number,
        } => {
            let part = part.map_or(String::new(), |part| {
                format!("the {part:?} of ").to_lowercase()
            });
            format!(
                "{part}{field} is {} {}",
                sign(*comparison),
                number.canonical()
            )
        }
        predicate::Test::Regex(regex) => format!("{field} matches {regex:?}"),
        predicate::Test::Cidr(networks) => {
            let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
            format!("{field} lies in {}", networks.join(" or "))
        }
        predicate::Test::Reference { other, place, .. } => {
            let verb = match place {
                Place::Whole => "is the same as",
                Place::Start => "starts with",
                Place::End => "ends with",
                Place::Anywhere => "contains",
            };
            format!("{field} {verb} {other}")
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "equal to",
        Comparison::Less => "less than",
        Comparison::LessOrEqual => "at most",
        Comparison::Greater => "greater than",
        Comparison::GreaterOrEqual => "at least",
    }
}

/// A pattern with its wildcards, quoted.
fn pattern(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Any => text.push('*'),
            Part::One => text.push('?'),
            Part::Dash => text.push('-'),
        }
    }
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(detection: &str, record: &str) -> Explained {
        let text = format!("title: t\nlogsource: {{product: x}}\ndetection:\n{detection}\n");
        let parsed = crate::parse("t.yml", &text);
        assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
        explain(&parsed.rules[0], &BTreeMap::new(), record.as_bytes()).unwrap()
    }

    #[test]
    fn each_predicate_has_its_verdict_and_values() {
        let detection = "  s: {name: [Stop, 'Del*'], count|gte: 3}\n  f: {kind: null}\n  condition: s and not f";
        let whole = of(detection, r#"{"name":"Delete","count":2}"#);
        assert_eq!(whole.verdict, Verdict::No);
        assert_eq!(whole.asks, "all of");
        let [selection, filter] = whole.parts.as_slice() else {
            panic!("{whole:?}");
        };
        let [name, count] = selection.parts.as_slice() else {
            panic!("{selection:?}");
        };
        assert_eq!(name.asks, "name is 'Stop' or 'Del*'");
        assert_eq!(name.verdict, Verdict::Yes);
        assert_eq!(name.values, [r#""Delete""#]);
        assert_eq!(count.asks, "count is at least 3");
        assert_eq!(
            (count.verdict, count.values.as_slice()),
            (Verdict::No, &["2".to_owned()][..])
        );
        assert_eq!((filter.asks.as_str(), filter.verdict), ("not", Verdict::No));
        assert_eq!(filter.parts[0].asks, "kind is absent or null");
        assert!(filter.parts[0].values.is_empty());
    }

    #[test]
    fn placeholders_without_values_are_told() {
        let detection = "  s: {name|expand: '%admins%'}\n  condition: s";
        let whole = of(detection, r#"{"name":"ann"}"#);
        assert_eq!(whole.verdict, Verdict::No);
        assert!(whole.asks.contains("admins"), "{}", whole.asks);
    }

    #[test]
    fn a_record_that_is_broken_is_an_error() {
        let text = "title: t\nlogsource: {}\ndetection: {s: {a: b}, condition: s}\n";
        let parsed = crate::parse("t.yml", text);
        assert!(explain(&parsed.rules[0], &BTreeMap::new(), b"{\"a\":").is_err());
    }
}
