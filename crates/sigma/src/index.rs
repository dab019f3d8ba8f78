//! Which rules a record can match at all.
//!
//! A rule that demands one of certain values of a field is reached through a hash of these values;
//! the matcher tests a record only against the rules that its values lead to, and against those
//! that have no such demand. The field is chosen by structure, not by name: the one of which the
//! rules together name the most different values, for it tells records apart best.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_record::{FieldId, Record, Value};

use crate::Verdict;
use crate::expression::Expression;
use crate::number::Number;
use crate::test::{Test, any_value};
use crate::text::fold;

/// Values, in lower case, to the rules that they lead to.
#[derive(Debug)]
struct FieldIndex {
    field: FieldId,
    rules_of: HashMap<Box<[u8]>, Vec<u32>, FixedState>,
    /// All rules reached through this field, for values that have no text to look up.
    all: Vec<u32>,
    longest: usize,
}

/// The rules by what they demand.
#[derive(Debug, Default)]
pub(crate) struct Index {
    fields: Vec<FieldIndex>,
    /// Rules without a demand that an index can use.
    pub(crate) always: Vec<u32>,
}

impl Index {
    /// `rules` are the conditions over numbers of `tests`; rules that are not used have none.
    pub(crate) fn new(rules: &[Option<Expression<u32>>], tests: &[Test]) -> Self {
        let demands: Vec<Option<(FieldId, Vec<String>)>> =
            tests.iter().map(Test::required_values).collect();
        let mut known: BTreeMap<FieldId, BTreeSet<&str>> = BTreeMap::new();
        for (field, values) in demands.iter().flatten() {
            known
                .entry(*field)
                .or_default()
                .extend(values.iter().map(String::as_str));
        }
        let mut reached: BTreeMap<FieldId, BTreeMap<&str, BTreeSet<u32>>> = BTreeMap::new();
        let mut index = Self::default();
        for (number, rule) in (0u32..).zip(rules) {
            let Some(rule) = rule else { continue };
            let choice = Choice {
                demands: &demands,
                known: &known,
            };
            let Some(witness) = choice.witness(rule) else {
                index.always.push(number);
                continue;
            };
            for (field, values) in witness.iter().filter_map(|test| choice.demand(*test)) {
                let rules_of = reached.entry(*field).or_default();
                for value in values {
                    rules_of.entry(value).or_default().insert(number);
                }
            }
        }
        for (field, values) in reached {
            let all: BTreeSet<u32> = values.values().flatten().copied().collect();
            let longest = values.keys().map(|value| value.len()).max().unwrap_or(0);
            let rules_of = values
                .into_iter()
                .map(|(value, rules)| (value.as_bytes().into(), rules.into_iter().collect()))
                .collect();
            index.fields.push(FieldIndex {
                field,
                rules_of,
                all: all.into_iter().collect(),
                longest,
            });
        }
        index
    }

    /// Calls `found` with each rule that the record's values lead to; a rule may come twice.
    pub(crate) fn candidates<R: Record + ?Sized>(
        &self,
        record: &R,
        lower: &mut Vec<u8>,
        found: &mut dyn FnMut(u32),
    ) {
        for index in &self.fields {
            let mut all = false;
            let verdict = any_value(record.values(index.field), 0, &mut |value| {
                match value {
                    Value::String(text) => index.look_up(text, lower, found),
                    Value::Bool(value) => {
                        index.look_up(if *value { "true" } else { "false" }, lower, found);
                    }
                    Value::Number(text) => {
                        index.look_up(text, lower, found);
                        if let Some(number) = Number::parse(text) {
                            let canonical = number.canonical();
                            if canonical != *text {
                                index.look_up(&canonical, lower, found);
                            }
                        }
                    }
                    Value::Null => {}
                    Value::Object(_) | Value::Array(_) | Value::Unknown => all = true,
                }
                Verdict::No
            });
            if all || verdict == Verdict::Unknown {
                index.all.iter().copied().for_each(&mut *found);
            }
        }
    }
}

impl FieldIndex {
    fn look_up(&self, text: &str, lower: &mut Vec<u8>, found: &mut dyn FnMut(u32)) {
        let rules = if text.is_ascii() {
            if text.len() > self.longest {
                return;
            }
            lower.clear();
            lower.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
            self.rules_of.get(lower.as_slice())
        } else {
            self.rules_of.get(fold(text).as_bytes())
        };
        rules.into_iter().flatten().copied().for_each(found);
    }
}

struct Choice<'a> {
    demands: &'a [Option<(FieldId, Vec<String>)>],
    known: &'a BTreeMap<FieldId, BTreeSet<&'a str>>,
}

impl<'a> Choice<'a> {
    fn demand(&self, test: u32) -> Option<&'a (FieldId, Vec<String>)> {
        self.demands.get(test as usize)?.as_ref()
    }

    /// Tests of which at least one must not fail for the rule to match.
    fn witness(&self, rule: &Expression<u32>) -> Option<Vec<u32>> {
        match rule {
            Expression::Leaf(test) => self.demand(*test).map(|_| vec![*test]),
            Expression::Not(_) => None,
            Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.append(&mut self.witness(part)?);
                }
                (!all.is_empty()).then_some(all)
            }
            Expression::All(parts) => parts
                .iter()
                .filter_map(|part| self.witness(part))
                .max_by_key(|witness| self.score(witness)),
        }
    }

    /// How well a witness tells records apart: by its weakest field, then by how few values it
    /// waits for.
    fn score(&self, witness: &[u32]) -> (usize, std::cmp::Reverse<usize>) {
        let demands = || witness.iter().filter_map(|test| self.demand(*test));
        let weakest = demands()
            .map(|(field, _)| self.known.get(field).map_or(0, BTreeSet::len))
            .min()
            .unwrap_or(0);
        (
            weakest,
            std::cmp::Reverse(demands().map(|(_, values)| values.len()).sum()),
        )
    }
}
