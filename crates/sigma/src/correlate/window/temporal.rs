use serde::{Deserialize, Serialize};

use super::Step;
use crate::correlate::compile::{Compiled, Measure};
use crate::correlate::item::{Moment, Reference};

/// Which rules matched: of each the latest record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Temporal {
    latest: Vec<Option<(Moment, Reference)>>,
}

impl Temporal {
    pub(crate) fn expire(&mut self, earliest: Moment) {
        for slot in &mut self.latest {
            if slot.is_some_and(|(time, _)| time < earliest) {
                *slot = None;
            }
        }
    }

    pub(crate) fn add(&mut self, step: Step) {
        let at = usize::from(step.position);
        if self.latest.len() <= at {
            self.latest.resize(at + 1, None);
        }
        if let Some(slot) = self.latest.get_mut(at) {
            *slot = Some((step.time, step.reference));
        }
    }

    pub(crate) fn measure(&self, compiled: &Compiled) -> (f64, bool) {
        let number = self.latest.iter().flatten().count() as f64;
        let is_there = |at: usize| self.latest.get(at).is_some_and(Option::is_some);
        let holds = match &compiled.measure {
            Measure::Temporal(Some(condition)) => condition.holds(&is_there),
            _ => compiled.condition.holds(number),
        };
        (number, holds)
    }

    pub(crate) fn records(&self) -> Vec<Reference> {
        let mut records: Vec<(Moment, Reference)> = self.latest.iter().flatten().copied().collect();
        records.sort_unstable();
        records.dedup();
        records
            .into_iter()
            .map(|(_, reference)| reference)
            .collect()
    }
}
