//! The watch: takes in what arrives, folds it, and writes what follows from it with how far it read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::take;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_detect::{Batch, Sign, StageTwo};
use portreeve_graph::{Circumstances, Difference};
use portreeve_incident::{Report, Summary};
use portreeve_model::{DeadLetter, Input, InputKind};
use portreeve_record::{RawRecord, Split};
use portreeve_store::{Commit, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::board::{Board, Health, News, Shown};
use super::changes::Stored;
use super::event_log::{Entry, EventLog};
use super::follow::{Follower, Patience, Signs, stamps};
use super::hold::Hold;
use super::intake::{Chunk, Intake};
use super::mark::{Mark, Stamp};
use super::objects::{Bucket, Objects};
use super::retention::{Keep, Settled, dropped_until, set_dropped};
use super::source::Source;
use super::stdin;
use crate::config::Config;
use crate::content::{ContentFile, RuleSet};
use crate::prepared::{Prepared, Read};
use crate::progress::{Progress, Silent};
use crate::reader::{FileOutcome, LogReader};
use crate::run::DEAD_LETTERS;
use crate::seam::Seam;
use crate::survey::look;
use crate::wallets::Told;

/// How long a passing trouble of the store is waited for before the next try.
const RETRY: Duration = Duration::from_secs(1);

/// How many records are held whole, where nothing else is said: with what hangs on them some hundred
/// megabytes, and folded in about a second.
pub const HOLD: usize = 500_000;

/// What to watch, and how.
#[derive(Clone, Debug)]
pub struct WatchRequest {
    /// Files and folders, of logs and of inventory; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// What the user declares.
    pub config: Config,
    /// Files that are not input.
    pub skip: Vec<PathBuf>,
    /// The rules and correlations.
    pub rules: Vec<ContentFile>,
    /// Signs to start from.
    pub signs: Vec<Sign>,
    /// How often and how eagerly.
    pub pace: Pace,
    /// How many records stage two holds whole, about; of older ones it keeps what may still matter.
    pub hold: usize,
    /// How much of the event log is kept.
    pub keep: Keep,
}

/// How often and how eagerly the watch looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often folders are looked at.
    pub poll: Duration,
    /// How long the unfinished end of a file is waited for.
    pub settle: Duration,
    /// What arrives is folded after so long at least.
    pub fold: Duration,
    /// How often inventory is read again, where its files have changed.
    pub inventory: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            settle: Duration::from_secs(60),
            fold: Duration::from_millis(200),
            inventory: Duration::from_secs(60),
        }
    }
}

/// Why the watch ended.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The store is of no use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event log cannot be read or written.
    #[error("the event log: {0}")]
    Log(std::io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Ends a watch from another thread.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Signs>);

impl Stop {
    /// Has the watch commit what it holds, and end.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// The watch over one data folder.
///
/// Its state is a function of the event log, the inventory and the rules: it is built anew from them at
/// each start, by the same two stages that `investigate` runs. Each fold is over all records that stage two
/// holds, so that what arrives late, twice or in another order makes the same incidents; how many are held is
/// bounded by the log's order alone. `docs/serve.md` tells what that costs.
pub struct Watch {
    request: WatchRequest,
    store: Box<dyn Store>,
    log: Box<dyn EventLog>,
    prepared: Prepared,
    stage_two: StageTwo,
    hold: Hold,
    /// What was found in records that the log does not keep any more.
    settled: Settled,
    stored: Stored,
    summary: Summary,
    dead: Dead,
    /// Records of each input that has no mark of its own.
    counters: HashMap<String, Counter>,
    /// Files that were read, for the report.
    files: BTreeMap<String, Input>,
    sources: BTreeMap<(String, String), Source>,
    inventory: u64,
    inventory_change: Option<Arc<(Timestamp, Difference)>>,
    /// Files as they were before the inventory was read, for the follower.
    before: HashMap<PathBuf, Stamp>,
    board: Arc<Board>,
    signs: Arc<Signs>,
    intake: Intake,
    arrivals: Receiver<Chunk>,
    buckets: Vec<(Box<dyn Objects>, Duration)>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// How many records and bytes one brought who has no file.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Counter {
    records: u64,
    bytes: u64,
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

/// What was taken in and is not stored yet.
#[derive(Default)]
struct Pending {
    offsets: BTreeMap<String, Vec<u8>>,
    dead: Vec<DeadLetter>,
    acknowledge: Vec<SyncSender<u64>>,
    /// When pieces arrived, with how many records each had.
    arrived: Vec<(Instant, u64)>,
    records: u64,
    /// The latest time of any record, in microseconds since 1970.
    latest: Option<i64>,
}

/// Batches of stage one, on their way to stage two.
#[derive(Debug, Default)]
struct Collected(Mutex<Vec<Batch>>);

impl Seam for Collected {
    fn hand_over(&self, batch: Batch) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(batch);
    }
}

impl Collected {
    /// Hands on what the readers hold; the latest time of any of it.
    fn hand_on(
        &self,
        readers: &mut [LogReader<'_>],
        stage_two: &mut StageTwo,
    ) -> Option<Timestamp> {
        readers.iter_mut().for_each(LogReader::flush);
        let batches = take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut latest = None;
        for batch in batches {
            latest = latest.max(batch.latest());
            stage_two.accept(batch);
        }
        latest
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
        let prepared = prepare(&request, progress);
        let (intake, arrivals) = Intake::new();
        let stored = Stored::load(&*store)?;
        let mut counters = HashMap::new();
        let mut files = BTreeMap::new();
        for (name, mark) in store.offsets()? {
            if let Some(mark) = Mark::read(&mark) {
                note_file(&mut files, &mark);
            } else if let Ok(counter) = serde_json::from_slice(&mark) {
                counters.insert(name, counter);
            }
        }
        let mut dead = Dead::default();
        let (letters, total) = store.dead_letters(DEAD_LETTERS)?;
        dead.omitted = total - letters.len() as u64;
        letters.into_iter().for_each(|letter| dead.add(letter));
        let mut watch = Self {
            hold: Hold::new(request.hold),
            request,
            store,
            log,
            prepared,
            stage_two: StageTwo::default(),
            settled: Settled::default(),
            stored,
            summary: Summary::default(),
            dead,
            counters,
            files,
            sources: BTreeMap::new(),
            inventory: 1,
            inventory_change: None,
            before,
            board,
            signs: Arc::new(Signs::default()),
            intake,
            arrivals,
            buckets: Vec::new(),
        };
        progress.begin("Reading what was taken in before", 0);
        watch.replay()?;
        progress.begin("Telling incidents", 0);
        watch.fold_and_commit(Pending::default())?;
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

    fn watch(mut self, until_caught_up: bool) -> Result<(), WatchError> {
        let board = self.board.clone();
        let result = self.run_on(until_caught_up);
        self.signs.stop.store(true, Ordering::Relaxed);
        board.set_health(match &result {
            Ok(()) => Health::Ended,
            Err(error) => Health::Failed(error.to_string()),
        });
        result
    }

    fn run_on(&mut self, until_caught_up: bool) -> Result<(), WatchError> {
        let follower = self.follower()?;
        let spawned = std::thread::Builder::new()
            .name("follow".to_owned())
            .spawn(move || follower.run());
        spawned.map_err(WatchError::Thread)?;
        if self
            .request
            .paths
            .iter()
            .any(|path| path.as_os_str() == "-")
        {
            let (intake, signs) = (self.intake.clone(), self.signs.clone());
            signs.stdin_open.store(true, Ordering::SeqCst);
            let spawned = std::thread::Builder::new()
                .name("stdin".to_owned())
                .spawn(move || {
                    stdin::follow(&mut std::io::stdin(), &intake);
                    signs.stdin_open.store(false, Ordering::SeqCst);
                });
            spawned.map_err(WatchError::Thread)?;
        }
        let marks = self.store.offsets()?;
        for (objects, poll) in take(&mut self.buckets) {
            self.signs.expect_listing(objects.name());
            let (intake, signs) = (self.intake.clone(), self.signs.clone());
            let bucket = Bucket::new(objects, poll, &marks, intake, signs);
            let spawned = std::thread::Builder::new()
                .name("bucket".to_owned())
                .spawn(move || bucket.run());
            spawned.map_err(WatchError::Thread)?;
        }
        self.board.set_health(Health::Watching);
        let mut inventory_read = Instant::now();
        let mut wallets_read = Instant::now();
        let mut wallets_wait = self.request.pace.fold;
        while !self.signs.stop.load(Ordering::Relaxed) {
            // Read before the look for what has arrived: whatever was brought until then is seen by it.
            let caught_up = self.signs.caught_up.load(Ordering::SeqCst)
                && !self.signs.stdin_open.load(Ordering::SeqCst)
                && !self.signs.wallets_changed.load(Ordering::SeqCst)
                && self.signs.all_listed();
            let troubles = self.signs.troubles();
            self.board.count(|figures| {
                figures.caught_up = caught_up;
                figures.troubles = troubles;
            });
            let begin = Instant::now();
            let renewed = wallets_read.elapsed() >= wallets_wait
                && self.signs.wallets_changed.swap(false, Ordering::SeqCst);
            if renewed {
                self.read_wallets();
                // Reading takes half of the time at most.
                wallets_wait = self.request.pace.fold.max(begin.elapsed());
                wallets_read = Instant::now();
            }
            match self.arrivals.recv_timeout(Duration::from_millis(50)) {
                Ok(chunk) => {
                    let pending = self.take_in(chunk)?;
                    self.fold_and_commit(pending)?;
                }
                Err(RecvTimeoutError::Timeout) if renewed => {
                    self.fold_and_commit(Pending::default())?;
                }
                Err(RecvTimeoutError::Timeout) if until_caught_up && caught_up => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if inventory_read.elapsed() >= self.request.pace.inventory
                && self.signs.inventory_changed.swap(false, Ordering::Relaxed)
            {
                self.read_inventory()?;
                inventory_read = Instant::now();
            }
        }
        Ok(())
    }

    fn follower(&mut self) -> Result<Follower, WatchError> {
        let patience = Patience {
            poll: self.request.pace.poll,
            settle: self.request.pace.settle,
        };
        Ok(Follower::new(
            followed(&self.request.paths),
            self.request.skip.clone(),
            patience,
            self.store.offsets()?,
            take(&mut self.before),
            self.intake.clone(),
            self.signs.clone(),
        ))
    }

    /// Everything of the event log through stage one to stage two.
    fn replay(&mut self) -> Result<(), WatchError> {
        let collected = Collected::default();
        let mut stage_two = StageTwo::default();
        let mut summary = Summary::default();
        let mut hold = Hold::new(self.request.hold);
        let mut latest = None;
        let mut readers = self.prepared.readers(&collected);
        let mut current: Option<(String, Arc<str>, usize, u32)> = None;
        let mut outcome = FileOutcome::default();
        let damage = self.log.replay(&mut |entry| {
            let same = current
                .as_ref()
                .is_some_and(|(source, file, ..)| source == entry.source && file == entry.file);
            if !same {
                current = readers
                    .iter()
                    .position(|reader| reader.source.id() == entry.source)
                    .map(|number| {
                        let file = readers[number].batch.add_file(entry.file.clone());
                        (entry.source.to_owned(), entry.file.clone(), number, file)
                    });
            }
            let Some((_, name, number, file)) = &mut current else {
                return;
            };
            summary.bytes += entry.bytes.len() as u64;
            let record = RawRecord {
                bytes: entry.bytes,
                index: entry.index,
                offset: entry.offset,
                likely: false,
            };
            readers[*number].take(Split::Record(record), name, file, &mut outcome);
            if hold.is_due() {
                latest = latest.max(collected.hand_on(&mut readers, &mut stage_two));
                hold.keep_within(&self.prepared, &mut stage_two);
                current = None;
            }
        });
        latest = latest.max(collected.hand_on(&mut readers, &mut stage_two));
        drop(readers);
        // What could not be read was told, and stored, when it arrived.
        summary.records = outcome.records;
        self.board
            .count(|figures| figures.watermark = figures.watermark.max(latest));
        let told = damage.iter().map(|it| {
            format!(
                "{}: {}; {} records of it could not be read back",
                it.file, it.reason, it.lost
            )
        });
        let told: Vec<String> = told.collect();
        self.board.count(|figures| figures.damage = told);
        self.stage_two = stage_two;
        self.hold = hold;
        self.summary = summary;
        self.settled = Settled::load(&*self.store)?;
        Ok(())
    }

    /// Takes in what has arrived, until it is time to fold.
    fn take_in(&mut self, first: Chunk) -> Result<Pending, WatchError> {
        let mut pending = Pending::default();
        // Folding takes half of the time at most.
        let last = self.board.figures().last_fold_seconds;
        let wait = self.request.pace.fold.max(Duration::from_secs_f64(last));
        let until = Instant::now() + wait;
        let collected = Collected::default();
        let mut readers = self.prepared.readers(&collected);
        let mut next = Some(first);
        while let Some(chunk) = next {
            let log = &mut *self.log;
            let key = (chunk.source.to_owned(), kind_of_input(&chunk.input));
            let number = readers
                .iter()
                .position(|reader| reader.source.id() == chunk.source);
            let counter = match &chunk.mark {
                Some(mark) => {
                    if let Some(mark) = Mark::read(mark) {
                        note_file(&mut self.files, &mark);
                    }
                    pending.offsets.insert(chunk.input.clone(), mark.clone());
                    Counter::default()
                }
                None => {
                    let counter = self.counters.entry(chunk.input.clone()).or_default();
                    let before = *counter;
                    counter.records += chunk.records.len() as u64;
                    counter.bytes += chunk.bytes.len() as u64;
                    if !chunk.records.is_empty() {
                        let mark = serde_json::to_vec(counter).unwrap_or_default();
                        pending.offsets.insert(chunk.input.clone(), mark);
                    }
                    before
                }
            };
            let mut outcome = FileOutcome::default();
            let mut latest = None;
            if let Some(number) = number {
                let mut file = readers[number].batch.add_file(chunk.file.clone());
                for place in &chunk.records {
                    let bytes = chunk.bytes.get(place.start..place.end).unwrap_or_default();
                    let record = RawRecord {
                        bytes,
                        index: counter.records + place.index,
                        offset: counter.bytes + place.offset,
                        likely: false,
                    };
                    let entry = Entry {
                        source: chunk.source,
                        file: &chunk.file,
                        index: record.index,
                        offset: record.offset,
                        bytes,
                    };
                    patiently(&self.board, &self.signs, || log.append(entry))
                        .map_err(WatchError::Log)?;
                    let split = Split::Record(record);
                    readers[number].take(split, &chunk.file, &mut file, &mut outcome);
                    if self.hold.is_due() {
                        latest = latest.max(collected.hand_on(&mut readers, &mut self.stage_two));
                        self.hold.keep_within(&self.prepared, &mut self.stage_two);
                        file = readers[number].batch.add_file(chunk.file.clone());
                    }
                }
            }
            latest = latest.max(collected.hand_on(&mut readers, &mut self.stage_two));
            let records = outcome.records;
            self.summary.records += records;
            self.summary.bytes += chunk.bytes.len() as u64;
            for letter in chunk.dead.into_iter().chain(outcome.dead) {
                self.dead.add(letter.clone());
                pending.dead.push(letter);
            }
            pending.records += records;
            let micros = latest.map(|time: Timestamp| time.as_microsecond());
            pending.latest = pending.latest.max(micros);
            pending.arrived.push((chunk.arrived, records));
            pending.acknowledge.extend(chunk.acknowledge);
            self.board.count(|figures| {
                figures.records += records;
                figures.bytes += chunk.bytes.len() as u64;
                figures.watermark = figures.watermark.max(latest);
            });
            if records > 0 {
                self.sources
                    .entry(key.clone())
                    .or_insert_with(|| Source::new(key))
                    .arrived(records, latest);
            }
            let left = until.saturating_duration_since(Instant::now());
            next = match left {
                Duration::ZERO => None,
                left => self.arrivals.recv_timeout(left).ok(),
            };
        }
        Ok(pending)
    }

    /// Folds everything, writes what is new of it, and puts it up.
    fn fold_and_commit(&mut self, pending: Pending) -> Result<(), WatchError> {
        let start = Instant::now();
        let report = self.report(start);
        let folded = start.elapsed();
        let (mut commit, next) = self.stored.changes(&report);
        commit.offsets = pending
            .offsets
            .into_iter()
            .map(|(name, mark)| (name, Some(mark)))
            .collect();
        commit.dead_letters = pending.dead;
        let news = News {
            revision: 0,
            incidents: changed(&commit),
            merged: commit.aliases.iter().cloned().collect(),
            findings: commit.findings.iter().filter(|it| it.1.is_some()).count() as u64,
            records: pending.records,
        };
        let writing = Instant::now();
        let revision = self.commit(&mut commit, pending.latest)?;
        let now = Instant::now();
        self.stored = next;
        let rows = self.stage_two.len() as u64;
        let (late, sealed_until) = (self.stage_two.late(), self.stage_two.sealed_until());
        let dead_letters = self.dead.kept.len() as u64 + self.dead.omitted;
        self.board.count(|figures| {
            for (arrived, records) in &pending.arrived {
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
        });
        self.board.show(Shown {
            revision,
            written: Timestamp::now(),
            report,
            estate: self.prepared.estate.clone(),
            graph: self.prepared.graph.clone(),
            catalogue: self.prepared.catalogue.clone(),
            inventory: self.inventory,
            inventory_change: self.inventory_change.clone(),
            sources: self.sources.values().map(Source::told).collect(),
        });
        self.board.tell(&News { revision, ..news });
        for acknowledge in pending.acknowledge {
            // Who does not wait any more does not mind.
            let _ = acknowledge.try_send(revision);
        }
        Ok(())
    }

    fn report(&self, start: Instant) -> Report {
        let folded = self.prepared.fold(self.stage_two.clone());
        let mut inputs = self.prepared.inputs.clone();
        inputs.extend(self.files.values().cloned());
        inputs.sort_by(|a, b| a.file.cmp(&b.file));
        let mut dead_letters = self.prepared.dead_letters.clone();
        dead_letters.extend(self.dead.kept.iter().cloned());
        dead_letters.sort();
        let mut notes = self.prepared.notes.clone();
        notes.extend(self.hold.note(&self.stage_two));
        let read = Read {
            inputs,
            dead_letters,
            dead_letters_omitted: self.dead.omitted,
            verification: None,
            notes,
            summary: self.summary.clone(),
        };
        let mut report = self.prepared.gathered(folded, read, start).take_report();
        self.settled.join(&mut report);
        report
    }

    /// Writes a commit with what the event log holds of it; waits for what passes.
    fn commit(&mut self, commit: &mut Commit, latest: Option<i64>) -> Result<u64, WatchError> {
        let (board, signs) = (self.board.clone(), self.signs.clone());
        let log = &mut *self.log;
        commit.segments =
            patiently(&board, &signs, || log.seal(latest)).map_err(WatchError::Log)?;
        if !commit.segments.is_empty() {
            self.let_go(commit)?;
        }
        loop {
            match self.store.commit(commit) {
                Ok(revision) => {
                    self.log.let_go(&commit.dropped_segments);
                    board.set_health(Health::Watching);
                    return Ok(revision);
                }
                Err(error) if error.is_passing() && !signs.stop.load(Ordering::Relaxed) => {
                    board.set_health(Health::Waiting(error.to_string()));
                    std::thread::sleep(RETRY);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Adds to a commit what the event log does not keep any more.
    fn let_go(&self, commit: &mut Commit) -> Result<(), WatchError> {
        let latest = self.board.figures().watermark;
        let now = latest.map(|time| time.min(Timestamp::now()).as_microsecond());
        let gone = self.request.keep.let_go(self.log.segments(), now);
        if gone.is_empty() {
            return Ok(());
        }
        commit
            .state
            .extend(set_dropped(&gone, dropped_until(&*self.store)?));
        commit.dropped_segments = gone.into_iter().map(|segment| segment.number).collect();
        Ok(())
    }

    /// Reads what files tell of wallets again. No record is looked at by it: it shows with the next fold.
    fn read_wallets(&mut self) {
        let paths = followed(&self.request.paths);
        let told = Told::read(&paths, &self.signs.wallet_files());
        self.prepared.renew_wallets(told);
    }

    /// Reads the inventory again, and everything with it.
    fn read_inventory(&mut self) -> Result<(), WatchError> {
        let before = self.prepared.graph.clone();
        let was = self.prepared.estate.clone();
        self.prepared = prepare(&self.request, &Silent);
        self.inventory += 1;
        let mut difference = Difference::between(&before, &self.prepared.graph);
        difference.explain(&was, &self.prepared.estate);
        if !difference.is_empty() {
            self.inventory_change = Some(Arc::new((Timestamp::now(), difference)));
        }
        // What stage one looked up has changed.
        self.replay()?;
        self.fold_and_commit(Pending::default())
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

/// Tries something that writes until it goes, or the watch is to end.
fn patiently<T>(
    board: &Board,
    signs: &Signs,
    mut what: impl FnMut() -> std::io::Result<T>,
) -> std::io::Result<T> {
    loop {
        match what() {
            Err(error) if !signs.stop.load(Ordering::Relaxed) => {
                board.set_health(Health::Waiting(format!(
                    "the event log cannot be written: {error}"
                )));
                std::thread::sleep(RETRY);
            }
            result => return result,
        }
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

fn kind_of_input(input: &str) -> String {
    match input.split_once(':') {
        Some(("file" | "path", _)) => "files".to_owned(),
        Some(("object", _)) => "buckets".to_owned(),
        _ => input.to_owned(),
    }
}

fn note_file(files: &mut BTreeMap<String, Input>, mark: &Mark) {
    let input = Input {
        file: mark.name.as_str().into(),
        kind: InputKind::Log,
        format: String::new(),
        bytes: mark.size,
        sha256: String::new(),
        records: mark.index,
        proof: None,
    };
    files.insert(mark.name.clone(), input);
}
