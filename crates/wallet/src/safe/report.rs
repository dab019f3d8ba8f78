//! What verification of a queue tells.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use portreeve_model::Severity;
use serde::Serialize;

/// What the queues of Safes come to.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// `clean`, or the gravest severity above informational.
    pub verdict: &'static str,
    /// The answer in one sentence.
    pub headline: String,
    /// The time of the first check of high severity or above.
    pub first_sign: Option<Timestamp>,
    /// When the transaction that it is about was carried out.
    pub executed: Option<Timestamp>,
    /// Seconds from the first sign to the execution.
    pub lead_seconds: Option<i64>,
    /// Everything that was looked at and is worth a word, in order of time.
    pub checks: Vec<Check>,
    /// Each transaction, with its hash.
    pub transactions: Vec<TransactionReport>,
    /// Each confirmation, with what its signature says.
    pub signers: Vec<SignerReport>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What kind of thing; the list is in `docs/wallet.md`.
    pub id: &'static str,
    /// When it could first be known, cut to the second.
    pub time: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, in plain words.
    pub reason: String,
    /// The Safe.
    pub safe: Address,
    /// The Safe's running number.
    pub nonce: String,
    /// The safeTxHash that it is about.
    pub hash: Option<B256>,
    /// The owner that it is about.
    pub owner: Option<Address>,
}

/// A transaction as it was filed, and what it comes to.
#[derive(Clone, Debug, Serialize)]
pub struct TransactionReport {
    /// The Safe.
    pub safe: Address,
    /// The Safe's running number.
    pub nonce: String,
    /// The hash that whoever filed it says it has.
    pub stated_hash: Option<B256>,
    /// The hash that its fields have; absent where the domain is not known.
    pub computed_hash: Option<B256>,
    /// The form of the domain with which it was computed.
    pub domain: Option<String>,
    /// What it does, in plain words.
    pub does: String,
    /// Whether it is a delegatecall.
    pub delegatecall: bool,
    /// When it was filed.
    pub submitted: Option<Timestamp>,
    /// When it was carried out.
    pub executed: Option<Timestamp>,
    /// In which transaction of the chain.
    pub transaction: Option<B256>,
    /// Who sent that.
    pub executor: Option<Address>,
    /// Owners whose signatures are good for this transaction, wherever they were filed.
    pub signed_by: Vec<Address>,
}

/// A confirmation, and what its signature says.
#[derive(Clone, Debug, Serialize)]
pub struct SignerReport {
    /// The Safe.
    pub safe: Address,
    /// The Safe's running number.
    pub nonce: String,
    /// Whose confirmation it is said to be.
    pub owner: Address,
    /// When it was filed.
    pub time: Option<Timestamp>,
    /// The kind of signature.
    pub kind: &'static str,
    /// The hash of the transaction that it was filed under.
    pub filed_under: Option<B256>,
    /// Who signed, if what was signed is that transaction.
    pub recovers_to: Option<Address>,
    /// Whether that is the owner.
    pub matches: bool,
    /// The hash, of those known on this nonce, for which the signature is the owner's.
    pub signed: Option<B256>,
    /// What the owner was shown, in plain words.
    pub shown: String,
    /// What the owner signed, in plain words.
    pub signs: String,
}
