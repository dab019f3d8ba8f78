//! Money that moves in a block.

use std::fmt;

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;
use serde::Serialize;

use super::block::{Log, Transaction};
use crate::abi;

/// What moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Asset {
    /// The chain's own coin.
    Coin,
    /// A token, by its contract.
    Token(Address),
}

/// As a sentence names it: `coin`, or `token` and its contract.
impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asset::Coin => f.write_str("coin"),
            Asset::Token(token) => write!(f, "token {token}"),
        }
    }
}

impl Asset {
    /// The token's contract.
    pub fn token(self) -> Option<Address> {
        match self {
            Self::Coin => None,
            Self::Token(token) => Some(token),
        }
    }
}

/// One movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// From whom.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// What.
    pub asset: Asset,
    /// How much, in its smallest unit.
    pub amount: U256,
}

/// The movements of a transaction that took effect: its own coin, that of internal calls, and the
/// transfers that token contracts logged (EIP-20). Delegatecalls carry no coin of their own.
pub fn movements(transaction: &Transaction) -> Vec<Movement> {
    if !transaction.took_effect() {
        return Vec::new();
    }
    let coin = |from, to, amount: U256| {
        (!amount.is_zero()).then_some(Movement {
            from,
            to,
            asset: Asset::Coin,
            amount,
        })
    };
    let outer = transaction
        .to
        .and_then(|to| coin(transaction.from, to, transaction.value));
    let inner = transaction
        .calls
        .iter()
        .filter(|call| !call.delegate)
        .filter_map(|call| coin(call.from, call.to, call.value));
    let tokens = transaction.logs().iter().filter_map(of_log);
    outer.into_iter().chain(inner).chain(tokens).collect()
}

/// The transfer that a log tells of. Tokens that are told apart by number (EIP-721) have a fourth
/// topic, and are no amounts.
fn of_log(log: &Log) -> Option<Movement> {
    if log.topics.len() != 3
        || log.topics[0] != abi::Transfer::SIGNATURE_HASH
        || log.data.len() != 32
    {
        return None;
    }
    Some(Movement {
        from: Address::from_word(log.topics[1]),
        to: Address::from_word(log.topics[2]),
        asset: Asset::Token(log.address),
        amount: U256::from_be_slice(&log.data),
    })
}
