//! A simulation in memory, its records unpacked.

// Each test file takes what it needs.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::GzDecoder;
use portreeve_simulate::{Intrusion, MemorySink, Plan, Summary, simulate};
use serde_json::Value;

pub(crate) struct Simulation {
    pub(crate) summary: Summary,
    pub(crate) sink: MemorySink,
    /// In the order in which files and records in them lie.
    pub(crate) records: Vec<Value>,
}

/// A plan of twenty days with few records.
pub(crate) fn small(seed: u64, intrusion: &str) -> Plan {
    Plan {
        seed,
        days: 20,
        intrusion: intrusion.parse::<Intrusion>().expect("it is known"),
        max_records: 7_000,
        ..Plan::default()
    }
}

pub(crate) fn run(plan: &Plan) -> Simulation {
    let mut sink = MemorySink::default();
    let summary = simulate(plan, &mut sink).expect("the plan is sound");
    let mut records = Vec::new();
    for (_, bytes) in sink
        .files
        .iter()
        .filter(|(path, _)| path.contains("/CloudTrail/"))
    {
        let mut text = Vec::new();
        GzDecoder::new(&bytes[..])
            .read_to_end(&mut text)
            .expect("a whole gzip file");
        let mut envelope: Value = serde_json::from_slice(&text).expect("JSON");
        records.extend(
            envelope["Records"]
                .as_array_mut()
                .map(std::mem::take)
                .expect("an envelope of records"),
        );
    }
    Simulation {
        summary,
        sink,
        records,
    }
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

impl Simulation {
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.records
            .iter()
            .map(|record| text(record, "eventID").to_owned())
            .collect()
    }

    pub(crate) fn labels(&self) -> Vec<Value> {
        self.sink
            .labels
            .iter()
            .map(|line| serde_json::from_str(line).expect("a label is JSON"))
            .collect()
    }

    /// The records of each step.
    pub(crate) fn steps(&self) -> BTreeMap<String, Vec<&Value>> {
        let steps: BTreeMap<String, String> = self
            .labels()
            .iter()
            .map(|label| {
                (
                    text(label, "event_id").to_owned(),
                    text(label, "step").to_owned(),
                )
            })
            .collect();
        let mut found: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for record in &self.records {
            let id = text(record, "eventID");
            if let Some(step) = steps.get(id)
                && seen.insert(id)
            {
                found.entry(step.clone()).or_default().push(record);
            }
        }
        found
    }

    /// The labels name records that are there.
    pub(crate) fn labels_hold(&self) {
        let ids = self.ids();
        for label in self.labels() {
            assert!(ids.contains(text(&label, "event_id")), "{label}");
        }
    }
}
