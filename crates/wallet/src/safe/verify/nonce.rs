//! All that stands on one nonce of a Safe.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use jiff::Timestamp;
use portreeve_model::Severity;

use super::known::Known;
use super::{Expectations, Out, cut};
use crate::abi;
use crate::safe::calls::Unpacked;
use crate::safe::queue::{Filed, Queue};
use crate::safe::report::{Check, TransactionReport};
use crate::safe::transaction::{Domain, DomainKind};
use crate::words::{self, short};

/// All that stands on one nonce of a Safe.
pub(super) struct Nonce<'a> {
    pub(super) safe: Address,
    pub(super) nonce: U256,
    pub(super) kind: Option<DomainKind>,
    pub(super) proven: bool,
    pub(super) owners: BTreeSet<Address>,
    pub(super) known: Vec<Known<'a>>,
    pub(super) expectations: &'a Expectations,
}

impl<'a> Nonce<'a> {
    pub(super) fn new(
        queue: &Queue,
        nonce: U256,
        filed: &[&'a Filed],
        kind: Option<DomainKind>,
        proven: bool,
        expectations: &'a Expectations,
    ) -> Self {
        let owners = match expectations.owners.get(&queue.safe) {
            Some(owners) => owners.clone(),
            None => queue.owners.iter().copied().collect(),
        };
        let known = filed
            .iter()
            .map(|filed| {
                let computed = kind.map(|kind| {
                    filed.transaction.hash(&Domain {
                        safe: queue.safe,
                        kind,
                    })
                });
                Known {
                    filed,
                    hash: computed.or(filed.stated_hash),
                    computed,
                    calls: Unpacked::of(&filed.transaction, &|_| false),
                    signed_by: BTreeSet::new(),
                }
            })
            .collect();
        Self {
            safe: queue.safe,
            nonce,
            kind,
            proven,
            owners,
            known,
            expectations,
        }
    }

    pub(super) fn judge(mut self, out: &mut Out) {
        for known in &self.known {
            self.hashes(known, out);
            self.content(known, out);
            self.spends(known, out);
        }
        for index in 0..self.known.len() {
            let filed = self.known[index].filed;
            for confirmation in &filed.confirmations {
                self.confirmation(index, confirmation, out);
            }
            self.carried_signatures(index, out);
        }
        self.rivals(out);
        for index in 0..self.known.len() {
            self.execution(index, out);
        }
        for known in &self.known {
            let filed = known.filed;
            let execution = filed.execution.as_ref();
            out.transactions.push(TransactionReport {
                safe: self.safe,
                nonce: self.nonce.to_string(),
                stated_hash: filed.stated_hash,
                computed_hash: known.computed,
                domain: self.kind.map(|kind| kind.to_string()),
                does: words::calls(&known.calls),
                delegatecall: known.is_delegatecall(),
                submitted: filed.submitted,
                executed: known.executed(),
                transaction: execution.and_then(|execution| execution.transaction),
                executor: execution.and_then(|execution| execution.executor),
                signed_by: known.signed_by.iter().copied().collect(),
            });
        }
    }

    pub(super) fn check(
        &self,
        id: &'static str,
        severity: Severity,
        time: Option<Timestamp>,
        hash: Option<B256>,
        reason: String,
    ) -> Check {
        Check {
            id,
            time: time.map(cut),
            severity,
            reason,
            safe: self.safe,
            nonce: self.nonce.to_string(),
            hash,
            owner: None,
        }
    }

    /// Whether the stated hash is that of the fields.
    fn hashes(&self, known: &Known<'_>, out: &mut Out) {
        let time = known.known_at();
        out.checks.push(match (known.filed.stated_hash, known.computed) {
            (Some(stated), Some(computed)) if stated == computed => self.check(
                "hash-recomputed",
                Severity::Informational,
                time,
                Some(computed),
                format!("The fields have the hash {computed} that is stated ({})", self.domain_name()),
            ),
            (Some(stated), Some(computed)) if self.proven => self.check(
                "hash-mismatch",
                Severity::Critical,
                time,
                Some(computed),
                format!(
                    "The fields that are shown have the hash {computed}, and {stated} is stated: who signs by the stated hash signs something else ({})",
                    self.domain_name()
                ),
            ),
            (Some(stated), _) => self.check(
                "hash-not-reproduced",
                Severity::Medium,
                time,
                Some(stated),
                format!(
                    "No known form of a Safe's domain gives the stated hash {stated}; give the chain with --chain, or the fields or the hash are wrong"
                ),
            ),
            (None, Some(computed)) => self.check(
                "hash-computed",
                Severity::Informational,
                time,
                Some(computed),
                format!("No hash is stated; the fields have {computed} ({})", self.domain_name()),
            ),
            (None, None) => self.check(
                "domain-unknown",
                Severity::Low,
                time,
                None,
                "No hash is stated, and neither version nor chain of the Safe is known: signatures cannot be recovered".to_owned(),
            ),
        });
    }

    fn domain_name(&self) -> String {
        self.kind
            .map_or_else(|| "domain unknown".to_owned(), |kind| kind.to_string())
    }

    /// What the transaction itself does.
    fn content(&self, known: &Known<'_>, out: &mut Out) {
        let announced = known
            .hash
            .is_some_and(|hash| self.expectations.announced.contains(&hash));
        let allowed = |to: Address| self.expectations.delegatecall_targets.contains(&to);
        let time = known.known_at();
        for call in known.calls.unknown_delegatecalls(&allowed) {
            out.checks.push(self.check(
                "delegatecall-to-unknown",
                if announced {
                    Severity::Low
                } else {
                    Severity::Critical
                },
                time,
                known.hash,
                format!("The transaction would {}", words::call(call)),
            ));
        }
        if known.calls.incomplete {
            out.checks.push(self.check(
                "calls-not-unpacked",
                Severity::High,
                time,
                known.hash,
                "Calls are packed in it so that they cannot be read: nobody can say what it does".to_owned(),
            ));
        }
        for call in known.calls.calls.iter().filter(|call| call.to == self.safe) {
            if call.selector().is_some_and(changes_control) {
                out.checks.push(self.check(
                    "control-change",
                    if announced {
                        Severity::Informational
                    } else {
                        Severity::High
                    },
                    time,
                    known.hash,
                    format!(
                        "The transaction would {}{}",
                        words::function(&call.data).unwrap_or_else(|| words::call(call)),
                        if announced {
                            ", as announced"
                        } else {
                            "; no such change is announced"
                        }
                    ),
                ));
            }
        }
    }

    /// Two transactions on one nonce that the same owner signed.
    fn rivals(&self, out: &mut Out) {
        for (index, one) in self.known.iter().enumerate() {
            for other in &self.known[index + 1..] {
                let shared: Vec<String> = one
                    .signed_by
                    .intersection(&other.signed_by)
                    .map(|owner| short(*owner))
                    .collect();
                if one.hash == other.hash || shared.is_empty() {
                    continue;
                }
                let rejection = one.is_rejection(self.safe) || other.is_rejection(self.safe);
                let grave = one.is_delegatecall() || other.is_delegatecall();
                out.checks.push(self.check(
                    "rivals-with-shared-signers",
                    match (rejection, grave) {
                        (true, _) => Severity::Informational,
                        (false, true) => Severity::High,
                        (false, false) => Severity::Low,
                    },
                    one.known_at().max(other.known_at()),
                    other.hash,
                    format!(
                        "Two transactions stand on nonce {}, and {} signed both: one would {}; the other would {}",
                        self.nonce,
                        shared.join(", "),
                        words::briefly(&one.calls),
                        words::briefly(&other.calls)
                    ),
                ));
            }
        }
    }

    /// What was carried out, against what was confirmed.
    fn execution(&self, index: usize, out: &mut Out) {
        let known = &self.known[index];
        let Some(execution) = &known.filed.execution else {
            return;
        };
        let shown: Vec<&Known<'_>> = self
            .known
            .iter()
            .filter(|other| other.hash != known.hash && !other.filed.confirmations.is_empty())
            .collect();
        if known.filed.confirmations.is_empty() && !shown.is_empty() {
            let signers: Vec<String> = known.signed_by.iter().map(|owner| short(*owner)).collect();
            let by = match signers.is_empty() {
                true => String::new(),
                false => format!(
                    " The signatures filed under the other are good for it: {}.",
                    signers.join(", ")
                ),
            };
            out.checks.push(self.check(
                "executed-differs-from-shown",
                Severity::Critical,
                execution.time,
                known.hash,
                format!(
                    "What was carried out is not what was confirmed. Confirmed: {}. Carried out: {}.{by}",
                    words::briefly(&shown[0].calls),
                    words::briefly(&known.calls)
                ),
            ));
        }
        let Some(executor) = execution.executor else {
            return;
        };
        let declared = self.expectations.executors.get(&self.safe);
        let expected = match declared {
            Some(declared) => declared.contains(&executor) || self.owners.contains(&executor),
            None => {
                let confirmed = self
                    .known
                    .iter()
                    .flat_map(|known| &known.filed.confirmations);
                self.owners.contains(&executor)
                    || confirmed.into_iter().any(|one| one.owner == executor)
            }
        };
        if !expected {
            out.checks.push(self.check(
                "unknown-executor",
                if declared.is_some() { Severity::Medium } else { Severity::Low },
                execution.time,
                known.hash,
                format!("{executor} sent it to the chain, and is neither an owner nor a declared executor; anyone may send what owners signed"),
            ));
        }
    }
}

/// Whether a function of a Safe changes who rules it.
fn changes_control(selector: [u8; 4]) -> bool {
    [
        abi::addOwnerWithThresholdCall::SELECTOR,
        abi::removeOwnerCall::SELECTOR,
        abi::swapOwnerCall::SELECTOR,
        abi::changeThresholdCall::SELECTOR,
        abi::enableModuleCall::SELECTOR,
        abi::disableModuleCall::SELECTOR,
        abi::setGuardCall::SELECTOR,
        abi::setModuleGuardCall::SELECTOR,
        abi::setFallbackHandlerCall::SELECTOR,
        abi::changeMasterCopyCall::SELECTOR,
    ]
    .contains(&selector)
}
