//! Bounds what stage two holds.
//!
//! Every so many records of the event log it is looked at how many rows are held. Where they are more than
//! the bound, the older ones are sealed ([`StageTwo::seal`]) so that half as many stay whole. Both depend on
//! the log alone, never on when or how often it was folded: a watch that was killed and one that was not
//! seal the same rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use portreeve_detect::StageTwo;
use portreeve_incident::{Incident, TimelineRole};

use crate::prepared::{Prepared, Read};

/// The least that is held, so that there is something to tell stories from.
const LEAST: usize = 1_000;

/// Counts the records of the log, and says when it is time to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    every: u64,
    records: u64,
}

impl Beat {
    /// That of a bound of so many rows, at the beginning of the log.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            every: rows.max(LEAST) as u64 / 8,
            records: 0,
        }
    }

    /// Counts a record of the log; whether it is time to look.
    pub(crate) fn is_due(&mut self) -> bool {
        self.records += 1;
        self.records.is_multiple_of(self.every)
    }
}

/// The bound.
#[derive(Debug)]
pub(crate) struct Hold {
    rows: usize,
}

impl Hold {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows: rows.max(LEAST),
        }
    }

    /// Seals what is older, where more is held than the bound says.
    pub(crate) fn keep_within(&self, prepared: &Prepared, stage_two: &mut StageTwo) {
        if stage_two.len() <= self.rows {
            return;
        }
        let Some(until) = stage_two.moment_before_newest(self.rows / 2) else {
            return;
        };
        let (folded, sealing) = prepared.fold_to_seal(stage_two.clone(), until);
        let Some(sealing) = sealing else {
            return;
        };
        let mut gathered = prepared.gathered(folded, Read::default(), Instant::now());
        let exceptions = gathered.exceptions().to_vec();
        let (incidents, _) = gathered.incidents(&exceptions);
        let shown = shown(&incidents, self.rows / 8);
        stage_two.seal(sealing, &gathered.folded, self.rows / 4, &|file, index| {
            shown.get(file).is_some_and(|known| known.contains(&index))
        });
    }

    /// What is to be told of the bound.
    pub(crate) fn note(&self, stage_two: &StageTwo) -> Option<String> {
        let until = stage_two.sealed_until()?;
        let late = match stage_two.late() {
            0 => String::new(),
            late => format!(
                " {late} records came later than that: rules have judged them, correlations have not."
            ),
        };
        Some(format!(
            "Records since {until} are held whole. Of earlier ones only what findings and incidents show, and \
             what may still matter, is held: about {} records in all.{late}",
            self.rows
        ))
    }
}

/// The records that incidents tell of, by file: where those of all are too many, without the other activity
/// of their credentials.
fn shown(incidents: &[Incident], most: usize) -> HashMap<Arc<str>, HashSet<u64>> {
    let all = || incidents.iter().flat_map(|incident| &incident.timeline);
    let with_quiet = all().count() <= most;
    let mut shown = HashMap::<Arc<str>, HashSet<u64>>::new();
    for entry in all().filter(|entry| with_quiet || entry.role != TimelineRole::Quiet) {
        shown
            .entry(entry.file.clone())
            .or_default()
            .insert(entry.index);
    }
    shown
}
