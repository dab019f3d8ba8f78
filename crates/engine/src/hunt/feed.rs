//! Files to threads, piece by piece.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portreeve_record::SplitOptions;
use portreeve_telemetry::{Container, Recognition};

use super::commit::{Commit, Outcome};
use super::piece::{Block, Cutter, Piece};
use super::scan::{Part, Scanner};
use super::state::Mark;
use crate::discover::Found;
use crate::open::Opened;
use crate::progress::Progress;

/// How long a thread waits for another one that reads what is told next.
const PAUSE: Duration = Duration::from_millis(1);

/// Files that are read one after the other, each by whoever has time.
///
/// A thread opens a file of its own as long as there are any; then it helps with those that others
/// have opened. While one thread decompresses the next piece of a file, others scan those before it.
pub(super) struct Feed<'r> {
    files: Vec<Mutex<State>>,
    found: Vec<Found>,
    next: AtomicUsize,
    /// Whether files may have more another time.
    may_grow: bool,
    /// Whether to begin no other piece.
    stop: &'r AtomicBool,
}

#[derive(Default)]
struct State {
    stream: Option<Stream>,
    ended: bool,
}

struct Stream {
    cutter: Cutter,
    recognition: Option<Recognition>,
    split: SplitOptions,
    /// The number of the next piece, and its first byte.
    piece: u32,
    offset: u64,
    on_disk: u64,
    /// How many records from there on were told of another time.
    skip: u64,
}

impl<'r> Feed<'r> {
    pub(super) fn new(found: Vec<Found>, may_grow: bool, stop: &'r AtomicBool) -> Self {
        Self {
            files: found.iter().map(|_| Mutex::default()).collect(),
            found,
            next: AtomicUsize::new(0),
            may_grow,
            stop,
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Works until there is nothing left to begin.
    pub(super) fn work(
        &self,
        scanner: &mut Scanner<'_>,
        commit: &Commit<'_>,
        progress: &dyn Progress,
    ) {
        let mut own = None;
        let mut room = Block::default();
        while !commit.failed() && !self.is_stopped() {
            let file = if commit.is_full() {
                let next = commit.next_file();
                if next >= self.files.len() || self.lock(next).ended {
                    // Another thread has it in hand.
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Some(next)
            } else {
                own.filter(|file| !self.lock(*file).ended)
                    .or_else(|| self.open_next(commit))
                    .or_else(|| self.first_open())
            };
            let Some(file) = file else { return };
            own = Some(file);
            room = self.one_piece(file, room, scanner, commit, progress);
        }
    }

    fn lock(&self, file: usize) -> MutexGuard<'_, State> {
        self.files[file]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the next file that can be opened and tells of those that cannot.
    fn open_next(&self, commit: &Commit<'_>) -> Option<usize> {
        loop {
            let file = self.next.fetch_add(1, Ordering::Relaxed);
            let found = self.found.get(file)?;
            let mut state = self.lock(file);
            if commit.is_done(file, found) {
                commit.add(file, 0, Outcome::passed());
                state.ended = true;
                continue;
            }
            let opened = match &found.path {
                Some(path) => Opened::unhashed(path),
                None => Opened::new(Box::new(std::io::stdin())),
            };
            match opened {
                Ok(mut opened) => {
                    let recognition = portreeve_telemetry::recognise(opened.first())
                        .or_else(|| portreeve_telemetry::recognise(opened.head()));
                    let is_json = recognition.is_some() || super::plain::holds_json(opened.head());
                    let known =
                        recognition.and_then(|known| portreeve_telemetry::source(known.source));
                    if is_json {
                        let split = match known {
                            Some(source) => source.split_options(),
                            None => super::plain::split_options(opened.head()),
                        };
                        let mark = commit.mark(file);
                        let mut cutter = Cutter::new(opened);
                        if self.may_grow && found.path.is_some() {
                            cutter.may_grow();
                        }
                        // What goes wrong here goes wrong again below, where it is told.
                        let offset = cutter.pass(mark.offset).unwrap_or(mark.offset);
                        state.stream = Some(Stream {
                            cutter,
                            recognition,
                            split,
                            piece: 0,
                            offset,
                            on_disk: 0,
                            skip: mark.skip,
                        });
                        return Some(file);
                    }
                    commit.add(file, 0, Outcome::foreign());
                }
                Err(error) => {
                    commit.add(file, 0, Outcome::unopened(&found.name, &error));
                }
            }
            state.ended = true;
        }
    }

    fn first_open(&self) -> Option<usize> {
        let opened = self.next.load(Ordering::Relaxed).min(self.files.len());
        (0..opened).find(|file| {
            let state = self.lock(*file);
            !state.ended
        })
    }

    /// Scans the next piece of a file, and gives a room for another one.
    fn one_piece(
        &self,
        file: usize,
        room: Block,
        scanner: &mut Scanner<'_>,
        commit: &Commit<'_>,
        progress: &dyn Progress,
    ) -> Block {
        let mut state = self.lock(file);
        let Some(stream) = &mut state.stream else {
            return room;
        };
        let piece = match stream.recognition.map(|known| known.container) {
            Some(Container::Csv) => Some(stream.cutter.rest()),
            Some(Container::Ignored) => None,
            Some(Container::Json) | None if stream.skip > 0 => Some(stream.cutter.rest()),
            Some(Container::Json) | None => stream.cutter.next(room),
        };
        let part = Part {
            file: file as u32,
            name: self.found[file].name.clone(),
            recognition: stream.recognition,
            split: stream.split.clone(),
            offset: stream.offset,
        };
        let number = stream.piece;
        stream.piece += 1;
        match piece {
            None => {
                let mut end = Outcome::end();
                if stream.cutter.has_left() {
                    end.note = Some(format!(
                        "{}: what stands behind byte {} is no whole record yet, and is left for the next time",
                        part.name, part.offset
                    ));
                }
                state.stream = None;
                state.ended = true;
                drop(state);
                commit.add(file, number, end);
            }
            Some(Piece::Records(bytes)) => {
                stream.offset += bytes.len() as u64;
                let on_disk = stream.cutter.bytes_on_disk();
                progress.advance(on_disk.saturating_sub(stream.on_disk));
                stream.on_disk = on_disk;
                drop(state);
                let mut outcome = scanner.piece(&part, &bytes);
                outcome.mark = Some(Mark {
                    offset: part.offset + bytes.len() as u64,
                    skip: 0,
                });
                commit.add(file, number, outcome);
                return bytes;
            }
            Some(Piece::Rest(mut rest)) => {
                let mut left = self.found[file].bytes.saturating_sub(stream.on_disk);
                let mut mark = Mark {
                    offset: part.offset,
                    skip: stream.skip,
                };
                state.stream = None;
                state.ended = true;
                drop(state);
                let mut number = number;
                let ended = scanner.rest(&part, mark.skip, &mut rest, &mut |mut outcome| {
                    // Of what is compressed this is too much, and ends early.
                    let advanced = outcome.bytes.min(left);
                    left -= advanced;
                    progress.advance(advanced);
                    mark.skip += outcome.numbered;
                    outcome.mark = Some(mark);
                    commit.add(file, number, outcome);
                    number += 1;
                    !commit.failed() && !self.is_stopped()
                });
                if ended {
                    commit.add(file, number, Outcome::end());
                    progress.advance(left);
                }
            }
        }
        Block::default()
    }
}
