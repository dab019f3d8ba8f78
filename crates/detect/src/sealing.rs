//! The sealed past: what is kept of rows that are too many to be held one by one.
//!
//! Stage two folds the rows that it holds, all of them each time, so that whatever comes late, twice or out
//! of order makes the same findings. That needs a bound. Rows before a moment are *sealed*: correlations
//! have folded them once and for all, and only those stay that something may still be told of. In order of
//! what they are worth:
//!
//! 1. rows that findings show (the first hundred and the last of each), and those that the caller names;
//! 2. rows that began, took away or changed something (mintings, revocations, changes of the estate, one
//!    write a day to each target that deployments are counted for), those that a correlation may yet name,
//!    and the first of who came from where with which client;
//! 3. of rows that are alike but for time and target, the first and the last.
//!
//! The others are counted. A row that comes later than the moment is taken in like any other, but for
//! correlations, whose order it would break, and [`StageTwo::late`] counts it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;
use portreeve_model::Timestamp;

use crate::activities::{Activities, ActivityRow, Moved, RowId, Shape};
use crate::behaviour::Numbers;
use crate::correlating::Remembered;
use crate::coverage::{Counts, count};
use crate::deployers::deploy_targets;
use crate::findings::{EVIDENCE_LIMIT, day_of};
use crate::stage_one::Batch;
use crate::stage_two::{Folded, StageTwo};
use crate::strings::Symbol;

/// What stage two knows of rows that it sealed.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// Rows before this moment are sealed, in microseconds since 1970.
    pub(crate) until: i64,
    /// The numbers of the first rows of the batch, which were kept; none for one that came late.
    pub(crate) numbers: Arc<Vec<Option<u64>>>,
    /// The number of the first row that is not sealed.
    pub(crate) next: u64,
    pub(crate) remembered: Remembered,
    /// What was counted of the sealed rows, the kept ones too.
    pub(crate) counts: Counts,
    /// How many rows of findings are held no more, by the findings' ids.
    pub(crate) more: Arc<BTreeMap<String, u64>>,
    pub(crate) late: u64,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            until: i64::MIN,
            numbers: Arc::default(),
            next: 0,
            remembered: Remembered::default(),
            counts: Counts::default(),
            more: Arc::default(),
            late: 0,
        }
    }
}

impl Past {
    /// How many of the batch's first rows are kept ones.
    pub(crate) fn kept(&self) -> usize {
        self.numbers.len()
    }

    /// What records are called, of rows that were put in order.
    pub(crate) fn numbers(&self, activities: &Activities, moved: &Moved) -> Numbers {
        let stands_for: HashMap<RowId, RowId, FixedState> = match self.kept() {
            0 => HashMap::default(),
            _ => moved.repeated.iter().copied().collect(),
        };
        let place = |former: RowId| {
            let former = stands_for.get(&former).unwrap_or(&former);
            moved.moved.get(*former as usize).copied().flatten()
        };
        let mut held: Vec<(u64, RowId)> = (0..)
            .zip(self.numbers.iter())
            .filter_map(|(former, number)| Some(((*number)?, place(former)?)))
            .collect();
        held.sort_unstable();
        Numbers {
            first: activities.first_from(self.until),
            next: self.next,
            held,
        }
    }

    /// Which rows, put in order, were counted when they were sealed.
    pub(crate) fn counted(&self, moved: &Moved) -> HashSet<RowId, FixedState> {
        let former = moved.moved.iter().take(self.kept());
        former.copied().flatten().collect()
    }
}

/// Everything to seal with, as of one fold.
pub struct Sealing {
    pub(crate) until: i64,
    /// The first row behind what is sealed, in order of time.
    pub(crate) seal: RowId,
    pub(crate) numbers: Numbers,
    pub(crate) moved: Moved,
    pub(crate) remembered: Remembered,
    /// Rows that a correlation may yet name.
    pub(crate) evidence: Vec<RowId>,
    pub(crate) counts: Counts,
}

impl std::fmt::Debug for Sealing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sealing").finish_non_exhaustive()
    }
}

impl Sealing {
    /// Whether a row that was put in order is to be sealed. One without a time is never too late.
    fn covers(&self, row: ActivityRow<'_>) -> bool {
        row.id() < self.seal || row.time().is_none()
    }
}

/// What a row is worth once it is sealed; the less, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// The first and the last of a finding: who, since when and until when.
    Ends,
    /// Later findings may hang on it.
    Matters,
    /// Others that findings and incidents show.
    Shown,
    Alike,
    Nothing,
}

impl StageTwo {
    /// The moment before which rows are sealed; `None` where none is.
    pub fn sealed_until(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.past.until)
            .ok()
            .filter(|_| self.past.until > i64::MIN)
    }

    /// How many rows came later than the moment before which rows were sealed then.
    pub fn late(&self) -> u64 {
        self.past.late
    }

    /// The moment to seal until, so that so many rows stay that are not sealed; `None` where there are no more
    /// of them, or they share one moment.
    pub fn moment_before_newest(&self, rows: usize) -> Option<Timestamp> {
        let mut times: Vec<i64> = self
            .batch
            .activities
            .moments()
            .filter(|time| *time >= self.past.until)
            .collect();
        let place = times.len().checked_sub(rows.max(1))?;
        let (_, moment, _) = times.select_nth_unstable(place);
        let moment = *moment;
        times
            .iter()
            .any(|time| *time < moment)
            .then(|| Timestamp::from_microsecond(moment).ok())
            .flatten()
    }

    /// Seals what was made ready by folding these very rows. Of what is sealed as many rows are kept as
    /// `bound` says, and the first and the last of each finding whatever it says; `is_shown` tells what
    /// incidents show besides, by file and number in it. Gives how many rows are kept of those that are sealed.
    pub fn seal(
        &mut self,
        sealing: Sealing,
        folded: &Folded,
        bound: usize,
        is_shown: &dyn Fn(&str, u64) -> bool,
    ) -> usize {
        let mut worth = worth(&sealing, folded, is_shown);
        within(&mut worth, bound);
        let more = Arc::make_mut(&mut self.past.more);
        for (finding, rows) in let_go(&sealing, folded, &worth) {
            *more.entry(finding).or_default() += rows;
        }
        let (mut kept, mut tail, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (former, place) in (0..).zip(&sealing.moved.moved) {
            let Some(row) = *place else { continue };
            if !sealing.covers(folded.activities.get(row)) {
                tail.push(former);
            } else if worth[row as usize] < Worth::Nothing {
                kept.push(former);
                numbers.push(match self.past.numbers.get(former as usize) {
                    Some(number) => *number,
                    None if row >= sealing.numbers.first && row < sealing.seal => {
                        Some(sealing.numbers.of(row))
                    }
                    None => None,
                });
            }
        }
        let held = kept.len();
        kept.append(&mut tail);
        self.batch = self.batch.part(&kept);
        self.past = Past {
            until: sealing.until,
            next: sealing.numbers.of(sealing.seal),
            numbers: Arc::new(numbers),
            remembered: sealing.remembered,
            counts: sealing.counts,
            more: self.past.more.clone(),
            late: self.past.late,
        };
        held
    }

    /// What the counts are once rows are sealed: of those that are not counted yet, those that will be.
    pub(crate) fn counts_of_sealed(
        &self,
        activities: &Activities,
        sources: &[u8],
        moved: &Moved,
        seal: RowId,
    ) -> Counts {
        let mut counts = self.past.counts.clone();
        let counted = self.past.counted(moved);
        let is_sealed = |row: ActivityRow<'_>| row.id() < seal || row.time().is_none();
        let rows = activities
            .iter()
            .filter(|row| is_sealed(*row) && !counted.contains(&row.id()));
        count(&mut counts, activities, rows);
        // A repetition goes with what it repeats, wherever that is.
        for (former, place) in moved.moved.iter().enumerate().skip(self.past.kept()) {
            let stays = place.is_some_and(|row| !is_sealed(activities.get(row)));
            let source = sources
                .get(former)
                .and_then(|number| activities.sources().get(usize::from(*number)));
            if let (false, Some(source)) = (stays, source) {
                counts.entry(source).or_default().read += 1;
            }
        }
        counts
    }
}

/// What each row that is put in order is worth; nothing those that are not to be sealed.
fn worth(sealing: &Sealing, folded: &Folded, is_shown: &dyn Fn(&str, u64) -> bool) -> Vec<Worth> {
    let activities = &folded.activities;
    let mut worth = vec![Worth::Nothing; activities.len()];
    let mut raise = |row: RowId, to: Worth| {
        if let Some(worth) = worth.get_mut(row as usize)
            && sealing.covers(activities.get(row))
        {
            *worth = to.min(*worth);
        }
    };
    // Alike: the first and the last of them, by whole shape; the first by who and from where alone.
    let mut first = HashMap::<Shape, RowId, FixedState>::default();
    let mut last = HashMap::<Shape, RowId, FixedState>::default();
    for row in activities.iter().filter(|row| sealing.covers(*row)) {
        let whole = row.shape(true);
        first.entry(row.shape(false)).or_insert(row.id());
        if last.insert(whole, row.id()).is_none() {
            raise(row.id(), Worth::Alike);
        }
    }
    last.into_values().for_each(|row| raise(row, Worth::Alike));
    first
        .into_values()
        .for_each(|row| raise(row, Worth::Matters));
    for link in folded.lineage.mints() {
        link.row
            .into_iter()
            .for_each(|row| raise(row, Worth::Matters));
    }
    for revocation in &folded.revocations {
        raise(revocation.row, Worth::Matters);
    }
    for (row, _) in &folded.effects {
        raise(*row, Worth::Matters);
    }
    for row in &sealing.evidence {
        raise(*row, Worth::Matters);
    }
    let mut days = HashSet::new();
    for row in folded.deploys.iter().map(|row| activities.get(*row)) {
        let who = (row.principal_symbol(), row.credential_symbol(), day_of(row));
        let is_new = deploy_targets(row).any(|target| days.insert((who, target)));
        if is_new {
            raise(row.id(), Worth::Matters);
        }
    }
    for row in activities.iter() {
        if is_shown(row.file(), row.position().index) {
            raise(row.id(), Worth::Shown);
        }
    }
    let mut rows_of = vec![Vec::new(); folded.findings.len()];
    for (row, finding) in &folded.hits {
        if let Some(rows) = rows_of.get_mut(*finding as usize) {
            rows.push(*row);
        }
    }
    for rows in &rows_of {
        let shown = rows.iter().take(EVIDENCE_LIMIT);
        shown.for_each(|row| raise(*row, Worth::Shown));
        let ends = rows.first().into_iter().chain(rows.last());
        ends.for_each(|row| raise(*row, Worth::Ends));
    }
    worth
}

/// How many rows of each finding are sealed and not kept, by the findings' ids.
fn let_go(sealing: &Sealing, folded: &Folded, worth: &[Worth]) -> BTreeMap<String, u64> {
    let mut gone = BTreeMap::new();
    for (row, finding) in &folded.hits {
        let is_kept = worth.get(*row as usize) < Some(&Worth::Nothing);
        if is_kept || !sealing.covers(folded.activities.get(*row)) {
            continue;
        }
        if let Some(finding) = folded.findings.get(*finding as usize) {
            *gone.entry(finding.id.clone()).or_default() += 1;
        }
    }
    gone
}

/// Lets go of the oldest of what is worth least until so many are kept.
fn within(worth: &mut [Worth], bound: usize) {
    for least in [Worth::Alike, Worth::Shown, Worth::Matters] {
        let kept = worth.iter().filter(|it| **it < Worth::Nothing).count();
        let mut over = kept.saturating_sub(bound);
        for one in worth.iter_mut() {
            if over == 0 {
                return;
            }
            if *one == least {
                *one = Worth::Nothing;
                over -= 1;
            }
        }
    }
}

impl Batch {
    /// Some of its rows alone, in the order given, with all that points to them. What was counted by source
    /// stays whole.
    pub(crate) fn part(&self, rows: &[RowId]) -> Batch {
        let mut places: Vec<Option<RowId>> = vec![None; self.activities.len()];
        for (place, former) in (0..).zip(rows) {
            places[*former as usize] = Some(place);
        }
        let at = |row: RowId| places.get(row as usize).copied().flatten();
        let (activities, mut renaming) = self.activities.part(rows);
        let mut part = Batch {
            activities,
            ..Batch::default()
        };
        for link in &self.links {
            let Some(row) = link.row.and_then(at) else {
                continue;
            };
            part.links.push(crate::Link {
                child: renaming.rename(link.child),
                parent: renaming.rename(link.parent),
                principal: renaming.rename(link.principal),
                session: renaming.rename(link.session),
                row: Some(row),
                ..*link
            });
        }
        // Of credentials that neither a row nor a link names nothing is left to be told.
        let known: HashSet<Symbol, FixedState> = self
            .uses
            .credentials()
            .filter(|credential| renaming.knows(*credential))
            .collect();
        part.uses = self.uses.part(
            |credential| known.contains(&credential),
            |symbol| renaming.rename(symbol),
        );
        for (row, rule) in &self.hits {
            part.hits.extend(at(*row).map(|row| (row, *rule)));
        }
        let candidates = |all: &[crate::stage_one::Candidate]| {
            all.iter()
                .filter_map(|one| {
                    Some(crate::stage_one::Candidate {
                        row: at(one.row)?,
                        ..one.clone()
                    })
                })
                .collect()
        };
        part.candidates = candidates(&self.candidates);
        part.shown = candidates(&self.shown);
        for (row, field, value) in &self.copied {
            if let Some(row) = at(*row) {
                part.copied.push((row, *field, renaming.rename(*value)));
            }
        }
        for (row, sign) in &self.signs {
            part.signs.extend(at(*row).map(|row| (row, *sign)));
        }
        part.deploys = self.deploys.iter().copied().filter_map(at).collect();
        for (row, change) in &self.changes {
            part.changes
                .extend(at(*row).map(|row| (row, change.clone())));
        }
        for (row, effects) in &self.effects {
            part.effects
                .extend(at(*row).map(|row| (row, effects.clone())));
        }
        for revocation in &self.revocations {
            if let Some(row) = at(revocation.row) {
                part.revocations.push(crate::Revocation {
                    row,
                    subject: renaming.rename(revocation.subject),
                    ..*revocation
                });
            }
        }
        for (source, counts) in &self.sources {
            let own = part.sources.entry(source).or_default();
            for (region, count) in &counts.regions {
                own.regions.insert(renaming.rename(*region), *count);
            }
            for (kind, count) in &counts.kinds {
                own.kinds.insert(renaming.rename(*kind), *count);
            }
            own.cells
                .merge(counts.cells.clone(), |symbol| renaming.rename(symbol));
        }
        part.activities.set_strings(renaming.into_strings());
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_what_is_worth_least_goes_first() {
        use Worth::{Alike, Ends, Matters, Nothing, Shown};
        let mut worth = [Alike, Matters, Ends, Shown, Alike, Matters, Shown];
        within(&mut worth, 5);
        let kept = [Nothing, Matters, Ends, Shown, Nothing, Matters, Shown];
        assert_eq!(worth, kept);
        within(&mut worth, 3);
        let kept = [Nothing, Matters, Ends, Nothing, Nothing, Matters, Nothing];
        assert_eq!(worth, kept);
        within(&mut worth, 0);
        let kept = [Nothing, Nothing, Ends, Nothing, Nothing, Nothing, Nothing];
        assert_eq!(worth, kept);
    }
}
