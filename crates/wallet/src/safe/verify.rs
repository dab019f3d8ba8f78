//! Whether what owners signed is what they were shown.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use jiff::Timestamp;
use portreeve_model::Severity;

use super::calls::Unpacked;
use super::queue::{Confirmation, Filed, Queue};
use super::report::{Check, SignerReport, TransactionReport, Verification};
use super::signature::OwnerSignature;
use super::transaction::{Domain, DomainKind, Operation};
use super::version::Library;
use crate::abi;
use crate::words::{self, short};

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
        for (nonce, filed) in nonces {
            Nonce::new(queue, nonce, &filed, kind, proven, expectations).judge(&mut out);
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

/// A transaction with its hash and its calls.
struct Known<'a> {
    filed: &'a Filed,
    /// The hash of its fields, where the domain is known; else the one that is stated.
    hash: Option<B256>,
    computed: Option<B256>,
    calls: Unpacked,
    signed_by: BTreeSet<Address>,
}

impl Known<'_> {
    fn is_delegatecall(&self) -> bool {
        let direct = self.filed.transaction.operation == Operation::DelegateCall;
        let library = Library::at(self.filed.transaction.to).is_some();
        direct && !library
            || self
                .calls
                .calls
                .iter()
                .any(|call| call.operation == Operation::DelegateCall)
    }

    /// An empty call to the Safe itself: how owners use up a nonce to reject what stands on it.
    fn is_rejection(&self, safe: Address) -> bool {
        let transaction = &self.filed.transaction;
        transaction.to == safe
            && transaction.value.is_zero()
            && transaction.data.is_empty()
            && transaction.operation == Operation::Call
    }

    fn executed(&self) -> Option<Timestamp> {
        self.filed
            .execution
            .as_ref()
            .and_then(|execution| execution.time)
    }

    /// When it could first be known.
    fn known_at(&self) -> Option<Timestamp> {
        self.filed.submitted.or_else(|| self.executed())
    }
}

/// All that stands on one nonce of a Safe.
struct Nonce<'a> {
    safe: Address,
    nonce: U256,
    kind: Option<DomainKind>,
    proven: bool,
    owners: BTreeSet<Address>,
    known: Vec<Known<'a>>,
    expectations: &'a Expectations,
}

impl<'a> Nonce<'a> {
    fn new(
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

    fn judge(mut self, out: &mut Out) {
        for known in &self.known {
            self.hashes(known, out);
            self.content(known, out);
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

    fn check(
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

    /// What one confirmation's signature says.
    fn confirmation(&mut self, index: usize, confirmation: &Confirmation, out: &mut Out) {
        let owner = confirmation.owner;
        let time = confirmation.time;
        let hash = self.known[index].hash;
        let shown = words::calls(&self.known[index].calls);
        let mut report = SignerReport {
            safe: self.safe,
            nonce: self.nonce.to_string(),
            owner,
            time,
            kind: "on the chain",
            filed_under: hash,
            recovers_to: None,
            matches: false,
            signed: None,
            shown: shown.clone(),
            signs: "not told by the file: the owner approves on the chain".to_owned(),
        };
        let mut checks = Vec::new();
        if !self.owners.is_empty() && !self.owners.contains(&owner) {
            checks.push(self.check(
                "owner-unknown",
                Severity::High,
                time,
                hash,
                format!("{owner} confirmed, and is no owner of the Safe"),
            ));
        }
        if !confirmation.signature.is_empty() {
            match OwnerSignature::parse(&confirmation.signature) {
                Err(error) => {
                    report.kind = "unreadable";
                    report.signs = "nothing that the contract would take".to_owned();
                    checks.push(self.check(
                        "signature-unreadable",
                        Severity::Medium,
                        time,
                        hash,
                        format!("The signature filed for {owner} cannot be read: {error}"),
                    ));
                }
                Ok(signature) => {
                    report.kind = signature.kind();
                    report.recovers_to = hash.and_then(|hash| signature.signer(hash));
                    report.matches = report.recovers_to == Some(owner);
                    checks.extend(self.recovered(index, &signature, &mut report));
                }
            }
        }
        out.checks.extend(checks.into_iter().map(|check| Check {
            owner: Some(owner),
            ..check
        }));
        out.signers.push(report);
    }

    /// Sets a signature against the transaction it was filed under and against its rivals.
    fn recovered(
        &mut self,
        index: usize,
        signature: &OwnerSignature,
        report: &mut SignerReport,
    ) -> Option<Check> {
        let owner = report.owner;
        let hash = report.filed_under;
        if report.matches {
            report.signed = hash;
            report.signs = if signature.is_bound() {
                format!("the same: {}", report.shown)
            } else {
                "what the chain or the owner's contract says; these bytes only name the owner"
                    .to_owned()
            };
            self.known[index].signed_by.insert(owner);
            return None;
        }
        let rival = (0..self.known.len()).find(|other| {
            *other != index
                && signature.is_bound()
                && self.known[*other]
                    .hash
                    .is_some_and(|hash| signature.signer(hash) == Some(owner))
        });
        let filed = self.known[index].filed;
        let stated = filed.stated_hash.filter(|stated| Some(*stated) != hash);
        let by_stated = stated
            .filter(|stated| signature.is_bound() && signature.signer(*stated) == Some(owner));
        let would_be = match report.recovers_to {
            Some(signer) if self.owners.contains(&signer) => {
                format!("for its hash it is that of another owner, {signer}")
            }
            Some(signer) => format!("for its hash it would be that of {signer}, who is no owner"),
            None => "for its hash it fits no key".to_owned(),
        };
        let beginning = format!(
            "The signature filed for owner {} is not his for the transaction that was shown ({}): {would_be}",
            short(owner),
            words::briefly(&self.known[index].calls)
        );
        let ending = if let Some(rival) = rival {
            let signed = &mut self.known[rival];
            signed.signed_by.insert(owner);
            report.signed = signed.hash;
            report.signs = words::calls(&signed.calls);
            let known = match signed.executed() {
                Some(time) => format!(", carried out at {}", cut(time)),
                None => String::new(),
            };
            format!(
                ". It is his for another on the same nonce: {} (hash {}{known})",
                words::briefly(&signed.calls),
                signed.hash.unwrap_or_default()
            )
        } else if let Some(stated) = by_stated {
            report.signed = Some(stated);
            report.signs =
                "the hash that was stated, which is not that of the fields shown".to_owned();
            format!(
                ". It is his for the hash that was stated, {stated}, which the fields do not have"
            )
        } else {
            report.signs = "something that is not in this file".to_owned();
            ". What he signed is not among the transactions known on this nonce".to_owned()
        };
        let hash_unsure = self.known[index].computed.is_none() && filed.stated_hash.is_none();
        if hash_unsure {
            report.signs = "not known: neither hash nor domain is".to_owned();
            return None;
        }
        // Where no form of the domain reproduces what is stated, the mismatch may be ours.
        let severity = if self.proven || rival.is_some() {
            Severity::Critical
        } else {
            Severity::Medium
        };
        Some(self.check(
            "signature-mismatch",
            severity,
            report.time,
            hash,
            format!("{beginning}{ending}"),
        ))
    }

    /// The signatures that went to the chain.
    fn carried_signatures(&mut self, index: usize, out: &mut Out) {
        let known = &self.known[index];
        let Some(hash) = known.hash.filter(|_| !known.filed.signatures.is_empty()) else {
            return;
        };
        let time = known.executed();
        let mut found = BTreeSet::new();
        for signature in OwnerSignature::split(&known.filed.signatures)
            .into_iter()
            .flatten()
        {
            let signer = signature.signer(hash);
            match signer {
                Some(signer) if self.owners.is_empty() || self.owners.contains(&signer) => {
                    found.insert(signer);
                }
                _ => out.checks.push(self.check(
                    "execution-signature-unknown",
                    Severity::High,
                    time,
                    Some(hash),
                    format!(
                        "A signature carried by the execution is that of {}, who is no known owner",
                        signer.map_or_else(|| "nobody".to_owned(), |signer| signer.to_string())
                    ),
                )),
            }
        }
        self.known[index].signed_by.extend(found);
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
pub(crate) fn changes_control(selector: [u8; 4]) -> bool {
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

/// A time cut to its second.
fn cut(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
