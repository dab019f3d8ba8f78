//! Recorded blocks of chains, a line of JSON each (docs/wallet.md).

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use portreeve_model::DeadLetter;
use portreeve_wallet::chain::{Block, read_block};

use crate::open::Opened;

/// The longest line; a full block of Ethereum with traces is below 20 MB.
const LONGEST: u64 = 64 << 20;

/// The blocks of several files, compressed or not, joined by time: a bridge's ends are looked at
/// together.
pub struct Blocks {
    files: Vec<Lines>,
    dead_letters: Vec<DeadLetter>,
}

impl Blocks {
    /// Opens files; `-` is standard input. What cannot be opened is told, and left out.
    pub fn open(paths: &[PathBuf]) -> Self {
        let mut blocks = Self {
            files: Vec::new(),
            dead_letters: Vec::new(),
        };
        for path in paths {
            let name: Arc<str> = path.to_string_lossy().into();
            let opened = match path.to_str() {
                Some("-") => Opened::new(Box::new(io::stdin())),
                _ => Opened::unhashed(path),
            };
            match opened {
                Ok(opened) => blocks.add(name, opened),
                Err(error) => blocks.dead_letters.push(DeadLetter {
                    file: name,
                    offset: 0,
                    reason: format!("cannot be opened: {error}"),
                }),
            }
        }
        blocks
    }

    pub(crate) fn add(&mut self, name: Arc<str>, opened: Opened) {
        let mut place = Place::first(name);
        place.hash = None;
        self.add_from(place, opened);
    }

    /// Adds a file that is read on from a place; `opened` begins there.
    pub(crate) fn add_from(&mut self, place: Place, opened: Opened) {
        self.files.push(Lines {
            place,
            reader: BufReader::new(opened),
            next: None,
        });
    }

    /// How far each file was read.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.files.iter().map(|file| file.place.clone())
    }

    /// What could not be read since this was asked last.
    pub fn take_dead_letters(&mut self) -> Vec<DeadLetter> {
        std::mem::take(&mut self.dead_letters)
    }
}

impl Iterator for Blocks {
    type Item = Block;

    /// The next block of the file whose next is the earliest.
    fn next(&mut self) -> Option<Block> {
        for file in &mut self.files {
            file.fill(&mut self.dead_letters);
        }
        let files = self.files.iter_mut().filter(|file| file.next.is_some());
        let next = files.min_by_key(|file| file.next.as_ref().map(|block| block.time))?;
        next.next.take()
    }
}

/// How far a file of blocks was read: lines that have an end, or are a block without.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: Arc<str>,
    /// How much was read: bytes, decompressed, and lines.
    pub(crate) offset: u64,
    line: u64,
    /// Whether the last line that was read had no end yet.
    open: bool,
    /// Of what was read, where that is asked for.
    hash: Option<Sha256>,
    /// What is behind it: the beginning of a line.
    pub(crate) rest: Vec<u8>,
}

impl Place {
    /// The beginning of a file, of which what is read is hashed.
    pub(crate) fn first(name: Arc<str>) -> Self {
        Self {
            name,
            offset: 0,
            line: 0,
            open: false,
            hash: Some(Sha256::new()),
            rest: Vec::new(),
        }
    }

    /// The SHA-256 of the file as far as it was read, the beginning of a line included; empty where it was not
    /// asked for.
    pub(crate) fn sha256(&self) -> String {
        let hash = self.hash.clone().map(|hash| hash.chain_update(&self.rest));
        let bytes = hash.map(|hash| hash.finalize());
        let bytes = bytes.iter().flatten();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A file of blocks, read line by line.
struct Lines {
    place: Place,
    reader: BufReader<Opened>,
    next: Option<Block>,
}

impl Lines {
    /// Reads on until there is a block. What is none is told with its place, and left out.
    fn fill(&mut self, dead: &mut Vec<DeadLetter>) {
        let mut line = Vec::new();
        while self.next.is_none() {
            line.clear();
            let place = &mut self.place;
            let (offset, number) = (place.offset, place.line + u64::from(!place.open));
            let mut letter = |reason: String| {
                dead.push(DeadLetter {
                    file: place.name.clone(),
                    offset,
                    reason,
                });
            };
            let mut part = self.reader.by_ref().take(LONGEST);
            let read = match part.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(read) => read as u64,
                Err(error) => {
                    letter(format!("line {number}: the file breaks off: {error}"));
                    return;
                }
            };
            let block = (!line.trim_ascii().is_empty()).then(|| read_block(&line));
            let failed = block.as_ref().and_then(|block| block.as_ref().err());
            if let Some(error) = failed {
                letter(format!("line {number}: {error}"));
            }
            // The last line may go on yet.
            if failed.is_some() && read < LONGEST && !line.ends_with(b"\n") {
                place.rest = line;
                return;
            }
            place.rest.clear();
            place.offset += read;
            place.line = number;
            place.open = !line.ends_with(b"\n");
            if let Some(hash) = &mut place.hash {
                hash.update(&line);
            }
            self.next = block.and_then(Result::ok);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn line(chain: u64, number: u64, time: u64) -> String {
        let block = serde_json::json!({
            "chainId": chain,
            "block": {
                "number": format!("{number:#x}"),
                "hash": format!("0x{:064x}", chain << 32 | number),
                "parentHash": format!("0x{:064x}", chain << 32 | (number - 1)),
                "timestamp": format!("{time:#x}"),
                "transactions": []
            }
        });
        format!("{block}\n")
    }

    #[test]
    fn files_are_joined_by_time_and_bad_lines_cost_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two.zst"));
        let first = line(1, 1, 100);
        std::fs::write(&one, format!("{first}{{\n\n{}", line(1, 2, 130))).unwrap();
        let two_lines = format!("{}{}", line(10, 7, 110), line(10, 8, 140));
        std::fs::write(&two, zstd::encode_all(two_lines.as_bytes(), 1).unwrap()).unwrap();
        let missing = folder.path().join("missing");

        let mut blocks = Blocks::open(&[one.clone(), two, missing.clone()]);
        let seen: Vec<(u64, u64)> = blocks
            .by_ref()
            .map(|block| (block.chain, block.number))
            .collect();
        assert_eq!(seen, [(1, 1), (10, 7), (1, 2), (10, 8)]);
        let dead = blocks.take_dead_letters();
        assert_eq!(dead.len(), 2, "{dead:?}");
        assert_eq!(*dead[0].file, *missing.to_string_lossy());
        assert_eq!(dead[1].offset, first.len() as u64);
        assert!(dead[1].reason.starts_with("line 2: "), "{dead:?}");
        assert!(blocks.take_dead_letters().is_empty());
    }
}
