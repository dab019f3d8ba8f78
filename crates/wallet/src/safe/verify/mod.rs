//! Whether what owners signed is what they were shown.

mod confirmations;
mod known;
mod nonce;
mod spending;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use jiff::Timestamp;
use portreeve_model::Severity;

use super::queue::{Filed, Queue};
use super::report::{Check, SignerReport, TransactionReport, Verification};
use super::transaction::{Domain, DomainKind};
use nonce::Nonce;

pub use spending::{AnnouncedPayment, Spending};

/// What the organisation expects of its Safes, beyond what a queue says of itself.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    /// The chain, where files do not say it.
    pub chain: Option<u64>,
    /// Owners of each Safe.
    pub owners: BTreeMap<Address, BTreeSet<Address>>,
    /// Contracts that Safes may call by delegatecall, beside the published libraries.
    pub delegatecall_targets: BTreeSet<Address>,
    /// Who may send a Safe's transactions to the chain.
    pub executors: BTreeMap<Address, BTreeSet<Address>>,
    /// The safeTxHashes of changes that were announced.
    pub announced: BTreeSet<B256>,
    /// How each Safe spends.
    pub spending: BTreeMap<Address, Spending>,
}

/// Verifies what was filed. Pure; the same queues give the same answer. Time is that of one
/// recovery for each signature and transaction on its nonce.
pub fn verify(queues: &[Queue], expectations: &Expectations) -> Verification {
    let mut out = Out::default();
    for queue in queues {
        let mut nonces: BTreeMap<U256, Vec<&Filed>> = BTreeMap::new();
        for filed in &queue.transactions {
            nonces
                .entry(filed.transaction.nonce)
                .or_default()
                .push(filed);
        }
        let (kind, proven) = domain(queue, expectations.chain);
        let mut waiting = Vec::new();
        for (nonce, filed) in nonces {
            let nonce = Nonce::new(queue, nonce, &filed, kind, proven, expectations);
            waiting.extend(nonce.unexplained());
            nonce.judge(&mut out);
        }
        if let Some(spending) = expectations.spending.get(&queue.safe) {
            out.checks
                .extend(spending::burst(queue.safe, spending, &waiting));
        }
    }
    out.finish()
}

/// The form of the domain that reproduces most of the hashes that are stated, the declared version's
/// where equal; and whether it reproduces any.
fn domain(queue: &Queue, chain: Option<u64>) -> (Option<DomainKind>, bool) {
    let chain = queue.chain.or(chain);
    let declared = queue
        .version
        .and_then(|version| DomainKind::of(version, chain));
    let reproduced = |kind: &DomainKind| {
        let domain = Domain {
            safe: queue.safe,
            kind: *kind,
        };
        let stated = queue
            .transactions
            .iter()
            .filter(|filed| filed.stated_hash.is_some());
        stated
            .filter(|filed| filed.stated_hash == Some(filed.transaction.hash(&domain)))
            .count()
    };
    let mut best = declared.map(|kind| (kind, reproduced(&kind)));
    for kind in DomainKind::candidates(chain) {
        let count = reproduced(&kind);
        if count > best.map_or(0, |(_, count)| count) {
            best = Some((kind, count));
        }
    }
    (
        best.map(|(kind, _)| kind),
        best.is_some_and(|(_, count)| count > 0),
    )
}

#[derive(Default)]
struct Out {
    checks: Vec<Check>,
    transactions: Vec<TransactionReport>,
    signers: Vec<SignerReport>,
}

impl Out {
    fn finish(mut self) -> Verification {
        self.checks.sort_by_key(|check| {
            (
                check.time.is_none(),
                check.time,
                std::cmp::Reverse(check.severity),
            )
        });
        let gravest = self
            .checks
            .iter()
            .map(|check| check.severity)
            .max()
            .unwrap_or_default();
        let first = self
            .checks
            .iter()
            .find(|check| check.severity >= Severity::High);
        let executed = first.and_then(|first| {
            let same =
                |one: &&TransactionReport| one.safe == first.safe && one.nonce == first.nonce;
            self.transactions
                .iter()
                .filter(same)
                .find_map(|one| one.executed)
        });
        let first_sign = first.and_then(|first| first.time);
        let lead_seconds = first_sign
            .zip(executed)
            .map(|(first, executed)| executed.as_second() - first.as_second())
            .filter(|seconds| *seconds > 0);
        let headline = match first {
            Some(first) => first.reason.clone(),
            None if self.signers.is_empty() => {
                "No confirmation was filed; nothing speaks against the transactions".to_owned()
            }
            None => "Every signature is its owner's, for the transaction that it was filed under"
                .to_owned(),
        };
        Verification {
            verdict: match gravest {
                Severity::Informational => "clean",
                grave => grave.as_str(),
            },
            headline,
            first_sign,
            executed,
            lead_seconds,
            checks: self.checks,
            transactions: self.transactions,
            signers: self.signers,
        }
    }
}

/// A time cut to its second.
fn cut(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
