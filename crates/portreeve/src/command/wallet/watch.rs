use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};
use portreeve_view::{html, json, terminal, text};
use portreeve_wallet::chain::{Block, read_block};
use portreeve_wallet::watch::{Observation, Watch, Watcher};

use crate::Ending;
use crate::arguments::{AnswerFormat, WatchBlocks};
use crate::output;

/// The longest line; a full block of Ethereum with traces is below 20 MB.
const LONGEST: u64 = 64 << 20;

/// What happened to wallets in recorded blocks.
pub(super) fn run(options: &WatchBlocks) -> Result<Ending> {
    let policy = super::policy(&options.policy)?;
    let mut watch = Watch::new(Watcher::new(policy));
    let mut files = options
        .blocks
        .iter()
        .map(|path| Lines::open(path))
        .collect::<Result<Vec<_>>>()?;
    let mut any = false;
    // Chains are joined by time: a bridge's ends are looked at together.
    while let Some(block) = earliest(&mut files)? {
        any = true;
        watch.observe(Observation::Block(Box::new(block), Vec::new()));
    }
    if !any {
        eprintln!("portreeve: no block could be read");
        return Ok(Ending::NoInput);
    }
    let report = watch.finish();
    let outcome = &options.outcome;
    output::answer(&outcome.place, outcome.all, |layout, mut out| {
        match outcome.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::watch(&report, layout).as_bytes())?;
            }
            AnswerFormat::Json => json::answer(&report, &mut out)?,
            AnswerFormat::Html => out.write_all(html::watch(&report).as_bytes())?,
        }
        Ok(())
    })?;
    let failed = report
        .findings
        .iter()
        .any(|finding| finding.severity >= outcome.fail_on);
    Ok(if failed {
        Ending::Findings
    } else {
        Ending::Clean
    })
}

/// The next block of the file whose next is the earliest.
fn earliest(files: &mut [Lines]) -> Result<Option<Block>> {
    for file in files.iter_mut() {
        file.fill()?;
    }
    let next = files
        .iter_mut()
        .filter(|file| !file.next.is_empty())
        .min_by_key(|file| file.next.front().map(|block| block.time));
    Ok(next.and_then(|file| file.next.pop_front()))
}

/// A file of blocks, read line by line.
struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    line: u64,
    next: VecDeque<Block>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let reader: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file =
                File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            Box::new(BufReader::new(file))
        };
        Ok(Self {
            name: text::clean(&path.to_string_lossy()).into_owned(),
            reader,
            line: 0,
            next: VecDeque::new(),
        })
    }

    /// Reads on until there is a block. What is none is told with its line, and left out.
    fn fill(&mut self) -> Result<()> {
        let mut line = Vec::new();
        while self.next.is_empty() {
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
                Ok(block) => self.next.push_back(block),
                Err(error) => eprintln!(
                    "portreeve: {}, line {}: {error}; it is left out",
                    self.name, self.line
                ),
            }
        }
        Ok(())
    }
}
