use anyhow::Result;
use portreeve_view::{html, json, terminal};
use portreeve_wallet::watch::{Observation, Watch, Watcher};

use super::blocks::Blocks;
use crate::Ending;
use crate::arguments::{AnswerFormat, WatchBlocks};
use crate::output;

/// What happened to wallets in recorded blocks.
pub(super) fn run(options: &WatchBlocks) -> Result<Ending> {
    let policy = super::policy(&options.policy)?;
    #[cfg(feature = "chain")]
    if !options.live.node.is_empty() {
        return super::live::run(options, policy);
    }
    let mut watch = Watch::new(Watcher::new(policy));
    let mut blocks = Blocks::open(&options.blocks)?;
    let mut any = false;
    while let Some(block) = blocks.next()? {
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
