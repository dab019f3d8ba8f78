//! Blocks folded into what is known of each wallet.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use jiff::Timestamp;

use super::changes::{Changes, Execution, Outflow, Ruled, Ruling, share};
use super::history::{Approval, Deployment, OUTFLOWS, Seen, Spread, Traced, WalletHistory};
use crate::abi;
use crate::chain::{Asset, Block, Movement, SafeStorage, Transaction, movements};
use crate::policy::{Announced, Policy, Wallet};
use crate::safe::{SafeTransaction, Unpacked};
use crate::words::is_unlimited;

/// How long a new contract may lie staged, in seconds.
const STAGED: i64 = 21 * 86_400;
/// An account that sent fewer transactions before is fresh.
const FRESH: u64 = 10;
/// Recipients of at least this share of a balance are traced, in millionths.
const TRACED: u64 = 10_000;
/// The most payments of one traced recipient that are kept.
const SPREAD: usize = 512;
/// The most contracts, recipients and scheduled calls that are remembered, each.
const MOST: usize = 1 << 17;

/// All that is remembered of one chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    wallets: BTreeMap<Address, WalletHistory>,
    seen: Seen,
    pub(crate) approvals: BTreeMap<(Address, Address, Address), Approval>,
    pub(crate) deployed: HashMap<Address, Deployment>,
    pub(crate) traced: BTreeMap<Address, Traced>,
    /// Calls that timelocks were told to make: when, and with how many seconds of delay.
    scheduled: BTreeMap<(Address, B256), (Timestamp, U256)>,
    /// How much of each announcement was used up, by its place.
    spent: BTreeMap<usize, U256>,
}

impl State {
    /// What is remembered of a wallet.
    pub(crate) fn wallet(&self, address: Address) -> Option<&WalletHistory> {
        self.wallets.get(&address)
    }

    /// From how many wallets a spender took tokens by allowances, within the last half hour.
    pub(crate) fn taken_from(&self, spender: Address, now: Timestamp) -> usize {
        let took = |history: &&WalletHistory| {
            let mut recent = history.recent(now, OUTFLOWS);
            recent.any(|outflow| outflow.spender == Some(spender))
        };
        self.wallets.values().filter(took).count()
    }

    /// When a timelock was told to make a call, if it waited as long as it was told to.
    pub(crate) fn waited(&self, timelock: Address, id: B256, now: Timestamp) -> Option<Timestamp> {
        let (time, delay) = self.scheduled.get(&(timelock, id))?;
        let waited = U256::from(u64::try_from(now.as_second() - time.as_second()).ok()?);
        (!delay.is_zero() && waited >= *delay).then_some(*time)
    }

    /// Folds a block in, and tells what it changed. Time is that of the block's transactions and
    /// logs; nothing is asked of each wallet.
    pub(crate) fn fold(&mut self, block: &Block, policy: &Policy) -> Changes {
        let mut changes = Changes::default();
        let now = block.time;
        self.before(block, policy);
        for transaction in block.transactions.iter().filter(|one| one.took_effect()) {
            self.schedule(transaction, now);
            self.deploy(block, transaction, policy, &mut changes);
            self.approve(transaction, policy, now, &mut changes);
            executions(transaction, policy, &mut changes);
            for movement in movements(transaction) {
                self.moved(transaction, &movement, policy, now, &mut changes);
            }
            self.seen.insert(transaction.from);
            if let Some(to) = transaction.to {
                self.seen.insert(to);
            }
        }
        for (address, balances) in &block.balances {
            if policy.wallet(*address).is_some() {
                let known = balances
                    .iter()
                    .map(|(token, balance)| (token.map_or(Asset::Coin, Asset::Token), *balance));
                self.wallets
                    .entry(*address)
                    .or_default()
                    .balances
                    .extend(known);
            }
        }
        for (address, slots) in &block.storage {
            if let Some(wallet) = policy.wallet(*address) {
                let history = self.wallets.entry(*address).or_default();
                let mut changed = false;
                for (slot, value) in slots {
                    changed |= history.slots.insert(*slot, *value) != Some(*value);
                }
                if changed {
                    let after = SafeStorage::of(&history.slots);
                    ruled(wallet, &history.storage, &after, &mut changes);
                    history.storage = after;
                }
            }
        }
        self.forget(now);
        changes
    }

    /// Tells balances before a block from those after it, where they are read for the first time: what
    /// came in is taken off, what went out is added.
    fn before(&mut self, block: &Block, policy: &Policy) {
        let mut new: BTreeMap<(Address, Asset), U256> = BTreeMap::new();
        for (address, balances) in &block.balances {
            if policy.wallet(*address).is_none() {
                continue;
            }
            let known = &self.wallets.entry(*address).or_default().balances;
            for (token, balance) in balances {
                let asset = token.map_or(Asset::Coin, Asset::Token);
                if !known.contains_key(&asset) {
                    new.insert((*address, asset), *balance);
                }
            }
        }
        if new.is_empty() {
            return;
        }
        for transaction in block.transactions.iter().rev() {
            for movement in movements(transaction).iter().rev() {
                if let Some(balance) = new.get_mut(&(movement.to, movement.asset)) {
                    *balance = balance.saturating_sub(movement.amount);
                }
                if let Some(balance) = new.get_mut(&(movement.from, movement.asset)) {
                    *balance = balance.saturating_add(movement.amount);
                }
            }
        }
        for ((address, asset), balance) in new {
            let history = self.wallets.entry(address).or_default();
            history.balances.insert(asset, balance);
        }
    }

    fn moved(
        &mut self,
        transaction: &Transaction,
        movement: &Movement,
        policy: &Policy,
        now: Timestamp,
        changes: &mut Changes,
    ) {
        let Movement {
            from,
            to,
            asset,
            amount,
        } = *movement;
        let fresh = !self.seen.contains(&to) && !policy.knows(to);
        if let Some(traced) = self.traced.get_mut(&from) {
            if traced.paid.len() >= SPREAD {
                traced.paid.pop_front();
            }
            traced.paid.push_back(Spread {
                time: now,
                to,
                asset,
                amount,
                fresh,
            });
            changes.spread.push(from);
        }
        if policy.wallet(to).is_some()
            && let Some(balance) = self.wallets.entry(to).or_default().balances.get_mut(&asset)
        {
            *balance = balance.saturating_add(amount);
        }
        if let Some(wallet) = policy.wallet(from).filter(|_| !amount.is_zero()) {
            let outflow = self.outflow(wallet, transaction, movement, policy, now);
            let trace =
                outflow.is_unexplained() && outflow.share().is_none_or(|share| share >= TRACED);
            let history = self.wallets.entry(from).or_default();
            if let Some(balance) = history.balances.get_mut(&asset) {
                *balance = balance.saturating_sub(amount);
            }
            if history.payees.len() < MOST {
                history.payees.insert(to);
            }
            history.note(outflow.clone());
            changes.outflows.push(outflow);
            if trace && self.traced.len() < MOST {
                let traced = self.traced.entry(to).or_insert_with(|| Traced {
                    wallet: from,
                    time: now,
                    paid: Default::default(),
                });
                traced.time = now;
            }
        }
        self.seen.insert(to);
        self.seen.insert(from);
    }

    fn outflow(
        &mut self,
        wallet: &Wallet,
        transaction: &Transaction,
        movement: &Movement,
        policy: &Policy,
        now: Timestamp,
    ) -> Outflow {
        let Movement {
            from,
            to,
            asset,
            amount,
        } = *movement;
        let history = self.wallets.entry(from).or_default();
        let before = history.balances.get(&asset).copied();
        let new_payee =
            !history.payees.contains(&to) && !policy.may_receive(wallet, to) && !policy.knows(to);
        let own = transaction.from == from
            || transaction.to == Some(from)
            || transaction.calls.iter().any(|call| call.to == from);
        let spender = match asset {
            Asset::Token(token) if !own => self.spender(from, token, transaction),
            _ => None,
        };
        Outflow {
            time: now,
            transaction: transaction.hash,
            wallet: from,
            to,
            asset,
            amount,
            before,
            new_payee,
            allowed: policy.may_receive(wallet, to),
            announced: self.announced(policy, transaction, movement, now),
            sender: transaction.from,
            spender,
        }
    }

    /// Whether a payment was announced; uses up what it takes of an announced amount.
    fn announced(
        &mut self,
        policy: &Policy,
        transaction: &Transaction,
        movement: &Movement,
        now: Timestamp,
    ) -> bool {
        let hash = executed_hash(transaction, movement.from);
        for (index, announcement) in policy.announcements.iter().enumerate() {
            if !announcement.covers_payment(
                movement.from,
                now,
                movement.to,
                movement.asset.token(),
                hash,
            ) {
                continue;
            }
            let Some(limit) = announcement.limit() else {
                return true;
            };
            let spent = self.spent.entry(index).or_default();
            let after = spent.saturating_add(movement.amount);
            if after <= limit {
                *spent = after;
                return true;
            }
        }
        false
    }

    /// Who in a transaction had an allowance for a wallet's token.
    fn spender(
        &self,
        owner: Address,
        token: Address,
        transaction: &Transaction,
    ) -> Option<Address> {
        let callers = transaction
            .all_calls()
            .flat_map(|(from, to, ..)| [from, to]);
        callers
            .into_iter()
            .find(|one| self.approvals.contains_key(&(owner, token, *one)))
    }

    fn approve(
        &mut self,
        transaction: &Transaction,
        policy: &Policy,
        now: Timestamp,
        changes: &mut Changes,
    ) {
        for log in transaction.logs() {
            let [topic, owner, spender] = log.topics.as_slice() else {
                continue;
            };
            let all = *topic == abi::ApprovalForAll::SIGNATURE_HASH;
            if !all && *topic != abi::Approval::SIGNATURE_HASH {
                continue;
            }
            let owner = Address::from_word(*owner);
            let spender = Address::from_word(*spender);
            let Some(wallet) = policy.wallet(owner) else {
                continue;
            };
            let key = (owner, log.address, spender);
            let amount = U256::from_be_slice(log.data.get(..32).unwrap_or_default());
            if amount.is_zero() {
                self.approvals.remove(&key);
                continue;
            }
            let known = wallet.spenders.contains(&spender) || policy.knows(spender);
            let before = self.approvals.range(
                (owner, Address::ZERO, Address::ZERO)
                    ..=(
                        owner,
                        Address::repeat_byte(0xff),
                        Address::repeat_byte(0xff),
                    ),
            );
            let new = !known && before.into_iter().all(|((.., one), _)| *one != spender);
            let unlimited = all || is_unlimited(amount);
            // Many tokens log the allowance that is left whenever it is used (OpenZeppelin before 4.5):
            // that makes it no older acquaintance.
            let held = self.approvals.get(&key).copied();
            let approval = Approval {
                time: held.map_or(now, |held| held.time),
                new: held.map_or(new, |held| held.new),
                unlimited,
            };
            self.approvals.insert(key, approval);
            if held.is_none_or(|held| !held.unlimited) {
                changes
                    .approvals
                    .push((owner, log.address, spender, transaction.hash));
            }
        }
    }

    fn schedule(&mut self, transaction: &Transaction, now: Timestamp) {
        for log in transaction.logs() {
            if log.topics.first() == Some(&abi::CallScheduled::SIGNATURE_HASH)
                && let Ok(call) =
                    abi::CallScheduled::decode_raw_log(log.topics.iter().copied(), &log.data)
                && self.scheduled.len() < MOST
            {
                self.scheduled
                    .entry((log.address, call.id))
                    .or_insert((now, call.delay));
            }
        }
    }

    fn deploy(
        &mut self,
        block: &Block,
        transaction: &Transaction,
        policy: &Policy,
        changes: &mut Changes,
    ) {
        let Some(contract) = transaction
            .receipt
            .as_ref()
            .and_then(|receipt| receipt.created)
        else {
            return;
        };
        if policy.knows(transaction.from) || self.deployed.len() >= MOST {
            return;
        }
        let deployed = block.code.get(&contract).map_or(&[][..], |code| code);
        let names: BTreeSet<Address> = [deployed, &transaction.input]
            .into_iter()
            .flat_map(|code| code.windows(20))
            .map(Address::from_slice)
            .filter(|address| policy.wallet(*address).is_some())
            .collect();
        let deployment = Deployment {
            time: block.time,
            by: transaction.from,
            fresh: transaction.nonce < FRESH,
            names: names.into_iter().collect(),
        };
        self.deployed.insert(contract, deployment);
        changes.created.push((contract, transaction.hash));
    }

    /// Lets go of what is too old for any rule.
    fn forget(&mut self, now: Timestamp) {
        let age = |time: Timestamp| now.as_second() - time.as_second();
        self.traced.retain(|_, traced| age(traced.time) <= OUTFLOWS);
        if self.deployed.len() > MOST / 2 {
            self.deployed
                .retain(|_, deployment| age(deployment.time) <= STAGED);
        }
    }

    /// A contract that was created within the last 21 days.
    pub(crate) fn staged(&self, contract: Address, now: Timestamp) -> Option<&Deployment> {
        let deployment = self.deployed.get(&contract)?;
        (now.as_second() - deployment.time.as_second() <= STAGED).then_some(deployment)
    }
}

/// The safeTxHash that a Safe logged in a transaction, indexed since 1.4.
pub(crate) fn executed_hash(transaction: &Transaction, safe: Address) -> Option<B256> {
    const SUCCESS: B256 =
        alloy_primitives::b256!("442e715f626346e8c54381002da614f62bee8d27386535b2521ec8540898556e");
    let log = transaction
        .logs()
        .iter()
        .find(|log| log.address == safe && log.topics.first() == Some(&SUCCESS))?;
    match log.topics.get(1) {
        Some(hash) => Some(*hash),
        None => log.data.get(..32).map(B256::from_slice),
    }
}

fn executions(transaction: &Transaction, policy: &Policy, changes: &mut Changes) {
    for (_, to, _, input) in transaction.all_calls() {
        let Some(wallet) = policy.wallet(to) else {
            continue;
        };
        if let Some((safe_transaction, _)) = SafeTransaction::from_calldata(input, U256::ZERO) {
            changes.executions.push(Execution {
                safe: to,
                transaction: transaction.hash,
                calls: Unpacked::of(&safe_transaction, &|to| {
                    wallet.delegatecall_targets.contains(&to)
                }),
                safe_transaction,
                hash: executed_hash(transaction, to),
                sender: transaction.from,
            });
        }
    }
}

/// What storage shows changed: against the block before, or against the policy where nothing was
/// read before.
fn ruled(wallet: &Wallet, before: &SafeStorage, after: &SafeStorage, changes: &mut Changes) {
    let mut compare = |what,
                       before: Option<String>,
                       policy: Option<String>,
                       after: Option<String>,
                       address: Option<Address>| {
        let against_policy = before.is_none();
        if let (Some(from), Some(to)) = (before.or(policy), after)
            && from != to
        {
            changes.ruled.push(Ruled {
                wallet: wallet.address,
                what,
                from,
                to,
                address,
                against_policy,
            });
        }
    };
    let text = |address: Option<Address>| address.map(|address| address.to_string());
    let list = |list: Option<&BTreeSet<Address>>| {
        list.map(|list| {
            list.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        })
    };
    let declared = |list: &'_ BTreeSet<Address>| {
        (!list.is_empty()).then(|| {
            list.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        })
    };
    compare(
        Ruling::Implementation,
        text(before.implementation),
        text(wallet.implementation),
        text(after.implementation),
        after.implementation,
    );
    compare(
        Ruling::Guard,
        text(before.guard),
        text(wallet.guard),
        text(after.guard),
        after.guard,
    );
    compare(
        Ruling::FallbackHandler,
        text(before.fallback_handler),
        text(wallet.fallback_handler),
        text(after.fallback_handler),
        after.fallback_handler,
    );
    let new = |before: Option<&BTreeSet<Address>>, after: Option<&BTreeSet<Address>>| {
        let empty = BTreeSet::new();
        after?.difference(before.unwrap_or(&empty)).next().copied()
    };
    let owner = new(
        before.owners.as_ref().or(Some(&wallet.owners)),
        after.owners.as_ref(),
    );
    compare(
        Ruling::Owners,
        list(before.owners.as_ref()),
        declared(&wallet.owners),
        list(after.owners.as_ref()),
        owner,
    );
    let module = new(
        before.modules.as_ref().or(Some(&wallet.modules)),
        after.modules.as_ref(),
    );
    compare(
        Ruling::Modules,
        list(before.modules.as_ref()),
        declared(&wallet.modules),
        list(after.modules.as_ref()),
        module,
    );
    let threshold = |threshold: Option<U256>| threshold.map(|threshold| threshold.to_string());
    compare(
        Ruling::Threshold,
        threshold(before.threshold),
        wallet.threshold.map(|threshold| threshold.to_string()),
        threshold(after.threshold),
        None,
    );
}

/// Whether a change of a wallet was announced.
pub(crate) fn change_announced(
    policy: &Policy,
    what: Announced,
    wallet: Address,
    block: &Block,
    to: Option<Address>,
    hash: Option<B256>,
) -> bool {
    policy
        .announcements
        .iter()
        .any(|announcement| announcement.covers_change(what, wallet, block.time, to, hash))
}

/// The share that a sum has of a balance, as a percentage in words.
pub(crate) fn percent(part: U256, whole: U256) -> String {
    match share(part, whole) {
        Some(millionths) => format!("{:.1} %", millionths as f64 / 10_000.0),
        None => "all".to_owned(),
    }
}
