//! What digests prove of log files, in numbers and by place, for the terminal, JSON and the page to
//! lay out.

use std::collections::BTreeMap;

use portreeve_evidence::{Chain, EvidenceHole, HoleKind, Verification};
use portreeve_model::{DeadLetter, Proof};
use serde::Serialize;

use crate::text;

/// What `evidence verify` tells.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    /// What is proven, and what is missing or altered.
    pub verification: &'a Verification,
    /// How many files were looked at.
    pub files: u64,
    /// What could not be read.
    pub dead_letters: &'a [DeadLetter],
}

/// Log files and digests by what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Log files.
    pub logs: BTreeMap<Proof, u64>,
    /// Digests.
    pub digests: BTreeMap<Proof, u64>,
}

impl Verified<'_> {
    /// How many there are of each kind.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for log in &self.verification.logs {
            *counts.logs.entry(log.proof).or_default() += 1;
        }
        for digest in &self.verification.digests {
            *counts.digests.entry(digest.proof).or_default() += 1;
        }
        counts
    }

    /// The answer in a line.
    pub(crate) fn title(&self) -> String {
        let Counts { logs, .. } = self.counts();
        let proven = logs.get(&Proof::Proven).copied().unwrap_or_default();
        let listed: u64 = logs.values().sum();
        let holes = self.verification.holes.len() as u64;
        let proven = format!(
            "{} of {} proven",
            text::count(proven),
            text::counted(listed, "log file", "log files")
        );
        match holes {
            0 => format!("{proven}, nothing is known to be missing or altered"),
            _ => format!("{proven}, {} found", text::counted(holes, "hole", "holes")),
        }
    }
}

/// Counts as words: `480 proven, 19 unproven`.
pub(crate) fn worded(counts: &BTreeMap<Proof, u64>) -> String {
    let words: Vec<String> = counts
        .iter()
        .map(|(proof, count)| format!("{} {}", text::count(*count), proof.as_str()))
        .collect();
    match words.is_empty() {
        true => "none".to_owned(),
        false => words.join(", "),
    }
}

/// Where a hole is: account, region, trail.
pub(crate) fn place(hole: &EvidenceHole) -> String {
    [&hole.account, &hole.region, &hole.trail]
        .map(String::as_str)
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The name of a hole without the folders that all have; all of it stands in JSON.
pub(crate) fn short(hole: &EvidenceHole) -> &str {
    if hole.kind == HoleKind::Gap {
        return "no digest";
    }
    let name = hole.name();
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// One line of a report: how far the log files are proven.
pub(crate) fn summed(verification: &Verification) -> String {
    let sum = |count: fn(&Chain) -> u64| verification.chains.iter().map(count).sum::<u64>();
    format!(
        "{} of {} proven by CloudTrail's digests, {} missing or altered",
        text::count(sum(|chain| chain.logs_proven)),
        text::counted(sum(|chain| chain.logs), "log file", "log files"),
        match verification.holes.len() as u64 {
            0 => "nothing known to be".to_owned(),
            holes => text::count(holes),
        }
    )
}
