use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::Step;
use crate::correlate::compile::Compiled;
use crate::correlate::item::{Amount, Moment};

/// How many different values, by when each was last seen. A window that slides keeps no more of the
/// latest than the condition needs: an older value cannot make up for one that left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Moment, u128)>", into = "Vec<(Moment, u128)>")]
pub(crate) struct Distinct {
    last: HashMap<u128, Moment, FixedState>,
    order: BTreeSet<(Moment, u128)>,
}

impl Distinct {
    pub(crate) fn expire(&mut self, earliest: Moment) {
        while let Some(oldest) = self
            .order
            .first()
            .copied()
            .filter(|(time, _)| *time < earliest)
        {
            self.forget(oldest);
        }
    }

    pub(crate) fn add(&mut self, step: Step, compiled: &Compiled) {
        let Amount::Value(value) = step.amount else {
            return;
        };
        if let Some(before) = self.last.insert(value, step.time) {
            self.order.remove(&(before, value));
        }
        self.order.insert((step.time, value));
        while compiled.slides && self.order.len() as u64 > compiled.needed {
            let Some(oldest) = self.order.first().copied() else {
                return;
            };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, entry: (Moment, u128)) {
        self.order.remove(&entry);
        self.last.remove(&entry.1);
    }

    pub(crate) fn total(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn entries(&self) -> usize {
        self.order.len()
    }
}

impl From<Vec<(Moment, u128)>> for Distinct {
    fn from(entries: Vec<(Moment, u128)>) -> Self {
        Self {
            last: entries
                .iter()
                .map(|(time, value)| (*value, *time))
                .collect(),
            order: entries.into_iter().collect(),
        }
    }
}

impl From<Distinct> for Vec<(Moment, u128)> {
    fn from(distinct: Distinct) -> Self {
        distinct.order.into_iter().collect()
    }
}
