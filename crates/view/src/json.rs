//! The report as JSON: what `--format json` writes.
//!
//! The keys that stay the same from version to version are those of [`Report`]; more may be added.

use std::io;

use portreeve_incident::sight::ProfileSight;
use portreeve_incident::{Report, Trace};
use portreeve_model::{BlindSpot, Coverage, DeadLetter, Timestamp};
use serde::Serialize;

use crate::policy::{Counts, PolicyTests, TestedCase, UnreadLine};
use crate::verification::{self, Verified};

/// Writes the whole report as one JSON document on one line: that of a large log is a hundred
/// megabytes, and indenting it would add a third.
pub fn report(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report)?;
    out.write_all(b"\n")
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

/// What `coverage --format json` writes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sight<'a> {
    /// What the logs cover, by account, region and kind of event.
    pub coverage: &'a [Coverage],
    /// Which steps of each known actor's way they can show.
    pub sight: &'a [ProfileSight],
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
    /// What could not be read.
    pub dead_letters: &'a [DeadLetter],
}

impl<'a> Sight<'a> {
    /// The part of a report that says what could be seen.
    pub fn of(report: &'a Report) -> Self {
        Self {
            coverage: &report.coverage,
            sight: &report.sight,
            blind_spots: &report.blind_spots,
            dead_letters: &report.dead_letters,
        }
    }
}

/// Writes what the logs can show as one indented JSON document with a newline at its end.
pub fn sight(sight: &Sight<'_>, out: &mut impl io::Write) -> io::Result<()> {
    document(sight, out)
}

/// Writes what digests prove as one indented JSON document: `files`, `summary` (by state), and all
/// of [`Verification`](portreeve_evidence::Verification).
pub fn verified(verified: &Verified<'_>, out: &mut impl io::Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        files: u64,
        summary: verification::Counts,
        #[serde(flatten)]
        verification: &'a portreeve_evidence::Verification,
        dead_letters: &'a [DeadLetter],
    }
    document(
        &Document {
            files: verified.files,
            summary: verified.counts(),
            verification: verified.verification,
            dead_letters: verified.dead_letters,
        },
        out,
    )
}

/// An answer with what could not be seen when it was given.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WithBlindSpots<'a, A> {
    /// The answer.
    #[serde(flatten)]
    pub answer: &'a A,
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
}

/// The instant of an answer about the past.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct At {
    /// The instant.
    pub time: Timestamp,
    /// The first instant at which the inventory may have been made.
    pub inventory_from: Timestamp,
    /// The last such instant; the same where it is known.
    pub inventory_until: Timestamp,
    /// Whether that is assumed.
    pub inventory_assumed: bool,
}

/// An answer with its instant, where it is about the past.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WithInstant<A> {
    /// The answer.
    #[serde(flatten)]
    pub answer: A,
    /// The instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// Writes tests of policies as one indented JSON document: `cases[]`, `unread[]`, `summary`.
pub fn policy_tests(tests: &PolicyTests<'_>, out: &mut impl io::Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        cases: &'a [TestedCase<'a>],
        unread: &'a [UnreadLine<'a>],
        summary: Counts,
    }
    document(
        &Document {
            cases: tests.cases,
            unread: tests.unread,
            summary: tests.counts(),
        },
        out,
    )
}

/// Writes any answer as one indented JSON document with a newline at its end.
pub fn answer(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    document(value, out)
}

fn document(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
