use anyhow::Result;
use portreeve_engine::Blocks;
use portreeve_view::{html, terminal};
use portreeve_wallet::watch::{Observation, Watch, Watcher};

use crate::Ending;
use crate::arguments::WatchBlocks;

/// What happened to wallets in recorded blocks.
pub(super) fn run(options: &WatchBlocks) -> Result<Ending> {
    let policy = super::policy(&options.policy)?;
    #[cfg(feature = "chain")]
    if !options.live.node.is_empty() || options.live.queue.is_some() {
        return super::live::run(options, policy);
    }
    let mut watch = Watch::new(Watcher::new(policy));
    let mut blocks = Blocks::open(&options.blocks);
    let mut any = false;
    for block in blocks.by_ref() {
        any = true;
        watch.observe(Observation::Block(Box::new(block), Vec::new()));
    }
    super::tell_unread(&blocks.take_dead_letters());
    if !any {
        say!("portreeve: no block could be read");
        return Ok(Ending::NoInput);
    }
    let report = watch.finish();
    let gravest = report.findings.iter().map(|finding| finding.severity).max();
    super::tell(
        &options.outcome,
        &report,
        gravest,
        terminal::watch,
        html::watch,
    )
}
