//! Cutting a stream where a record ends and the next one begins.

use std::io::{self, Read};

use portreeve_record::{Split, SplitOptions, Splitter};

use crate::open::Opened;

/// A piece has at least so many bytes, but for the last. It and what comes of it stay near the processor.
const PIECE: usize = 1 << 18;
/// The first one has more: by it is seen what the records are like.
const FIRST: usize = 1 << 20;

/// Where no place to cut is found in so many bytes, the rest of the stream is one piece: it is one long
/// array, or a few enormous records.
const UNCUT: usize = 4 << 20;

/// Bytes that were read, in a room that may be larger.
///
/// Whoever is through with one gives its room back, and the next piece is read there: clearing a new room
/// for each piece would take as long as reading into it.
#[derive(Default)]
pub(super) struct Block {
    room: Vec<u8>,
    filled: usize,
}

impl Block {
    fn put(&mut self, bytes: &[u8]) {
        if self.room.len() < bytes.len() {
            self.room.resize(bytes.len(), 0);
        }
        self.room[..bytes.len()].copy_from_slice(bytes);
        self.filled = bytes.len();
    }

    /// Only what was read.
    fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.room;
        bytes.truncate(self.filled);
        bytes
    }
}

impl std::ops::Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.room[..self.filled]
    }
}

/// What is cut off a stream.
pub(super) enum Piece {
    /// Some records, whole.
    Records(Block),
    /// All that is left, to be read as it comes.
    Rest(Box<dyn Read + Send>),
}

/// A stream that is cut.
///
/// In JSON a `}` is followed by a line that begins with `{` only between two values at the top level:
/// elsewhere a comma stands between them, and no string holds a line break. So each piece can be read
/// without those before it, by any thread. Where a stream is broken, a piece ends what was open.
pub(super) struct Cutter {
    opened: Option<Opened>,
    /// Read and not handed out yet: the beginning of the next piece. Little mostly, for a piece is read where
    /// it is scanned, by the thread that scans it.
    left: Block,
    failure: Option<io::Error>,
    ended: bool,
    /// How many bytes the next piece is to have.
    piece: usize,
    /// Whether what seems unfinished at the end is left alone.
    may_grow: bool,
    /// Whether something was left alone.
    has_left: bool,
}

impl Cutter {
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            opened: Some(opened),
            left: Block::default(),
            failure: None,
            ended: false,
            piece: FIRST,
            may_grow: false,
            has_left: false,
        }
    }

    /// Leaves alone a last line that is no whole record yet: the stream is read on another time.
    pub(super) fn may_grow(&mut self) {
        self.may_grow = true;
    }

    /// Whether a last line was left alone.
    pub(super) fn has_left(&self) -> bool {
        self.has_left
    }

    /// Passes over bytes that were read another time, and gives how many there were.
    pub(super) fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        match &mut self.opened {
            Some(opened) => io::copy(&mut opened.take(bytes), &mut io::sink()),
            None => Ok(0),
        }
    }

    /// The next piece; `None` at the end. What `room` held is over; another piece is read into it.
    pub(super) fn next(&mut self, mut room: Block) -> Option<Piece> {
        room.put(&self.left);
        self.left.filled = 0;
        let mut wanted = std::mem::replace(&mut self.piece, PIECE);
        loop {
            self.read_up_to(wanted, &mut room);
            if self.ended {
                if room.is_empty() && self.failure.is_none() {
                    return None;
                }
                if self.may_grow && self.failure.is_none() {
                    let finished = finished(&room);
                    self.has_left = finished < room.len();
                    room.filled = finished;
                    if room.is_empty() {
                        return None;
                    }
                }
                return Some(match self.failure.take() {
                    None => Piece::Records(room),
                    // The splitter tells of it, behind everything that was read before it.
                    Some(error) => {
                        let last = io::Cursor::new(room.into_bytes());
                        Piece::Rest(Box::new(last.chain(Failing(Some(error)))))
                    }
                });
            }
            if let Some(at) = cut(&room) {
                self.left.put(&room[at..]);
                room.filled = at;
                return Some(Piece::Records(room));
            }
            if wanted >= UNCUT {
                self.left = room;
                return Some(self.rest());
            }
            wanted *= 2;
        }
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> Piece {
        let left = io::Cursor::new(std::mem::take(&mut self.left).into_bytes());
        let failing = Failing(self.failure.take());
        self.ended = true;
        match self.opened.take() {
            Some(opened) => Piece::Rest(Box::new(left.chain(failing).chain(opened))),
            None => Piece::Rest(Box::new(left.chain(failing))),
        }
    }

    /// Bytes of the file on disk that were read so far.
    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.opened.as_ref().map_or(0, Opened::bytes_on_disk)
    }

    fn read_up_to(&mut self, wanted: usize, block: &mut Block) {
        let Some(opened) = &mut self.opened else {
            self.ended = true;
            return;
        };
        let Block { room, filled } = block;
        if *filled >= wanted || self.ended {
            return;
        }
        if room.len() < wanted {
            room.resize(wanted, 0);
        }
        while *filled < wanted {
            match opened.read(&mut room[*filled..wanted]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => *filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    self.ended = true;
                    break;
                }
            }
        }
    }
}

/// Where the last record begins that is known to follow another one.
fn cut(bytes: &[u8]) -> Option<usize> {
    memchr::memrchr_iter(b'\n', bytes).find_map(|newline| {
        let (before, behind) = bytes.split_at_checked(newline + 1)?;
        let begins = behind.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let is_cut =
            behind.get(begins) == Some(&b'{') && before.trim_ascii_end().last() == Some(&b'}');
        is_cut.then_some(newline + 1)
    })
}

/// Where a last line begins that is no whole record.
fn finished(bytes: &[u8]) -> usize {
    let begins = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    let line = bytes.get(begins..).unwrap_or_default();
    let mut splitter = Splitter::whole(line, SplitOptions::default());
    let mut is_whole = true;
    while let Some(split) = splitter.next() {
        is_whole &= matches!(split, Split::Record(_));
    }
    if is_whole { bytes.len() } else { begins }
}

/// A reader that fails once.
pub(super) struct Failing(pub(super) Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &[u8]) -> Vec<(bool, Vec<u8>)> {
        let opened = Opened::new(Box::new(io::Cursor::new(text.to_vec()))).unwrap();
        let mut cutter = Cutter::new(opened);
        let mut pieces = Vec::new();
        // What a room held before must not show.
        let used = || {
            let mut room = Block::default();
            room.put(&[b'}'; 100]);
            room
        };
        while let Some(piece) = cutter.next(used()) {
            pieces.push(match piece {
                Piece::Records(bytes) => (true, bytes.into_bytes()),
                Piece::Rest(mut rest) => {
                    let mut bytes = Vec::new();
                    rest.read_to_end(&mut bytes).unwrap();
                    (false, bytes)
                }
            });
        }
        pieces
    }

    #[test]
    fn lines_are_cut_between_records_and_nothing_is_lost() {
        let line = format!("{{\"a\":\"{}\"}}\r\n", "x".repeat(1000));
        let text = line.repeat(3_000);
        let pieces = pieces(text.as_bytes());
        assert!(pieces.len() > 2);
        for (is_piece, bytes) in &pieces {
            assert!(is_piece);
            assert_eq!(bytes.len() % line.len(), 0);
        }
        let whole: Vec<u8> = pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(whole, text.as_bytes());
    }

    #[test]
    fn a_line_that_is_not_finished_is_left_where_it_may_grow() {
        for (text, left) in [
            ("{\"a\":1}\n{\"a\":", "{\"a\":1}\n"),
            ("{\"a\":1}\n{\"a\":{}", "{\"a\":1}\n"),
            ("{\"a\":1}\n{\"a\":{}}", "{\"a\":1}\n{\"a\":{}}"),
            ("{\"a\":1}\n", "{\"a\":1}\n"),
            ("{\"a\"", ""),
        ] {
            let opened = Opened::new(Box::new(io::Cursor::new(text.as_bytes().to_vec()))).unwrap();
            let mut cutter = Cutter::new(opened);
            cutter.may_grow();
            let mut read = Vec::new();
            while let Some(piece) = cutter.next(Block::default()) {
                match piece {
                    Piece::Records(bytes) => read.extend_from_slice(&bytes),
                    Piece::Rest(_) => panic!("{text}"),
                }
            }
            assert_eq!(String::from_utf8(read).unwrap(), left, "{text}");
        }
    }

    #[test]
    fn one_long_array_is_not_cut() {
        let text = format!(
            "{{\"Records\":[\n{{\"a\":1}}{}]}}",
            ",\n{\"a\":{}}".repeat(700_000)
        );
        let pieces = pieces(text.as_bytes());
        assert_eq!(pieces.len(), 1);
        assert!(!pieces[0].0);
        assert_eq!(pieces[0].1, text.as_bytes());
    }

    #[test]
    fn pretty_records_are_cut_at_the_top_level_only() {
        let record = "{\n  \"a\": [\n    {\n    },\n    {\n    }\n  ]\n}\n";
        let text = record.repeat(40_000);
        let pieces = pieces(text.as_bytes());
        assert!(pieces.len() > 1);
        assert!(
            pieces
                .iter()
                .all(|(_, bytes)| bytes.starts_with(b"{\n  \"a\""))
        );
    }
}
