mod ledger;
#[cfg(feature = "chain")]
mod live;
#[cfg(feature = "chain")]
mod queue;
mod verify;
mod watch;

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use portreeve_model::{DeadLetter, Severity};
use portreeve_view::{json, terminal, text};
use portreeve_wallet::policy::Policy;
use serde::Serialize;

use crate::Ending;
use crate::arguments::{AnswerFormat, Outcome, Wallet, WalletTask};
use crate::output;

pub(crate) fn run(options: &Wallet) -> Result<Ending> {
    match &options.task {
        WalletTask::Verify(options) => verify::run(options),
        WalletTask::Ledger(options) => ledger::run(options),
        WalletTask::Watch(options) => watch::run(options),
    }
}

/// Writes an answer in the form that is asked for; its `gravest` finding says how the command ends.
pub(crate) fn tell<A: Serialize>(
    outcome: &Outcome,
    answer: &A,
    gravest: Option<Severity>,
    as_text: fn(&A, &terminal::Options) -> String,
    as_page: fn(&A) -> String,
) -> Result<Ending> {
    output::answer(&outcome.place, outcome.all, |layout, mut out| {
        match outcome.format {
            AnswerFormat::Terminal => out.write_all(as_text(answer, layout).as_bytes())?,
            AnswerFormat::Json => json::answer(answer, &mut out)?,
            AnswerFormat::Html => out.write_all(as_page(answer).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(match gravest {
        Some(severity) if severity >= outcome.fail_on => Ending::Findings,
        _ => Ending::Clean,
    })
}

/// Reads the wallet policy, and tells of announcements that quieten nothing.
pub(super) fn policy(path: &Path) -> Result<Policy> {
    let text =
        String::from_utf8(read(path)?).with_context(|| format!("{} is no text", path.display()))?;
    let (policy, refused) =
        Policy::read(&text).with_context(|| format!("in {}", path.display()))?;
    for error in refused {
        say!("portreeve: {}: {error}", path.display());
    }
    Ok(policy)
}

/// Says on standard error what could not be read.
pub(super) fn tell_dead(letters: &[DeadLetter]) {
    for letter in letters {
        say!(
            "portreeve: {}, at byte {}: {}; it is left out",
            text::clean(&letter.file),
            letter.offset,
            text::clean(&letter.reason)
        );
    }
}

/// The same of blocks, whose places are lines.
pub(super) fn tell_unread(letters: &[DeadLetter]) {
    for letter in letters {
        let (file, reason) = (text::clean(&letter.file), text::clean(&letter.reason));
        say!("portreeve: {file}, {reason}; it is left out");
    }
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
