//! What one block changed for the wallets.

use alloy_primitives::{Address, B256, U256};
use jiff::Timestamp;

use crate::chain::Asset;
use crate::safe::{SafeTransaction, Unpacked};

/// What one block changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) outflows: Vec<Outflow>,
    pub(crate) ruled: Vec<Ruled>,
    pub(crate) executions: Vec<Execution>,
    /// Contracts that were created, by someone whom the policy does not know.
    pub(crate) created: Vec<(Address, B256)>,
    /// Traced recipients that paid someone in this block.
    pub(crate) spread: Vec<Address>,
    /// Allowances that wallets gave: wallet, token, spender, transaction.
    pub(crate) approvals: Vec<(Address, Address, Address, B256)>,
}

/// Money that left a wallet.
#[derive(Clone, Debug)]
pub(crate) struct Outflow {
    pub(crate) time: Timestamp,
    pub(crate) transaction: B256,
    pub(crate) wallet: Address,
    pub(crate) to: Address,
    pub(crate) asset: Asset,
    pub(crate) amount: U256,
    /// The wallet's balance of it before, where known.
    pub(crate) before: Option<U256>,
    /// Whether the wallet never paid this recipient before, and the policy does not name him.
    pub(crate) new_payee: bool,
    /// Whether the money stays where it may go.
    pub(crate) allowed: bool,
    /// Whether the payment was announced.
    pub(crate) announced: bool,
    /// Who sent the transaction.
    pub(crate) sender: Address,
    /// Who moved a token by an allowance.
    pub(crate) spender: Option<Address>,
}

impl Outflow {
    /// Whether it needs an explanation.
    pub(crate) fn is_unexplained(&self) -> bool {
        !self.allowed && !self.announced
    }

    /// Its share of the balance before, in millionths.
    pub(crate) fn share(&self) -> Option<u64> {
        share(self.amount, self.before?)
    }
}

/// A part in a whole, in millionths. `None` of nothing.
pub(crate) fn share(part: U256, whole: U256) -> Option<u64> {
    if whole.is_zero() {
        return None;
    }
    let millionths = part.checked_mul(U256::from(1_000_000))? / whole;
    Some(u64::try_from(millionths).unwrap_or(u64::MAX))
}

/// Something that rules a Safe and that storage shows changed.
#[derive(Clone, Debug)]
pub(crate) struct Ruled {
    pub(crate) wallet: Address,
    pub(crate) what: Ruling,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The new address, where it is one.
    pub(crate) address: Option<Address>,
    /// Whether the policy, and not an earlier block, says what it was.
    pub(crate) against_policy: bool,
}

/// What rules a Safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    Implementation,
    Guard,
    Owners,
    Threshold,
    Modules,
    FallbackHandler,
}

impl Ruling {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Implementation => "implementation (storage slot 0)",
            Self::Guard => "guard",
            Self::Owners => "owners",
            Self::Threshold => "threshold",
            Self::Modules => "modules",
            Self::FallbackHandler => "fallback handler",
        }
    }
}

/// A transaction that a Safe carried out.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    pub(crate) safe: Address,
    pub(crate) transaction: B256,
    pub(crate) safe_transaction: SafeTransaction,
    pub(crate) calls: Unpacked,
    /// The safeTxHash that the Safe logged.
    pub(crate) hash: Option<B256>,
    pub(crate) sender: Address,
}
