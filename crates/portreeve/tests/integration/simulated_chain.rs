//! The simulated chain against an EVM: every transaction that the simulator writes, the everyday ones and the theft, is
//! carried out on a node against Safe's published contracts, and what comes of it is what the simulator wrote.
//!
//! Two things of the thief are laid here, since the simulator writes no code that does anything: where his first
//! contract is run by delegatecall, one SSTORE that puts an argument in slot 0; and what leaves the Safe afterwards is
//! sent in the Safe's name, which only such a node allows. What is logged, held and stored is compared all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::anvil::{Anvil, number};
use alloy_primitives::{Address, B256, U256, address, keccak256};
use alloy_sol_types::{SolCall, sol};
use portreeve_simulate::{Intrusion, MemorySink, Plan, simulate};
use serde_json::{Value, json};

sol! {
    function balanceOf(address account) returns (uint256);
}

const PACKAGE: &str = "@gnosis.pm/safe-contracts";
/// With which Safe's contracts of version 1.3 were published.
const FACTORY: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
const SINGLETON: Address = address!("d9Db270c1B5E3Bd161E8c8503c55cEABeE709552");
/// What the simulated Safes use: the singleton, the fallback handler, the library for several calls.
const CONTRACTS: [(&str, Address); 3] = [
    ("GnosisSafe", SINGLETON),
    (
        "handler/CompatibilityFallbackHandler",
        address!("f48f2B2d2a534e402487b3ee7C18c33Aec0Fe5e4"),
    ),
    (
        "libraries/MultiSendCallOnly",
        address!("40A2aCCbd92BCA938b02010E17A5b8929b49130D"),
    ),
];
/// PUSH1 4 CALLDATALOAD PUSH1 0 SSTORE STOP: slot 0 becomes the first argument.
const WRITER: &str = "0x60043560005500";
const STOP: &str = "0x00";

/// What the simulator wrote.
struct Written {
    blocks: Vec<Value>,
    /// The first nonce of each Safe's queue.
    nonces: BTreeMap<Address, u64>,
}

fn written(seed: u64) -> Written {
    let plan = Plan {
        seed,
        intrusion: Intrusion::Main,
        max_records: 20_000,
        ..Plan::default()
    };
    let mut sink = MemorySink::default();
    simulate(&plan, &mut sink).unwrap();
    let blocks = String::from_utf8(sink.wallets["wallets/blocks.ndjson"].clone()).unwrap();
    let nonces = ["wallets/queue-cold.json", "wallets/queue-warm.json"].map(|name| {
        let queue: Value = serde_json::from_slice(&sink.wallets[name]).unwrap();
        let filed = queue["transactions"].as_array().unwrap().iter();
        let first = filed.map(|one| one["nonce"].as_u64().unwrap()).min();
        (read(&queue["safe"]["address"]), first.unwrap())
    });
    Written {
        blocks: blocks
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        nonces: nonces.into(),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn map(value: &Value) -> BTreeMap<String, Value> {
    read(value)
}

/// Where a mapping keeps the value of an address.
fn entry(mapping: u8, key: Address) -> B256 {
    keccak256([key.into_word(), B256::with_last_byte(mapping)].concat())
}

/// The node, with what the chain held before the first transaction.
struct Held {
    anvil: Anvil,
    /// What is to be said of it: the wallets' addresses, and the tokens.
    safes: BTreeSet<Address>,
    /// How much of what was compared.
    compared: BTreeMap<&'static str, usize>,
}

impl Held {
    fn set(&mut self, method: &str, parameters: Value) {
        self.anvil.call(method, parameters);
    }

    fn counts(&mut self, what: &'static str, number: usize) {
        *self.compared.entry(what).or_default() += number;
    }

    fn store(&mut self, at: Address, slot: B256, value: U256) {
        let value = B256::from(value);
        self.set("anvil_setStorageAt", json!([at, slot, value]));
    }

    fn begins(mut anvil: Anvil, written: &Written) -> Self {
        for (contract, address) in CONTRACTS {
            let code = anvil.code(PACKAGE, contract);
            assert_eq!(anvil.publish(FACTORY, &code), address, "{contract}");
        }
        let token = anvil.code(PACKAGE, "test/ERC20Token");
        let maker = anvil.accounts[8];
        let token = anvil.send(maker, None, U256::ZERO, token).created.unwrap();
        let token = anvil.call("eth_getCode", json!([token, "latest"]));
        let proxy = anvil.runtime(PACKAGE, "proxies/GnosisSafeProxy");
        anvil.call("anvil_autoImpersonateAccount", json!([true]));
        let first = &written.blocks[0];
        assert!(list(&first["block"]["transactions"]).is_empty());
        let mut held = Self {
            anvil,
            safes: written.nonces.keys().copied().collect(),
            compared: BTreeMap::new(),
        };
        // Who sends something has the coin for it, and has sent as much as is said.
        let mut senders = BTreeSet::new();
        for transaction in written
            .blocks
            .iter()
            .flat_map(|block| list(&block["block"]["transactions"]))
        {
            let sender: Address = read(&transaction["from"]);
            if senders.insert(sender) {
                held.set("anvil_setNonce", json!([sender, transaction["nonce"]]));
                held.set(
                    "anvil_setBalance",
                    json!([sender, U256::from(10).pow(U256::from(24))]),
                );
            }
        }
        for (holder, assets) in map(&first["balances"]) {
            let holder: Address = holder.parse().unwrap();
            for (asset, balance) in map(&assets) {
                let balance: U256 = read(&balance);
                if asset == "native" {
                    held.set("anvil_setBalance", json!([holder, balance]));
                    continue;
                }
                let asset: Address = asset.parse().unwrap();
                held.set("anvil_setCode", json!([asset, token]));
                held.store(asset, entry(0, holder), balance);
            }
        }
        for (safe, slots) in map(&first["storage"]) {
            let safe: Address = safe.parse().unwrap();
            held.set("anvil_setCode", json!([safe, proxy]));
            let slots = map(&slots);
            for (slot, value) in &slots {
                held.store(safe, slot.parse().unwrap(), read(value));
            }
            // What a recorder does not read: how many owners there are, and how much was carried out.
            let sentinel = Address::with_last_byte(1);
            let (mut owners, mut at) = (0, sentinel);
            loop {
                let next: B256 = read(&slots[&entry(2, at).to_string()]);
                at = Address::from_word(next);
                if at == sentinel {
                    break;
                }
                owners += 1;
            }
            held.store(safe, B256::with_last_byte(3), U256::from(owners));
            held.store(
                safe,
                B256::with_last_byte(5),
                U256::from(written.nonces[&safe]),
            );
        }
        held
    }

    /// Has a block made like the one that was written, and compares what comes of it.
    fn repeats(&mut self, line: &Value, before: &Value) {
        let what = format!("block {}", number(&line["block"]["number"]));
        let mut sent = Vec::new();
        for transaction in list(&line["block"]["transactions"]) {
            let mut hashes = vec![self.sends(&json!({
                "from": transaction["from"], "to": transaction["to"], "value": transaction["value"],
                "input": transaction["input"], "nonce": transaction["nonce"],
            }))];
            if let Some(safe) = self.taken(transaction, before) {
                for call in inner(line, &transaction["hash"]) {
                    if call["from"] == json!(safe) && call["type"] == "CALL" {
                        hashes.push(self.sends(&json!({
                            "from": safe, "to": call["to"], "value": call["value"], "input": call["input"],
                        })));
                    }
                }
            }
            sent.push(hashes);
        }
        let time = &line["block"]["timestamp"];
        self.set("evm_setNextBlockTimestamp", json!([number(time)]));
        self.set("evm_mine", json!([]));
        let block = self
            .anvil
            .call("eth_getBlockByNumber", json!(["latest", false]));
        assert_eq!(&block["timestamp"], time, "{what}");
        assert_eq!(
            list(&block["transactions"]).len(),
            sent.iter().map(Vec::len).sum::<usize>(),
            "{what}: all are in it"
        );
        for (place, hashes) in sent.iter().enumerate() {
            let transaction = &line["block"]["transactions"][place];
            self.compares_transaction(
                &format!("{what}, transaction {place}"),
                line,
                transaction,
                &line["receipts"][place],
                hashes,
            );
        }
        self.compares_state(&what, line);
    }

    /// The Safe that a transaction calls after it was taken over: its slot 0 holds what nobody published. The
    /// thief's contract then stops at once.
    fn taken(&mut self, transaction: &Value, before: &Value) -> Option<Address> {
        let safe: Address = serde_json::from_value(transaction["to"].clone()).ok()?;
        let slot = before["storage"][safe.to_string()].get(B256::ZERO.to_string())?;
        let implementation = Address::from_word(read(slot));
        (self.safes.contains(&safe) && implementation != SINGLETON).then_some(safe)
    }

    fn sends(&mut self, call: &Value) -> Value {
        let mut call = call.clone();
        call["gas"] = json!("0x2dc6c0");
        call["gasPrice"] = json!("0x0");
        self.anvil.call("eth_sendTransaction", json!([call]))
    }

    fn compares_transaction(
        &mut self,
        what: &str,
        line: &Value,
        transaction: &Value,
        receipt: &Value,
        hashes: &[Value],
    ) {
        let mut logs = Vec::new();
        let mut calls = Vec::new();
        for (turn, hash) in hashes.iter().enumerate() {
            let real = self.anvil.call("eth_getTransactionReceipt", json!([hash]));
            assert_eq!(real["status"], receipt["status"], "{what}: {real:#}");
            if turn == 0 {
                assert_eq!(
                    lower(&real["contractAddress"]),
                    lower(&receipt["contractAddress"]),
                    "{what}"
                );
            }
            logs.extend(list(&real["logs"]).iter().map(log));
            let trace = self.anvil.call(
                "debug_traceTransaction",
                json!([hash, {"tracer": "callTracer"}]),
            );
            if turn > 0 {
                // Sent in the Safe's name: what was an inner call is an outer one here.
                calls.push(call(&trace));
            }
            flatten(&trace, &mut calls);
        }
        let told: Vec<Value> = list(&receipt["logs"]).iter().map(log).collect();
        assert_eq!(logs, told, "{what}: logs");
        self.counts("logs", logs.len());
        let told: Vec<Value> = inner(line, &transaction["hash"]).map(call).collect();
        assert_eq!(calls, told, "{what}: calls");
        self.counts("inner calls", calls.len());
    }

    fn compares_state(&mut self, what: &str, line: &Value) {
        for (address, code) in map(&line["code"]) {
            let real = self.anvil.call("eth_getCode", json!([address, "latest"]));
            assert_eq!(real, code, "{what}: code of {address}");
        }
        for (safe, slots) in map(&line["storage"]) {
            for (slot, value) in map(&slots) {
                let real = self
                    .anvil
                    .call("eth_getStorageAt", json!([safe, slot, "latest"]));
                assert_eq!(
                    read::<U256>(&real),
                    read::<U256>(&value),
                    "{what}: slot {slot} of {safe}"
                );
                self.counts("slots", 1);
            }
        }
        for (holder, assets) in map(&line["balances"]) {
            for (asset, balance) in map(&assets) {
                let real: U256 = if asset == "native" {
                    read(&self.anvil.call("eth_getBalance", json!([holder, "latest"])))
                } else {
                    let account = holder.parse().unwrap();
                    let answer = self.anvil.ask(
                        asset.parse().unwrap(),
                        &balanceOfCall { account }.abi_encode(),
                    );
                    U256::from_be_slice(&answer)
                };
                assert_eq!(real, read::<U256>(&balance), "{what}: {asset} of {holder}");
                self.counts("balances", 1);
            }
        }
    }
}

/// The inner calls of a transaction, as they were written.
fn inner<'a>(line: &'a Value, hash: &'a Value) -> impl Iterator<Item = &'a Value> {
    let all = list(&line["calls"]).iter();
    all.filter(move |call| &call["transactionHash"] == hash)
}

fn lower(value: &Value) -> Option<String> {
    Some(value.as_str()?.to_ascii_lowercase())
}

/// A log as it is compared: who, topics, data.
fn log(log: &Value) -> Value {
    let address: Address = read(&log["address"]);
    json!([address, log["topics"], log["data"]])
}

/// A call as it is compared: kind, who, whom, how much, what with.
fn call(call: &Value) -> Value {
    let [from, to]: [Address; 2] = ["from", "to"].map(|key| read(&call[key]));
    // A delegatecall carries no coin of its own; nodes write what the call around it carried, or nothing.
    let value: U256 = match call["type"].as_str() {
        Some("CALL") => read(&call["value"]),
        _ => U256::ZERO,
    };
    json!([call["type"], from, to, value, call["input"]])
}

/// The inner calls of a trace, in their order, but for those that can change nothing.
fn flatten(trace: &Value, calls: &mut Vec<Value>) {
    for one in list(&trace["calls"]) {
        if one["type"] != "STATICCALL" {
            calls.push(call(one));
        }
        flatten(one, calls);
    }
}

#[test]
fn an_evm_comes_to_what_the_simulator_wrote() {
    for seed in [1, 3] {
        let written = written(seed);
        let free = [
            "--gas-price",
            "0",
            "--block-base-fee-per-gas",
            "0",
            "--order",
            "fifo",
        ];
        let Some(anvil) = crate::anvil::anvil_with(&free) else {
            return;
        };
        let mut held = Held::begins(anvil, &written);
        let mut before = &written.blocks[0];
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &written.blocks {
            *kinds.entry(kind(line, before)).or_default() += 1;
            lay(&mut held, line, before);
            held.repeats(line, before);
            before = line;
        }
        let compared = &held.compared;
        println!(
            "seed {seed}: {} blocks, {kinds:?}; {compared:?}",
            written.blocks.len()
        );
        for what in ["logs", "inner calls", "slots", "balances"] {
            assert!(compared.get(what) > Some(&50), "{compared:?}");
        }
        for expected in ["everyday", "staged", "takeover", "after the takeover"] {
            assert!(kinds.contains_key(expected), "{kinds:?}");
        }
    }
}

/// Lays what the thief's contracts do, where a block has it done.
fn lay(held: &mut Held, line: &Value, before: &Value) {
    match kind(line, before) {
        "takeover" => {
            let transaction = &line["block"]["transactions"][0]["hash"];
            let calls = inner(line, transaction).filter(|call| call["type"] == "DELEGATECALL");
            let target = calls
                .map(|call| read::<Address>(&call["to"]))
                .find(|to| *to != SINGLETON);
            held.set("anvil_setCode", json!([target.unwrap(), WRITER]));
        }
        "after the takeover" => {
            let safes = map(&line["storage"]);
            for slots in safes.values() {
                let implementation = Address::from_word(read(&slots[B256::ZERO.to_string()]));
                if implementation != SINGLETON {
                    held.set("anvil_setCode", json!([implementation, STOP]));
                }
            }
        }
        _ => {}
    }
}

/// What a block is, by what the simulator wrote.
fn kind(line: &Value, before: &Value) -> &'static str {
    let taken = |line: &Value| {
        let safes = map(&line["storage"]);
        let slots = safes
            .values()
            .map(|slots| read::<B256>(&slots[B256::ZERO.to_string()]));
        slots
            .into_iter()
            .any(|slot| Address::from_word(slot) != SINGLETON)
    };
    match (taken(before), taken(line)) {
        (false, true) => "takeover",
        (true, _) => "after the takeover",
        _ if map(&line["code"]).is_empty() => "everyday",
        _ => "staged",
    }
}
