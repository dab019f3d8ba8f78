use std::collections::BTreeSet;

use anyhow::Result;
use portreeve_engine::{Blocks, Seen, each_activity};
use portreeve_model::{Outcome, PrincipalKind};
use portreeve_view::{html, terminal};
use portreeve_wallet::Address;
use portreeve_wallet::ledger::{
    SignRecord, SigningKey, Spend, read_keys, read_requests, reconcile,
};
use portreeve_wallet::policy::Policy;

use crate::Ending;
use crate::arguments::Ledger;

/// Signatures of keys against transactions and approved requests.
pub(super) fn run(options: &Ledger) -> Result<Ending> {
    let policy = match &options.policy {
        Some(path) => super::policy(path)?,
        None => Policy::default(),
    };
    let keys = keys(options)?;
    if keys.is_empty() {
        say!("portreeve: no public key could be read");
        return Ok(Ending::NoInput);
    }
    let mut requests = Vec::new();
    for path in &options.requests {
        let (read, errors) = read_requests(&super::read(path)?);
        requests.extend(read);
        for error in errors {
            say!("portreeve: {}: {error}; it is left out", path.display());
        }
    }
    let mut signs = Vec::new();
    let dead = each_activity(&options.logs, &mut |seen| signs.extend(sign(seen)));
    super::tell_dead(&dead);
    // A record that was delivered twice is one signature.
    let mut known = BTreeSet::new();
    signs.retain(|sign| known.insert(sign.event_id.clone()));
    let report = reconcile(&keys, &signs, &spends(options, &keys), &requests, &policy);
    let gravest = report.findings.iter().map(|finding| finding.severity).max();
    super::tell(
        &options.outcome,
        &report,
        gravest,
        terminal::ledger,
        html::ledger,
    )
}

fn keys(options: &Ledger) -> Result<Vec<SigningKey>> {
    let mut keys = Vec::new();
    for path in &options.keys {
        let (read, errors) = read_keys(&super::read(path)?);
        keys.extend(read);
        for error in errors {
            say!("portreeve: {}: {error}", path.display());
        }
    }
    Ok(keys)
}

/// The signature that a record tells of, if it does.
fn sign(seen: &Seen<'_, '_>) -> Option<SignRecord> {
    let activity = seen.activity;
    let made = activity.service == "kms"
        && activity.operation == "Sign"
        && matches!(activity.outcome, Outcome::Success);
    if !made {
        return None;
    }
    let record: serde_json::Value = serde_json::from_slice(seen.record).ok()?;
    let text = |key: &str| record.get(key)?.as_str().map(str::to_owned);
    let place = format!("{} {}", seen.file, seen.index);
    let session = activity
        .actor
        .session
        .as_deref()
        .filter(|_| activity.actor.kind == PrincipalKind::Human);
    Some(SignRecord {
        event_id: text("eventID").unwrap_or_else(|| place.clone()),
        request_id: text("requestID"),
        time: activity.time?,
        key: activity
            .targets
            .iter()
            .find(|target| target.contains(":key/"))
            .or_else(|| activity.targets.first())?
            .to_string(),
        principal: match session {
            Some(session) => format!("{}/{session}", activity.actor.principal),
            None => activity.actor.principal.to_string(),
        },
        from: Some(activity.origin.address.to_string()).filter(|address| !address.is_empty()),
        place,
    })
}

/// The transactions that the keys' addresses sent.
fn spends(options: &Ledger, keys: &[SigningKey]) -> Vec<Spend> {
    let addresses: BTreeSet<Address> = keys.iter().map(|key| key.address).collect();
    let mut blocks = Blocks::open(&options.blocks);
    let mut spends = Vec::new();
    let mut known = BTreeSet::new();
    for block in blocks.by_ref() {
        for transaction in block
            .transactions
            .iter()
            .filter(|one| addresses.contains(&one.from))
        {
            if known.insert(transaction.hash) {
                spends.push(Spend {
                    chain: block.chain,
                    transaction: transaction.hash,
                    from: transaction.from,
                    nonce: transaction.nonce,
                    time: block.time,
                });
            }
        }
    }
    super::tell_unread(&blocks.take_dead_letters());
    spends
}
