//! One chain after another block: state, rules, and what happens when the chain takes blocks back.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use alloy_primitives::{Address, B256, U256};
use serde::Serialize;

use super::WalletFinding;
use super::bridges::Bridges;
use super::rule::{Hits, Scene, rules};
use super::state::State;
use crate::chain::{Asset, Block};
use crate::policy::Policy;

/// How many blocks may be taken back. Ethereum makes blocks final after 64 slots.
const DEPTH: usize = 64;

/// What a watcher is told.
#[derive(Clone, Debug)]
pub enum Observation {
    /// A block, with where providers disagree about it.
    Block(Box<Block>, Vec<Divergence>),
}

/// Providers that answered the same question differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// What was asked.
    pub what: String,
    /// Who said what.
    pub answers: Vec<(String, String)>,
    /// Which answer was gone by; absent where no majority was.
    pub taken: Option<String>,
}

/// What came of an observation.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What is new and worth a look.
    pub findings: Vec<WalletFinding>,
    /// What the user should know of the chain.
    pub notices: Vec<Notice>,
}

/// Something about the blocks themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "notice")]
pub enum Notice {
    /// The chain took blocks back.
    Reorganised {
        /// The chain.
        chain: u64,
        /// The first block that is another now.
        block: u64,
        /// How many were taken back.
        depth: u64,
    },
    /// Blocks are missing: what happened in them was not seen.
    Hole {
        /// The chain.
        chain: u64,
        /// The first that is missing.
        from: u64,
        /// The last.
        until: u64,
    },
    /// A block that does not follow on what is known.
    Unattached {
        /// The chain.
        chain: u64,
        /// The block.
        block: u64,
    },
    /// The block came without receipts: logs and failures were not seen.
    WithoutReceipts {
        /// The chain.
        chain: u64,
        /// The block.
        block: u64,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reorganised {
                chain,
                block,
                depth,
            } => write!(
                formatter,
                "Chain {chain} took back {depth} blocks, from block {block}"
            ),
            Self::Hole { chain, from, until } => {
                write!(
                    formatter,
                    "Blocks {from} to {until} of chain {chain} are missing"
                )
            }
            Self::Unattached { chain, block } => write!(
                formatter,
                "Block {block} of chain {chain} does not follow on the one before"
            ),
            Self::WithoutReceipts { chain, block } => write!(
                formatter,
                "Block {block} of chain {chain} came without receipts: its logs were not seen"
            ),
        }
    }
}

/// Judges blocks as they come. The same blocks give the same findings; a block that comes twice, or
/// a transaction that comes again after blocks were taken back, gives none twice.
#[derive(Debug)]
pub struct Watcher {
    policy: Policy,
    chains: BTreeMap<u64, Chain>,
    bridges: Bridges,
    /// What was reported, with the block.
    reported: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Chain {
    /// The state as of the last block that cannot be taken back any more.
    settled: State,
    tip: State,
    recent: VecDeque<Block>,
}

impl Watcher {
    /// Watches what a policy names.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            chains: BTreeMap::new(),
            bridges: Bridges::default(),
            reported: BTreeMap::new(),
        }
    }

    /// What a wallet has on a chain, as far as blocks told it.
    pub fn balances(&self, chain: u64, wallet: Address) -> BTreeMap<Asset, U256> {
        let chain = self.chains.get(&chain);
        let history = chain.and_then(|chain| chain.tip.wallet(wallet));
        history.map_or_else(BTreeMap::new, |history| history.balances.clone())
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes one observation in.
    pub fn observe(&mut self, observation: Observation) -> Observed {
        let Observation::Block(block, divergences) = observation;
        let mut observed = Observed::default();
        let chain = self.chains.entry(block.chain).or_default();
        if !chain.attach(&block, &self.policy, &mut observed.notices) {
            return observed;
        }
        if !block.has_receipts && !block.transactions.is_empty() {
            observed.notices.push(Notice::WithoutReceipts {
                chain: block.chain,
                block: block.number,
            });
        }
        let changes = chain.tip.fold(&block, &self.policy);
        let unsent = self.bridges.fold(&block, &self.policy);
        let scene = Scene {
            policy: &self.policy,
            block: &block,
            changes: &changes,
            state: &chain.tip,
            divergences: &divergences,
            unsent: &unsent,
        };
        let mut found = judge(&scene);
        chain.recent.push_back(*block);
        if chain.recent.len() > DEPTH
            && let Some(settled) = chain.recent.pop_front()
        {
            chain.settled.fold(&settled, &self.policy);
        }
        found.retain(|finding| is_new(&mut self.reported, finding));
        observed.findings = found;
        observed
    }
}

/// Whether a finding was not reported yet. What is of no transaction may happen again, but not within
/// the blocks that may be taken back.
fn is_new(reported: &mut BTreeMap<String, u64>, finding: &WalletFinding) -> bool {
    let before = reported.insert(finding.same.clone(), finding.block);
    match (before, finding.transaction) {
        (None, _) => true,
        (Some(_), Some(_)) => false,
        (Some(before), None) => finding.block.abs_diff(before) > DEPTH as u64,
    }
}

fn judge(scene: &Scene<'_>) -> Vec<WalletFinding> {
    let mut found = Vec::new();
    for rule in rules() {
        (rule.judge)(
            scene,
            &mut Hits::new(rule, scene.policy, scene.block, &mut found),
        );
    }
    found
}

impl Chain {
    /// Takes back what a block replaces. False where the block is known already.
    fn attach(&mut self, block: &Block, policy: &Policy, notices: &mut Vec<Notice>) -> bool {
        let Some(last) = self.recent.back() else {
            return true;
        };
        if self
            .recent
            .iter()
            .rev()
            .any(|known| known.hash == block.hash)
        {
            return false;
        }
        let (chain, number) = (block.chain, block.number);
        if number > last.number + 1 {
            notices.push(Notice::Hole {
                chain,
                from: last.number + 1,
                until: number - 1,
            });
            return true;
        }
        let keep = self
            .recent
            .iter()
            .take_while(|known| known.number < number)
            .count();
        let taken_back = self.recent.len() - keep;
        self.recent.truncate(keep);
        if taken_back > 0 {
            notices.push(Notice::Reorganised {
                chain,
                block: number,
                depth: taken_back as u64,
            });
            self.tip = self.settled.clone();
            for known in &self.recent {
                self.tip.fold(known, policy);
            }
        }
        let follows = self.recent.back().map(|known| known.hash) == Some(block.parent);
        if !follows && block.parent != B256::ZERO {
            notices.push(Notice::Unattached {
                chain,
                block: number,
            });
        }
        true
    }
}
