//! Records that come again, in stage one: what was made of the first is made of all.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use portreeve_record::{Fields, Occasion, Record, Repeats, Sought};

use crate::activities::{Position, RowId};
use crate::hours::CellKey;
use crate::stage_one::{Batch, Candidate};

/// Tells a batch from every other one: rows and symbols mean nothing in another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BatchNumber(u64);

static NEXT: AtomicU64 = AtomicU64::new(1);

impl Default for BatchNumber {
    fn default() -> Self {
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Clone for BatchNumber {
    /// A copy goes its own way.
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// How much a batch holds of what rows make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lengths {
    hits: usize,
    candidates: usize,
    copied: usize,
    shown: usize,
    signs: usize,
    deploys: usize,
    /// Of all that changes something.
    changing: usize,
}

impl Lengths {
    pub(crate) fn of(batch: &Batch) -> Self {
        Self {
            hits: batch.hits.len(),
            candidates: batch.candidates.len(),
            copied: batch.copied.len(),
            shown: batch.shown.len(),
            signs: batch.signs.len(),
            deploys: batch.deploys.len(),
            changing: batch.links.len()
                + batch.changes.len()
                + batch.effects.len()
                + batch.revocations.len(),
        }
    }
}

/// What a row made of its batch beside itself.
#[derive(Debug)]
struct Made {
    row: RowId,
    source: &'static str,
    cell: CellKey,
    hits: Range<usize>,
    candidates: Range<usize>,
    copied: Range<usize>,
    shown: Range<usize>,
    signs: Range<usize>,
    deploys: bool,
}

/// The records of one batch that were read last, and what they made.
///
/// A record that is the same as one of them but for its occasion has the same fields ([`Repeats`]), which
/// say the same of what happened (`Reader::occasion`). Nothing in stage one looks further: rules and
/// correlations that ask for a field of the occasion, or for the whole text, leave no [`Repeated`] at all.
/// So it makes the same row but for id, time and place, and the same hits and signs. What it says of its
/// credential is known already; texts are interned already, all but an id that is no UUID, with which a
/// record is read as any other. Records that change something are not remembered.
#[derive(Debug)]
pub(crate) struct Repeated {
    occasion: Occasion,
    batch: BatchNumber,
    repeats: Repeats<Made>,
}

impl Repeated {
    pub(crate) fn new(occasion: Occasion, fields: &Fields) -> Self {
        Self {
            repeats: Repeats::new(&occasion, fields),
            batch: BatchNumber::default(),
            occasion,
        }
    }

    /// Adds a record that repeats another to the batch; its row. Else where it belongs.
    pub(crate) fn repeat(
        &mut self,
        record: &[u8],
        position: Position,
        time: impl Fn(&str) -> Option<Timestamp>,
        batch: &mut Batch,
    ) -> Result<RowId, Sought> {
        let sought = self.repeats.seek(record);
        if self.batch != batch.number {
            return Err(sought);
        }
        let repeat = self.repeats.find(sought, record).ok_or(sought)?;
        let made = repeat.told;
        let (id, time) = (
            repeat.text(self.occasion.event_id),
            repeat.text(self.occasion.time).map(time),
        );
        let activities = &mut batch.activities;
        let row = activities.push_repeated(made.row, id, time, position);
        let row = row.ok_or(sought)?;
        let time = time.unwrap_or_else(|| batch.activities.get(row).time());
        batch.count(made.source, made.cell, time);
        let again = |candidate: &Candidate| Candidate {
            row,
            ..candidate.clone()
        };
        for at in made.hits.clone() {
            batch.hits.push((row, batch.hits[at].1));
        }
        for at in made.signs.clone() {
            batch.signs.push((row, batch.signs[at].1));
        }
        for at in made.candidates.clone() {
            batch.candidates.push(again(&batch.candidates[at]));
        }
        for at in made.shown.clone() {
            batch.shown.push(again(&batch.shown[at]));
        }
        for at in made.copied.clone() {
            let (_, field, text) = batch.copied[at];
            batch.copied.push((row, field, text));
        }
        if made.deploys {
            batch.deploys.push(row);
        }
        Ok(row)
    }

    /// Remembers a record and what it made of the batch since `before`.
    pub(crate) fn remember(
        &mut self,
        sought: Sought,
        record: &impl Record,
        (row, source, cell): (RowId, &'static str, CellKey),
        before: &Lengths,
        batch: &Batch,
    ) {
        let now = Lengths::of(batch);
        if now.changing != before.changing {
            return;
        }
        if self.batch != batch.number {
            self.repeats.clear();
            self.batch = BatchNumber(batch.number.0);
        }
        let made = Made {
            row,
            source,
            cell,
            hits: before.hits..now.hits,
            candidates: before.candidates..now.candidates,
            copied: before.copied..now.copied,
            shown: before.shown..now.shown,
            signs: before.signs..now.signs,
            deploys: now.deploys != before.deploys,
        };
        self.repeats.remember(sought, record, made);
    }
}
