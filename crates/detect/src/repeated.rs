//! Records that come again, in stage one: what was made of the first is made of all.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use portreeve_model::CredentialKind;
use portreeve_record::{FieldId, Fields, Occasion, Record, Repeat, Repeats, SessionFields, Sought};

use crate::activities::{Position, RowId};
use crate::hours::CellKey;
use crate::lineage::{Link, Use};
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
    links: usize,
    /// Of all that changes something else.
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
            links: batch.links.len(),
            changing: batch.changes.len() + batch.effects.len() + batch.revocations.len(),
        }
    }
}

/// What is needed of a record to make the row of one that repeats it, beside its own row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowFacts {
    pub(crate) source: &'static str,
    pub(crate) cell: CellKey,
    pub(crate) used: Option<Use>,
}

/// What a row made of its batch beside itself.
#[derive(Debug)]
struct Made {
    row: RowId,
    facts: RowFacts,
    hits: Range<usize>,
    candidates: Range<usize>,
    copied: Range<usize>,
    shown: Range<usize>,
    signs: Range<usize>,
    links: Range<usize>,
    deploys: bool,
}

/// What a record says of its occasion, of session and minted credential only what the one before does not. What is
/// `None` is as it was there; a time that is said but not to be read is `Some(None)`.
#[derive(Debug)]
pub(crate) struct News<'r> {
    /// The event's id.
    pub(crate) id: Option<&'r str>,
    /// When it was.
    pub(crate) time: Option<Option<Timestamp>>,
    /// The id of the caller's credential.
    pub(crate) credential: Option<&'r str>,
    /// When the caller's session was created.
    created: Option<&'r str>,
    /// Which fields say these two.
    session: Option<SessionFields>,
    /// The id of the minted credential.
    minted: Option<&'r str>,
    /// When that ends.
    expires: Option<Option<Timestamp>>,
}

impl<'r> News<'r> {
    fn of(
        repeat: &Repeat<'_, 'r, Made>,
        occasion: &Occasion,
        time_of: impl Fn(&str) -> Option<Timestamp>,
    ) -> Self {
        let Occasion {
            session, minted, ..
        } = *occasion;
        let new_text = |field: Option<FieldId>| repeat.new_text(field?);
        Self {
            id: repeat.text(occasion.event_id),
            time: repeat.text(occasion.time).map(&time_of),
            credential: new_text(session.map(|session| session.credential)),
            created: new_text(session.map(|session| session.created)),
            session,
            minted: new_text(minted.map(|minted| minted.credential)),
            expires: new_text(minted.map(|minted| minted.expires)).map(&time_of),
        }
    }

    /// Whether the credentials are of the kinds that those of the record before are of, and what is minted is not
    /// the caller's own.
    fn keep_the_kinds_of(
        &self,
        made: &Made,
        kind: impl Fn(&str) -> CredentialKind,
        batch: &Batch,
    ) -> bool {
        if let Some(id) = self.credential
            && made.facts.used.map(|used| used.kind()) != Some(kind(id))
        {
            return false;
        }
        let strings = batch.activities.strings();
        let caller = batch.activities.get(made.row).credential_symbol();
        let own = self.credential.or(strings.get(caller));
        batch.links[made.links.clone()].iter().all(|link| {
            let before = strings.get(link.child);
            let now = self.minted.or(before);
            now.map(&kind) == before.map(&kind) && now != own
        })
    }

    /// The new text of a field of the session.
    fn of_session(&self, field: FieldId) -> Option<&'r str> {
        match self.session {
            Some(session) if session.credential == field => self.credential,
            Some(session) if session.created == field => self.created,
            _ => None,
        }
    }
}

impl Made {
    /// Makes for another row what was made for this one.
    fn make_again(
        &self,
        row: RowId,
        news: &News<'_>,
        time_of: impl Fn(&str) -> Option<Timestamp>,
        batch: &mut Batch,
    ) {
        let (time, credential, caller) = {
            let of = |row| batch.activities.get(row);
            (
                of(row).time(),
                of(row).credential_symbol(),
                of(self.row).credential_symbol(),
            )
        };
        batch.count(self.facts.source, self.facts.cell, time);
        if let Some(used) = self.facts.used
            && (news.credential.is_some() || news.created.is_some())
        {
            let created = news.created.map_or(used.created(), time_of);
            batch.add_use(used.of_other(credential, created));
        }
        let again = |candidate: &Candidate| Candidate {
            row,
            ..candidate.clone()
        };
        for at in self.hits.clone() {
            batch.hits.push((row, batch.hits[at].1));
        }
        for at in self.signs.clone() {
            batch.signs.push((row, batch.signs[at].1));
        }
        for at in self.candidates.clone() {
            batch.candidates.push(again(&batch.candidates[at]));
        }
        for at in self.shown.clone() {
            batch.shown.push(again(&batch.shown[at]));
        }
        for at in self.copied.clone() {
            let (_, field, mut text) = batch.copied[at];
            if let Some(new) = news.of_session(field) {
                text = batch.activities.strings_mut().intern(new);
            }
            batch.copied.push((row, field, text));
        }
        if self.deploys {
            batch.deploys.push(row);
        }
        for at in self.links.clone() {
            let mut link = batch.links[at];
            link.row = Some(row);
            if let Some(minted) = news.minted {
                link.child = batch.activities.strings_mut().intern(minted);
            }
            if let Some(expires) = news.expires {
                link.expires = expires;
            }
            if link.parent == caller {
                link.parent = credential;
            }
            batch.links.push(link);
        }
    }
}

/// The records of one batch that were read last, and what they made.
///
/// A record that is the same as one of them but for its occasion has the same fields ([`Repeats`]), which
/// say the same of what happened (`Reader::occasion`). Nothing in stage one looks further: a field that rules
/// and correlations ask for is not of the occasion, and where that is the event's id or time, or the whole
/// text, there is no [`Repeated`] at all ([`StageOne::with_repeats`](crate::StageOne::with_repeats)). So it
/// makes the same row but for id, time, credential and place, and the same hits and signs. Of its credential
/// it says what is known already; of another one the same, but for when it was created. What it minted is another
/// credential of the same kind, principal and session name. Its texts are interned already, but for the session's
/// and the minted credential's, and for an id that is no UUID, with which a record is read as any other.
/// Correlations may copy the session's fields, of which the new texts are copied. A record of which a rule
/// shows them, or asks history about them, stands for its own session alone. One that changes something is not
/// remembered, but for one that minted the credential of which the occasion tells.
#[derive(Debug)]
pub(crate) struct Repeated {
    occasion: Occasion,
    /// The fields by which a rule may show a session, or ask history about it.
    of_session: Vec<FieldId>,
    batch: BatchNumber,
    repeats: Repeats<Made>,
}

impl Repeated {
    /// `copied` are the fields of which rules and correlations keep what records say.
    pub(crate) fn new(occasion: Occasion, copied: &BTreeSet<FieldId>, fields: &Fields) -> Self {
        let tells_session = |field: &&FieldId| {
            let session = occasion.session;
            session.is_some_and(|session| session.are_told_by(**field, fields))
        };
        Self {
            repeats: Repeats::new(&occasion, fields),
            of_session: copied.iter().filter(tells_session).copied().collect(),
            batch: BatchNumber::default(),
            occasion,
        }
    }

    /// Adds a record that repeats another to the batch; its row. Else where it belongs.
    pub(crate) fn repeat(
        &mut self,
        record: &[u8],
        position: Position,
        time_of: impl Fn(&str) -> Option<Timestamp>,
        kind: impl Fn(&str) -> CredentialKind,
        batch: &mut Batch,
    ) -> Result<RowId, Sought> {
        let sought = self.repeats.seek(record);
        if self.batch != batch.number {
            return Err(sought);
        }
        let repeat = self.repeats.find(sought, record).ok_or(sought)?;
        let made = repeat.told;
        let news = News::of(&repeat, &self.occasion, &time_of);
        if !news.keep_the_kinds_of(made, &kind, batch) {
            return Err(sought);
        }
        let activities = &mut batch.activities;
        let row = activities.push_repeated(made.row, &news, position);
        let row = row.ok_or(sought)?;
        made.make_again(row, &news, time_of, batch);
        Ok(row)
    }

    /// Remembers a record and what it made of the batch since `before`.
    pub(crate) fn remember(
        &mut self,
        sought: Sought,
        record: &impl Record,
        (row, facts): (RowId, RowFacts),
        before: &Lengths,
        batch: &Batch,
    ) {
        let now = Lengths::of(batch);
        let links = before.links..now.links;
        let minted = self.occasion.minted;
        let said = minted.and_then(|minted| record.string(minted.credential));
        let is_said = |link: &Link| {
            let child = batch.activities.strings().get(link.child);
            child.is_some() && child == said
        };
        if now.changing != before.changing || !batch.links[links.clone()].iter().all(is_said) {
            return;
        }
        if self.batch != batch.number {
            self.repeats.clear();
            self.batch = BatchNumber(batch.number.0);
        }
        let made = Made {
            row,
            facts,
            hits: before.hits..now.hits,
            candidates: before.candidates..now.candidates,
            copied: before.copied..now.copied,
            shown: before.shown..now.shown,
            signs: before.signs..now.signs,
            links,
            deploys: now.deploys != before.deploys,
        };
        let tells_session = |candidate: &Candidate| {
            let mut told = candidate.all();
            told.any(|(field, _)| self.of_session.contains(&field))
        };
        let mut told = batch.candidates[made.candidates.clone()]
            .iter()
            .chain(&batch.shown[made.shown.clone()]);
        let any_session = !told.any(tells_session);
        self.repeats.remember(sought, record, made, any_session);
    }
}
