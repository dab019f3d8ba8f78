use std::path::Path;

use anyhow::Result;
use portreeve_view::{html, terminal, text};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::safe::{Expectations, Queue, read_queues, verify};

use crate::Ending;
use crate::arguments::VerifyQueue;
use crate::failure;

/// Whether what the owners of Safes signed is what they were shown.
pub(super) fn run(options: &VerifyQueue) -> Result<Ending> {
    let policy = options.policy.as_deref().map(super::policy).transpose()?;
    let expectations = match &policy {
        Some(policy) => policy.expectations(options.chain),
        None => Expectations {
            chain: options.chain,
            ..Expectations::default()
        },
    };
    let mut queues = Vec::new();
    let mut fetched = Fetched::default();
    let mut unread = false;
    for path in &options.files {
        if let Some(address) = address(path) {
            let read = fetch(options, address, policy.as_ref(), expectations.clone())?;
            queues.extend(read.queues);
            fetched.any |= read.any;
            fetched.unread |= read.unread;
            continue;
        }
        let name = text::clean(&path.to_string_lossy()).into_owned();
        let bytes = match super::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                failure::tell(&error);
                unread = true;
                continue;
            }
        };
        match read_queues(&bytes) {
            Ok((read, errors)) => {
                for error in errors {
                    say!("portreeve: {name}: {error}; it is left out");
                }
                queues.extend(read);
            }
            Err(error) => {
                say!("portreeve: {name}: {error}");
                unread = true;
            }
        }
    }
    // A Safe in whose queue nothing is has been read all the same.
    if queues.is_empty() && !fetched.any {
        return Ok(Ending::NoInput);
    }
    let verification = verify(&queues, &expectations);
    let gravest = verification.checks.iter().map(|check| check.severity).max();
    let ending = super::tell(
        &options.outcome,
        &verification,
        gravest,
        terminal::wallet,
        html::wallet,
    )?;
    Ok(match ending {
        // What was not seen is not clean.
        Ending::Clean if unread || fetched.unread => Ending::NoInput,
        ending => ending,
    })
}

/// What a transaction service gave.
#[derive(Default)]
struct Fetched {
    queues: Vec<Queue>,
    /// Whether a queue was read, and whether one was not, or not in whole.
    any: bool,
    unread: bool,
}

/// The address that stands where a file may.
fn address(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let begins = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|begins| begins.eq_ignore_ascii_case(scheme))
    };
    (begins("https://") || begins("http://")).then_some(text)
}

#[cfg(feature = "chain")]
fn fetch(
    options: &VerifyQueue,
    address: &str,
    policy: Option<&Policy>,
    expectations: Expectations,
) -> Result<Fetched> {
    let (mut desk, host) = super::queue::desk(address, &options.token, policy, expectations)?;
    let round = desk.round();
    super::queue::tell_faults(&host, &round.faults);
    Ok(Fetched {
        queues: round.queues,
        any: round.read > 0,
        unread: !round.faults.is_empty(),
    })
}

#[cfg(not(feature = "chain"))]
fn fetch(_: &VerifyQueue, _: &str, _: Option<&Policy>, _: Expectations) -> Result<Fetched> {
    anyhow::bail!(
        "this binary was built without the feature `chain` and fetches nothing; save what the service answers \
         (`curl`) and give that"
    )
}
