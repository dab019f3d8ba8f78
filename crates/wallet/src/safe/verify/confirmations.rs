//! Each signature against the transaction it was filed under, and against its rivals.

use std::collections::BTreeSet;

use portreeve_model::Severity;

use super::nonce::Nonce;
use super::{Out, cut};
use crate::safe::queue::Confirmation;
use crate::safe::report::{Check, SignerReport};
use crate::safe::signature::OwnerSignature;
use crate::words::{self, short};

impl Nonce<'_> {
    /// What one confirmation's signature says.
    pub(super) fn confirmation(
        &mut self,
        index: usize,
        confirmation: &Confirmation,
        out: &mut Out,
    ) {
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
    pub(super) fn carried_signatures(&mut self, index: usize, out: &mut Out) {
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
}
