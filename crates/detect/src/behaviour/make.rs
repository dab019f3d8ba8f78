//! Rows and what matched them, to items.

use std::cell::Cell;
use std::collections::BTreeMap;

use portreeve_model::{Severity, Tactic};
use portreeve_record::FieldId;
use portreeve_sigma::Rule;
use smallvec::smallvec;

use super::compile::{Correlations, Getter, Use};
use super::facts::{Facts, Hashes, ROW_FIELDS, RowField};
use super::holes::Holes;
use super::item::{Item, Moment};
use super::kinds::stages::strength;
use super::numbers::Numbers;
use super::table::{digest, join};
use crate::activities::RowId;
use crate::strings::Symbol;

/// A rule that matched a row.
pub(crate) type Hit = (RowId, u32);

/// How many values of one field of one record are told apart.
const VALUES: usize = 32;

/// How many copied fields are looked through one by one before they are searched.
const NEAR: usize = 32;

/// The group of a correlation that has no `group-by`.
const EVERYTHING: u64 = 1;

/// Makes items of rows.
#[derive(Debug)]
pub(crate) struct Maker<'m> {
    correlations: &'m Correlations,
    facts: Facts<'m>,
    holes: &'m Holes,
    /// Copied fields, in order of row, then of field.
    copied: &'m [(RowId, FieldId, Symbol)],
    numbers: &'m Numbers,
    /// Where the copied fields of the row that was asked for last begin.
    reached: Cell<usize>,
    /// The first tactic of each rule and of each correlation, as the hash and the strength that it
    /// counts with; nothing where it has none, or shows nothing alone.
    rule_stages: Vec<Option<(u64, f64)>>,
    correlation_stages: Vec<Option<(u64, f64)>>,
    /// What was looked up last of each field, and for which row: most correlations ask for the same
    /// few fields.
    known: [(RowId, u64); ROW_FIELDS.len()],
}

/// What is the same for all items of one row.
#[derive(Clone, Copy)]
struct Place {
    row: RowId,
    time: Moment,
    doubt: bool,
    after: u32,
}

impl<'m> Maker<'m> {
    pub(crate) fn new(
        correlations: &'m Correlations,
        rules: &'m [Rule],
        facts: Facts<'m>,
        holes: &'m Holes,
        copied: &'m [(RowId, FieldId, Symbol)],
        numbers: &'m Numbers,
    ) -> Self {
        let stage = |tactics: &[Tactic], level: Severity, is_silent: bool| {
            let strength = strength(level);
            let tactic = tactics.first().filter(|_| !is_silent && strength > 0.0)?;
            Some((digest(tactic.title().as_bytes()), strength))
        };
        let rule_stages = rules
            .iter()
            .enumerate()
            .map(|(number, rule)| stage(&rule.tactics, rule.level, correlations.is_silent(number)))
            .collect();
        let correlation_stages = (0..)
            .zip(correlations.loaded())
            .map(|(number, one)| {
                let is_silent = correlations.is_silent_correlation(number);
                stage(&one.tactics, one.level, is_silent)
            })
            .collect();
        Self {
            correlations,
            facts,
            holes,
            copied,
            numbers,
            reached: Cell::new(0),
            rule_stages,
            correlation_stages,
            known: [(RowId::MAX, 0); ROW_FIELDS.len()],
        }
    }

    /// Adds the items of one row, of which `rules` are those that matched it. What depends on
    /// whether a correlation fires on the row is left to [`Maker::follow`].
    pub(crate) fn items(&mut self, row: RowId, rules: &[Hit], items: &mut Vec<Item>) {
        let Some(place) = self.place(row, Item::ALWAYS) else {
            return;
        };
        let correlations = self.correlations;
        for (_, rule) in rules {
            let number = *rule as usize;
            for one in correlations.of_rules.get(number).into_iter().flatten() {
                self.make(one, place, items);
            }
            if let Some(stage) = self.rule_stages.get(number).copied().flatten() {
                self.make_stage(stage, place, items);
            }
        }
    }

    /// Adds the items that a correlation sets off by firing on a row.
    pub(crate) fn follow(&mut self, setter: u32, row: RowId, items: &mut Vec<Item>) {
        let Some(place) = self.place(row, setter) else {
            return;
        };
        let correlations = self.correlations;
        let uses = correlations.of_correlations.get(setter as usize);
        for one in uses.into_iter().flatten() {
            self.make(one, place, items);
        }
        let stage = self.correlation_stages.get(setter as usize).copied();
        if let Some(stage) = stage.flatten() {
            self.make_stage(stage, place, items);
        }
    }

    /// Nothing where the row has no time.
    fn place(&self, row: RowId, after: u32) -> Option<Place> {
        let view = self.facts.activities().get(row);
        let time = view.moment()?;
        Some(Place {
            row,
            time,
            doubt: self.holes.doubt(view, time),
            after,
        })
    }

    fn make_stage(&mut self, (tactic, strength): (u64, f64), place: Place, items: &mut Vec<Item>) {
        let correlations = self.correlations;
        for one in &correlations.of_tactics {
            // It is a finding too, and no stage of itself.
            if place.after == one.correlation {
                continue;
            }
            let made = items.len();
            self.make(one, place, items);
            for item in &mut items[made..] {
                item.value = tactic;
                item.number = strength;
            }
        }
    }

    fn make(&mut self, one: &Use, place: Place, items: &mut Vec<Item>) {
        let key = if one.group.is_empty() {
            EVERYTHING
        } else {
            match self.together(&one.group, place.row) {
                0 => return,
                key => key,
            }
        };
        let number = match one.number {
            None => 0.0,
            Some(getter) => match self.number(getter, place.row) {
                Some(number) => number,
                None => return,
            },
        };
        let extra = [
            self.together(&one.extra[0], place.row),
            self.together(&one.extra[1], place.row),
        ];
        // A field with several values shows each of them.
        let values: Hashes = match one.value.as_slice() {
            [] => smallvec![0],
            [single] => self.values(*single, place.row),
            several => smallvec![self.together(several, place.row)],
        };
        let mut item = Item {
            time: place.time,
            record: self.numbers.of(place.row),
            correlation: one.correlation,
            leg: one.leg,
            after: place.after,
            doubt: place.doubt,
            key,
            value: 0,
            extra,
            number,
        };
        if values.is_empty() && one.value_optional {
            items.push(item);
        }
        for value in values.into_iter().take(VALUES) {
            if value == 0 && !one.value.is_empty() {
                continue;
            }
            item.value = value;
            items.push(item);
        }
    }

    /// The hash of several fields together; 0 where one is absent.
    fn together(&mut self, getters: &[Getter], row: RowId) -> u64 {
        let mut all = 0;
        for getter in getters {
            let one = self.first(*getter, row);
            if one == 0 {
                return 0;
            }
            all = if all == 0 { one } else { join(all, one) };
        }
        all
    }

    /// The hash of a field's first value; 0 where it is absent.
    fn first(&mut self, getter: Getter, row: RowId) -> u64 {
        match getter {
            Getter::Row(field) => {
                let known = &mut self.known[field as usize];
                if known.0 != row {
                    let view = self.facts.activities().get(row);
                    *known = (row, self.facts.first(field, view));
                }
                known.1
            }
            Getter::Copied(field) => {
                let first = self.copied(field, row).first();
                first.map_or(0, |(_, _, symbol)| self.facts.hash(*symbol))
            }
        }
    }

    fn values(&mut self, getter: Getter, row: RowId) -> Hashes {
        match getter {
            Getter::Row(RowField::Target) => {
                let view = self.facts.activities().get(row);
                self.facts.of(RowField::Target, view)
            }
            Getter::Row(_) => {
                let one = self.first(getter, row);
                (one != 0).then_some(one).into_iter().collect()
            }
            Getter::Copied(field) => {
                let copied = self.copied(field, row);
                copied
                    .iter()
                    .map(|(_, _, symbol)| self.facts.hash(*symbol))
                    .collect()
            }
        }
    }

    fn copied(&self, field: FieldId, row: RowId) -> &'m [(RowId, FieldId, Symbol)] {
        let copied = self.copied;
        let is_before = |(at, ..): &(RowId, FieldId, Symbol)| *at < row;
        // Rows mostly come in order: looking begins where it ended.
        let ahead = copied.get(self.reached.get()..).unwrap_or_default();
        let near = ahead
            .iter()
            .take(NEAR)
            .take_while(|it| is_before(it))
            .count();
        let mut first = match ahead.first() {
            Some((at, ..)) if *at <= row && near < NEAR => self.reached.get() + near,
            _ => copied.partition_point(is_before),
        };
        self.reached.set(first);
        let is_wanted = |(at, other, _): &&(RowId, FieldId, Symbol)| *at == row && *other < field;
        first += copied[first..].iter().take_while(is_wanted).count();
        let rest = &copied[first..];
        let count = rest
            .iter()
            .take_while(|(at, other, _)| (*at, *other) == (row, field))
            .count();
        &rest[..count]
    }

    fn number(&self, getter: Getter, row: RowId) -> Option<f64> {
        let Getter::Copied(field) = getter else {
            return None;
        };
        let strings = self.facts.activities().strings();
        // A field that leads through an array has several numbers, which are one amount.
        let numbers: Vec<f64> = self
            .copied(field, row)
            .iter()
            .filter_map(|(_, _, symbol)| strings.get(*symbol)?.parse::<f64>().ok())
            .filter(|number| number.is_finite())
            .collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum())
    }

    /// The row of a record, where it is still held.
    pub(crate) fn row_of(&self, record: u64) -> Option<RowId> {
        self.numbers.row(record)
    }

    /// Names the values that a row gives to a correlation. Only those that every row has: what was
    /// copied from a record may be anything, and is in the evidence.
    pub(crate) fn name(&mut self, correlation: u32, row: RowId, names: &mut BTreeMap<u64, String>) {
        let correlations = self.correlations;
        let is_row = |getter: &Getter| matches!(getter, Getter::Row(_));
        for one in correlations.uses_of(correlation) {
            if !one.value.iter().all(is_row) {
                continue;
            }
            let texts: Vec<Vec<String>> = one
                .value
                .iter()
                .map(|getter| self.texts(*getter, row))
                .collect();
            match (one.value.as_slice(), texts.as_slice()) {
                ([single], [texts]) => {
                    for (value, text) in self.values(*single, row).iter().zip(texts) {
                        names.insert(*value, text.clone());
                    }
                }
                (several, texts) if !several.is_empty() => {
                    let words: Vec<&str> = texts
                        .iter()
                        .filter_map(|texts| texts.first())
                        .map(String::as_str)
                        .collect();
                    names.insert(self.together(several, row), words.join(" "));
                }
                _ => {}
            }
        }
    }

    /// The names of the group that a row belongs to in a correlation.
    pub(crate) fn group(&mut self, correlation: u32, row: RowId) -> Vec<(u64, String)> {
        let correlations = self.correlations;
        correlations
            .uses_of(correlation)
            .map(|one| {
                let words: Vec<String> = one
                    .group
                    .iter()
                    .filter_map(|getter| self.texts(*getter, row).into_iter().next())
                    .collect();
                (self.together(&one.group, row), words.join(" "))
            })
            .collect()
    }

    fn texts(&self, getter: Getter, row: RowId) -> Vec<String> {
        match getter {
            Getter::Row(field) => self.facts.texts(field, self.facts.activities().get(row)),
            Getter::Copied(field) => {
                let strings = self.facts.activities().strings();
                self.copied(field, row)
                    .iter()
                    .filter_map(|(_, _, symbol)| strings.get(*symbol).map(str::to_owned))
                    .collect()
            }
        }
    }
}
