//! What is remembered of a chain, each with how long.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::map::HashSet;
use alloy_primitives::{Address, B256, U256};
use jiff::Timestamp;

use super::changes::Outflow;
use crate::chain::{Asset, SafeStorage};

/// How long outflows are kept, in seconds: the longest window that rules look at.
pub(crate) const OUTFLOWS: i64 = 30 * 60;
/// The window of bursts, in seconds.
pub(crate) const WINDOW: i64 = 10 * 60;
/// How long the largest windows are kept, in days.
const DAYS: i64 = 90;
/// How many addresses are remembered as seen, in each of two generations.
const SEEN: usize = 1 << 20;

/// Addresses that were seen, the last one to two million.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    young: HashSet<Address>,
    old: HashSet<Address>,
}

impl Seen {
    pub(crate) fn contains(&self, address: &Address) -> bool {
        self.young.contains(address) || self.old.contains(address)
    }

    pub(crate) fn insert(&mut self, address: Address) {
        if self.young.len() >= SEEN {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(address);
    }
}

/// What is remembered of one wallet.
#[derive(Clone, Debug, Default)]
pub(crate) struct WalletHistory {
    pub(crate) slots: BTreeMap<B256, B256>,
    pub(crate) storage: SafeStorage,
    pub(crate) balances: BTreeMap<Asset, U256>,
    pub(crate) outflows: VecDeque<Outflow>,
    pub(crate) payees: HashSet<Address>,
    largest: BTreeMap<(Asset, i64), U256>,
}

impl WalletHistory {
    /// Outflows of the last seconds, that of now with them.
    pub(crate) fn recent(&self, now: Timestamp, seconds: i64) -> impl Iterator<Item = &Outflow> {
        self.outflows
            .iter()
            .filter(move |outflow| now.as_second() - outflow.time.as_second() <= seconds)
    }

    /// The largest sum of an asset that left within one window, on the 90 days before today.
    pub(crate) fn largest(&self, asset: Asset, now: Timestamp) -> U256 {
        let today = day(now);
        self.largest
            .range((asset, today - DAYS)..(asset, today))
            .map(|(_, sum)| *sum)
            .max()
            .unwrap_or_default()
    }

    /// Notes an outflow, and lets go of what is too old to matter.
    pub(crate) fn note(&mut self, outflow: Outflow) {
        let now = outflow.time;
        let asset = outflow.asset;
        self.outflows.push_back(outflow);
        while self
            .outflows
            .front()
            .is_some_and(|old| now.as_second() - old.time.as_second() > OUTFLOWS)
        {
            self.outflows.pop_front();
        }
        let sum = self
            .recent(now, WINDOW)
            .filter(|outflow| outflow.asset == asset)
            .fold(U256::ZERO, |sum, outflow| {
                sum.saturating_add(outflow.amount)
            });
        let today = day(now);
        let largest = self.largest.entry((asset, today)).or_default();
        *largest = (*largest).max(sum);
        if self.largest.len() > 4 * DAYS as usize {
            self.largest.retain(|(_, day), _| today - *day <= DAYS);
        }
    }
}

fn day(time: Timestamp) -> i64 {
    time.as_second().div_euclid(86_400)
}

/// An allowance to spend a wallet's token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Approval {
    pub(crate) time: Timestamp,
    /// Whether this spender was never allowed anything by this wallet before, and the policy does
    /// not name it.
    pub(crate) new: bool,
    pub(crate) unlimited: bool,
}

/// A contract that was created within the last 21 days.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) time: Timestamp,
    pub(crate) by: Address,
    /// Whether its maker is an account that had hardly sent anything before.
    pub(crate) fresh: bool,
    /// Wallets of ours whose address stands in its code.
    pub(crate) names: Vec<Address>,
}

/// Someone whom a wallet paid, and whom he paid since.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    pub(crate) wallet: Address,
    pub(crate) time: Timestamp,
    pub(crate) paid: VecDeque<Spread>,
}

/// A payment by someone who is traced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) time: Timestamp,
    pub(crate) to: Address,
    pub(crate) asset: Asset,
    pub(crate) amount: U256,
    pub(crate) fresh: bool,
}
