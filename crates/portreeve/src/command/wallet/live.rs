use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use portreeve_engine::Node;
use portreeve_view::text;
use portreeve_wallet::node::{Cursor, Provider, Reader, Step};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::watch::{Observation, Observed, Watcher};

use super::queue::Following;
use crate::Ending;
use crate::arguments::{AnswerFormat, WatchBlocks};
use crate::failure;

/// Watches a chain as its blocks are made, and queues as they are filled: a line a finding, as soon as it is found,
/// until the block that was given as the last, or until it is interrupted.
pub(super) fn run(options: &WatchBlocks, policy: Policy) -> Result<Ending> {
    let live = &options.live;
    let (mut providers, heads) = Node::connect(&live.node)?;
    let mut queue_failed = None;
    if let Some(address) = &live.queue {
        let chain = live.chain.or_else(|| chain_of(&mut providers));
        let Some(chain) = chain else {
            bail!("the chain of the queues is not known: no node says it; give --chain");
        };
        let mut following = Following::new(options, address, &policy, chain)?;
        queue_failed = Some(following.failed());
        // What waits is told before any block is read.
        let pause = following.round()?;
        if providers.is_empty() {
            match following.run(pause)? {}
        }
        std::thread::Builder::new()
            .name("queues".to_owned())
            .spawn(move || {
                let Err(error) = following.run(pause);
                failure::tell(&error);
                std::process::exit(1);
            })?;
    }
    let cursor = match &live.state {
        Some(path) if path.exists() => serde_json::from_slice(&super::read(path)?)
            .with_context(|| format!("{} is no state of this command", path.display()))?,
        _ => Cursor::default(),
    };
    let mut reader = Reader::new(providers, &policy, live.from, cursor)?.with_poll(live.poll);
    let mut record = match &live.record {
        Some(path) => Some(Record::open(path)?),
        None => None,
    };
    let mut watcher = Watcher::new(policy);
    let mut failed = false;
    while live
        .until
        .is_none_or(|until| reader.cursor().number().is_none_or(|number| number < until))
    {
        match reader.step()? {
            Step::Wait {
                pause,
                reason,
                sooner,
            } => {
                for notice in heads.take_notices() {
                    say!("portreeve: {}", text::clean(&notice));
                }
                if let Some(reason) = &reason {
                    say!(
                        "portreeve: {}; asking again in {} s",
                        text::clean(reason),
                        pause.as_secs()
                    );
                }
                match (sooner, reason) {
                    (false, _) => std::thread::sleep(pause),
                    (true, Some(_)) => {
                        heads.wait(pause);
                    }
                    (true, None) => {
                        heads.wait_for_block(pause);
                    }
                }
            }
            Step::Block(block, divergences, line) => {
                if let Some(record) = &mut record {
                    record.add(&line)?;
                }
                let observed = watcher.observe(Observation::Block(block, divergences));
                failed |= observed
                    .findings
                    .iter()
                    .any(|finding| finding.severity >= options.outcome.fail_on);
                tell(&observed, options.outcome.format)?;
                if let Some(path) = &live.state {
                    save(path, reader.cursor())?;
                }
            }
        }
    }
    for fault in reader.faults() {
        say!(
            "portreeve: {}: {:?}, {} times",
            text::clean(&fault.provider),
            fault.kind,
            fault.count
        );
    }
    if reader.untraced() > 0 {
        say!(
            "portreeve: no node traced {} transactions of Safes (debug_traceTransaction): what they \
             paid of the chain's coin is not seen",
            reader.untraced()
        );
    }
    failed |= queue_failed.is_some_and(|failed| failed.load(Ordering::Relaxed));
    Ok(if failed {
        Ending::Findings
    } else {
        Ending::Clean
    })
}

/// The chain that nodes are of, by the first that says it.
fn chain_of(nodes: &mut [Node]) -> Option<u64> {
    nodes.iter_mut().find_map(|node| {
        let answer = node.call("eth_chainId", &serde_json::json!([])).ok()?;
        u64::from_str_radix(answer.as_str()?.strip_prefix("0x")?, 16).ok()
    })
}

fn tell(observed: &Observed, format: AnswerFormat) -> Result<()> {
    let mut out = io::stdout().lock();
    for notice in &observed.notices {
        say!("portreeve: {notice}");
    }
    for finding in &observed.findings {
        match format {
            AnswerFormat::Json => writeln!(out, "{}", serde_json::to_string(finding)?)?,
            _ => writeln!(
                out,
                "{} {} {} {}: {} ({}, block {})",
                text::time(finding.time),
                finding.severity,
                finding.title,
                text::clean(&finding.wallet_name),
                text::clean(&finding.reason),
                finding.rule,
                finding.block
            )?,
        }
    }
    out.flush()?;
    Ok(())
}

/// A file of blocks that grows by those that are read.
struct Record<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Record<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// Adds a block as one write, so that a run that is killed leaves whole lines.
    fn add(&mut self, line: &str) -> Result<()> {
        self.file
            .write_all(format!("{line}\n").as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Saves by replacing, so that a run that is killed leaves the state before or after.
fn save(path: &Path, cursor: &Cursor) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let failed = || format!("cannot write {}", path.display());
    std::fs::write(&name, serde_json::to_vec(cursor)?).with_context(failed)?;
    std::fs::rename(&name, path).with_context(failed)
}
