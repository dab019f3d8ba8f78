mod blocks;
mod ledger;
#[cfg(feature = "chain")]
mod live;
mod verify;
mod watch;

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use portreeve_wallet::policy::Policy;

use crate::Ending;
use crate::arguments::{Wallet, WalletTask};

pub(crate) fn run(options: &Wallet) -> Result<Ending> {
    match &options.task {
        WalletTask::Verify(options) => verify::run(options),
        WalletTask::Ledger(options) => ledger::run(options),
        WalletTask::Watch(options) => watch::run(options),
    }
}

/// Reads the wallet policy, and tells of announcements that quieten nothing.
pub(super) fn policy(path: &Path) -> Result<Policy> {
    let text =
        String::from_utf8(read(path)?).with_context(|| format!("{} is no text", path.display()))?;
    let (policy, refused) =
        Policy::read(&text).with_context(|| format!("in {}", path.display()))?;
    for error in refused {
        eprintln!("portreeve: {}: {error}", path.display());
    }
    Ok(policy)
}

/// The most bytes of one file of wallets' data that are read.
const LARGEST: u64 = 256 << 20;

/// Reads a whole file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(
            std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?,
        )
    };
    source
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() as u64 <= LARGEST,
        "{} is larger than {} MiB; split it",
        path.display(),
        LARGEST >> 20
    );
    Ok(bytes)
}
