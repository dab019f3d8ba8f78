use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portreeve_engine::decompressed;
use portreeve_view::text;
use portreeve_wallet::chain::{Block, read_block};

/// The longest line; a full block of Ethereum with traces is below 20 MB.
const LONGEST: u64 = 64 << 20;

/// The blocks of several files, joined by time: a bridge's ends are looked at together.
pub(super) struct Blocks {
    files: Vec<Lines>,
}

impl Blocks {
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self> {
        let files = paths.iter().map(|path| Lines::open(path));
        Ok(Self {
            files: files.collect::<Result<_>>()?,
        })
    }

    /// The next block of the file whose next is the earliest.
    pub(super) fn next(&mut self) -> Result<Option<Block>> {
        for file in &mut self.files {
            file.fill()?;
        }
        let next = self
            .files
            .iter_mut()
            .filter(|file| file.next.is_some())
            .min_by_key(|file| file.next.as_ref().map(|block| block.time));
        Ok(next.and_then(|file| file.next.take()))
    }
}

/// A file of blocks, read line by line.
struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    line: u64,
    next: Option<Block>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let reader: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file =
                decompressed(path).with_context(|| format!("cannot open {}", path.display()))?;
            Box::new(BufReader::new(file))
        };
        Ok(Self {
            name: text::clean(&path.to_string_lossy()).into_owned(),
            reader,
            line: 0,
            next: None,
        })
    }

    /// Reads on until there is a block. What is none is told with its line, and left out.
    fn fill(&mut self) -> Result<()> {
        let mut line = Vec::new();
        while self.next.is_none() {
            line.clear();
            let mut part = self.reader.by_ref().take(LONGEST);
            let read = part
                .read_until(b'\n', &mut line)
                .with_context(|| format!("cannot read {}", self.name))?;
            if read == 0 {
                return Ok(());
            }
            self.line += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match read_block(&line) {
                Ok(block) => self.next = Some(block),
                Err(error) => eprintln!(
                    "portreeve: {}, line {}: {error}; it is left out",
                    self.name, self.line
                ),
            }
        }
        Ok(())
    }
}
