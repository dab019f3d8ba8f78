//! The chain: blocks as a node answers them, with what a recorder reads beside them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolEvent;
use portreeve_wallet::chain::{FALLBACK_HANDLER_SLOT, GUARD_SLOT, IMPLEMENTATION_SLOT};
use serde_json::{Map, Value, json};

use super::abi;

/// The number that local development chains have: no chain that anyone uses.
pub(super) const CHAIN: u64 = 31_337;

/// The chain's coin, or a token by its contract.
pub(super) type Asset = Option<Address>;

/// What someone sends to the chain, and what comes of it.
pub(super) struct Sent {
    pub(super) from: Address,
    /// None makes a contract.
    pub(super) to: Option<Address>,
    pub(super) value: U256,
    pub(super) input: Bytes,
    pub(super) logs: Vec<Value>,
    pub(super) calls: Vec<Inner>,
    /// The contract that it makes, and its code.
    pub(super) creates: Option<(Address, Bytes)>,
    /// Transfers of tokens: token, from, to, amount. What is added by [`Sent::transfers`] is logged too.
    pub(super) moved: Vec<(Address, Address, Address, U256)>,
}

/// A call that a contract makes.
pub(super) struct Inner {
    pub(super) delegate: bool,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) value: U256,
    pub(super) input: Bytes,
}

impl Sent {
    /// A call that carries no coin.
    pub(super) fn call(from: Address, to: Address, input: Bytes) -> Self {
        Self {
            from,
            to: Some(to),
            value: U256::ZERO,
            input,
            logs: Vec::new(),
            calls: Vec::new(),
            creates: None,
            moved: Vec::new(),
        }
    }

    /// A token moves, and logs it.
    pub(super) fn transfers(&mut self, token: Address, from: Address, to: Address, amount: U256) {
        let event = abi::Transfer {
            from,
            to,
            value: amount,
        };
        self.logs.push(log(token, &event));
        self.moved.push((token, from, to, amount));
    }

    /// Coin that is paid.
    pub(super) fn payment(from: Address, to: Address, value: U256) -> Self {
        Self {
            value,
            ..Self::call(from, to, Bytes::new())
        }
    }
}

/// What rules a Safe, as its storage holds it.
pub(super) struct Ruled {
    pub(super) implementation: Address,
    pub(super) fallback_handler: Address,
    pub(super) owners: Vec<Address>,
    pub(super) threshold: u64,
}

/// A chain that makes a block whenever there is something to put into it, as local chains do.
pub(super) struct Chain {
    number: u64,
    last: B256,
    time: i64,
    /// How many transactions each account has sent.
    sent: BTreeMap<Address, u64>,
    balances: BTreeMap<Address, BTreeMap<Asset, U256>>,
    ruled: BTreeMap<Address, Ruled>,
}

/// Where a transaction stands.
pub(super) struct Included {
    pub(super) hash: B256,
    pub(super) block: u64,
}

impl Chain {
    /// A chain that has run for a while.
    pub(super) fn new(number: u64, time: i64) -> Self {
        Self {
            number,
            last: keccak256(number.to_be_bytes()),
            time,
            sent: BTreeMap::new(),
            balances: BTreeMap::new(),
            ruled: BTreeMap::new(),
        }
    }

    /// Has the recorder read a wallet's balances from now on.
    pub(super) fn watch(&mut self, wallet: Address, balances: &[(Asset, U256)]) {
        self.balances
            .insert(wallet, balances.iter().copied().collect());
    }

    /// Has the recorder read a Safe's storage too.
    pub(super) fn rule(&mut self, safe: Address, ruled: Ruled) {
        self.ruled.insert(safe, ruled);
    }

    /// A Safe is a proxy: whatever it is called with it has its implementation do.
    pub(super) fn runs(&self, safe: Address, input: Bytes) -> Option<Inner> {
        let ruled = self.ruled.get(&safe)?;
        Some(Inner {
            delegate: true,
            from: safe,
            to: ruled.implementation,
            value: U256::ZERO,
            input,
        })
    }

    /// What rules a Safe.
    pub(super) fn ruled_mut(&mut self, safe: Address) -> Option<&mut Ruled> {
        self.ruled.get_mut(&safe)
    }

    /// An account that has sent so many transactions already.
    pub(super) fn has_sent(&mut self, account: Address, transactions: u64) {
        self.sent.insert(account, transactions);
    }

    /// What a watched wallet has of something.
    pub(super) fn balance(&self, wallet: Address, asset: Asset) -> U256 {
        let balances = self.balances.get(&wallet);
        let balance = balances.and_then(|balances| balances.get(&asset));
        balance.copied().unwrap_or_default()
    }

    /// A block with these transactions: its line, as `wallet watch --record` writes it, and where each
    /// stands. Blocks of one second are a second apart.
    pub(super) fn block(&mut self, at: i64, all: Vec<Sent>) -> (String, Vec<Included>) {
        self.number += 1;
        self.time = at.max(self.time + 1);
        let mut included = Vec::new();
        let (mut transactions, mut receipts) = (Vec::new(), Vec::new());
        let (mut calls, mut code) = (Vec::new(), Map::new());
        for sent in &all {
            let nonce = self.sent.entry(sent.from).or_default();
            let this = *nonce;
            *nonce += 1;
            let hash = keccak256(
                [
                    sent.from.as_slice(),
                    &this.to_be_bytes(),
                    sent.to.unwrap_or_default().as_slice(),
                    &sent.input,
                ]
                .concat(),
            );
            self.moves(sent);
            transactions.push(json!({
                "hash": hash, "from": sent.from, "to": sent.to, "value": sent.value, "input": sent.input,
                "nonce": format!("{this:#x}"),
            }));
            let created = sent.creates.as_ref().map(|(address, _)| address);
            receipts.push(json!({
                "transactionHash": hash, "status": "0x1", "contractAddress": created, "logs": sent.logs,
            }));
            for call in &sent.calls {
                calls.push(json!({
                    "transactionHash": hash, "type": if call.delegate { "DELEGATECALL" } else { "CALL" },
                    "from": call.from, "to": call.to, "value": call.value, "input": call.input,
                }));
            }
            if let Some((address, bytes)) = &sent.creates {
                code.insert(address.to_string(), json!(bytes));
            }
            included.push(Included {
                hash,
                block: self.number,
            });
        }
        let mut content = self.last.to_vec();
        content.extend(self.number.to_be_bytes());
        content.extend(self.time.to_be_bytes());
        content.extend(included.iter().flat_map(|one| one.hash));
        let parent = std::mem::replace(&mut self.last, keccak256(&content));
        let line = json!({
            "chainId": format!("{CHAIN:#x}"),
            "block": {
                "number": format!("{:#x}", self.number), "hash": self.last, "parentHash": parent,
                "timestamp": format!("{:#x}", self.time), "transactions": transactions,
            },
            "receipts": receipts,
            "storage": self.storage(),
            "balances": self.read_balances(),
            "calls": calls,
            "code": code,
        });
        (format!("{line}\n"), included)
    }

    /// What a transaction moves of what watched wallets have.
    fn moves(&mut self, sent: &Sent) {
        let outer = sent.to.map(|to| (None, sent.from, to, sent.value));
        let inner = sent.calls.iter().filter(|call| !call.delegate);
        let inner = inner.map(|call| (None, call.from, call.to, call.value));
        let tokens = sent.moved.iter();
        let tokens = tokens.map(|(token, from, to, amount)| (Some(*token), *from, *to, *amount));
        for (asset, from, to, amount) in outer.into_iter().chain(inner).chain(tokens) {
            for (wallet, comes) in [(from, false), (to, true)] {
                let Some(balances) = self.balances.get_mut(&wallet) else {
                    continue;
                };
                let balance = balances.entry(asset).or_default();
                *balance = match comes {
                    true => balance.saturating_add(amount),
                    false => balance.saturating_sub(amount),
                };
            }
        }
    }

    fn read_balances(&self) -> Map<String, Value> {
        let of = |balances: &BTreeMap<Asset, U256>| {
            let balances = balances.iter().map(|(asset, amount)| {
                let name = asset.map_or_else(|| "native".to_owned(), |token| token.to_string());
                (name, json!(amount))
            });
            Value::Object(balances.collect())
        };
        let all = self.balances.iter();
        all.map(|(wallet, balances)| (wallet.to_string(), of(balances)))
            .collect()
    }

    /// Slots of Safes after the block (`SafeStorage.sol`: 0 the implementation, 1 the list of modules, 2
    /// the list of owners, 4 the threshold).
    fn storage(&self) -> Map<String, Value> {
        let of = |ruled: &Ruled| {
            let sentinel = Address::with_last_byte(1);
            let mut slots = BTreeMap::from([
                (IMPLEMENTATION_SLOT, ruled.implementation.into_word()),
                (entry(1, sentinel), sentinel.into_word()),
                (
                    B256::with_last_byte(4),
                    B256::from(U256::from(ruled.threshold)),
                ),
                (GUARD_SLOT, B256::ZERO),
                (FALLBACK_HANDLER_SLOT, ruled.fallback_handler.into_word()),
            ]);
            let ring = [sentinel].into_iter().chain(ruled.owners.iter().copied());
            let next = ruled.owners.iter().copied().chain([sentinel]);
            slots.extend(
                ring.zip(next)
                    .map(|(at, to)| (entry(2, at), to.into_word())),
            );
            let slots = slots.iter();
            Value::Object(
                slots
                    .map(|(slot, value)| (slot.to_string(), json!(value)))
                    .collect(),
            )
        };
        let all = self.ruled.iter();
        all.map(|(safe, ruled)| (safe.to_string(), of(ruled)))
            .collect()
    }
}

/// The contract that an account makes, and what it sends to make it: code that gives back the code behind it.
pub(super) fn contract(account: Address, nonce: u8, code: &[u8]) -> (Address, Bytes) {
    // PUSH1 length, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 length, PUSH1 0, RETURN: at most 255 bytes.
    let length = code.len() as u8;
    let made = [
        0x60, length, 0x60, 12, 0x60, 0, 0x39, 0x60, length, 0x60, 0, 0xf3,
    ];
    (address_of(account, nonce), [&made, code].concat().into())
}

/// The address of the contract that an account makes with a transaction of a nonce below 128: the hash of both in RLP.
fn address_of(account: Address, nonce: u8) -> Address {
    let number = if nonce == 0 { 0x80 } else { nonce };
    let list = [&[0xd6, 0x94], account.as_slice(), &[number]].concat();
    Address::from_word(keccak256(list))
}

/// What a contract logs.
pub(super) fn log(contract: Address, event: &impl SolEvent) -> Value {
    let data = event.encode_log_data();
    json!({"address": contract, "topics": data.topics(), "data": data.data})
}

/// Where a mapping keeps the value of an address (Solidity's layout of storage).
fn entry(mapping: u8, key: Address) -> B256 {
    keccak256([key.into_word(), B256::with_last_byte(mapping)].concat())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;

    use super::*;

    #[test]
    fn contracts_stand_where_the_protocol_puts_them() {
        // Published contracts of an early account: those of its first two transactions.
        let account = address!("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
        let first = address!("cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
        let second = address!("343c43a37d37dff08ae8c4a11544c718abb4fcf8");
        assert_eq!(contract(account, 0, &[0xfe]).0, first);
        let (address, sent) = contract(account, 1, &[0xfe, 1]);
        assert_eq!(address, second);
        assert_eq!(sent[12..], [0xfe, 1]);
    }
}
