use std::io::{self, Read};

/// How much is read at a time.
const CHUNK: usize = 256 * 1024;

/// What a [`Splitter`](crate::Splitter) looks at: a part of a stream that can be moved on.
pub trait View {
    /// What it shows.
    fn bytes(&self) -> &[u8];
    /// The stream's offset of the first byte that it shows.
    fn base(&self) -> u64;
    /// Whether the stream has no more bytes than it shows.
    fn ended(&self) -> bool;
    /// The error that ended the stream, once.
    fn take_error(&mut self) -> Option<io::Error>;
    /// Lets go of what stands before `keep` and shows more. Gives the number of bytes let go, by
    /// which all positions move.
    fn fill(&mut self, keep: usize) -> usize;
}

/// Bytes that are all there are shown whole, where they are.
impl View for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn base(&self) -> u64 {
        0
    }

    fn ended(&self) -> bool {
        true
    }

    fn take_error(&mut self) -> Option<io::Error> {
        None
    }

    fn fill(&mut self, _: usize) -> usize {
        0
    }
}

/// A window on a stream: the bytes that are still needed, and room for more.
#[derive(Debug)]
pub struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    end: usize,
    /// The stream's offset of the first byte in the window.
    base: u64,
    ended: bool,
    error: Option<io::Error>,
}

impl<R: Read> Window<R> {
    /// One whose bytes stand in a room that may have served before; what it holds is not looked at.
    pub(crate) fn new(reader: R, room: Vec<u8>) -> Self {
        Self {
            reader,
            bytes: room,
            end: 0,
            base: 0,
            ended: false,
            error: None,
        }
    }

    pub(crate) fn into_room(self) -> Vec<u8> {
        self.bytes
    }
}

impl<R: Read> View for Window<R> {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }

    fn base(&self) -> u64 {
        self.base
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    fn fill(&mut self, keep: usize) -> usize {
        let keep = keep.min(self.end);
        self.bytes.copy_within(keep..self.end, 0);
        self.end -= keep;
        self.base += keep as u64;
        if self.bytes.len() < self.end + CHUNK {
            // Growing by doubling keeps the moving of a large record's bytes linear.
            self.bytes.resize((self.end * 2).max(self.end + CHUNK), 0);
        }
        while !self.ended {
            let room = self.bytes.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.end += count.min(room.len());
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
        keep
    }
}
