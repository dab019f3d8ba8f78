use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use portreeve_engine::HttpProvider;
use portreeve_view::text;
use portreeve_wallet::node::{Cursor, Reader, Step};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::watch::{Observation, Observed, Watcher};

use crate::Ending;
use crate::arguments::{AnswerFormat, WatchBlocks};

/// Watches a chain as its blocks are made: a line a finding, as soon as it is found, until the block
/// that was given as the last, or until it is interrupted.
pub(super) fn run(options: &WatchBlocks, policy: Policy) -> Result<Ending> {
    let live = &options.live;
    let providers = live
        .node
        .iter()
        .map(|address| HttpProvider::new(address))
        .collect();
    let cursor = match &live.state {
        Some(path) if path.exists() => serde_json::from_slice(&super::read(path)?)
            .with_context(|| format!("{} is no state of this command", path.display()))?,
        _ => Cursor::default(),
    };
    let mut reader = Reader::new(providers, &policy, live.from, cursor)?;
    let mut watcher = Watcher::new(policy);
    let mut failed = false;
    while live
        .until
        .is_none_or(|until| reader.cursor().number().is_none_or(|number| number < until))
    {
        match reader.step()? {
            Step::Wait { seconds, reason } => {
                if let Some(reason) = reason {
                    eprintln!(
                        "portreeve: {}; asking again in {seconds} s",
                        text::clean(&reason)
                    );
                }
                std::thread::sleep(Duration::from_secs(seconds));
            }
            Step::Block(block, divergences) => {
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
        eprintln!(
            "portreeve: {}: {:?}, {} times",
            text::clean(&fault.provider),
            fault.kind,
            fault.count
        );
    }
    Ok(if failed {
        Ending::Findings
    } else {
        Ending::Clean
    })
}

fn tell(observed: &Observed, format: AnswerFormat) -> Result<()> {
    let mut out = io::stdout().lock();
    for notice in &observed.notices {
        eprintln!("portreeve: {notice}");
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

/// Saves by replacing, so that a run that is killed leaves the state before or after.
fn save(path: &Path, cursor: &Cursor) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let failed = || format!("cannot write {}", path.display());
    std::fs::write(&name, serde_json::to_vec(cursor)?).with_context(failed)?;
    std::fs::rename(&name, path).with_context(failed)
}
