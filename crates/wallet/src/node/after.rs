//! What is read of wallets beside a block itself: storage, balances, calls of contracts.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, hex};
use alloy_sol_types::{SolCall, SolEvent};
use serde_json::{Map, Value, json};

use super::agree::{Agreed, agree};
use super::provider::Provider;
use super::reader::Reader;
use crate::abi;
use crate::chain::SafeStorage;
use crate::watch::Divergence;

/// Rounds of slots that are read of one Safe: a list of owners takes as many as it has entries.
const ROUNDS: usize = 520;
/// The most balances of tokens that are followed.
const TOKENS: usize = 4096;
/// The most calls of one transaction that are kept.
const CALLS: usize = 4096;

impl<P: Provider> Reader<P> {
    /// What rules each Safe after the block.
    pub(super) fn storage(
        &mut self,
        by: &[usize],
        at: &Value,
        divergences: &mut Vec<Divergence>,
    ) -> Value {
        let mut storage = serde_json::Map::new();
        for safe in self.safes.clone() {
            let mut slots = BTreeMap::new();
            for _ in 0..ROUNDS {
                let wanted = SafeStorage::wanted(&slots);
                let before = slots.len();
                for slot in wanted {
                    let parameters = json!([safe, slot, at]);
                    let answers = self.ask("eth_getStorageAt", &parameters, Some(by), |answer| {
                        let word: alloy_primitives::U256 = answer.as_str()?.parse().ok()?;
                        Some(B256::from(word))
                    });
                    let what = format!("storage slot {slot} of {safe}");
                    if let Some(agreed) = agree(&what, answers, ToString::to_string) {
                        divergences.extend(agreed.divergence);
                        slots.insert(slot, agreed.taken);
                    }
                }
                if slots.len() == before {
                    break;
                }
            }
            let read: serde_json::Map<String, Value> = slots
                .into_iter()
                .map(|(slot, value)| (slot.to_string(), json!(value)))
                .collect();
            storage.insert(safe.to_string(), read.into());
        }
        storage.into()
    }

    /// Balances after the block: each wallet's coin, and the tokens that the block moved.
    ///
    /// Only tokens that a wallet itself moved or allowed are asked for. Any contract may log that a
    /// wallet paid it and answer with any balance, as those of address poisoning do.
    pub(super) fn balances(
        &mut self,
        receipts: &Agreed<Value>,
        block: &Value,
        at: &Value,
    ) -> Value {
        let mut wanted: BTreeSet<(Address, Option<Address>)> =
            self.holders.iter().map(|holder| (*holder, None)).collect();
        for (transaction, receipt) in paired(block, &receipts.taken) {
            let own = self.of_own(transaction, receipt);
            for (token, parties) in tokens(receipt) {
                for holder in parties {
                    if !self.holders.contains(&holder) {
                        continue;
                    }
                    if own.contains(&holder) && self.tokens.len() < TOKENS {
                        self.tokens.insert((holder, token));
                    }
                    if self.tokens.contains(&(holder, token)) {
                        wanted.insert((holder, Some(token)));
                    }
                }
            }
        }
        let mut balances: BTreeMap<Address, Map<String, Value>> = BTreeMap::new();
        for (holder, token) in wanted {
            if let Some(balance) = self.balance(&receipts.by, holder, token, at) {
                let asset = token.map_or_else(|| "native".to_owned(), |token| token.to_string());
                balances
                    .entry(holder)
                    .or_default()
                    .insert(asset, json!(balance));
            }
        }
        json!(balances)
    }

    /// One answer is enough: a wrong balance shows in the movements.
    fn balance(
        &mut self,
        by: &[usize],
        holder: Address,
        token: Option<Address>,
        at: &Value,
    ) -> Option<U256> {
        let (method, parameters) = match token {
            None => ("eth_getBalance", json!([holder, at])),
            Some(token) => {
                let data = abi::balanceOfCall { account: holder }.abi_encode();
                let call = json!({"to": token, "data": hex::encode_prefixed(data)});
                ("eth_call", json!([call, at]))
            }
        };
        by.iter().find_map(|place| {
            let read = |answer: &Value| {
                let text = answer.as_str()?;
                // What is no token answers with nothing, or with other things.
                let fits = token.is_none() || text.len() == 2 + 64;
                let balance = fits.then(|| text.parse::<U256>());
                balance.transpose().ok()
            };
            let answers = self.ask(method, &parameters, Some(&[*place]), read);
            answers.into_iter().find_map(|(.., balance)| balance)
        })
    }

    /// The wallets that a transaction is of: its sender, whom it calls, and contracts that logged
    /// something in it, as a Safe does whenever it carries something out.
    fn of_own(&self, transaction: &Value, receipt: &Value) -> BTreeSet<Address> {
        let parties = ["from", "to"]
            .into_iter()
            .filter_map(|key| address(transaction.get(key)?));
        let logged = logs(receipt).filter_map(|log| address(log.get("address")?));
        parties
            .chain(logged)
            .filter(|one| self.holders.contains(one))
            .collect()
    }

    /// The calls that contracts made in transactions of Safes, where a node traces them: what a Safe
    /// pays of the chain's coin stands nowhere else.
    pub(super) fn calls(&mut self, receipts: &Agreed<Value>, block: &Value) -> Value {
        let mut calls = Vec::new();
        for (transaction, receipt) in paired(block, &receipts.taken) {
            let concerns = self
                .of_own(transaction, receipt)
                .iter()
                .any(|wallet| self.safes.contains(wallet));
            let Some(hash) = transaction.get("hash").filter(|_| concerns) else {
                continue;
            };
            let parameters = json!([hash, {"tracer": "callTracer"}]);
            let traced = receipts.by.iter().find_map(|place| {
                let read = |answer: &Value| answer.is_object().then(|| answer.clone());
                let answers =
                    self.ask("debug_traceTransaction", &parameters, Some(&[*place]), read);
                answers.into_iter().next()
            });
            match traced {
                Some((.., trace)) => flatten(hash, &trace, &mut calls),
                None => self.untraced += 1,
            }
        }
        calls.into()
    }
}

/// The inner calls of a trace that took effect, in their order.
fn flatten(hash: &Value, trace: &Value, calls: &mut Vec<Value>) {
    let failed = |call: &Value| call.get("error").is_some();
    let inner = |call: &'_ Value| {
        let list = call.get("calls").and_then(Value::as_array).cloned();
        list.unwrap_or_default()
    };
    if failed(trace) {
        return;
    }
    let mut waiting: Vec<Value> = inner(trace).into_iter().rev().collect();
    let most = calls.len() + CALLS;
    while let Some(call) = waiting.pop() {
        if failed(&call) {
            continue;
        }
        waiting.extend(inner(&call).into_iter().rev());
        let kind = call.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind == "STATICCALL" {
            continue;
        }
        if calls.len() >= most {
            return;
        }
        let mut kept = Map::new();
        kept.insert("transactionHash".to_owned(), hash.clone());
        for key in ["type", "from", "to", "value", "input"] {
            if let Some(value) = call.get(key) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        calls.push(kept.into());
    }
}

/// Transactions of a block with their receipts.
fn paired<'a>(block: &'a Value, receipts: &'a Value) -> Vec<(&'a Value, &'a Value)> {
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array).into_iter().flatten();
    let transactions: BTreeMap<&str, &Value> = list(block.get("transactions"))
        .filter_map(|one| Some((one.get("hash")?.as_str()?, one)))
        .collect();
    list(Some(receipts))
        .filter_map(|receipt| {
            let hash = receipt.get("transactionHash")?.as_str()?;
            Some((*transactions.get(hash)?, receipt))
        })
        .collect()
}

fn logs(receipt: &Value) -> impl Iterator<Item = &Value> {
    let logs = receipt.get("logs").and_then(Value::as_array);
    logs.into_iter().flatten()
}

fn address(value: &Value) -> Option<Address> {
    value.as_str()?.parse().ok()
}

/// The tokens that moved or were allowed in a transaction, each with the two addresses that its log
/// names.
fn tokens(receipt: &Value) -> Vec<(Address, [Address; 2])> {
    let token = |log: &Value| {
        let topics: Vec<B256> = log
            .get("topics")?
            .as_array()?
            .iter()
            .filter_map(|topic| topic.as_str()?.parse().ok())
            .collect();
        let [kind, one, other] = topics.as_slice() else {
            return None;
        };
        let moves = [abi::Transfer::SIGNATURE_HASH, abi::Approval::SIGNATURE_HASH];
        moves.contains(kind).then_some(())?;
        let parties = [Address::from_word(*one), Address::from_word(*other)];
        Some((address(log.get("address")?)?, parties))
    };
    logs(receipt).filter_map(token).collect()
}
