use anyhow::Result;
use portreeve_view::{html, terminal, text};
use portreeve_wallet::safe::{Expectations, read_queues, verify};

use crate::Ending;
use crate::arguments::VerifyQueue;

/// Whether what the owners of Safes signed is what they were shown.
pub(super) fn run(options: &VerifyQueue) -> Result<Ending> {
    let mut queues = Vec::new();
    for path in &options.files {
        let name = text::clean(&path.to_string_lossy()).into_owned();
        match read_queues(&super::read(path)?) {
            Ok((read, errors)) => {
                for error in errors {
                    eprintln!("portreeve: {name}: {error}; it is left out");
                }
                queues.extend(read);
            }
            Err(error) => eprintln!("portreeve: {name}: {error}"),
        }
    }
    if queues.is_empty() {
        return Ok(Ending::NoInput);
    }
    let expectations = match &options.policy {
        Some(path) => super::policy(path)?.expectations(options.chain),
        None => Expectations {
            chain: options.chain,
            ..Expectations::default()
        },
    };
    let verification = verify(&queues, &expectations);
    let gravest = verification.checks.iter().map(|check| check.severity).max();
    super::tell(
        &options.outcome,
        &verification,
        gravest,
        terminal::wallet,
        html::wallet,
    )
}
