use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::SignedDuration;
use portreeve_detect::behaviour::Correlations;
use portreeve_detect::{Batch, Folded, Position, Settings, Snapshot, StageOne, StageTwo};
use portreeve_model::{Estate, Timestamp};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Correlation, CorrelationKind, Matcher, Rule};
use portreeve_telemetry::{Reader, sources};
use serde_json::{Map, Value as Json};

use crate::config::Period;
use crate::content::{RuleSet, is_for};
use crate::rule_tests::{RuleTests, given};

/// The most records that one test may come to when its repetitions are written out.
const MOST_RECORDS: usize = 100_000;

/// Tries each correlation on the sequences of records that it carries under `portreeve.tests`:
///
/// ```yaml
/// portreeve:
///   base: { eventSource: s3.amazonaws.com }   # what all records share
///   tests:
///     - expect: match                         # or none, or unknown
///       networks: { 198.51.100.0/24: corporate }
///       records:
///         - at: 2026-02-01T09:00:00Z
///           every: 1d                         # this one again, on 20 days
///           repeat: 20
///           record: { sourceIPAddress: 198.51.100.10 }
///         - at: 2026-03-03T07:44:00Z
///           record: { sourceIPAddress: 192.0.2.41 }
///           given: { portreeve.actor.kind: human }
/// ```
///
/// `unknown` means that it did not fire, and that it said it could not tell.
pub fn test_correlations(set: &RuleSet) -> RuleTests {
    let mut outcome = RuleTests::default();
    for correlation in &set.correlations {
        let tests = correlation.fields.get("tests").and_then(Json::as_array);
        let Some(tests) = tests else {
            if set.is_part_correlation(correlation) {
                continue;
            }
            outcome.untested.push(correlation.file.to_string());
            continue;
        };
        let bench = match Bench::new(correlation, set) {
            Ok(bench) => bench,
            Err(problems) => {
                outcome.failures.extend(problems);
                continue;
            }
        };
        for (position, test) in tests.iter().enumerate() {
            outcome.tested += 1;
            let expected = test.get("expect").and_then(Json::as_str).unwrap_or("match");
            let failed = match bench.run(test) {
                Ok(got) if got.word == expected => match test.get("level").and_then(Json::as_str) {
                    Some(level) if Some(level) != got.level.as_deref() => Some(format!(
                        "expected level {level}, got {}",
                        got.level.unwrap_or_default()
                    )),
                    _ => None,
                },
                Ok(got) => Some(format!("expected {expected}, got {}", got.word)),
                Err(error) => Some(error),
            };
            if let Some(failed) = failed {
                outcome
                    .failures
                    .push(format!("{}: test {position}: {failed}", correlation.file));
            }
        }
    }
    outcome
}

/// One correlation with all that it needs to run.
struct Bench<'c> {
    correlation: &'c Correlation,
    rules: Vec<Rule>,
    matcher: Matcher,
    fields: Fields,
    correlations: Correlations,
    readers: Vec<Box<dyn Reader>>,
}

struct Got {
    word: &'static str,
    level: Option<String>,
}

impl<'c> Bench<'c> {
    fn new(correlation: &'c Correlation, set: &RuleSet) -> Result<Self, Vec<String>> {
        let all = matches!(&correlation.kind, CorrelationKind::Extension(name) if name == "portreeve.stages");
        let mut correlations: Vec<Correlation> = vec![correlation.clone()];
        let mut names: BTreeSet<&str> = correlation.rules.iter().map(String::as_str).collect();
        let is_named = |names: &BTreeSet<&str>, id: &Option<String>, name: &Option<String>| {
            [id, name]
                .into_iter()
                .flatten()
                .any(|known| names.contains(known.as_str()))
        };
        // What it refers to may refer to more.
        loop {
            let more: Vec<&Correlation> = set
                .correlations
                .iter()
                .filter(|other| {
                    is_named(&names, &other.id, &other.name)
                        && !correlations.iter().any(|known| known.title == other.title)
                })
                .collect();
            if more.is_empty() {
                break;
            }
            for other in more {
                names.extend(other.rules.iter().map(String::as_str));
                correlations.push(other.clone());
            }
        }
        let rules: Vec<Rule> = set
            .rules
            .iter()
            .filter(|rule| {
                all || rule.file == correlation.file || is_named(&names, &rule.id, &rule.name)
            })
            .cloned()
            .collect();
        let mut fields = Fields::default();
        let readers = sources()
            .iter()
            .map(|source| source.prepare(&mut fields))
            .collect();
        let (matcher, mut problems) = Matcher::new(&rules, &mut fields);
        let (correlations, more) =
            Correlations::new(correlations, &rules, &set.left_out, &mut fields);
        problems.extend(more);
        if !problems.is_empty() {
            return Err(problems.iter().map(ToString::to_string).collect());
        }
        Ok(Self {
            correlation,
            rules,
            matcher,
            fields,
            correlations,
            readers,
        })
    }

    fn run(&self, test: &Json) -> Result<Got, String> {
        let folded = self.fold(test)?;
        let id = self.correlation.id.as_deref().unwrap_or_default();
        let fired: Vec<_> = folded
            .findings
            .iter()
            .filter(|finding| finding.rule == id)
            .collect();
        let unknown = folded.behaviour.unknown.iter().any(|one| one.rule == id);
        Ok(Got {
            word: match (fired.is_empty(), unknown) {
                (false, _) => "match",
                (true, true) => "unknown",
                (true, false) => "none",
            },
            level: fired
                .iter()
                .map(|finding| finding.severity)
                .max()
                .map(|level| level.to_string()),
        })
    }

    fn fold(&self, test: &Json) -> Result<Folded, String> {
        let settings = Settings {
            networks: networks(test)?,
            ..Settings::default()
        };
        let known_good = match test.get("known-good").and_then(Json::as_str) {
            Some(text) => Some(text.parse::<Period>().map_err(|error| error.to_string())?.0),
            None => None,
        };
        let snapshot = Snapshot::new(&Estate::default(), settings, []);
        let extractor = Extractor::new(&self.fields);
        let mut stage = StageOne::new(&self.rules, &self.matcher, &self.fields, &snapshot, &[])
            .for_correlations(&self.correlations);
        let source = self
            .rules
            .iter()
            .find_map(|rule| sources().iter().position(|source| is_for(rule, *source)));
        let reader = source
            .and_then(|at| self.readers.get(at))
            .ok_or("no log source reads its records")?;
        let mut batch = Batch::default();
        let file = batch.add_file("test".into());
        let mut buffer = SlotBuffer::new();
        for (index, step) in steps(test, &self.correlation.fields)?
            .into_iter()
            .enumerate()
        {
            let text = step.record.to_string();
            let mut slots = extractor
                .extract(text.as_bytes(), &mut buffer)
                .map_err(|error| error.to_string())?;
            let row = {
                let kind = reader.event_kind(&slots);
                let activity = reader.activity(&slots);
                let at = Position {
                    file,
                    index: index as u64,
                    offset: 0,
                };
                stage.fold(&activity, kind, at, &mut batch)
            };
            stage.set_derived(&mut slots);
            for (field, values) in given(step.given, &self.fields) {
                slots.set_all(field, values);
            }
            stage.observe(&slots, row, &mut batch);
        }
        let mut two = StageTwo::default().with_correlations(self.correlations.clone(), known_good);
        two.accept(batch);
        Ok(two.finish(&self.rules, &self.matcher, &self.fields, &snapshot, &[]))
    }
}

fn networks(test: &Json) -> Result<BTreeMap<IpNet, String>, String> {
    let declared = test.get("networks").and_then(Json::as_object);
    declared
        .into_iter()
        .flatten()
        .map(|(range, class)| {
            let range = range
                .parse()
                .map_err(|_| format!("`{range}` is no network"))?;
            Ok((range, class.as_str().unwrap_or_default().to_owned()))
        })
        .collect()
}

struct Step<'t> {
    record: Json,
    /// The step, which holds `given`.
    given: &'t Json,
}

/// A test's records, its repetitions written out.
fn steps<'t>(test: &'t Json, fields: &Json) -> Result<Vec<Step<'t>>, String> {
    let steps = test
        .get("records")
        .and_then(Json::as_array)
        .ok_or("a test has `records`")?;
    let base = fields.get("base").unwrap_or(&Json::Null);
    let own_base = test.get("base").unwrap_or(&Json::Null);
    let mut written = Vec::new();
    for step in steps {
        let at: Timestamp = step
            .get("at")
            .and_then(Json::as_str)
            .and_then(|text| text.parse().ok())
            .ok_or("each record of a test says `at` what time it happened")?;
        let every = match step.get("every").and_then(Json::as_str) {
            Some(text) => duration(text).ok_or_else(|| format!("`{text}` is no time span"))?,
            None => SignedDuration::ZERO,
        };
        let repeat = step.get("repeat").and_then(Json::as_u64).unwrap_or(1);
        for number in 0..repeat {
            if written.len() >= MOST_RECORDS {
                return Err(format!("a test of more than {MOST_RECORDS} records"));
            }
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            let time = at
                .checked_add(every.checked_mul(number).unwrap_or(SignedDuration::MAX))
                .map_err(|_| "a repetition leaves the calendar")?;
            let mut record = Json::Object(Map::new());
            for part in [base, own_base, step.get("record").unwrap_or(&Json::Null)] {
                merge(&mut record, part);
            }
            // The fields that CloudTrail keeps these in: the tests of other sources state theirs.
            if let Some(record) = record.as_object_mut() {
                record
                    .entry("eventTime")
                    .or_insert_with(|| time.to_string().into());
                let id = format!("00000000-0000-4000-8000-{:012x}", written.len());
                record.entry("eventID").or_insert_with(|| id.into());
            }
            written.push(Step {
                record,
                given: step,
            });
        }
    }
    Ok(written)
}

/// Puts one object over another; what both have as objects is merged.
fn merge(under: &mut Json, over: &Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Json::Null), value);
            }
        }
        (_, Json::Null) => {}
        (under, over) => *under = over.clone(),
    }
}

/// `90m`, as in correlations.
fn duration(text: &str) -> Option<SignedDuration> {
    let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let number: i64 = digits.parse().ok()?;
    let seconds = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
}
