//! Follows folders: new files, files that grow, files that are half-written, replaced or rotated away.
//!
//! Which files there are and what has become of them is told here; one file is read by [`reading`].

mod reading;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use portreeve_telemetry::{Container, Recognition, Source};

use self::reading::{Reading, Taken, begins_with_a_line};
use super::intake::{Chunk, Intake};
use super::mark::{Mark, Stamp};
use super::pruning::{Keeping, PRUNE, is_of_a_file, prune};
use super::signs::Signs;
use crate::discover::discover;
use crate::networks;
use crate::open::Opened;
use crate::wallets;

/// How often folders are looked at, how long an unfinished end is waited for, and for how long marks are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) poll: Duration,
    pub(crate) settle: Duration,
    pub(crate) keeping: Keeping,
}

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
