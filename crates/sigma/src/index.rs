//! Which rules a record can match at all.
//!
//! A rule that demands one of certain values of a field is reached through a hash of these values;
//! the matcher tests a record only against the rules that its values lead to, and against those
//! that have no such demand. The field is chosen by structure, not by name: the one of which the
//! rules together name the most different values, for it tells records apart best.
//!
//! A rule without such a demand mostly needs some field to be there at all, and is reached through
//! the presence of that field: rules for another product's logs cost nothing.
//!
//! A rule of keywords alone is reached through fragments of these in the record's text (`keywords`).
//!
//! Fields that are derived, and not read from the record, are nearly always there and take few
//! values. A rule is reached through the value of one where nothing better is left: through the one
//! that the fewest rules demand, for what many demand is mostly so.
//!
//! Where a sample of the records was seen ([`Sample`]), what is seldom there goes before all of this:
//! a rule is reached through that which led to it least often.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_record::{FieldId, Record, Value};

use crate::Verdict;
use crate::expression::Expression;
use crate::keywords::Keywords;
use crate::number::Number;
use crate::sample::Sample;
use crate::test::{PlainRecord, Test, any_value};
use crate::text::fold;

/// A field that no more tests ask for is taken to be there seldom.
const SELDOM_ASKED: usize = 8;

/// Values, in lower case, to the rules that they lead to.
#[derive(Debug)]
struct FieldIndex {
    field: FieldId,
    rules_of: HashMap<Box<[u8]>, Vec<u32>, FixedState>,
    /// All rules reached through this field, for values that have no text to look up.
    all: Vec<u32>,
    longest: usize,
    shapes: Shapes,
}

/// How the values look that lead to rules. Most of a record's values look otherwise, and are not looked up.
#[derive(Debug, Default)]
struct Shapes([u64; 16]);

impl Shapes {
    /// The word and the bit of a text's length, first and last letter.
    fn place(text: &[u8]) -> (usize, u64) {
        let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte | 0x20));
        let shape = text.len() * 37 + letter(text.first()) * 5 + letter(text.last()) * 131;
        (shape / 64 % 16, 1 << (shape % 64))
    }

    fn add(&mut self, text: &[u8]) {
        let (word, bit) = Self::place(text);
        self.0[word] |= bit;
    }

    /// Whether a text that is the same but for upper and lower case may have been added.
    fn may_hold(&self, text: &[u8]) -> bool {
        let (word, bit) = Self::place(text);
        self.0[word] & bit != 0
    }
}

/// Where a field leads: the places of its entries in the two lists, counted from one; zero for none.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    value: u32,
    present: u32,
}

/// What leads to one rule: any of it suffices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayTo {
    /// A field has this value; it is in lower case.
    pub values: Vec<(FieldId, String)>,
    /// A field is there at all.
    pub present: Vec<FieldId>,
    /// The record's text holds this, in whatever case.
    pub fragments: Vec<String>,
    /// Each record is tested.
    pub always: bool,
}

/// What leads to a rule, or a part of it.
#[derive(Clone, Copy)]
enum Lead {
    /// The values that a test demands.
    Value(u32),
    /// That a field is there.
    Presence(FieldId),
}

impl Lead {
    fn test(&self) -> Option<u32> {
        match self {
            Lead::Value(test) => Some(*test),
            Lead::Presence(_) => None,
        }
    }

    fn field(&self) -> Option<FieldId> {
        match self {
            Lead::Value(_) => None,
            Lead::Presence(field) => Some(*field),
        }
    }
}

/// The rules by what they demand.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By number of the field.
    ways: Vec<Way>,
    fields: Vec<FieldIndex>,
    /// Fields, and the rules that cannot match where they are absent.
    present: Vec<(FieldId, Vec<u32>)>,
    /// Rules that look for keywords and have no better demand.
    keywords: Option<Keywords>,
    /// Rules without a demand that an index can use.
    pub(crate) always: Vec<u32>,
}

impl Index {
    /// `rules` are the conditions over numbers of `tests`; rules that are not used have none.
    /// `is_derived` tells the fields that every record has, for they are not read from it.
    pub(crate) fn new(
        rules: &[Option<Expression<u32>>],
        tests: &[Test],
        is_derived: &dyn Fn(FieldId) -> bool,
        sample: &Sample,
    ) -> Self {
        let demands: Vec<Option<(FieldId, Vec<String>)>> =
            tests.iter().map(Test::required_values).collect();
        let demand = |test: u32| demands.get(test as usize)?.as_ref();
        let mut known: BTreeMap<FieldId, BTreeSet<&str>> = BTreeMap::new();
        for (field, values) in demands.iter().flatten() {
            known
                .entry(*field)
                .or_default()
                .extend(values.iter().map(String::as_str));
        }
        let mut popularity = vec![0usize; tests.len()];
        for rule in rules.iter().flatten() {
            rule.leaves(&mut |test| {
                if let Some(popularity) = popularity.get_mut(*test as usize) {
                    *popularity += 1;
                }
            });
        }
        let mut uses: BTreeMap<FieldId, usize> = BTreeMap::new();
        for field in tests.iter().filter_map(Test::needed_field) {
            *uses.entry(field).or_default() += 1;
        }
        uses.retain(|field, _| !is_derived(*field));

        let mut reached: BTreeMap<FieldId, BTreeMap<&str, BTreeSet<u32>>> = BTreeMap::new();
        let mut present: BTreeMap<FieldId, BTreeSet<u32>> = BTreeMap::new();
        let mut by_keyword: Vec<(&str, u32)> = Vec::new();
        let mut index = Self::default();
        let seen = |leads: &[Lead]| -> u32 {
            let counts = leads.iter().map(|lead| match lead {
                Lead::Value(test) => sample.of_test(*test),
                Lead::Presence(field) => sample.of_field(*field),
            });
            counts.fold(0, u32::saturating_add)
        };
        for (number, rule) in (0u32..).zip(rules) {
            let Some(rule) = rule else { continue };
            let by_value = witness(
                rule,
                &|test| {
                    let (field, _) = demand(test)?;
                    (!is_derived(*field)).then_some(Lead::Value(test))
                },
                &|chosen| {
                    // By the weakest field, then by how few values are waited for.
                    let demands = || chosen.iter().filter_map(|lead| demand(lead.test()?));
                    let names = |field| known.get(field).map_or(0, BTreeSet::len);
                    let weakest = demands().map(|(field, _)| names(field)).min();
                    let values = demands().map(|(_, values)| values.len()).sum::<usize>();
                    (Reverse(seen(chosen)), weakest, Reverse(values))
                },
            );
            let needed = |test: u32| {
                let field = tests.get(test as usize)?.needed_field()?;
                uses.contains_key(&field).then_some(Lead::Presence(field))
            };
            // Fields that few rules ask for are absent most often.
            let asked = |chosen: &[Lead]| -> usize {
                let fields = chosen.iter().filter_map(Lead::field);
                fields.filter_map(|field| uses.get(&field)).sum()
            };
            let by_presence = || {
                witness(rule, &needed, &|chosen| {
                    Reverse((seen(chosen), asked(chosen)))
                })
            };
            let by_any = || {
                let popularity = |lead: &Lead| {
                    let test = lead.test()? as usize;
                    popularity.get(test).copied()
                };
                let lead = |test| match demand(test) {
                    Some(_) => Some(Lead::Value(test)),
                    None => needed(test).filter(|_| !sample.is_empty()),
                };
                witness(rule, &lead, &|chosen| {
                    let popularity = chosen.iter().filter_map(popularity).sum::<usize>();
                    Reverse((seen(chosen), popularity))
                })
            };
            let leads = if sample.is_empty() {
                by_value.or_else(|| match by_presence() {
                    Some(fields) if asked(&fields) <= SELDOM_ASKED => Some(fields),
                    present => by_any().or(present),
                })
            } else {
                let all = [by_value, by_presence(), by_any()];
                all.into_iter().flatten().min_by_key(|leads| seen(leads))
            };
            match leads {
                Some(leads) => {
                    for lead in leads {
                        match lead {
                            Lead::Value(test) => {
                                let Some((field, values)) = demand(test) else {
                                    continue;
                                };
                                let rules_of = reached.entry(*field).or_default();
                                for value in values {
                                    rules_of.entry(value).or_default().insert(number);
                                }
                            }
                            Lead::Presence(field) => {
                                present.entry(field).or_default().insert(number);
                            }
                        }
                    }
                }
                None => {
                    let fragments = |test: u32| tests.get(test as usize)?.required_fragments();
                    match witness(rule, &fragments, &|chosen| {
                        Reverse(chosen.iter().map(|one| one.len()).sum::<usize>())
                    }) {
                        Some(chosen) => by_keyword.extend(
                            chosen
                                .into_iter()
                                .flatten()
                                .map(|one| (one.as_str(), number)),
                        ),
                        None => index.always.push(number),
                    }
                }
            }
        }
        index.keywords = Keywords::new(by_keyword.iter().copied());
        if index.keywords.is_none() {
            index
                .always
                .extend(by_keyword.iter().map(|(_, rule)| *rule));
            index.always.sort_unstable();
            index.always.dedup();
        }
        index.present = present
            .into_iter()
            .map(|(field, rules)| (field, rules.into_iter().collect()))
            .collect();
        for (field, values) in reached {
            let all: BTreeSet<u32> = values.values().flatten().copied().collect();
            let longest = values.keys().map(|value| value.len()).max().unwrap_or(0);
            let mut shapes = Shapes::default();
            values.keys().for_each(|value| shapes.add(value.as_bytes()));
            let rules_of = values
                .into_iter()
                .map(|(value, rules)| (value.as_bytes().into(), rules.into_iter().collect()))
                .collect();
            index.fields.push(FieldIndex {
                field,
                rules_of,
                all: all.into_iter().collect(),
                longest,
                shapes,
            });
        }
        index.find_ways();
        index
    }

    fn find_ways(&mut self) {
        self.ways.clear();
        let mut way = |field: FieldId, set: &dyn Fn(&mut Way)| {
            let at = field.0 as usize;
            if self.ways.len() <= at {
                self.ways.resize(at + 1, Way::default());
            }
            self.ways.get_mut(at).map(set);
        };
        for (place, index) in (1u32..).zip(&self.fields) {
            way(index.field, &|way| way.value = place);
        }
        for (place, (field, _)) in (1u32..).zip(&self.present) {
            way(*field, &|way| way.present = place);
        }
    }

    /// The fields whose values or presence lead to rules.
    pub(crate) fn fields(&self) -> impl Iterator<Item = FieldId> {
        let by_value = self.fields.iter().map(|index| index.field);
        by_value.chain(self.present.iter().map(|(field, _)| *field))
    }

    /// What leads to a rule.
    pub(crate) fn way_to(&self, rule: u32) -> WayTo {
        let mut way = WayTo::default();
        for index in &self.fields {
            for (value, rules) in &index.rules_of {
                if rules.contains(&rule) {
                    let value = String::from_utf8_lossy(value).into_owned();
                    way.values.push((index.field, value));
                }
            }
        }
        way.values.sort();
        for (field, rules) in &self.present {
            if rules.contains(&rule) {
                way.present.push(*field);
            }
        }
        if let Some(keywords) = &self.keywords {
            way.fragments = keywords.leading_to(rule).map(str::to_owned).collect();
        }
        way.always = self.always.contains(&rule);
        way
    }

    /// Leaves only some of the rules.
    pub(crate) fn retain(&mut self, is_wanted: &dyn Fn(u32) -> bool) {
        self.always.retain(|rule| is_wanted(*rule));
        for (_, rules) in &mut self.present {
            rules.retain(|rule| is_wanted(*rule));
        }
        self.present.retain(|(_, rules)| !rules.is_empty());
        for field in &mut self.fields {
            field.all.retain(|rule| is_wanted(*rule));
            field.rules_of.retain(|_, rules| {
                rules.retain(|rule| is_wanted(*rule));
                !rules.is_empty()
            });
        }
        self.fields.retain(|field| !field.all.is_empty());
        self.keywords
            .take_if(|keywords| !keywords.retain(is_wanted));
        self.find_ways();
    }

    /// Calls `found` with each rule that the record's values lead to; a rule may come twice.
    pub(crate) fn candidates<R: Record + ?Sized>(
        &self,
        record: &R,
        lower: &mut Vec<u8>,
        plain: &mut PlainRecord,
        found: &mut dyn FnMut(u32),
    ) {
        if let Some(keywords) = &self.keywords {
            keywords.follow(record.text(), plain, found);
        }
        match record.found() {
            // A record has few fields of all that rules ask for.
            Some(fields) => {
                for field in fields {
                    let Some(way) = self.ways.get(field.0 as usize) else {
                        continue;
                    };
                    if let Some((_, rules)) = before(&self.present, way.present) {
                        rules.iter().copied().for_each(&mut *found);
                    }
                    if let Some(index) = before(&self.fields, way.value) {
                        index.follow(record, lower, found);
                    }
                }
            }
            None => {
                for (field, rules) in &self.present {
                    if !record.values(*field).is_empty() {
                        rules.iter().copied().for_each(&mut *found);
                    }
                }
                for index in &self.fields {
                    index.follow(record, lower, found);
                }
            }
        }
    }
}

/// The entry that stands at a place counted from one.
fn before<T>(entries: &[T], place: u32) -> Option<&T> {
    entries.get((place as usize).checked_sub(1)?)
}

impl FieldIndex {
    fn follow<R: Record + ?Sized>(
        &self,
        record: &R,
        lower: &mut Vec<u8>,
        found: &mut dyn FnMut(u32),
    ) {
        let values = record.values(self.field);
        if let [Value::String(text)] = values {
            return self.look_up(text, lower, found);
        }
        let mut all = false;
        let verdict = any_value(values, 0, &mut |value| {
            match value {
                Value::String(text) => self.look_up(text, lower, found),
                Value::Bool(value) => {
                    self.look_up(if *value { "true" } else { "false" }, lower, found);
                }
                Value::Number(text) => {
                    self.look_up(text, lower, found);
                    // A plain integer is its own canonical form.
                    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
                    if !plain && let Some(number) = Number::parse(text) {
                        let canonical = number.canonical();
                        if canonical != *text {
                            self.look_up(&canonical, lower, found);
                        }
                    }
                }
                Value::Null => {}
                Value::Object(_) | Value::Array(_) | Value::Unknown => all = true,
            }
            Verdict::No
        });
        if all || verdict == Verdict::Unknown {
            self.all.iter().copied().for_each(&mut *found);
        }
    }

    fn look_up(&self, text: &str, lower: &mut Vec<u8>, found: &mut dyn FnMut(u32)) {
        let rules = if text.is_ascii() {
            if text.len() > self.longest || !self.shapes.may_hold(text.as_bytes()) {
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

/// What the rule cannot match without, told by leaves: at least one of what is given must hold.
/// Where several are possible, the one of the best score.
fn witness<T, Score: Ord>(
    rule: &Expression<u32>,
    leaf: &dyn Fn(u32) -> Option<T>,
    score: &dyn Fn(&[T]) -> Score,
) -> Option<Vec<T>> {
    match rule {
        Expression::Leaf(test) => leaf(*test).map(|one| vec![one]),
        Expression::Not(_) => None,
        Expression::Any(parts) | Expression::AtLeast(_, parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.append(&mut witness(part, leaf, score)?);
            }
            (!all.is_empty()).then_some(all)
        }
        Expression::All(parts) => parts
            .iter()
            .filter_map(|part| witness(part, leaf, score))
            .max_by_key(|chosen| score(chosen)),
    }
}
