//! What came of pieces, told in the order of files and pieces whoever was faster.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use portreeve_detect::hunt::{Known, Match, Place, Tally};
use portreeve_model::{DeadLetter, Severity, Timestamp};
use portreeve_sigma::correlate::{self, Bounds, Correlator, Items, Plan, Reference};

use super::HuntSink;
use super::packed;
use super::state::{FileState, HuntState, Mark, StateError, Told as ToldMatch};
use crate::discover::Found;
use crate::progress::Progress;

/// How many dead letters are kept; the rest are counted.
const DEAD_LETTERS: usize = 1_000;

/// How many dead letters of one piece are kept.
const DEAD_LETTERS_OF_PIECE: usize = 200;

/// When so many matches wait for those before them, threads help with what they wait for.
const MOST_WAITING: usize = 100_000;

/// What came of one piece.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Records that were looked into.
    pub(super) records: u64,
    /// Records that were numbered.
    pub(super) numbered: u64,
    /// Records that a rule matched.
    pub(super) matched: u64,
    pub(super) bytes: u64,
    /// Numbered from the first record of the piece.
    pub(super) matches: Vec<Match>,
    /// What correlations look at, numbered likewise.
    pub(super) items: Items,
    dead: Vec<DeadLetter>,
    dead_omitted: u64,
    /// Where its file can be read on.
    pub(super) mark: Option<Mark>,
    /// What the user should know of it.
    pub(super) note: Option<String>,
    /// Whether the file ends here.
    last: bool,
    /// Whether it was a file without records.
    foreign: bool,
    /// Whether it was not looked at.
    passed: bool,
}

impl Outcome {
    /// The end of a file.
    pub(super) fn end() -> Self {
        Self {
            last: true,
            ..Self::default()
        }
    }

    /// A file that is not looked at.
    pub(super) fn passed() -> Self {
        Self {
            passed: true,
            ..Self::end()
        }
    }

    /// A file that is no log.
    pub(super) fn foreign() -> Self {
        Self {
            foreign: true,
            ..Self::end()
        }
    }

    /// A file that cannot be opened.
    pub(super) fn unopened(name: &Arc<str>, error: &io::Error) -> Self {
        let mut outcome = Self::foreign();
        outcome.bury(name, 0, format!("cannot be opened: {error}"));
        outcome
    }

    /// Tells of something that cannot be read.
    pub(super) fn bury(&mut self, file: &Arc<str>, offset: u64, reason: impl Into<String>) {
        if self.dead.len() < DEAD_LETTERS_OF_PIECE {
            self.dead.push(DeadLetter {
                file: file.clone(),
                offset,
                reason: reason.into(),
            });
        } else {
            self.dead_omitted += 1;
        }
    }
}

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) known: Known,
    pub(super) tally: Tally,
    pub(super) records: u64,
    pub(super) matched_records: u64,
    pub(super) bytes: u64,
    pub(super) dead_letters: Vec<DeadLetter>,
    pub(super) dead_omitted: u64,
    /// Files that hold no records.
    pub(super) foreign: usize,
    /// What correlations could not do as they should.
    pub(super) notes: Vec<String>,
    /// How far the hunt came, for the next one.
    pub(super) state: HuntState,
}

struct Inner<'s> {
    waiting: BTreeMap<(usize, u32), Outcome>,
    /// The piece that is told next.
    next: (usize, u32),
    /// How far each file was told of.
    state: HuntState,
    told: Told,
    correlator: Correlator,
    correlated: Vec<correlate::Match>,
    sink: &'s mut (dyn HuntSink + Send),
    failure: Option<io::Error>,
}

/// Puts pieces in order.
pub(super) struct Commit<'s> {
    inner: Mutex<Inner<'s>>,
    waiting: AtomicUsize,
    failed: AtomicBool,
    progress: &'s dyn Progress,
}

impl<'s> Commit<'s> {
    pub(super) fn new(
        known: Known,
        plan: Arc<Plan>,
        bounds: Bounds,
        mut state: HuntState,
        sink: &'s mut (dyn HuntSink + Send),
        progress: &'s dyn Progress,
    ) -> Result<Self, StateError> {
        let correlator = match state.correlations.take() {
            Some(saved) => Correlator::restore(plan, bounds, saved)?,
            None => Correlator::new(plan, bounds),
        };
        Ok(Self {
            inner: Mutex::new(Inner {
                waiting: BTreeMap::new(),
                next: (0, 0),
                correlated: std::mem::take(&mut state.untold),
                state,
                told: Told {
                    known,
                    ..Told::default()
                },
                correlator,
                sink,
                failure: None,
            }),
            waiting: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            progress,
        })
    }

    /// Whether a file is not to be read.
    pub(super) fn is_done(&self, file: usize, found: &Found) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.state.is_done(file, found)
    }

    /// Where a file can be read on.
    pub(super) fn mark(&self, file: usize) -> Mark {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .state
            .files
            .get(file)
            .map_or(Mark::default(), |known| known.mark)
    }

    /// Whether so much waits that only what is told next should be worked on.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > MOST_WAITING
    }

    /// The file of which is told next.
    pub(super) fn next_file(&self) -> usize {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next.0
    }

    /// Whether all of so many files were told of.
    pub(super) fn is_over(&self, files: usize) -> bool {
        self.next_file() >= files
    }

    /// Whether nobody takes what is found any more.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Takes what came of a piece, and tells what is next by now.
    pub(super) fn add(&self, file: usize, piece: u32, outcome: Outcome) {
        self.waiting
            .fetch_add(outcome.matches.len(), Ordering::Relaxed);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        inner.waiting.insert((file, piece), outcome);
        let before = inner.told.tally.matches;
        while let Some(outcome) = inner.waiting.remove(&inner.next) {
            self.waiting
                .fetch_sub(outcome.matches.len(), Ordering::Relaxed);
            if let Err(error) = inner.tell(outcome) {
                inner.failure.get_or_insert(error);
                self.failed.store(true, Ordering::Relaxed);
                return;
            }
        }
        self.progress.found(inner.told.tally.matches - before);
    }

    /// What was told. `keeps` tells whether another hunt will go on from here, `stopped` whether this
    /// one is not at the end of its input: then matches of correlations wait for that one.
    pub(super) fn finish(self, keeps: bool, stopped: bool) -> io::Result<Told> {
        let inner = self.inner.into_inner();
        let mut inner = inner.unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = inner.failure {
            return Err(error);
        }
        if keeps {
            inner.state.correlations = Some(inner.correlator.save());
        }
        if stopped {
            inner.state.untold = inner.correlated;
        } else {
            inner.tell_correlations()?;
        }
        inner.told.state = inner.state;
        Ok(inner.told)
    }
}

impl Inner<'_> {
    fn tell(&mut self, outcome: Outcome) -> io::Result<()> {
        let told = &mut self.told;
        told.records += outcome.records;
        told.matched_records += outcome.matched;
        told.bytes += outcome.bytes;
        told.foreign += usize::from(outcome.foreign);
        told.dead_omitted += outcome.dead_omitted;
        told.notes.extend(outcome.note);
        for letter in outcome.dead {
            if told.dead_letters.len() < DEAD_LETTERS {
                told.dead_letters.push(letter);
            } else {
                told.dead_omitted += 1;
            }
        }
        let file = self.next.0;
        let mut unknown = FileState::default();
        let known = self.state.files.get_mut(file).unwrap_or(&mut unknown);
        let numbered = known.records;
        for mut found in outcome.matches {
            for place in &mut found.records {
                place.index += numbered;
            }
            let level = told
                .known
                .head(&found)
                .map_or(Severity::Medium, |head| head.level);
            told.tally.add(&found, level);
            self.sink.found(&found, &told.known)?;
        }
        let mut items = outcome.items;
        items.refer(|Reference { source, index }| Reference {
            source,
            index: packed::behind(index, numbered),
        });
        self.correlator.fold(&items, &mut self.correlated);
        known.records += outcome.numbered;
        known.mark = outcome.mark.unwrap_or(known.mark);
        self.next = if outcome.last {
            // What could not be read is tried again.
            known.ended = (known.ended || !outcome.passed) && !outcome.foreign;
            (file + 1, 0)
        } else {
            (file, self.next.1 + 1)
        };
        Ok(())
    }

    /// Decides correlations, at the end of input, and tells of them in order of time.
    fn tell_correlations(&mut self) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.correlated);
        let over = all.len();
        self.correlator.finish(&mut all);
        // What was told at the end of the last input is not told again now that it is over, or still not.
        let before = std::mem::take(&mut self.state.told);
        let open = all.iter().skip(over).map(ToldMatch::from);
        self.state.told = open.collect();
        all.retain(|one| !before.contains(&ToldMatch::from(one)));
        all.sort_by(|a, b| {
            let key = |one: &correlate::Match| (one.time, one.correlation);
            key(a).cmp(&key(b)).then_with(|| a.group.cmp(&b.group))
        });
        let heads = &self.told.known.heads;
        let first = heads.iter().take_while(|head| !head.correlation).count();
        for one in all {
            let found = Match {
                head: (first + one.correlation) as u32,
                records: one.records.into_iter().map(place).collect(),
                time: Timestamp::from_microsecond(one.time).ok(),
                actor: None,
                action: None,
                group: one.group,
                number: Some(one.number),
            };
            let level = self
                .told
                .known
                .head(&found)
                .map_or(Severity::Medium, |head| head.level);
            self.told.tally.add(&found, level);
            self.sink.found(&found, &self.told.known)?;
        }
        let account = self.correlator.account();
        let mut note = |count: u64, what: &str| {
            if count > 0 {
                self.told.notes.push(format!("{count} {what}"));
            }
        };
        note(
            account.late,
            "matches came later than `--lateness` allows, and took no part in correlations",
        );
        note(
            account.unreadable,
            "matches have no number where a correlation measures one",
        );
        note(
            account.let_go,
            "groups of correlations were let go, since there were more than fit in memory",
        );
        for group in account.named.iter().take(GROUPS_NAMED) {
            let title = self.told.known.heads.get(first + group.correlation);
            self.told.notes.push(format!(
                "let go: {}, group {}",
                title.map_or("", |head| &head.title),
                group.group.join(", ")
            ));
        }
        Ok(())
    }
}

/// How many of the groups that were let go are named.
const GROUPS_NAMED: usize = 20;

fn place(reference: Reference) -> Place {
    let (index, offset) = packed::parts(reference.index);
    Place {
        file: reference.source,
        index,
        offset,
        event_id: None,
    }
}
