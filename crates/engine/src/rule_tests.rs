use crate::content::is_for;
use portreeve_detect::{Batch, Position, Snapshot, StageOne};
use portreeve_record::{Extractor, FieldId, Fields, SlotBuffer, Value};
use portreeve_sigma::{Matcher, Rule, Verdict};
use portreeve_telemetry::{Reader, sources};
use serde_json::Value as Json;

/// What testing rules gave.
#[derive(Debug, Default)]
pub struct RuleTests {
    /// How many records were tried.
    pub tested: usize,
    /// Each record that did not come out as its rule expects, in words.
    pub failures: Vec<String>,
    /// Files of rules that carry no test.
    pub untested: Vec<String>,
}

/// Tries each rule on the records that it carries under `portreeve.tests`:
///
/// ```yaml
/// portreeve:
///   tests:
///     - expect: match        # or none; undecided where the rule waits for history
///       given:               # derived fields, in place of what no estate tells
///         portreeve.actor.kind: human
///       record: { eventSource: kms.amazonaws.com, eventName: Sign }
/// ```
pub fn test_rules(rules: &[Rule]) -> RuleTests {
    let mut outcome = RuleTests::default();
    let mut fields = Fields::default();
    let readers: Vec<Box<dyn Reader>> = sources()
        .iter()
        .map(|source| source.prepare(&mut fields))
        .collect();
    let (matcher, problems) = Matcher::new(rules, &mut fields);
    outcome
        .failures
        .extend(problems.iter().map(ToString::to_string));
    let extractor = Extractor::new(&fields);
    let snapshot = Snapshot::default();
    let mut stage = StageOne::new(rules, &matcher, &fields, &snapshot, &[]);
    let mut buffer = SlotBuffer::new();
    for (number, rule) in rules.iter().enumerate() {
        let reader = sources()
            .iter()
            .zip(&readers)
            .find(|(source, _)| is_for(rule, **source));
        let tests = rule.fields.get("tests").and_then(Json::as_array);
        let (Some((_, reader)), Some(tests)) = (reader, tests) else {
            outcome.untested.push(rule.file.to_string());
            continue;
        };
        for (position, test) in tests.iter().enumerate() {
            outcome.tested += 1;
            let expected = test.get("expect").and_then(Json::as_str).unwrap_or("match");
            let record = test.get("record").unwrap_or(&Json::Null).to_string();
            let mut slots = match extractor.extract(record.as_bytes(), &mut buffer) {
                Ok(slots) => slots,
                Err(error) => {
                    outcome
                        .failures
                        .push(format!("{}: test {position}: {error}", rule.file));
                    continue;
                }
            };
            {
                let activity = reader.activity(&slots);
                let at = Position {
                    file: 0,
                    index: 0,
                    offset: 0,
                };
                stage.fold(&activity, "", at, &mut Batch::default());
            }
            stage.set_derived(&mut slots);
            for (field, values) in given(test, &fields) {
                slots.set_all(field, values);
            }
            let verdict = match matcher.evaluate_one(number, &slots) {
                Verdict::Yes => "match",
                Verdict::No => "none",
                Verdict::Unknown => "undecided",
            };
            if verdict != expected {
                outcome.failures.push(format!(
                    "{}: test {position}: expected {expected}, got {verdict}",
                    rule.file
                ));
            }
        }
    }
    outcome
}

pub(crate) fn given<'t>(test: &'t Json, fields: &Fields) -> Vec<(FieldId, Vec<Value<'t>>)> {
    let named = test.get("given").and_then(Json::as_object);
    named
        .into_iter()
        .flatten()
        .filter_map(|(path, value)| {
            let values = match value {
                Json::Array(values) => values.iter().map(plain).collect(),
                value => vec![plain(value)],
            };
            Some((fields.get(path)?, values))
        })
        .collect()
}

fn plain(value: &Json) -> Value<'_> {
    match value {
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Null => Value::Null,
        other => Value::String(other.to_string().into()),
    }
}
