//! Messages between the ends of declared bridges, over all chains.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use jiff::Timestamp;

use crate::abi::{OFTReceived, OFTSent};
use crate::chain::Block;
use crate::policy::Policy;

/// How many messages are remembered.
const MOST: usize = 1 << 17;

/// What was sent, and what waits to be explained.
#[derive(Clone, Debug, Default)]
pub(super) struct Bridges {
    sent: BTreeSet<B256>,
    order: VecDeque<B256>,
    /// Up to which time each chain was read.
    read_until: BTreeMap<u64, Timestamp>,
    waiting: Vec<Received>,
}

/// A message that a bridge's end received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) contract: Address,
    pub(crate) transaction: B256,
    pub(crate) message: B256,
    pub(crate) time: Timestamp,
    /// The chains of the bridge's other ends.
    others: Vec<u64>,
}

impl Bridges {
    /// Takes a block in; tells what was received and, now that all other ends were read up to its
    /// time, is known never to have been sent.
    pub(super) fn fold(&mut self, block: &Block, policy: &Policy) -> Vec<Received> {
        if policy.bridges.is_empty() {
            return Vec::new();
        }
        let until = self.read_until.entry(block.chain).or_insert(block.time);
        *until = (*until).max(block.time);
        for transaction in block.transactions.iter().filter(|one| one.took_effect()) {
            for log in transaction.logs() {
                let [topic, message, ..] = log.topics.as_slice() else {
                    continue;
                };
                let is_end = |end: &crate::policy::BridgeEnd| {
                    end.chain == block.chain && end.address == log.address
                };
                let Some(bridge) = policy
                    .bridges
                    .iter()
                    .find(|bridge| bridge.ends.iter().any(is_end))
                else {
                    continue;
                };
                if *topic == OFTSent::SIGNATURE_HASH && self.sent.insert(*message) {
                    self.order.push_back(*message);
                    if self.order.len() > MOST
                        && let Some(old) = self.order.pop_front()
                    {
                        self.sent.remove(&old);
                    }
                } else if *topic == OFTReceived::SIGNATURE_HASH && self.waiting.len() < MOST {
                    let others = bridge
                        .ends
                        .iter()
                        .map(|end| end.chain)
                        .filter(|chain| *chain != block.chain);
                    self.waiting.push(Received {
                        contract: log.address,
                        transaction: transaction.hash,
                        message: *message,
                        time: block.time,
                        others: others.collect(),
                    });
                }
            }
        }
        let Self {
            sent,
            read_until,
            waiting,
            ..
        } = self;
        waiting.retain(|received| !sent.contains(&received.message));
        let read = |received: &Received| {
            received.others.iter().all(|chain| {
                read_until
                    .get(chain)
                    .is_some_and(|time| *time >= received.time)
            })
        };
        let (due, still): (Vec<_>, Vec<_>) = std::mem::take(waiting).into_iter().partition(read);
        *waiting = still;
        due
    }
}
