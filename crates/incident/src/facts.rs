//! What the deeds of an incident come to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::behaviour::{Behaviour, behaviour};
use crate::case::Case;
use crate::names;

/// One object that was written, with the times of its writes.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) times: Vec<Timestamp>,
}

/// Sums over the deeds of an incident. Only what was done counts, but for `denied`.
#[derive(Debug, Default)]
pub(crate) struct Facts<'f> {
    pub(crate) denied: u64,
    pub(crate) first_denied: Option<(&'f str, Option<Timestamp>)>,
    pub(crate) looks: u64,
    pub(crate) services: BTreeSet<&'f str>,
    /// Distinct objects read, by bucket.
    pub(crate) read: BTreeMap<&'f str, BTreeSet<&'f str>>,
    /// Objects written, by their ids.
    pub(crate) written: BTreeMap<&'f str, Written>,
    /// Deeds of other kinds: targets with the time of the first such deed on each.
    pub(crate) deeds: BTreeMap<Behaviour, BTreeMap<&'f str, Option<Timestamp>>>,
    /// Actions of other kinds, with counts.
    pub(crate) actions: BTreeMap<Behaviour, BTreeMap<&'f str, u64>>,
}

impl<'f> Facts<'f> {
    pub(crate) fn new(case: &Case<'f>) -> Self {
        let mut facts = Self::default();
        for row in case.deeds() {
            if row.denied() {
                facts.denied += 1;
                facts.first_denied.get_or_insert((row.action(), row.time()));
            }
            if !row.succeeded() {
                continue;
            }
            let kind = behaviour(row);
            *facts
                .actions
                .entry(kind)
                .or_default()
                .entry(row.action())
                .or_default() += 1;
            match kind {
                Behaviour::Discovers => {
                    facts.looks += 1;
                    let service = row.action().split(':').next().unwrap_or_default();
                    facts.services.insert(service);
                }
                Behaviour::ReadsObjects => {
                    for target in row.targets() {
                        if let Some((bucket, _)) = names::object(target) {
                            facts.read.entry(bucket).or_default().insert(target);
                        }
                    }
                }
                Behaviour::WritesObjects => {
                    for target in row
                        .targets()
                        .filter(|target| names::object(target).is_some())
                    {
                        facts
                            .written
                            .entry(target)
                            .or_default()
                            .times
                            .extend(row.time());
                    }
                }
                _ => {
                    let targets = facts.deeds.entry(kind).or_default();
                    let mut any = false;
                    for target in row.targets() {
                        targets.entry(target).or_insert(row.time());
                        any = true;
                    }
                    if !any {
                        targets.entry("").or_insert(row.time());
                    }
                }
            }
        }
        facts
    }

    /// How often deeds of a kind were done.
    pub(crate) fn count(&self, kind: Behaviour) -> u64 {
        self.actions
            .get(&kind)
            .map_or(0, |actions| actions.values().sum())
    }

    /// What deeds of a kind were done to, in words.
    pub(crate) fn targets(&self, kind: Behaviour) -> Vec<String> {
        let targets = self.deeds.get(&kind);
        let named = targets.into_iter().flat_map(|targets| targets.keys());
        named
            .filter(|id| !id.is_empty())
            .map(|id| names::resource(id))
            .collect()
    }

    /// The actions of a kind, most frequent first.
    pub(crate) fn actions_of(&self, kind: Behaviour) -> Vec<String> {
        let mut actions: Vec<(&str, u64)> = self
            .actions
            .get(&kind)
            .into_iter()
            .flatten()
            .map(|(action, count)| (*action, *count))
            .collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        actions
            .into_iter()
            .map(|(action, _)| crate::text::clean(action))
            .collect()
    }

    /// Buckets with written objects, and those objects.
    pub(crate) fn written_buckets(&self) -> BTreeMap<&'f str, Vec<&'f str>> {
        let mut buckets = BTreeMap::<&str, Vec<&str>>::new();
        for object in self.written.keys() {
            if let Some((bucket, _)) = names::object(object) {
                buckets.entry(bucket).or_default().push(object);
            }
        }
        buckets
    }

    /// Whether an object was written that is known to have been there: read before, or written
    /// more than once.
    pub(crate) fn replaces(&self) -> bool {
        let was_read = |object: &&str| {
            names::object(object)
                .and_then(|(bucket, _)| self.read.get(bucket))
                .is_some_and(|objects| objects.contains(*object))
        };
        !self.only_deletes() && (self.written.keys().any(was_read) || !self.rewritten().is_empty())
    }

    /// Whether all writes of objects were deletions.
    pub(crate) fn only_deletes(&self) -> bool {
        self.actions
            .get(&Behaviour::WritesObjects)
            .is_some_and(|actions| actions.keys().all(|action| action.contains(":Delete")))
    }

    /// Objects that were written more than once, with the first and the last time.
    pub(crate) fn rewritten(&self) -> Vec<(&'f str, Timestamp, Timestamp)> {
        self.written
            .iter()
            .filter_map(|(object, written)| {
                let (first, last) = (written.times.iter().min()?, written.times.iter().max()?);
                (first < last).then_some((*object, *first, *last))
            })
            .collect()
    }
}
