//! The report as JSON: what `--format json` writes.
//!
//! The keys that stay the same from version to version are those of [`Report`]; more may be added.

use std::io;

use portreeve_graph::{AttackPath, Jewel};
use portreeve_incident::{Report, Trace};
use portreeve_model::{BlindSpot, DeadLetter, EntityId};
use serde::Serialize;

/// Writes the whole report as one indented JSON document with a newline at its end.
pub fn report(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    document(report, out)
}

/// What `paths --format json` writes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Paths<'a> {
    /// The paths found, shortest first.
    pub paths: &'a [AttackPath],
    /// The estate's crown jewels.
    pub jewels: &'a [Jewel],
    /// Where an outsider could start.
    pub doors: &'a [EntityId],
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
}

/// Writes attack paths as one indented JSON document with a newline at its end.
pub fn paths(paths: &Paths<'_>, out: &mut impl io::Write) -> io::Result<()> {
    document(paths, out)
}

/// What `lineage --format json` writes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Lineage<'a> {
    /// The trees of the credentials that were asked for.
    #[serde(flatten)]
    pub trace: &'a Trace,
    /// How many records were read, duplicates too.
    pub records: u64,
    /// What could not be read.
    pub dead_letters: &'a [DeadLetter],
    /// What the user should know.
    pub notes: &'a [String],
}

/// Writes the lineage of credentials as one indented JSON document with a newline at its end.
pub fn lineage(lineage: &Lineage<'_>, out: &mut impl io::Write) -> io::Result<()> {
    document(lineage, out)
}

fn document(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
