//! What is read of wallets beside a block: which slots, which balances, which calls.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolEvent;
use serde_json::{Value, json};

use crate::abi;
use crate::chain::SafeStorage;
use crate::node::agree::{Agreed, agree};
use crate::node::{Cursor, Provider, ProviderError, Reader};
use crate::watch::stage::{COLD, HOT, OWNERS, STRANGER, Stage, TOKEN};

/// A node that answers each question as it is told to, and counts what it was asked.
struct Canned<F> {
    answer: F,
    asked: Vec<String>,
}

impl<F: FnMut(&str, &Value) -> Value> Provider for Canned<F> {
    fn name(&self) -> &str {
        "canned"
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        self.asked.push(format!("{method} {parameters}"));
        Ok((self.answer)(method, parameters))
    }
}

fn reader<F: FnMut(&str, &Value) -> Value>(answer: F) -> Reader<Canned<F>> {
    let node = Canned {
        answer,
        asked: Vec::new(),
    };
    let stage = Stage::new();
    Reader::new(vec![node], stage.policy(), Some(100), Cursor::default()).unwrap()
}

fn agreed(receipts: Value) -> Agreed<Value> {
    agree("", vec![(0, String::new(), receipts)], Value::to_string).unwrap()
}

fn transaction(number: u64, from: Address, to: Address) -> Value {
    json!({"hash": B256::from(U256::from(number)), "from": from, "to": to})
}

/// A receipt with the logs of transfers: token, from, to.
fn receipt(number: u64, transfers: &[(Address, Address, Address)]) -> Value {
    let logs = transfers.iter().map(|(token, from, to)| {
        json!({"address": token, "topics": [abi::Transfer::SIGNATURE_HASH, from.into_word(), to.into_word()]})
    });
    json!({"transactionHash": B256::from(U256::from(number)), "logs": logs.collect::<Vec<_>>()})
}

#[test]
fn a_list_of_owners_is_followed_slot_by_slot_until_it_comes_back() {
    let sentinel = Address::with_last_byte(1);
    let ring = [sentinel, OWNERS[0], OWNERS[1], sentinel];
    let mut slots = std::collections::BTreeMap::from([
        (B256::ZERO, STRANGER.into_word()),
        (B256::with_last_byte(4), B256::with_last_byte(2)),
    ]);
    for pair in ring.windows(2) {
        // Where a mapping keeps a value (Solidity's layout of storage).
        let place = [pair[0].into_word(), B256::with_last_byte(2)].concat();
        slots.insert(keccak256(place), pair[1].into_word());
    }
    let mut reader = reader(|method, parameters| {
        assert_eq!(method, "eth_getStorageAt");
        let slot: B256 = parameters[1].as_str().unwrap().parse().unwrap();
        json!(slots.get(&slot).copied().unwrap_or_default())
    });
    let read = reader.storage(&[0], &json!("0x64"), &mut Vec::new());
    let read = read[COLD.to_string()].as_object().unwrap();
    let read = read.iter().map(|(slot, value)| {
        let value = value.as_str().unwrap().parse().unwrap();
        (slot.parse::<B256>().unwrap(), value)
    });
    let read = SafeStorage::of(&read.collect());
    assert_eq!(read.owners, Some(OWNERS.into()));
    assert_eq!(read.threshold, Some(U256::from(2)));
    assert_eq!(read.implementation, Some(STRANGER));
    assert_eq!(read.modules, Some([].into()));
}

#[test]
fn balances_are_read_of_tokens_that_a_wallet_moved_itself_and_not_of_what_others_log() {
    let fake = Address::repeat_byte(0x66);
    let mut reader = reader(|method, parameters| match method {
        "eth_getBalance" => json!("0x7"),
        "eth_call" if parameters[0]["to"] == json!(TOKEN) => json!(B256::from(U256::from(900))),
        // What is no token.
        "eth_call" => json!("0x"),
        other => panic!("{other}"),
    });
    // The wallet moves a token; a stranger's token says that the wallet paid someone.
    let block =
        json!({"transactions": [transaction(1, HOT, TOKEN), transaction(2, STRANGER, fake)]});
    let receipts = agreed(json!([
        receipt(1, &[(TOKEN, HOT, STRANGER)]),
        receipt(2, &[(fake, HOT, STRANGER)]),
    ]));
    let balances = reader.balances(&receipts, &block, &json!("0x64"));
    let hot = balances[json!(HOT).as_str().unwrap()].as_object().unwrap();
    assert_eq!(hot["native"], json!(U256::from(7)));
    assert_eq!(hot[&TOKEN.to_string()], json!(U256::from(900)));
    assert_eq!(hot.len(), 2, "{hot:?}");
    // From then on it is read whenever it moves, whoever moves it.
    let block = json!({"transactions": [transaction(3, STRANGER, TOKEN)]});
    let receipts = agreed(json!([receipt(3, &[(TOKEN, STRANGER, HOT)])]));
    let balances = reader.balances(&receipts, &block, &json!("0x65"));
    assert!(
        balances[json!(HOT).as_str().unwrap()]
            .get(TOKEN.to_string())
            .is_some()
    );
}

#[test]
fn calls_of_safes_are_traced_and_what_failed_or_only_looked_is_left_out() {
    let call = |kind: &str, to: Address, inner: Vec<Value>| json!({"type": kind, "from": COLD, "to": to, "value": "0x1", "input": "0x", "gas": "0x9", "calls": inner});
    let mut failed = call("CALL", TOKEN, vec![call("CALL", HOT, Vec::new())]);
    failed["error"] = "execution reverted".into();
    let trace = call(
        "CALL",
        COLD,
        vec![
            call(
                "DELEGATECALL",
                TOKEN,
                vec![call("CALL", STRANGER, Vec::new())],
            ),
            failed,
            call("STATICCALL", TOKEN, Vec::new()),
            call("CALL", OWNERS[0], Vec::new()),
        ],
    );
    let mut reader = reader(move |method, _| {
        assert_eq!(method, "debug_traceTransaction");
        trace.clone()
    });
    let block =
        json!({"transactions": [transaction(1, OWNERS[0], COLD), transaction(2, STRANGER, HOT)]});
    let receipts = agreed(json!([receipt(1, &[]), receipt(2, &[])]));
    let calls = reader.calls(&receipts, &block);
    let calls = calls.as_array().unwrap();
    let kept: Vec<(&str, Address)> = calls
        .iter()
        .map(|call| {
            assert_eq!(call["transactionHash"], json!(B256::from(U256::from(1))));
            assert!(call.get("gas").is_none());
            let to = call["to"].as_str().unwrap().parse().unwrap();
            (call["type"].as_str().unwrap(), to)
        })
        .collect();
    assert_eq!(
        kept,
        [
            ("DELEGATECALL", TOKEN),
            ("CALL", STRANGER),
            ("CALL", OWNERS[0])
        ]
    );
    assert_eq!(reader.untraced, 0);
}

#[test]
fn what_no_node_traces_is_counted() {
    let mut reader = reader(|_, _| Value::Null);
    let block = json!({"transactions": [transaction(1, OWNERS[0], COLD)]});
    let calls = reader.calls(&agreed(json!([receipt(1, &[])])), &block);
    assert_eq!(calls, json!([]));
    assert_eq!(reader.untraced, 1);
}
