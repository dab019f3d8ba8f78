//! Reading logs, file by file, on some threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use portreeve_model::{DeadLetter, Input, InputKind};

use crate::inventory;
use crate::open::Opened;
use crate::progress::Progress;
use crate::reader::{FileOutcome, LogReader};
use crate::survey::Rest;

/// Reads all logs on as many threads as asked for, 0 for as many as there are processors; each
/// thread has readers of its own. What became of each file, in no order; with `hash_content` the
/// sum of what is inside it too.
pub(crate) fn read_logs<'s>(
    files: Vec<Rest>,
    threads: usize,
    hash_content: bool,
    progress: &dyn Progress,
    readers: impl Fn() -> Vec<LogReader<'s>> + Sync,
) -> Vec<(Input, FileOutcome)> {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let work = Work::new(files, threads);
    std::thread::scope(|scope| {
        let worker = || {
            let mut log_readers = readers();
            while let Some(file) = work.take() {
                let bytes = file.found.bytes;
                let done = read_file(file, &mut log_readers, hash_content);
                work.done(done);
                progress.advance(bytes);
            }
            log_readers.iter_mut().for_each(LogReader::flush);
        };
        for _ in 1..threads.min(work.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    work.finish()
}

/// A file is large that is more than one in so many parts of what each thread reads.
const LARGE: u64 = 32;

/// Files to read, in order of their names: those of one account, region and day tell much the same, which is
/// then still at hand. Where there are several threads the largest come first, so that none is left with a
/// large one at the end.
struct Work {
    files: Vec<Mutex<Option<Rest>>>,
    next: AtomicUsize,
    done: Mutex<Vec<(Input, FileOutcome)>>,
}

impl Work {
    fn new(mut files: Vec<Rest>, threads: usize) -> Self {
        let total: u64 = files.iter().map(|file| file.found.bytes).sum();
        let large = match threads {
            1 => u64::MAX,
            threads => total / threads as u64 / LARGE,
        };
        files.sort_by(|a, b| {
            let large = |file: &Rest| (file.found.bytes > large).then_some(file.found.bytes);
            large(b).cmp(&large(a)).then_with(|| a.found.cmp(&b.found))
        });
        Self {
            files: files
                .into_iter()
                .map(|file| Mutex::new(Some(file)))
                .collect(),
            next: AtomicUsize::new(0),
            done: Mutex::default(),
        }
    }

    fn len(&self) -> usize {
        self.files.len()
    }

    fn take(&self) -> Option<Rest> {
        loop {
            let file = self.files.get(self.next.fetch_add(1, Ordering::Relaxed))?;
            let file = file.lock().unwrap_or_else(PoisonError::into_inner).take();
            if file.is_some() {
                return file;
            }
        }
    }

    fn done(&self, outcome: (Input, FileOutcome)) {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(outcome);
    }

    fn finish(self) -> Vec<(Input, FileOutcome)> {
        self.done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_file(
    file: Rest,
    readers: &mut [LogReader<'_>],
    hash_content: bool,
) -> (Input, FileOutcome) {
    let Rest {
        found,
        opened,
        recognition,
    } = file;
    let mut outcome = FileOutcome::default();
    let opened = match (opened, &found.path) {
        (Some(opened), _) => Ok(opened),
        (None, Some(path)) => Opened::file(path),
        (None, None) => Opened::new(Box::new(std::io::empty())),
    };
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            outcome.dead.push(DeadLetter {
                file: found.name.clone(),
                offset: 0,
                reason: format!("cannot be opened: {error}"),
            });
            let input = Input {
                file: found.name,
                kind: InputKind::Unrecognised,
                format: String::new(),
                bytes: found.bytes,
                sha256: String::new(),
                records: 0,
                proof: None,
            };
            return (input, outcome);
        }
    };
    if hash_content {
        opened.hash_content();
    }
    let (kind, format) = match recognition {
        None => (InputKind::Unrecognised, String::new()),
        Some(recognition) => {
            let reader = readers
                .iter_mut()
                .find(|reader| reader.source.id() == recognition.source);
            if let Some(reader) = reader {
                outcome = reader.read(&found.name, &mut opened, recognition.container);
            }
            let kind = match recognition.container {
                portreeve_telemetry::Container::Ignored => InputKind::Ignored,
                _ => InputKind::Log,
            };
            (
                kind,
                format!("{} ({})", recognition.source, recognition.format),
            )
        }
    };
    let mut dead = Vec::new();
    outcome.content = opened.content_sha256();
    let input = inventory::finish(&found, opened, kind, &format, outcome.records, &mut dead);
    outcome.dead.extend(dead);
    (input, outcome)
}
