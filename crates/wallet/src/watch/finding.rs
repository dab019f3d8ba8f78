//! What rules find.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use portreeve_model::Severity;
use serde::Serialize;

/// What a transaction could take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// An allowance for a token.
    Revoke {
        /// The token.
        token: Address,
        /// Who may spend it.
        spender: Address,
    },
    /// A module that may spend without signatures.
    DisableModule(Address),
    /// A contract of ours that may be paused.
    Pause,
}

/// Something on a chain that is worth a person's look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalletFinding {
    /// Stable for the same thing: the same transaction in another block is the same finding.
    pub id: String,
    /// What it has in common with itself in another block.
    #[serde(skip)]
    pub(super) same: String,
    /// The rule.
    pub rule: &'static str,
    /// What was seen, in a few words.
    pub title: &'static str,
    /// How much it matters; informational where it was announced.
    pub severity: Severity,
    /// The block's time.
    pub time: Timestamp,
    /// The chain's number.
    pub chain: u64,
    /// The block's number.
    pub block: u64,
    /// The transaction, where it is one's.
    pub transaction: Option<B256>,
    /// The wallet that it is about.
    pub wallet: Address,
    /// What the policy calls the wallet.
    pub wallet_name: String,
    /// What happened, in plain words.
    pub reason: String,
    /// Whether it was announced.
    pub announced: bool,
    /// What takes it back, where a transaction can.
    #[serde(skip)]
    pub remedy: Option<Remedy>,
    /// ATT&CK techniques.
    pub techniques: &'static [&'static str],
}
