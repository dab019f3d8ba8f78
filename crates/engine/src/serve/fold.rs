//! Stage two of the watch: folds what stage one hands over, writes what is new of it, and puts it up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_detect::StageTwo;
use portreeve_graph::Difference;
use portreeve_incident::{Report, Summary, Totals};
use portreeve_model::DeadLetter;
use portreeve_store::Commit;

use super::board::{Board, News, Shown, SourceState};
use super::changes::Stored;
use super::handover::{Anew, Taken, Word};
use super::hold::Hold;
use super::ledger::Ledger;
use super::mark::Mark;
use super::queue::{Next, Queue};
use super::read::FilesRead;
use super::request::WatchError;
use super::retention::Settled;
use crate::prepared::{Prepared, Read};
use crate::run::DEAD_LETTERS;
use crate::wallets::Told;

/// However many records wait, what was taken is folded after so long.
const LONGEST: Duration = Duration::from_secs(5);

/// Stage two: what it holds, and what of it is stored.
///
/// Each fold is over all rows that are held, so that what arrives late, twice or in another order makes the
/// same incidents; how many are held is bounded by the log's order alone.
pub(crate) struct Fold {
    prepared: Arc<Prepared>,
    /// What files tell of wallets, where they changed after all was prepared.
    wallets: Option<Told>,
    stage_two: StageTwo,
    hold: Hold,
    settled: Settled,
    stored: Stored,
    summary: Summary,
    dead: Dead,
    /// Files that were read, for the report.
    files: FilesRead,
    sources: Vec<SourceState>,
    inventory: u64,
    inventory_change: Option<Arc<(Timestamp, Difference)>>,
    /// Whether all of the log was handed over.
    is_whole: bool,
    waiting: Waiting,
    last_fold: Duration,
    ledger: Arc<Ledger>,
    board: Arc<Board>,
}

/// What was taken and is not folded yet.
#[derive(Default)]
struct Waiting {
    /// How many words brought it.
    words: u64,
    /// The number of the last piece.
    number: u64,
    acknowledge: Vec<SyncSender<u64>>,
    arrived: Vec<(Instant, u64)>,
}

/// The first dead letters, and how many more.
#[derive(Debug, Default)]
struct Dead {
    kept: BTreeSet<DeadLetter>,
    omitted: u64,
}

impl Dead {
    fn add(&mut self, letter: DeadLetter) {
        if self.kept.len() < DEAD_LETTERS {
            self.kept.insert(letter);
        } else if !self.kept.contains(&letter) {
            self.omitted += 1;
        }
    }
}

impl Fold {
    /// Stage two of nothing yet, with what the store holds.
    pub(crate) fn new(
        prepared: Arc<Prepared>,
        hold: usize,
        ledger: Arc<Ledger>,
        board: Arc<Board>,
    ) -> Result<Self, WatchError> {
        let store = ledger.store();
        let stored = Stored::load(&**store)?;
        let mut files = FilesRead::default();
        for (input, mark) in store.offsets()? {
            if let Some(mark) = Mark::read(&mark) {
                files.note(input, Some(&mark));
            }
        }
        let mut dead = Dead::default();
        let (letters, total) = store.dead_letters(DEAD_LETTERS)?;
        dead.omitted = total - letters.len() as u64;
        letters.into_iter().for_each(|letter| dead.add(letter));
        drop(store);
        Ok(Self {
            prepared,
            wallets: None,
            stage_two: StageTwo::default(),
            hold: Hold::new(hold),
            settled: Settled::default(),
            stored,
            summary: Summary::default(),
            dead,
            files,
            sources: Vec::new(),
            inventory: 0,
            inventory_change: None,
            is_whole: false,
            waiting: Waiting::default(),
            last_fold: Duration::ZERO,
            ledger,
            board,
        })
    }

    /// Takes words until there will be none, and folds what came after so long at least; half of the time
    /// at most.
    pub(crate) fn run(mut self, words: &Queue<Word>, every: Duration) -> Result<(), WatchError> {
        while let Next::Item(word) = words.next(None) {
            self.take(word)?;
            let until = Instant::now() + every.max(self.last_fold);
            // Sealing takes as long as folding: what came meanwhile is taken first, or more and more would wait.
            let latest = until + LONGEST;
            while Instant::now() < latest
                && let Next::Item(word) = words.next(Some(until))
            {
                self.take(word)?;
            }
            if self.is_whole && self.waiting.words > 0 {
                self.fold()?;
            }
        }
        Ok(())
    }

    /// Takes a word; folds where that was the last of the log.
    pub(crate) fn take(&mut self, word: Word) -> Result<(), WatchError> {
        match word {
            Word::Anew(anew) => {
                let Anew {
                    prepared,
                    inventory,
                    inventory_change,
                    settled,
                } = *anew;
                self.prepared = prepared;
                self.wallets = None;
                self.inventory = inventory;
                self.inventory_change = inventory_change;
                self.settled = settled;
                self.stage_two = StageTwo::default();
                self.summary = Summary::default();
                self.is_whole = false;
            }
            Word::Taken(taken) => self.accept(*taken),
            Word::Wallets(told) => {
                self.wallets = Some(*told);
                self.waiting.words += 1;
            }
            Word::Look => self.hold.keep_within(&self.prepared, &mut self.stage_two),
            Word::Whole => {
                self.is_whole = true;
                self.fold()?;
            }
        }
        Ok(())
    }

    fn accept(&mut self, taken: Taken) {
        for batch in taken.batches {
            self.stage_two.accept(batch);
        }
        self.summary.records += taken.records;
        self.summary.bytes += taken.bytes;
        for (input, mark) in taken.files {
            self.files.note(input, mark.as_ref());
        }
        taken.dead.into_iter().for_each(|it| self.dead.add(it));
        for id in taken.told {
            self.stored.told(id);
        }
        self.sources = taken.sources;
        let waiting = &mut self.waiting;
        waiting.words += 1;
        waiting.number = waiting.number.max(taken.number);
        waiting.acknowledge.extend(taken.acknowledge);
        waiting.arrived.extend(taken.arrived);
    }

    /// Folds everything, writes what is new of it, and puts it up.
    fn fold(&mut self) -> Result<(), WatchError> {
        let start = Instant::now();
        let report = self.report(start);
        let folded = start.elapsed();
        let (commit, next) = self.stored.changes(&report);
        let waiting = std::mem::take(&mut self.waiting);
        let news = News {
            revision: 0,
            incidents: changed(&commit),
            merged: commit.aliases.iter().cloned().collect(),
            findings: commit.findings.iter().filter(|it| it.1.is_some()).count() as u64,
            records: waiting.arrived.iter().map(|(_, records)| records).sum(),
        };
        let writing = Instant::now();
        let revision = self.ledger.commit(&commit)?;
        let now = Instant::now();
        self.stored = next;
        self.last_fold = start.elapsed();
        let rows = self.stage_two.len() as u64;
        let (late, sealed_until) = (self.stage_two.late(), self.stage_two.sealed_until());
        let dead_letters = self.dead.kept.len() as u64 + self.dead.omitted;
        let shown = Shown {
            revision,
            written: Timestamp::now(),
            totals: Totals::of(&report.findings),
            report,
            estate: self.prepared.estate.clone(),
            graph: self.prepared.graph.clone(),
            catalogue: self.prepared.catalogue.clone(),
            inventory: self.inventory,
            inventory_change: self.inventory_change.clone(),
            sources: self.sources.clone(),
        };
        self.board.show(shown, waiting.number);
        self.board.count(|figures| {
            for (arrived, records) in &waiting.arrived {
                figures.took(now.duration_since(*arrived), *records);
            }
            figures.rows = rows;
            figures.late = late;
            figures.sealed_until = sealed_until;
            figures.dead_letters = dead_letters;
            figures.folds += 1;
            figures.last_fold_seconds = folded.as_secs_f64();
            figures.fold_seconds += folded.as_secs_f64();
            figures.commit_seconds += writing.elapsed().as_secs_f64();
            figures.folded = figures.folded.max(waiting.number);
        });
        self.board.tell(&News { revision, ..news });
        for acknowledge in waiting.acknowledge {
            // Who does not wait any more does not mind.
            let _ = acknowledge.try_send(revision);
        }
        Ok(())
    }

    fn report(&self, start: Instant) -> Report {
        let folded = self.prepared.fold(self.stage_two.clone());
        let mut inputs = self.prepared.inputs.clone();
        let mut letters = self.prepared.dead_letters.clone();
        let mut notes = self.prepared.notes.clone();
        let told = self.wallets.as_ref();
        let wallets = told.map(|told| told.replace(&mut inputs, &mut letters, &mut notes));
        inputs.extend(self.files.told());
        inputs.sort_by(|a, b| a.file.cmp(&b.file));
        letters.extend(self.dead.kept.iter().cloned());
        letters.sort();
        notes.extend(self.hold.note(&self.stage_two));
        let read = Read {
            inputs,
            dead_letters: letters,
            dead_letters_omitted: self.dead.omitted,
            verification: None,
            notes,
            summary: self.summary.clone(),
        };
        let mut gathered = self.prepared.gathered(folded, read, start);
        if let Some(wallets) = wallets {
            gathered.wallets = wallets;
        }
        let mut report = gathered.take_report();
        self.settled.join(&mut report);
        report
    }
}

fn changed(commit: &Commit) -> Vec<String> {
    commit
        .incidents
        .iter()
        .filter(|(_, value)| value.is_some())
        .map(|(id, _)| id.clone())
        .collect()
}
