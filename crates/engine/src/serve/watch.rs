//! The watch: takes in what arrives, and has it folded.

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_detect::Batch;
use portreeve_graph::{Circumstances, Difference};
use portreeve_model::Finding;
use portreeve_store::{Commit, Store};

#[cfg(feature = "parquet")]
use super::archive::Archive;
#[cfg(feature = "parquet")]
use super::archiving::Archiving;
use super::board::{Board, Health, News};
use super::changes::value_of_finding;
use super::event_log::EventLog;
use super::fold::Fold;
use super::follow::{Follower, Patience, stamps};
use super::handover::{Anew, Handover, Taken, Word};
use super::hold::Beat;
use super::intake::{Chunk, Intake};
use super::ledger::Ledger;
use super::mark::Stamp;
use super::objects::{Bucket, Objects};
use super::pruning::Keeping;
use super::request::{Stop, WatchError, WatchRequest};
use super::retention::{Settled, dropped_until, floor, set_dropped, set_floor};
use super::signs::Signs;
use super::stdin;
use super::taking::{Collected, Origins, Pending, Replay, Taking, until};
use crate::content::RuleSet;
use crate::growing::Growing;
use crate::prepared::Prepared;
use crate::progress::{Progress, Silent};
use crate::survey::look;
use crate::wallets::Told;

/// So many records are committed at once at most.
const MOST_AT_ONCE: usize = 20_000;

/// The watch over one data folder.
///
/// Stage one runs on its thread: it writes what arrives to the event log, judges it, and commits log, offsets
/// and the findings that need no other record. Stage two runs on another: it folds what it was
/// handed, and commits what follows. It never writes of a record that the log does not hold.
///
/// The state is a function of the event log, the inventory and the rules: it is built anew from them at
/// each start, by the same two stages that `investigate` runs. `docs/serve.md` tells what that costs.
pub struct Watch {
    request: WatchRequest,
    ledger: Arc<Ledger>,
    log: Box<dyn EventLog>,
    prepared: Arc<Prepared>,
    handover: Handover,
    beat: Beat,
    origins: Origins,
    /// Findings that the store knew when the watch began, or that were told at once since, by their ids.
    known: HashSet<u64>,
    /// The number of the last piece that was handed over.
    piece: u64,
    inventory: u64,
    inventory_change: Option<Arc<(Timestamp, Difference)>>,
    /// What was made of files of blocks, and how far they were read.
    growing: Option<Growing>,
    /// Files as they were before the inventory was read, for the follower.
    before: HashMap<PathBuf, Stamp>,
    board: Arc<Board>,
    signs: Arc<Signs>,
    intake: Intake,
    arrivals: Receiver<Chunk>,
    buckets: Vec<(Box<dyn Objects>, Duration)>,
    #[cfg(feature = "parquet")]
    archiving: Archiving,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// Reads the inventory and everything that was taken in before, and folds it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn begin(
        request: WatchRequest,
        store: Box<dyn Store>,
        log: Box<dyn EventLog>,
        board: Arc<Board>,
        progress: &dyn Progress,
    ) -> Result<Self, WatchError> {
        // Before they are read: what changes meanwhile is seen to have changed.
        let before = stamps(&followed(&request.paths));
        let prepared = Arc::new(prepare(&request, progress));
        let (intake, arrivals) = Intake::new();
        let origins = Origins::new(&store.offsets()?);
        let mut known = HashSet::new();
        store.each_finding(&mut |id, _| known.extend(number_of(id)))?;
        let signs = Arc::<Signs>::default();
        let ledger = Arc::new(Ledger::new(store, board.clone(), signs.clone()));
        let fold = Fold::new(
            prepared.clone(),
            request.hold,
            ledger.clone(),
            board.clone(),
        )?;
        let mut watch = Self {
            beat: Beat::new(request.hold),
            request,
            ledger,
            log,
            prepared,
            handover: Handover::Here(Box::new(fold)),
            origins,
            known,
            piece: 0,
            inventory: 1,
            inventory_change: None,
            growing: None,
            before,
            board,
            signs,
            intake,
            arrivals,
            buckets: Vec::new(),
            #[cfg(feature = "parquet")]
            archiving: Archiving::default(),
        };
        progress.begin("Reading what was taken in before", 0);
        watch.replay(progress)?;
        Ok(watch)
    }

    /// Where records can be handed in beside what is followed.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Follows a bucket too, which is looked at so often. To be said before the watch runs.
    pub fn follow(&mut self, objects: Box<dyn Objects>, poll: Duration) {
        self.buckets.push((objects, poll));
    }

    /// Archives what the event log holds, which lets go nothing that is not archived. To be said before the
    /// watch runs.
    #[cfg(feature = "parquet")]
    pub fn archive(&mut self, archive: Archive) {
        self.archiving = Archiving::Asked(archive);
    }

    /// What ends the watch.
    pub fn stopper(&self) -> Stop {
        Stop(self.signs.clone())
    }

    /// Watches until it is told to stop, then commits what it holds.
    ///
    /// # Errors
    /// Where the store or the event log fails in a way that does not pass. Nothing that was acknowledged
    /// is lost; a new watch goes on where this one ended.
    pub fn run(self) -> Result<(), WatchError> {
        self.watch(false)
    }

    /// Takes in what there is, and ends; standard input is read to its end.
    ///
    /// # Errors
    /// As [`Watch::run`].
    pub fn catch_up(self) -> Result<(), WatchError> {
        self.watch(true)
    }

    /// Takes nothing in: what there is stays up until the watch is told to stop.
    ///
    /// # Errors
    /// Where what there is cannot be folded.
    pub fn stand(mut self) -> Result<(), WatchError> {
        self.board.set_health(Health::Watching);
        self.board.count(|figures| figures.caught_up = true);
        while !self.signs.is_stopping() && !self.handover.has_ended() {
            std::thread::sleep(Duration::from_millis(50));
        }
        let result = self.handover.end();
        self.board.set_health(match &result {
            Ok(()) => Health::Ended,
            Err(error) => Health::Failed(error.to_string()),
        });
        result
    }

    fn watch(mut self, until_caught_up: bool) -> Result<(), WatchError> {
        let board = self.board.clone();
        let taken = self.run_on(until_caught_up);
        // What was taken in is folded, whatever ended the taking.
        let folded = self.handover.end();
        let result = taken.and(folded);
        self.signs.set_stopping();
        #[cfg(feature = "parquet")]
        self.archiving.end();
        board.set_health(match &result {
            Ok(()) => Health::Ended,
            Err(error) => Health::Failed(error.to_string()),
        });
        result
    }

    fn run_on(&mut self, until_caught_up: bool) -> Result<(), WatchError> {
        self.follow_inputs()?;
        #[cfg(feature = "parquet")]
        self.archiving.begin(&self.signs)?;
        let (pace, hold) = (self.request.pace, self.request.hold);
        self.handover.part(pace.fold, hold)?;
        self.board.set_health(Health::Watching);
        loop {
            let prepared = self.prepared.clone();
            let collected = Collected::default();
            let mut taking = Taking::new(&prepared, &collected);
            if !self.take_until_inventory_changes(&mut taking, until_caught_up)? {
                return Ok(());
            }
            self.read_inventory()?;
        }
    }

    /// Takes in what arrives; `true` where inventory has changed, `false` where the watch is to end.
    fn take_until_inventory_changes(
        &mut self,
        taking: &mut Taking<'_>,
        until_caught_up: bool,
    ) -> Result<bool, WatchError> {
        let inventory_read = Instant::now();
        let mut wallets_read = Instant::now();
        let mut wallets_wait = self.request.pace.fold;
        while !self.signs.is_stopping() && !self.handover.has_ended() {
            // Read before the look for what has arrived: whatever was brought until then is seen by it.
            let caught_up = self.signs.caught_up.load(Ordering::SeqCst)
                && !self.signs.stdin_open.load(Ordering::SeqCst)
                && !self.signs.wallets_changed.load(Ordering::SeqCst)
                && self.signs.all_listed();
            let troubles = self.signs.troubles();
            self.board.count(|figures| {
                figures.caught_up = caught_up && figures.folded == figures.taken;
                figures.troubles = troubles;
            });
            let begin = Instant::now();
            if wallets_read.elapsed() >= wallets_wait
                && self.signs.wallets_changed.swap(false, Ordering::SeqCst)
            {
                self.read_wallets()?;
                // Reading takes half of the time at most.
                wallets_wait = self.request.pace.fold.max(begin.elapsed());
                wallets_read = Instant::now();
            }
            match self.arrivals.recv_timeout(Duration::from_millis(50)) {
                Ok(chunk) => self.take_in(taking, chunk)?,
                Err(RecvTimeoutError::Timeout) if until_caught_up && caught_up => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
            if inventory_read.elapsed() >= self.request.pace.inventory
                && self.signs.inventory_changed.swap(false, Ordering::Relaxed)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Begins to follow folders, standard input and buckets, each on a thread of its own.
    fn follow_inputs(&mut self) -> Result<(), WatchError> {
        let marks = self.ledger.store().offsets()?;
        let keeping = Keeping {
            days: self.request.keep.days,
            floor: floor(&**self.ledger.store())?,
        };
        let patience = Patience {
            poll: self.request.pace.poll,
            settle: self.request.pace.settle,
            keeping,
        };
        let follower = Follower::new(
            followed(&self.request.paths),
            self.request.skip.clone(),
            patience,
            marks.clone(),
            take(&mut self.before),
            self.intake.clone(),
            self.signs.clone(),
        );
        spawn("follow", move || follower.run())?;
        let mut paths = self.request.paths.iter();
        if paths.any(|path| path.as_os_str() == "-") {
            let (intake, signs) = (self.intake.clone(), self.signs.clone());
            signs.stdin_open.store(true, Ordering::SeqCst);
            spawn("stdin", move || {
                stdin::follow(&mut std::io::stdin(), &intake);
                signs.stdin_open.store(false, Ordering::SeqCst);
            })?;
        }
        for (objects, poll) in take(&mut self.buckets) {
            self.signs.expect_listing(objects.name());
            let (intake, signs) = (self.intake.clone(), self.signs.clone());
            let bucket = Bucket::new(objects, poll, keeping, &marks, intake, signs);
            spawn("bucket", move || bucket.run())?;
        }
        Ok(())
    }

    /// Everything of the event log through stage one to stage two.
    fn replay(&mut self, progress: &dyn Progress) -> Result<(), WatchError> {
        let settled = Settled::load(&**self.ledger.store())?;
        let anew = Anew {
            prepared: self.prepared.clone(),
            inventory: self.inventory,
            inventory_change: self.inventory_change.clone(),
            settled,
        };
        self.handover.say(Word::Anew(Box::new(anew)))?;
        self.beat = Beat::new(self.request.hold);
        let prepared = self.prepared.clone();
        let collected = Collected::default();
        let mut taking = Taking::new(&prepared, &collected);
        let mut replay = Replay::new(&mut taking);
        let (beat, handover) = (&mut self.beat, &mut self.handover);
        let mut said = Ok(());
        let damage = self.log.replay(&mut |entry| {
            if replay.entry(entry) && beat.is_due() && said.is_ok() {
                said = handover.say(Word::Taken(Box::new(replay.piece())));
                if said.is_ok() {
                    said = handover.say(Word::Look);
                }
            }
        });
        said?;
        let last = Taken {
            number: self.piece,
            ..replay.piece()
        };
        let latest = replay.latest;
        self.handover.say(Word::Taken(Box::new(last)))?;
        let told = damage.iter().map(|it| {
            format!(
                "{}: {}; {} records of it could not be read back",
                it.file, it.reason, it.lost
            )
        });
        let told: Vec<String> = told.collect();
        self.board.count(|figures| {
            figures.watermark = figures.watermark.max(latest);
            figures.damage = told;
        });
        progress.begin("Telling incidents", 0);
        self.handover.say(Word::Whole)
    }

    /// Takes in what has arrived, commits it with what is certain of it, and hands it over.
    fn take_in(&mut self, taking: &mut Taking<'_>, first: Chunk) -> Result<(), WatchError> {
        let until = until(Instant::now(), self.request.pace.fold);
        let mut pending = Pending::default();
        let mut next = Some(first);
        while let Some(chunk) = next {
            let ledger = &*self.ledger;
            let log = &mut *self.log;
            taking.chunk(
                chunk,
                log,
                &mut self.beat,
                &mut self.origins,
                ledger,
                &mut pending,
            )?;
            let left = until.saturating_duration_since(Instant::now());
            next = match left {
                Duration::ZERO => None,
                _ if pending.rows >= MOST_AT_ONCE => None,
                left => self.arrivals.recv_timeout(left).ok(),
            };
        }
        let findings = self.certain(&pending);
        let mut commit = Commit {
            offsets: take(&mut pending.offsets).into_iter().collect(),
            dead_letters: take(&mut pending.dead),
            ..Commit::default()
        };
        commit.state.extend(pending.floor.map(set_floor));
        for finding in &findings {
            let body = serde_json::to_vec(finding).unwrap_or_default();
            let value = value_of_finding(finding, body);
            commit.findings.push((finding.id.clone(), Some(value)));
        }
        let revision = self.commit(&mut commit, pending.latest)?;
        self.piece += 1;
        let (now, piece) = (Instant::now(), self.piece);
        let mut taken = pending.taken;
        taken.number = piece;
        taken.told = findings.iter().map(|it| it.id.clone()).collect();
        self.board.count(|figures| {
            figures.records += taken.records;
            figures.bytes += taken.bytes;
            figures.watermark = figures.watermark.max(pending.latest);
            figures.taken = piece;
            figures.caught_up = false;
            for (arrived, records) in &taken.arrived {
                figures.were_judged(now.duration_since(*arrived), *records);
            }
        });
        if !findings.is_empty() {
            let news = News {
                revision,
                findings: findings.len() as u64,
                ..News::default()
            };
            self.board.show_at_once(piece, findings, revision);
            self.board.tell(&news);
        }
        // All that came with the records goes with the last piece of them.
        let mut pieces = pending.pieces;
        taken.batches = pieces.pop().unwrap_or_default();
        for batches in pieces {
            let before = Taken {
                batches,
                sources: taken.sources.clone(),
                ..Taken::default()
            };
            self.handover.say(Word::Taken(Box::new(before)))?;
            self.handover.say(Word::Look)?;
        }
        self.handover.say(Word::Taken(Box::new(taken)))
    }

    /// The findings that follow from what was taken in alone, of those that are not known yet.
    fn certain(&mut self, pending: &Pending) -> Vec<Finding> {
        let known = &mut self.known;
        let batches = pending.pieces.iter().flatten().filter(|it| !it.is_empty());
        let at_once = |batch: &Batch| {
            let mut is_new = |id: &str| number_of(id).is_some_and(|number| known.insert(number));
            self.prepared.at_once(batch, &mut is_new)
        };
        batches.flat_map(at_once).collect()
    }

    /// Writes a commit with what the event log holds of it; waits for what passes.
    fn commit(
        &mut self,
        commit: &mut Commit,
        latest: Option<Timestamp>,
    ) -> Result<u64, WatchError> {
        let latest = latest.map(|time| time.as_microsecond());
        let log = &mut *self.log;
        commit.segments = self
            .ledger
            .patiently(|| log.seal(latest))
            .map_err(WatchError::Log)?;
        if !commit.segments.is_empty() {
            self.let_go(commit)?;
        }
        let revision = self.ledger.commit(commit)?;
        self.log.let_go(&commit.dropped_segments);
        Ok(revision)
    }

    /// Adds to a commit what the event log does not keep any more.
    fn let_go(&self, commit: &mut Commit) -> Result<(), WatchError> {
        let latest = self.board.figures().watermark;
        let now = latest.map(|time| time.min(Timestamp::now()).as_microsecond());
        #[cfg_attr(not(feature = "parquet"), allow(unused_mut))]
        let mut gone = self.request.keep.let_go(self.log.segments(), now);
        #[cfg(feature = "parquet")]
        gone.retain(|segment| self.archiving.has(segment.number));
        if gone.is_empty() {
            return Ok(());
        }
        let before = dropped_until(&**self.ledger.store())?;
        commit.state.extend(set_dropped(&gone, before));
        commit.dropped_segments = gone.into_iter().map(|segment| segment.number).collect();
        Ok(())
    }

    /// Reads what files tell of wallets again. No record is looked at by it: it shows with the next fold.
    fn read_wallets(&mut self) -> Result<(), WatchError> {
        let paths = followed(&self.request.paths);
        let told = Told::read(&paths, &self.signs.wallet_files(), &mut self.growing);
        self.handover.say(Word::Wallets(Box::new(told)))
    }

    /// Reads the inventory again, and everything with it.
    fn read_inventory(&mut self) -> Result<(), WatchError> {
        let before = self.prepared.graph.clone();
        let was = self.prepared.estate.clone();
        self.prepared = Arc::new(prepare(&self.request, &Silent));
        self.inventory += 1;
        let mut difference = Difference::between(&before, &self.prepared.graph);
        difference.explain(&was, &self.prepared.estate);
        if !difference.is_empty() {
            self.inventory_change = Some(Arc::new((Timestamp::now(), difference)));
        }
        // What stage one looked up has changed.
        self.replay(&Silent)
    }
}

/// The paths that are files and folders.
fn followed(paths: &[PathBuf]) -> Vec<PathBuf> {
    let files = paths.iter().filter(|path| path.as_os_str() != "-");
    files.cloned().collect()
}

fn prepare(request: &WatchRequest, progress: &dyn Progress) -> Prepared {
    let paths = followed(&request.paths);
    let rules = RuleSet::parse(&request.rules, &request.config.rules);
    let anyone = Circumstances::default();
    let (knowledge, _) = look(&paths, &request.config, &request.skip, &anyone, progress);
    Prepared::new(
        knowledge,
        request.config.clone(),
        rules,
        request.signs.clone(),
    )
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), WatchError> {
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work);
    spawned.map(drop).map_err(WatchError::Thread)
}

/// A finding's id as a number: it is made of 16 hexadecimal digits.
fn number_of(id: &str) -> Option<u64> {
    u64::from_str_radix(id, 16).ok()
}
