//! What the intruder acted on.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_graph::{Jewel, JewelKind};

use crate::behaviour;
use crate::case::Case;
use crate::names;
use crate::report::Touched;

/// How many written objects of one bucket are listed one by one.
const LISTED_OBJECTS: usize = 20;

#[derive(Default)]
struct Entry<'t> {
    actions: BTreeMap<&'t str, u64>,
    objects: BTreeSet<&'t str>,
    written: bool,
    succeeded: bool,
}

impl<'t> Entry<'t> {
    fn add(&mut self, action: &'t str, written: bool, succeeded: bool) {
        *self.actions.entry(action).or_default() += 1;
        self.written |= written;
        self.succeeded |= succeeded;
    }
}

/// The resources that the incident's deeds touched, gravest first: written crown jewels, other
/// jewels, what was written, what was read, what was refused.
pub(crate) fn touched(case: &Case<'_>, jewels: &[Jewel]) -> Vec<Touched> {
    let jewels = Jewels::new(jewels);
    let mut entries = BTreeMap::<&str, Entry<'_>>::new();
    let mut written_objects = BTreeMap::<(&str, &str), Entry<'_>>::new();
    for row in case.deeds() {
        let succeeded = row.succeeded();
        let written = succeeded && behaviour::writes(row);
        let buckets: Vec<&str> = row
            .targets()
            .filter_map(|id| names::object(id).map(|(bucket, _)| bucket))
            .collect();
        for target in row.targets() {
            match names::object(target) {
                Some((bucket, _)) if written => written_objects
                    .entry((bucket, target))
                    .or_default()
                    .add(row.action(), written, succeeded),
                Some((bucket, _)) => {
                    let entry = entries.entry(bucket).or_default();
                    entry.objects.insert(target);
                    entry.add(row.action(), written, succeeded);
                }
                // A call on an object names its bucket too.
                None if buckets.contains(&target) => {}
                None => entries
                    .entry(target)
                    .or_default()
                    .add(row.action(), written, succeeded),
            }
        }
    }
    let mut written_of = BTreeMap::<&str, usize>::new();
    for (bucket, _) in written_objects.keys() {
        *written_of.entry(bucket).or_default() += 1;
    }
    for ((bucket, object), found) in written_objects {
        if written_of
            .get(bucket)
            .is_some_and(|count| *count <= LISTED_OBJECTS)
        {
            entries.insert(object, found);
        } else {
            let entry = entries.entry(bucket).or_default();
            entry.objects.insert(object);
            for (action, count) in found.actions {
                *entry.actions.entry(action).or_default() += count;
            }
            entry.written |= found.written;
            entry.succeeded |= found.succeeded;
        }
    }
    let mut touched: Vec<Touched> = entries
        .into_iter()
        .map(|(resource, entry)| {
            let mut actions: Vec<(String, u64)> = entry
                .actions
                .into_iter()
                .map(|(action, count)| (action.to_owned(), count))
                .collect();
            actions.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            Touched {
                resource: resource.to_owned(),
                objects: entry.objects.len() as u64,
                actions,
                written: entry.written,
                succeeded: entry.succeeded,
                jewel: jewels.kind(resource).map(|kind| kind.title().to_owned()),
            }
        })
        .collect();
    gravest_first(&mut touched);
    touched
}

/// Jewels that were got at first, then what was written, then the rest of jewels, then what was used most.
pub(crate) fn gravest_first(touched: &mut [Touched]) {
    touched.sort_by_cached_key(|it| {
        let calls: u64 = it.actions.iter().map(|(_, count)| count).sum();
        (
            !(it.jewel.is_some() && it.succeeded),
            !it.written,
            it.jewel.is_none(),
            !it.succeeded,
            std::cmp::Reverse(calls),
            it.resource.clone(),
        )
    });
}

/// Crown jewels by id.
pub(crate) struct Jewels<'j> {
    kinds: BTreeMap<&'j str, JewelKind>,
}

impl<'j> Jewels<'j> {
    pub(crate) fn new(jewels: &'j [Jewel]) -> Self {
        let mut kinds = BTreeMap::new();
        for jewel in jewels {
            let id = jewel.id.as_str();
            kinds.entry(names::without_suffix(id)).or_insert(jewel.kind);
            kinds.entry(id).or_insert(jewel.kind);
        }
        Self { kinds }
    }

    /// Whether none is known, as where there is no inventory.
    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The kind of jewel that a resource is: by its id, by that of the bucket that holds it, or by
    /// that of the secret without its ending.
    pub(crate) fn kind(&self, resource: &str) -> Option<JewelKind> {
        let bucket = names::object(resource).map(|(bucket, _)| bucket);
        [
            Some(resource),
            bucket,
            Some(names::without_suffix(resource)),
        ]
        .into_iter()
        .flatten()
        .find_map(|id| self.kinds.get(id).copied())
    }
}
