//! Follows a bucket: objects that are listed, and those that a queue tells of.
//!
//! Objects are written whole and never grow, so each is read once; its mark is kept by its key. A queue's
//! message is taken off the queue when the commit that holds the records of all its objects is written: one
//! that was not is delivered again, and its objects are known then. What no message told of, as while no queue
//! was set up, is found by listing, at the start and every so often. Marks of objects that no listing has shown for
//! longer than records are kept are forgotten, as those of files are.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use portreeve_record::Split;

use super::intake::{Chunk, Intake, each_split};
use super::mark::Mark;
use super::pruning::{Keeping, PRUNE, prune};
use super::signs::Signs;
use crate::open::Opened;

/// So many bytes are taken as one piece.
const PIECE: usize = 1 << 20;

/// How long a trouble of the bucket is waited for before the next try; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// With a queue the bucket is listed so many times more rarely: only what no message told of is found so.
const RARELY: u32 = 20;

/// An object of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// What changes when its content does: its entity tag.
    pub tag: String,
}

/// A message that objects are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// By which it is taken off the queue.
    pub receipt: String,
    /// The objects.
    pub objects: Vec<Object>,
}

/// Where objects are, by whatever client.
pub trait Objects: Send {
    /// What the bucket is called: `s3://bucket/prefix`.
    fn name(&self) -> &str;

    /// The objects behind a key, or from the first on, in order of key; a part of them, empty behind the last.
    ///
    /// # Errors
    /// In words, where they cannot be had. It is tried again.
    fn list(&mut self, after: Option<&str>) -> Result<Vec<Object>, String>;

    /// The content of an object; `None` where it is gone.
    ///
    /// # Errors
    /// Likewise.
    fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, String>;

    /// Waits a while for messages; `None` where there is no queue.
    ///
    /// # Errors
    /// Likewise.
    fn notices(&mut self) -> Result<Option<Vec<Notice>>, String>;

    /// Takes a message off the queue.
    ///
    /// # Errors
    /// Likewise; the message comes again.
    fn done(&mut self, notice: &Notice) -> Result<(), String>;
}

/// A message whose objects were brought, and what still has to be committed of them.
struct Brought {
    notice: Notice,
    commits: Vec<Receiver<u64>>,
}

pub(crate) struct Bucket {
    objects: Box<dyn Objects>,
    poll: Duration,
    intake: Intake,
    signs: Arc<Signs>,
    keeping: Keeping,
    marks: HashMap<String, Mark>,
    pruned: Option<Instant>,
    brought: VecDeque<Brought>,
}

/// Why looking at the bucket ended.
enum Trouble {
    /// The watch has ended.
    Ended,
    /// The bucket cannot be used at the moment.
    Passing(String),
}

impl From<String> for Trouble {
    fn from(words: String) -> Self {
        Self::Passing(words)
    }
}

impl Bucket {
    pub(crate) fn new(
        objects: Box<dyn Objects>,
        poll: Duration,
        keeping: Keeping,
        marks: &[(String, Vec<u8>)],
        intake: Intake,
        signs: Arc<Signs>,
    ) -> Self {
        let prefix = "object:";
        let marks = marks.iter().filter(|(key, _)| key.starts_with(prefix));
        Self {
            objects,
            poll,
            intake,
            signs,
            keeping,
            pruned: None,
            marks: marks
                .filter_map(|(key, mark)| Some((key.clone(), Mark::read(mark)?)))
                .collect(),
            brought: VecDeque::new(),
        }
    }

    /// Follows until the watch ends.
    pub(crate) fn run(mut self) {
        let mut wait = FIRST_WAIT;
        let mut listed: Option<Instant> = None;
        while !self.signs.stop.load(Ordering::Relaxed) {
            let has_queue = match self.look(&mut listed) {
                Ok(has_queue) => has_queue,
                Err(Trouble::Ended) => return,
                Err(Trouble::Passing(words)) => {
                    self.signs.set_trouble(self.objects.name(), Some(words));
                    self.pause(wait);
                    wait = (wait * 2).min(LONGEST_WAIT);
                    continue;
                }
            };
            self.signs.set_trouble(self.objects.name(), None);
            wait = FIRST_WAIT;
            // A queue is waited at; without one the bucket is.
            self.pause(if has_queue { Duration::ZERO } else { self.poll });
        }
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.signs.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20).min(time));
        }
    }

    /// Looks once; whether there is a queue.
    fn look(&mut self, listed: &mut Option<Instant>) -> Result<bool, Trouble> {
        let rarely = self.poll * RARELY;
        let notices = match listed {
            // What was there before is listed before messages are asked for.
            None => None,
            Some(_) => self.objects.notices()?,
        };
        let has_queue = notices.is_some();
        for notice in notices.into_iter().flatten() {
            let mut commits = Vec::new();
            for object in &notice.objects {
                commits.extend(self.take(object)?);
            }
            self.brought.push_back(Brought { notice, commits });
        }
        self.finish()?;
        let is_due = listed.is_none_or(|time| !has_queue || time.elapsed() >= rarely);
        if is_due {
            self.list()?;
            *listed = Some(Instant::now());
        }
        Ok(has_queue)
    }

    fn list(&mut self) -> Result<(), Trouble> {
        let mut after: Option<String> = None;
        let mut there = HashSet::new();
        loop {
            let page = self.objects.list(after.as_deref())?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.key.clone());
            for object in &page {
                if self.signs.stop.load(Ordering::Relaxed) {
                    return Err(Trouble::Ended);
                }
                self.take(object)?;
                there.insert(self.input_of(object));
            }
        }
        self.signs.listed(self.objects.name());
        if self.pruned.is_none_or(|last| last.elapsed() >= PRUNE) {
            self.prune(&there)?;
            self.pruned = Some(Instant::now());
        }
        Ok(())
    }

    /// Sets down which objects went, and forgets those that have been gone for longer than records are kept.
    /// Only after a whole listing; what lies elsewhere in the bucket was not listed.
    fn prune(&mut self, there: &HashSet<String>) -> Result<(), Trouble> {
        let listed = format!("object:{}", self.objects.name());
        let pruned = prune(
            &mut self.marks,
            |key| key.starts_with(&listed),
            there,
            &HashSet::new(),
            self.keeping.days,
            jiff::Timestamp::now().as_second(),
        );
        self.keeping.floor = self.keeping.floor.max(pruned.floor);
        let changed = pruned.changed.into_iter().map(|(key, mark)| {
            let mut chunk = Chunk::new(&key, "", mark.name.as_str().into());
            chunk.mark = Some(mark.bytes());
            chunk
        });
        let forgotten = pruned.forgotten.into_iter().map(|key| {
            let mut chunk = Chunk::new(&key, "", "".into());
            chunk.forgotten = self.keeping.floor;
            chunk
        });
        for chunk in changed.chain(forgotten) {
            if !self.intake.bring(chunk) {
                return Err(Trouble::Ended);
            }
        }
        Ok(())
    }

    /// What an object's mark is kept by.
    fn input_of(&self, object: &Object) -> String {
        format!("object:{}/{}", bucket_of(self.objects.name()), object.key)
    }

    /// Takes messages off the queue whose records are committed.
    fn finish(&mut self) -> Result<(), Trouble> {
        while let Some(first) = self.brought.front_mut() {
            while let Some(commit) = first.commits.last() {
                match commit.try_recv() {
                    Ok(_) => drop(first.commits.pop()),
                    Err(TryRecvError::Empty) => return Ok(()),
                    Err(TryRecvError::Disconnected) => return Err(Trouble::Ended),
                }
            }
            self.objects.done(&first.notice)?;
            self.brought.pop_front();
        }
        Ok(())
    }

    /// Brings the records of an object that was not read yet; told when they are committed.
    fn take(&mut self, object: &Object) -> Result<Option<Receiver<u64>>, Trouble> {
        let input = self.input_of(object);
        let name = input.trim_start_matches("object:").to_owned();
        let known = self.marks.get(&input);
        if known.is_some_and(|mark| (&mark.head, mark.size) == (&object.tag, object.size)) {
            return Ok(None);
        }
        // Of one that was written anew what was taken before is skipped.
        let before = known.map_or(0, |mark| mark.index);
        let floor = known.map_or(self.keeping.floor, |mark| mark.floor);
        let Some(bytes) = self.objects.read(&object.key)? else {
            return Ok(None);
        };
        let mut mark = Mark {
            name: name.clone(),
            size: object.size,
            head: object.tag.clone(),
            index: before,
            whole: true,
            floor,
            ..Mark::default()
        };
        let (pieces, index) = pieces(&input, &name, bytes, before);
        mark.index = index;
        let (acknowledge, committed) = sync_channel(1);
        let count = pieces.len();
        for (number, mut piece) in pieces.into_iter().enumerate() {
            piece.floor = floor;
            if number + 1 == count {
                piece.mark = Some(mark.bytes());
                piece.acknowledge = Some(acknowledge.clone());
            } else {
                // How far it came so far: read again after a kill, what was taken is skipped.
                let so_far = piece.records.last().map_or(before, |place| place.index + 1);
                let part = Mark {
                    index: so_far,
                    head: String::new(),
                    whole: false,
                    ..mark.clone()
                };
                piece.mark = Some(part.bytes());
            }
            if !self.intake.bring(piece) {
                return Err(Trouble::Ended);
            }
        }
        self.marks.insert(input, mark);
        Ok(Some(committed))
    }
}

/// `s3://bucket` of `s3://bucket/prefix`: keys hold the prefix.
fn bucket_of(name: &str) -> &str {
    let start = name.find("://").map_or(0, |at| at + 3);
    let end = name[start..].find('/').map_or(name.len(), |at| start + at);
    &name[..end]
}

/// The records of an object behind those that were taken before, in pieces, at least one; and how many
/// records it holds.
fn pieces(input: &str, name: &str, bytes: Vec<u8>, before: u64) -> (Vec<Chunk>, u64) {
    let name: Arc<str> = name.into();
    let nothing = |reason: Option<String>| {
        let mut chunk = Chunk::new(input, "", name.clone());
        if let Some(reason) = reason {
            chunk.bury(0, reason);
        }
        (vec![chunk], before)
    };
    let mut opened = match Opened::new(Box::new(std::io::Cursor::new(bytes))) {
        Ok(opened) => opened,
        Err(error) => return nothing(Some(format!("cannot be read: {error}"))),
    };
    let recognition = portreeve_telemetry::recognise(opened.first())
        .or_else(|| portreeve_telemetry::recognise(opened.head()));
    let source = recognition.and_then(|it| portreeve_telemetry::source(it.source));
    let (Some(recognition), Some(source)) = (recognition, source) else {
        // Digests, and whatever else lies beside logs, is no record of any.
        return nothing(None);
    };
    let mut pieces = Vec::new();
    let mut piece = Chunk::new(input, recognition.source, name.clone());
    let mut index = before;
    each_split(source, recognition.container, &mut opened, &mut |split| {
        match split {
            Split::Dead { offset, reason } => piece.bury(offset, reason),
            Split::Record(record) if record.index < before => {}
            Split::Record(record) => {
                piece.add(record.bytes, record.index, record.offset);
                index = index.max(record.index + 1);
                if piece.bytes.len() >= PIECE {
                    let next = Chunk::new(input, recognition.source, name.clone());
                    pieces.push(std::mem::replace(&mut piece, next));
                }
            }
        }
        true
    });
    pieces.push(piece);
    (pieces, index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_told_from_prefixes() {
        assert_eq!(bucket_of("s3://trail/AWSLogs/1"), "s3://trail");
        assert_eq!(bucket_of("s3://trail"), "s3://trail");
    }

    /// One object, in one page.
    struct One;

    impl Objects for One {
        fn name(&self) -> &str {
            "s3://b/p"
        }

        fn list(&mut self, after: Option<&str>) -> Result<Vec<Object>, String> {
            let object = Object {
                key: "p/new".to_owned(),
                size: 5,
                tag: "1".to_owned(),
            };
            Ok(Vec::from_iter(after.is_none().then_some(object)))
        }

        fn read(&mut self, _: &str) -> Result<Option<Vec<u8>>, String> {
            Ok(Some(b"hello".to_vec()))
        }

        fn notices(&mut self) -> Result<Option<Vec<Notice>>, String> {
            Ok(None)
        }

        fn done(&mut self, _: &Notice) -> Result<(), String> {
            Ok(())
        }
    }

    #[test]
    fn marks_of_objects_that_are_gone_for_long_are_forgotten() {
        let marks = ["p/old", "p/went", "q/elsewhere"].map(|key| {
            let mark = Mark {
                name: format!("s3://b/{key}"),
                gone: (key == "p/old").then_some(1_000),
                ..Mark::default()
            };
            (format!("object:s3://b/{key}"), mark.bytes())
        });
        let keeping = Keeping {
            days: Some(30),
            floor: None,
        };
        let (intake, arrivals) = Intake::new();
        let poll = Duration::from_secs(1);
        let mut bucket = Bucket::new(Box::new(One), poll, keeping, &marks, intake, Arc::default());
        assert!(bucket.list().is_ok());
        let chunks: Vec<Chunk> = arrivals.try_iter().collect();
        let inputs: Vec<&str> = chunks.iter().map(|chunk| &*chunk.input).collect();
        let expected = ["p/new", "p/went", "p/old"].map(|key| format!("object:s3://b/{key}"));
        assert_eq!(inputs, expected);
        let gone = |chunk: &Chunk| Mark::read(chunk.mark.as_ref()?)?.gone;
        assert_eq!(gone(&chunks[0]), None);
        assert!(gone(&chunks[1]).is_some());
        assert_eq!(chunks[2].forgotten, Some(1_000));
        // What comes from now on may be one that was forgotten: older records are passed over in it.
        bucket.marks.remove("object:s3://b/p/new");
        assert!(bucket.list().is_ok());
        assert_eq!(arrivals.try_recv().unwrap().floor, Some(1_000));
        assert!(arrivals.try_recv().is_err(), "looked through once an hour");
    }

    #[test]
    fn what_is_no_log_is_one_empty_piece() {
        let (pieces, index) = pieces("object:x", "x", b"hello".to_vec(), 3);
        assert_eq!((pieces.len(), index), (1, 3));
        assert!(pieces[0].records.is_empty() && pieces[0].dead.is_empty());
    }
}
