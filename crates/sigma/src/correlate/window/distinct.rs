use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::Step;
use crate::correlate::compile::Compiled;
use crate::correlate::item::{Amount, Moment};

/// Up to so many values are looked through one by one, which is quicker than to keep an index.
const FEW: usize = 16;

/// How many different values, by when each was last seen. A window that slides keeps no more of the
/// latest than the condition needs: an older value cannot make up for one that left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub(crate) struct Distinct {
    /// In order of time, where there is no index.
    few: Vec<Entry>,
    many: Option<Box<Indexed>>,
}

/// When a value was last seen, and its hash.
type Entry = (Moment, u128);

#[derive(Clone, Debug, Default)]
struct Indexed {
    last: HashMap<u128, Moment, FixedState>,
    order: BTreeSet<Entry>,
}

impl Distinct {
    pub(crate) fn clear(&mut self) {
        self.few.clear();
        self.many = None;
    }

    pub(crate) fn expire(&mut self, earliest: Moment) {
        match &mut self.many {
            None => {
                let gone = self.few.partition_point(|(time, _)| *time < earliest);
                self.few.drain(..gone);
            }
            Some(many) => {
                while many.order.first().is_some_and(|(time, _)| *time < earliest) {
                    many.forget_first();
                }
            }
        }
    }

    pub(crate) fn add(&mut self, step: Step, compiled: &Compiled) {
        let Amount::Value(value) = step.amount else {
            return;
        };
        let entry = (step.time, value);
        match &mut self.many {
            None => {
                self.few.retain(|(_, other)| *other != value);
                let at = self.few.partition_point(|other| *other < entry);
                self.few.insert(at, entry);
                if self.few.len() > FEW {
                    let mut many = Box::<Indexed>::default();
                    self.few.drain(..).for_each(|entry| many.insert(entry));
                    self.many = Some(many);
                }
            }
            Some(many) => many.insert(entry),
        }
        while compiled.slides && self.total() as u64 > compiled.needed {
            match &mut self.many {
                None => drop(self.few.remove(0)),
                Some(many) => many.forget_first(),
            }
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.many
            .as_ref()
            .map_or(self.few.len(), |many| many.order.len())
    }

    pub(crate) fn entries(&self) -> usize {
        self.total()
    }
}

impl Indexed {
    fn insert(&mut self, entry: Entry) {
        if let Some(before) = self.last.insert(entry.1, entry.0) {
            self.order.remove(&(before, entry.1));
        }
        self.order.insert(entry);
    }

    fn forget_first(&mut self) {
        if let Some((_, value)) = self.order.pop_first() {
            self.last.remove(&value);
        }
    }
}

impl From<Vec<Entry>> for Distinct {
    fn from(entries: Vec<Entry>) -> Self {
        let mut many = Indexed::default();
        entries.into_iter().for_each(|entry| many.insert(entry));
        if many.order.len() > FEW {
            Self {
                few: Vec::new(),
                many: Some(Box::new(many)),
            }
        } else {
            Self {
                few: many.order.into_iter().collect(),
                many: None,
            }
        }
    }
}

impl From<Distinct> for Vec<Entry> {
    fn from(distinct: Distinct) -> Self {
        match distinct.many {
            None => distinct.few,
            Some(many) => many.order.into_iter().collect(),
        }
    }
}
