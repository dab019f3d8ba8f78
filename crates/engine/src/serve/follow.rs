//! Follows folders: new files, files that grow, files that are half-written, replaced or rotated away.
//!
//! A file of lines is read line by line as it grows, and a line counts once its end is written. Any other
//! form (compressed, one JSON document, a table) is read from its beginning each time that it changed, and
//! what was taken before is skipped; its end counts when it is whole, or when the file has not changed for
//! as long as `settle` says.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portreeve_record::Split;
use portreeve_telemetry::{Container, Recognition, Source};

use super::intake::{Chunk, Intake, each_split};
use super::mark::{Mark, Stamp};
use super::pruning::{is_of_a_file, prune};
use crate::discover::discover;
use crate::networks;
use crate::open::Opened;
use crate::wallets;

/// So many bytes are taken as one piece.
const PIECE: usize = 1 << 20;

/// A line that is longer is not waited for any more.
const LONGEST_LINE: usize = 32 << 20;

/// Of a file that is not whole yet so much is kept back until it is.
const KEPT_BACK: usize = 64 << 20;

/// How often folders are looked at, how long an unfinished end is waited for, and for how long marks are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) poll: Duration,
    pub(crate) settle: Duration,
    pub(crate) keeping: Keeping,
}

/// What the follower tells the watch beside records.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// Files of inventory, or with data of networks, came, went or changed.
    pub(crate) inventory_changed: AtomicBool,
    /// Files that tell of wallets came, went or changed.
    pub(crate) wallets_changed: AtomicBool,
    /// Which those are.
    wallet_files: Mutex<BTreeSet<PathBuf>>,
    /// All is read that was there at the last look.
    pub(crate) caught_up: AtomicBool,
    /// Standard input is read and has not ended.
    pub(crate) stdin_open: AtomicBool,
    /// To stop.
    pub(crate) stop: AtomicBool,
    /// Inputs that are not to be had at the moment, and why.
    troubles: Mutex<BTreeMap<String, String>>,
    /// Buckets that were not listed to the end yet.
    unlisted: Mutex<BTreeSet<String>>,
}

impl Signs {
    /// Files that tell of wallets, as of the last look.
    pub(crate) fn wallet_files(&self) -> BTreeSet<PathBuf> {
        let files = self.wallet_files.lock();
        files.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets down which files tell of wallets.
    fn set_wallet_files(&self, files: BTreeSet<PathBuf>) {
        let known = self.wallet_files.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// Whether the watch is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The watch is to end.
    pub(crate) fn set_stopping(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Inputs that are not to be had at the moment, and why.
    pub(crate) fn troubles(&self) -> BTreeMap<String, String> {
        let troubles = self.troubles.lock();
        troubles.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets down whether an input is to be had.
    pub(crate) fn set_trouble(&self, input: &str, why: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => troubles.insert(input.to_owned(), why),
            None => troubles.remove(input),
        };
    }

    /// A bucket will be listed.
    pub(crate) fn expect_listing(&self, bucket: &str) {
        let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.insert(bucket.to_owned());
    }

    /// A bucket was listed to the end.
    pub(crate) fn listed(&self, bucket: &str) {
        let mut unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.remove(bucket);
    }

    /// Whether all buckets were.
    pub(crate) fn all_listed(&self) -> bool {
        let unlisted = self.unlisted.lock();
        unlisted.unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// For how long marks are kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeping {
    /// For how many days after their file went; for good where nothing is said.
    pub(crate) days: Option<u32>,
    /// Up to when marks of files were pruned, in seconds since 1970.
    pub(crate) floor: Option<i64>,
}

/// How often it is looked which marks are needed.
pub(crate) const PRUNE: Duration = Duration::from_secs(3_600);

pub(crate) struct Follower {
    roots: Vec<PathBuf>,
    skip: Vec<PathBuf>,
    patience: Patience,
    intake: Intake,
    signs: Arc<Signs>,
    marks: HashMap<String, Mark>,
    /// When it was last looked which marks are needed.
    pruned: Option<Instant>,
    known: HashMap<PathBuf, Known>,
    /// Files as they were when the inventory was read, until the first look is done.
    before: HashMap<PathBuf, Stamp>,
    /// What else than logs has changed since the last look.
    changed: Vec<Stands>,
    /// Whether the look at hand has brought anything.
    brought: bool,
    /// Files that could not be read, told once each.
    told: HashSet<PathBuf>,
}

#[derive(Clone, Debug)]
struct Known {
    stamp: Stamp,
    since: Instant,
    /// Whether there is more to do with it as it is.
    waits: bool,
    /// What is read whole, and not record by record.
    stands: Option<Stands>,
}

/// What a file is that is no log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// The estate, or the networks.
    Inventory,
    /// A queue, blocks.
    Wallets,
    /// A wallet policy: what is judged by it changes, and the wallets of the graph.
    WalletPolicy,
}

impl Stands {
    fn tells_of_wallets(self) -> bool {
        self != Stands::Inventory
    }

    fn tells_of_the_estate(self) -> bool {
        self != Stands::Wallets
    }
}

/// Whether all of a file was taken.
enum Taken {
    All,
    /// An end that is not whole yet.
    Waits,
}

/// The watch has ended.
struct Ended;

enum Failure {
    Ended,
    Read(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<Ended> for Failure {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

impl Follower {
    pub(crate) fn new(
        roots: Vec<PathBuf>,
        skip: Vec<PathBuf>,
        patience: Patience,
        marks: Vec<(String, Vec<u8>)>,
        before: HashMap<PathBuf, Stamp>,
        intake: Intake,
        signs: Arc<Signs>,
    ) -> Self {
        Self {
            roots,
            skip,
            patience,
            intake,
            signs,
            marks: marks
                .into_iter()
                .filter_map(|(key, mark)| Some((key, Mark::read(&mark)?)))
                .collect(),
            pruned: None,
            known: HashMap::new(),
            before,
            changed: Vec::new(),
            brought: false,
            told: HashSet::new(),
        }
    }

    /// Follows until the watch ends.
    pub(crate) fn run(mut self) {
        while !self.signs.stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            if self.look().is_err() {
                return;
            }
            // Of very many files a look takes its time, and need not be taken all the time. One that brought
            // something took longer for that alone.
            let look = if self.brought {
                Duration::ZERO
            } else {
                start.elapsed()
            };
            let pause = (look * 20).clamp(self.patience.poll, self.patience.poll * 10);
            self.brought = false;
            let until = Instant::now() + pause;
            while Instant::now() < until && !self.signs.stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20).min(pause));
            }
        }
    }

    /// Looks at all files once.
    fn look(&mut self) -> Result<(), Ended> {
        let gone = |root: &&PathBuf| !root.exists();
        let missing: Vec<PathBuf> = self.roots.iter().filter(gone).cloned().collect();
        let (found, _) = discover(&self.roots);
        let mut seen = HashSet::new();
        // A folder that is not there, as when a share is not mounted, is waited for: what was known of its
        // files, the inventory among them, stays as it is.
        let known = self.known.keys();
        let waited = |path: &&PathBuf| missing.iter().any(|root| path.starts_with(root));
        seen.extend(known.filter(waited).cloned());
        for root in &self.roots {
            let why = missing.contains(root).then(|| "it is not there".to_owned());
            self.signs.set_trouble(&root.display().to_string(), why);
        }
        for file in found {
            let skipped = |path: &PathBuf| self.skip.iter().any(|skip| path.starts_with(skip));
            let Some(path) = file.path.filter(|path| !skipped(path)) else {
                continue;
            };
            if self.signs.stop.load(Ordering::Relaxed) {
                return Err(Ended);
            }
            seen.insert(path.clone());
            match self.look_at(&path) {
                Ok(()) => {
                    self.told.remove(&path);
                }
                Err(Failure::Ended) => return Err(Ended),
                // One that went between the look and the reading is no failure.
                Err(Failure::Read(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(Failure::Read(error)) => self.tell(&path, &error)?,
            }
        }
        let before = self.known.len();
        let gone = self.known.iter().filter(|(path, _)| !seen.contains(*path));
        let gone: Vec<Stands> = gone.filter_map(|(_, known)| known.stands).collect();
        self.known.retain(|path, _| seen.contains(path));
        let wallets = self.known.iter();
        let wallets =
            wallets.filter(|(_, known)| known.stands.is_some_and(Stands::tells_of_wallets));
        self.signs
            .set_wallet_files(wallets.map(|(path, _)| path.clone()).collect());
        // After which they are is known.
        self.changed.extend(gone);
        for stands in std::mem::take(&mut self.changed) {
            if stands.tells_of_the_estate() {
                self.signs.inventory_changed.store(true, Ordering::SeqCst);
            }
            if stands.tells_of_wallets() {
                self.signs.wallets_changed.store(true, Ordering::SeqCst);
            }
        }
        self.before = HashMap::new();
        if missing.is_empty() && self.pruned.is_none_or(|last| last.elapsed() >= PRUNE) {
            self.prune()?;
            self.pruned = Some(Instant::now());
        }
        let all = self.known.values().all(|known| !known.waits) && before == self.known.len();
        self.signs.caught_up.store(all, Ordering::SeqCst);
        Ok(())
    }

    /// Sets down which files went, and forgets those that have been gone for longer than records are kept. Only
    /// after a look at everything: what is not mounted is not gone.
    fn prune(&mut self) -> Result<(), Ended> {
        let known = || self.known.iter();
        let there = known().map(|(path, known)| known.stamp.key(path)).collect();
        // What has no mark of its own goes by that of its name.
        let bare = known().filter(|(path, known)| !self.marks.contains_key(&known.stamp.key(path)));
        let named = bare.map(|(path, _)| path.to_string_lossy().into_owned());
        let (named, days) = (named.collect(), self.patience.keeping.days);
        let now = jiff::Timestamp::now().as_second();
        let pruned = prune(&mut self.marks, is_of_a_file, &there, &named, days, now);
        for (key, mark) in pruned.changed {
            let mut chunk = Chunk::new(&key, "", mark.name.as_str().into());
            chunk.mark = Some(mark.bytes());
            self.send(chunk)?;
        }
        self.patience.keeping.floor = self.patience.keeping.floor.max(pruned.floor);
        for key in pruned.forgotten {
            let mut chunk = Chunk::new(&key, "", "".into());
            chunk.forgotten = self.patience.keeping.floor;
            self.send(chunk)?;
        }
        Ok(())
    }

    /// Tells once that a file cannot be read; it is tried again whenever it changes.
    fn tell(&mut self, path: &Path, error: &io::Error) -> Result<(), Ended> {
        if !self.told.insert(path.to_owned()) {
            return Ok(());
        }
        let name: Arc<str> = path.to_string_lossy().into();
        let mut chunk = Chunk::new(&format!("unreadable:{name}"), "", name);
        chunk.bury(0, format!("cannot be read: {error}"));
        self.send(chunk)
    }

    fn send(&mut self, chunk: Chunk) -> Result<(), Ended> {
        self.brought = true;
        if self.intake.bring(chunk) {
            Ok(())
        } else {
            Err(Ended)
        }
    }

    fn look_at(&mut self, path: &Path) -> Result<(), Failure> {
        let stamp = Stamp::of(&std::fs::metadata(path)?);
        let before = self.known.get(path).cloned();
        let is_same = before.as_ref().is_some_and(|known| known.stamp == stamp);
        let since = match &before {
            Some(known) if is_same => known.since,
            _ => Instant::now(),
        };
        if is_same && before.as_ref().is_some_and(|known| !known.waits) {
            return Ok(());
        }
        let settled = is_same && since.elapsed() >= self.patience.settle;
        if is_same && !settled {
            return Ok(());
        }
        let mut opened = Opened::file(path)?;
        let recognition = portreeve_telemetry::recognise(opened.first())
            .or_else(|| portreeve_telemetry::recognise(opened.head()));
        let source = recognition.and_then(|it| portreeve_telemetry::source(it.source));
        let mut known = Known {
            stamp,
            since,
            waits: false,
            stands: match recognition {
                Some(_) => None,
                None => stands(opened.head(), path),
            },
        };
        if let (Some(recognition), Some(source)) = (recognition, source) {
            known.waits = true;
            self.known.insert(path.to_owned(), known.clone());
            let taken = self.read(path, stamp, settled, opened, recognition, source)?;
            known.waits = matches!(taken, Taken::Waits) && !settled;
        }
        if self.before.get(path) != Some(&stamp) {
            self.changed.extend(known.stands);
            self.changed.extend(before.and_then(|known| known.stands));
        }
        self.known.insert(path.to_owned(), known);
        Ok(())
    }

    /// The mark of a file: its own, that of the same content at the same name, or a new one.
    fn mark(&self, path: &Path, stamp: Stamp) -> io::Result<Mark> {
        let key = stamp.key(path);
        if let Some(mark) = self.marks.get(&key)
            && mark.is_of(path, stamp.size)?
        {
            return Ok(mark.clone());
        }
        let name = path.to_string_lossy();
        // A folder that was copied or restored: other numbers, the same names and beginnings.
        for mark in self.marks.values() {
            if mark.name == name && mark.head_bytes > 0 && mark.is_of(path, stamp.size)? {
                return Ok(mark.clone());
            }
        }
        Ok(Mark {
            name: name.into_owned(),
            floor: self.patience.keeping.floor,
            ..Mark::default()
        })
    }

    fn read(
        &mut self,
        path: &Path,
        stamp: Stamp,
        settled: bool,
        mut opened: Opened,
        recognition: Recognition,
        source: &dyn Source,
    ) -> Result<Taken, Failure> {
        let mut mark = self.mark(path, stamp)?;
        let key = stamp.key(path);
        if mark.whole && mark.size == stamp.size {
            // A copy of what was read: it goes by a mark of its own from now on.
            if !self.marks.contains_key(&key) {
                let mut chunk = Chunk::new(&key, recognition.source, mark.name.as_str().into());
                chunk.mark = Some(mark.bytes());
                self.send(chunk)?;
            }
            self.marks.insert(key, mark);
            return Ok(Taken::All);
        }
        mark.recognise(path, stamp.size)?;
        let is_lines = opened.is_plain()
            && recognition.container == Container::Json
            && begins_with_a_line(opened.head());
        let mut reading = Reading {
            follower: self,
            key,
            mark,
            recognition,
            source,
        };
        if is_lines {
            reading.lines(path, stamp, settled)
        } else {
            reading.document(stamp, settled, opened)
        }
    }
}

/// One file that is read.
struct Reading<'f> {
    follower: &'f mut Follower,
    key: String,
    mark: Mark,
    recognition: Recognition,
    source: &'f dyn Source,
}

impl Reading<'_> {
    fn chunk(&self) -> Chunk {
        let name: Arc<str> = self.mark.name.as_str().into();
        let mut chunk = Chunk::new(&self.key, self.recognition.source, name);
        chunk.floor = self.mark.floor;
        chunk
    }

    /// Sends a piece, with how far the file was read with it.
    fn send(&mut self, mut chunk: Chunk) -> Result<(), Ended> {
        chunk.mark = Some(self.mark.bytes());
        self.follower
            .marks
            .insert(self.key.clone(), self.mark.clone());
        self.follower.send(chunk)
    }

    /// Reads lines from where reading ended to the last line's end.
    fn lines(&mut self, path: &Path, stamp: Stamp, settled: bool) -> Result<Taken, Failure> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.mark.done))?;
        let mut rest = Vec::new();
        let mut ended = false;
        loop {
            let mut grown = 0;
            while !ended
                && (rest.len() < PIECE || !rest.contains(&b'\n'))
                && rest.len() < LONGEST_LINE
            {
                let count = (&mut file).take(PIECE as u64).read_to_end(&mut rest)?;
                grown += count;
                ended = count == 0;
            }
            let is_too_long = rest.len() >= LONGEST_LINE;
            let ready = match rest.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if is_too_long => rest.len(),
                None if settled && is_value(&rest) => rest.len(),
                None => 0,
            };
            if ready > 0 {
                let mut chunk = self.chunk();
                let (base, first) = (self.mark.done, self.mark.index);
                let mut index = first;
                each_split(
                    self.source,
                    self.recognition.container,
                    &mut &rest[..ready],
                    &mut |split| {
                        match split {
                            Split::Record(record) => {
                                index = first + record.index + 1;
                                chunk.add(record.bytes, first + record.index, base + record.offset);
                            }
                            Split::Dead { offset, reason } => chunk.bury(base + offset, reason),
                        }
                        true
                    },
                );
                self.mark.index = index;
                self.mark.done += ready as u64;
                self.mark.size = self.mark.done;
                self.mark.whole = false;
                self.send(chunk)?;
                rest.drain(..ready);
            }
            if ended && (grown == 0 || ready == 0) {
                break;
            }
        }
        let whole = self.mark.done >= stamp.size;
        Ok(if whole { Taken::All } else { Taken::Waits })
    }

    /// Reads a file that is not of lines from its beginning, and takes what was not taken before.
    fn document(
        &mut self,
        stamp: Stamp,
        settled: bool,
        mut opened: Opened,
    ) -> Result<Taken, Failure> {
        // Of a table without compression nothing tells whether its last row is whole.
        let is_table = self.recognition.container == Container::Csv;
        if is_table && opened.is_plain() && !settled {
            return Ok(Taken::Waits);
        }
        let before = self.mark.index;
        let mut ready: Vec<Chunk> = Vec::new();
        let mut kept_back = 0;
        // Dead letters behind the last record: perhaps only because the file is not whole yet.
        let mut trailing: Vec<(u64, String)> = Vec::new();
        let mut chunk = self.chunk();
        let mut ended = Ok(());
        let mut counted = Counted {
            stream: &mut opened,
            bytes: 0,
        };
        let (source, container) = (self.source, self.recognition.container);
        each_split(source, container, &mut counted, &mut |split| {
            match split {
                Split::Dead { offset, reason } => trailing.push((offset, reason.into_owned())),
                Split::Record(record) if record.index < before => trailing.clear(),
                Split::Record(record) => {
                    for (offset, reason) in trailing.drain(..) {
                        chunk.bury(offset, reason);
                    }
                    chunk.add(record.bytes, record.index, record.offset);
                    self.mark.index = record.index + 1;
                    if chunk.bytes.len() >= PIECE {
                        let next = self.chunk();
                        let mut full = std::mem::replace(&mut chunk, next);
                        full.mark = Some(self.mark.bytes());
                        kept_back += full.bytes.len();
                        ready.push(full);
                    }
                }
            }
            if kept_back >= KEPT_BACK {
                for one in ready.drain(..) {
                    ended = ended
                        .and_then(|()| self.follower.intake.bring(one).then_some(()).ok_or(()));
                }
            }
            ended.is_ok()
        });
        ended.map_err(|()| Ended)?;
        let is_whole = trailing.is_empty();
        if !is_whole && !settled {
            // What was sent already stays taken: its records were whole.
            if kept_back < KEPT_BACK {
                self.mark.index = before;
                return Ok(Taken::Waits);
            }
        } else {
            for (offset, reason) in trailing {
                chunk.bury(offset, reason);
            }
            self.mark.done = counted.bytes;
            self.mark.size = stamp.size;
            self.mark.whole = true;
        }
        for one in ready {
            self.follower.send(one)?;
        }
        self.send(chunk)?;
        Ok(if self.mark.whole {
            Taken::All
        } else {
            Taken::Waits
        })
    }
}

struct Counted<'r> {
    stream: &'r mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// What a file is that is no log: what the estate, the networks or wallets are told by.
fn stands(head: &[u8], path: &Path) -> Option<Stands> {
    if portreeve_estate::recognise(head).is_some()
        || networks::recognise(head, Some(path)).is_some()
    {
        Some(Stands::Inventory)
    } else {
        wallets::recognise(head).map(|kind| match kind {
            wallets::Kind::Policy => Stands::WalletPolicy,
            wallets::Kind::Queue | wallets::Kind::Blocks => Stands::Wallets,
        })
    }
}

/// The files below some paths, as they are now.
pub(crate) fn stamps(paths: &[PathBuf]) -> HashMap<PathBuf, Stamp> {
    let (found, _) = discover(paths);
    let files = found.into_iter().filter_map(|file| file.path);
    files
        .filter_map(|path| {
            let stamp = Stamp::of(&std::fs::metadata(&path).ok()?);
            Some((path, stamp))
        })
        .collect()
}

/// Whether what a file begins with is a whole line that stands for itself: one JSON value, or other text
/// before one.
fn begins_with_a_line(head: &[u8]) -> bool {
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    let line = head[..end].trim_ascii();
    match line.first() {
        Some(b'{' | b'[') => is_value(line),
        Some(_) => true,
        None => false,
    }
}

fn is_value(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
