//! What was seen in a Safe's queue until now.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use portreeve_model::Severity;

use crate::safe::{Check, Domain, DomainKind, Filed};

/// The most transactions of a Safe that are remembered, the newest.
pub(super) const MOST: usize = 10_000;
/// How many nonces before the next one are read again: their executions may be told late.
const BACK: u64 = 20;

/// The transactions of a Safe, each once by its fields.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: BTreeMap<(U256, B256), Seen>,
    /// Whether the whole history was read once.
    pub(super) whole: bool,
}

#[derive(Debug)]
struct Seen {
    filed: Filed,
    /// Whether the service still shows it.
    shown: bool,
}

impl Memory {
    /// The first nonce that has to be read again; `next` is the one that the Safe takes next, by the service's word. A
    /// word that goes beyond what was seen carried out is not gone by.
    pub(super) fn from(&self, next: Option<u64>) -> u64 {
        let seen = self.used().map_or(0, |used| used.saturating_add(1));
        let next = next.map_or(seen, |next| next.min(seen));
        next.saturating_sub(BACK)
    }

    /// The last nonce that was used up.
    fn used(&self) -> Option<u64> {
        let executed = self.seen.iter().rev();
        let mut executed = executed.filter(|(_, seen)| seen.filed.execution.is_some());
        executed.find_map(|((nonce, _), _)| u64::try_from(*nonce).ok())
    }

    /// Takes what was read from a nonce on. What has changed, by its nonces, and checks of what is gone.
    pub(super) fn take(
        &mut self,
        safe: Address,
        from: u64,
        filed: Vec<Filed>,
    ) -> (BTreeSet<U256>, Vec<Check>) {
        let mut changed = BTreeSet::new();
        let mut here = BTreeSet::new();
        for filed in filed {
            let key = (filed.transaction.nonce, identity(safe, &filed));
            here.insert(key);
            let seen = Seen { filed, shown: true };
            let same = self
                .seen
                .get(&key)
                .is_some_and(|before| before.filed == seen.filed && before.shown);
            if !same {
                changed.insert(key.0);
                self.seen.insert(key, seen);
            }
        }
        let used = self.used();
        let mut gone = Vec::new();
        for (key, seen) in &mut self.seen {
            let waits = seen.filed.execution.is_none()
                && key.0 >= U256::from(from)
                && used.is_none_or(|used| key.0 > U256::from(used));
            if !waits || !seen.shown || here.contains(key) {
                continue;
            }
            seen.shown = false;
            gone.extend(withdrawn(safe, &seen.filed));
        }
        while self.seen.len() > MOST {
            self.seen.pop_first();
        }
        (changed, gone)
    }

    /// The transactions that are to be judged: those whose nonces changed, and what waits.
    pub(super) fn judged(&self, changed: &BTreeSet<U256>) -> Vec<Filed> {
        let used = self.used().map(U256::from);
        let all = self.seen.iter();
        let some = all.filter(|((nonce, _), _)| {
            changed.contains(nonce) || used.is_none_or(|used| *nonce > used)
        });
        some.map(|(_, seen)| seen.filed.clone()).collect()
    }
}

/// What makes a transaction the same, whatever hash is stated for it.
fn identity(safe: Address, filed: &Filed) -> B256 {
    filed.transaction.hash(&Domain {
        safe,
        kind: DomainKind::Since1_3 { chain: 0 },
    })
}

/// What owners signed can be carried out by whoever kept it, shown or not.
fn withdrawn(safe: Address, filed: &Filed) -> Option<Check> {
    let signed = filed.confirmations.len();
    (signed > 0).then(|| Check {
        id: "signed-and-withdrawn",
        time: filed.submitted,
        severity: Severity::Medium,
        reason: format!(
            "The service no longer shows a transaction that waits with {signed} confirmations; what was signed stays good until its nonce is used up"
        ),
        safe,
        nonce: filed.transaction.nonce.to_string(),
        hash: filed.stated_hash,
        owner: None,
    })
}
