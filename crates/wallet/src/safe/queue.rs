//! The queue of a Safe: transactions as they were filed, with who confirmed them and when.
//!
//! Three shapes are read: what the transaction service answers at
//! `/api/v1/safes/ADDRESS/multisig-transactions/` (`results[]`), alone or beside what it answers at
//! `/api/v1/safes/ADDRESS/` (`{"safe": …, "transactions": […]}`); and a case that sets what was
//! shown beside what was executed (`shown`, `executed`, `confirmations[]`).

use alloy_primitives::{Address, B256, Bytes, U256};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::transaction::{Operation, SafeTransaction};
use super::version::SafeVersion;

/// What is known of a Safe and what was filed for it.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The Safe.
    pub safe: Address,
    /// Its chain, where the file says so.
    pub chain: Option<u64>,
    /// Its version, as given or from its implementation.
    pub version: Option<SafeVersion>,
    /// Its owners, where given. Who merely confirmed is no proof of owning.
    pub owners: Vec<Address>,
    /// How many must sign, where given.
    pub threshold: Option<usize>,
    /// The transactions, in the order of the file.
    pub transactions: Vec<Filed>,
}

/// A transaction as it was filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// The ten fields.
    pub transaction: SafeTransaction,
    /// The hash that whoever filed it says it has.
    pub stated_hash: Option<B256>,
    /// When it was filed.
    pub submitted: Option<Timestamp>,
    /// How it was carried out, if it was.
    pub execution: Option<Execution>,
    /// What was filed under it.
    pub confirmations: Vec<Confirmation>,
    /// The signatures that went to the chain with it.
    pub signatures: Bytes,
}

/// How a transaction was carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// When.
    pub time: Option<Timestamp>,
    /// In which transaction of the chain.
    pub transaction: Option<B256>,
    /// In which block.
    pub block: Option<u64>,
    /// Who sent it.
    pub executor: Option<Address>,
}

/// A confirmation as it was filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Whose it is said to be.
    pub owner: Address,
    /// When it was filed.
    pub time: Option<Timestamp>,
    /// The signature; empty where the owner approves on the chain.
    pub signature: Bytes,
}

/// Why a file holds no queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another shape.
    #[error(
        "no queue of a Safe: expected `results[]` or `transactions[]` of the transaction service, or `safe`, `nonce`, `shown`, `executed` and `confirmations[]`"
    )]
    Shape,
    /// One transaction cannot be read.
    #[error("transaction {index}: {reason}")]
    Transaction {
        /// Its place, from 0.
        index: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a file, one queue a Safe. What cannot be read beside others is told and left out; the
/// answer is an error where nothing can.
pub fn read_queues(bytes: &[u8]) -> Result<(Vec<Queue>, Vec<QueueError>), QueueError> {
    queues_of(&serde_json::from_slice(bytes)?)
}

/// Reads a document, as [`read_queues`] does.
pub(crate) fn queues_of(document: &Value) -> Result<(Vec<Queue>, Vec<QueueError>), QueueError> {
    if document.get("nonce").is_some() && document.get("executed").is_some() {
        return case(document).map(|queue| (vec![queue], Vec::new()));
    }
    let list = match document {
        Value::Array(list) => list.as_slice(),
        _ => ["results", "transactions"]
            .into_iter()
            .find_map(|key| document.get(key)?.as_array())
            .map(Vec::as_slice)
            .or_else(|| {
                document
                    .get("safeTxHash")
                    .map(|_| std::slice::from_ref(document))
            })
            .ok_or(QueueError::Shape)?,
    };
    let information: Information = document
        .get("safe")
        .filter(|safe| safe.is_object())
        .and_then(|safe| Information::deserialize(safe).ok())
        .unwrap_or_default();
    let chain = ["chainId", "chain_id"]
        .into_iter()
        .find_map(|key| number(document.get(key)?));
    let mut queues: Vec<Queue> = Vec::new();
    let mut errors = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let wrong = |reason: String| QueueError::Transaction { index, reason };
        let (safe, filed) = match filed(value, information.address) {
            Ok(read) => read,
            Err(reason) => {
                errors.push(wrong(reason));
                continue;
            }
        };
        match queues.iter_mut().find(|queue| queue.safe == safe) {
            Some(queue) => queue.transactions.push(filed),
            None => queues.push(Queue {
                chain,
                transactions: vec![filed],
                ..information.queue(safe)
            }),
        }
    }
    match (queues.is_empty(), errors.is_empty()) {
        (true, false) => Err(errors.swap_remove(0)),
        (true, true) => Err(QueueError::Shape),
        _ => Ok((queues, errors)),
    }
}

/// What the service says of a Safe.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Information {
    address: Option<Address>,
    owners: Vec<Address>,
    threshold: Option<usize>,
    version: Option<String>,
    #[serde(alias = "expected_master_copy")]
    master_copy: Option<Address>,
}

impl Information {
    fn queue(&self, safe: Address) -> Queue {
        let own = self.address.is_none_or(|address| address == safe);
        let stated = self.version.as_deref().and_then(SafeVersion::parse);
        Queue {
            safe,
            chain: None,
            version: stated
                .or_else(|| SafeVersion::of_implementation(self.master_copy?))
                .filter(|_| own),
            owners: if own { self.owners.clone() } else { Vec::new() },
            threshold: self.threshold.filter(|_| own),
            transactions: Vec::new(),
        }
    }
}

fn case(document: &Value) -> Result<Queue, QueueError> {
    let wrong = |index: usize| move |reason: String| QueueError::Transaction { index, reason };
    let safe = address(document, "safe")
        .map_err(wrong(0))?
        .ok_or(QueueError::Shape)?;
    let nonce = amount(document, "nonce")
        .map_err(wrong(0))?
        .unwrap_or_default();
    let mut information = Information::deserialize(document).unwrap_or_default();
    information.address = Some(safe);
    let mut queue = information.queue(safe);
    queue.chain = document.get("chainId").and_then(number);
    for (index, key) in ["shown", "executed"].into_iter().enumerate() {
        let Some(part) = document.get(key) else {
            continue;
        };
        let mut filed = of_fields(part, nonce).map_err(wrong(index))?;
        if key == "shown" {
            filed.confirmations = confirmations(document).map_err(wrong(index))?;
            filed.execution = None;
        } else {
            filed.execution = Some(execution(part, "time", "tx", "block"));
        }
        queue.transactions.push(filed);
    }
    Ok(queue)
}

fn filed(value: &Value, known: Option<Address>) -> Result<(Address, Filed), String> {
    let safe = address(value, "safe")?
        .or(known)
        .ok_or("it names no `safe`")?;
    let nonce = amount(value, "nonce")?.ok_or("it has no `nonce`")?;
    let mut filed = of_fields(value, nonce)?;
    filed.confirmations = confirmations(value)?;
    if value.get("isExecuted").and_then(Value::as_bool) == Some(true) {
        filed.execution = Some(execution(
            value,
            "executionDate",
            "transactionHash",
            "blockNumber",
        ));
    }
    Ok((safe, filed))
}

fn of_fields(value: &Value, nonce: U256) -> Result<Filed, String> {
    let operation = match value.get("operation") {
        None | Some(Value::Null) => 0,
        Some(given) => number(given)
            .and_then(|number| u8::try_from(number).ok())
            .ok_or("`operation` is no number up to 255")?,
    };
    let plain = |key| Ok::<_, String>(amount(value, key)?.unwrap_or_default());
    let named = |key| Ok::<_, String>(address(value, key)?.unwrap_or_default());
    Ok(Filed {
        transaction: SafeTransaction {
            to: address(value, "to")?.ok_or("it has no `to`")?,
            value: plain("value")?,
            data: bytes(value, "data")?,
            operation: Operation::from_number(operation),
            safe_tx_gas: plain("safeTxGas")?,
            base_gas: plain("baseGas")?,
            gas_price: plain("gasPrice")?,
            gas_token: named("gasToken")?,
            refund_receiver: named("refundReceiver")?,
            nonce,
        },
        stated_hash: hash(value, "safeTxHash")?,
        submitted: time(value, "submissionDate"),
        execution: None,
        confirmations: Vec::new(),
        signatures: bytes(value, "signatures")?,
    })
}

fn execution(value: &Value, moment: &str, transaction: &str, block: &str) -> Execution {
    Execution {
        time: time(value, moment),
        transaction: hash(value, transaction).ok().flatten(),
        block: value.get(block).and_then(number),
        executor: address(value, "executor").ok().flatten(),
    }
}

fn confirmations(value: &Value) -> Result<Vec<Confirmation>, String> {
    let list = value.get("confirmations").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .enumerate()
        .map(|(index, confirmation)| {
            let at = |reason: String| format!("confirmation {index}: {reason}");
            let signature = ["signature", "sig"]
                .into_iter()
                .find(|key| confirmation.get(key).is_some())
                .map_or_else(|| Ok(Bytes::new()), |key| bytes(confirmation, key));
            Ok(Confirmation {
                owner: address(confirmation, "owner")
                    .map_err(at)?
                    .ok_or_else(|| at("it names no `owner`".to_owned()))?,
                time: time(confirmation, "submissionDate").or_else(|| time(confirmation, "at")),
                signature: signature.map_err(at)?,
            })
        })
        .collect()
}

/// A field that is absent or null, or else text that reads.
fn text<T: std::str::FromStr>(value: &Value, key: &str, what: &str) -> Result<Option<T>, String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| format!("`{key}` is no {what}")),
        Some(_) => Err(format!("`{key}` is no {what}")),
    }
}

fn address(value: &Value, key: &str) -> Result<Option<Address>, String> {
    text(value, key, "address of 20 bytes in hexadecimal")
}

fn hash(value: &Value, key: &str) -> Result<Option<B256>, String> {
    text(value, key, "hash of 32 bytes in hexadecimal")
}

fn bytes(value: &Value, key: &str) -> Result<Bytes, String> {
    Ok(text(value, key, "bytes in hexadecimal")?.unwrap_or_default())
}

/// A number as JSON's own, or as decimal or hexadecimal text.
fn amount(value: &Value, key: &str) -> Result<Option<U256>, String> {
    match value.get(key) {
        Some(Value::Number(number)) => number
            .as_u64()
            .map(|number| Some(U256::from(number)))
            .ok_or_else(|| format!("`{key}` is no whole number; give it as text")),
        _ => text(value, key, "whole number"),
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse::<U256>().ok()?.try_into().ok(),
        _ => None,
    }
}

fn time(value: &Value, key: &str) -> Option<Timestamp> {
    value.get(key)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SAFE: &str = "0x00000000000000000000000000000000000000AA";

    fn listed() -> Value {
        json!({"safe": SAFE, "to": SAFE, "value": "5", "data": null, "operation": 1, "nonce": "3",
            "safeTxGas": 9, "isExecuted": true, "executionDate": "2026-01-02T00:00:00Z",
            "submissionDate": "2026-01-01T00:00:00.5Z",
            "confirmations": [{"owner": SAFE, "submissionDate": "2026-01-01T01:00:00Z", "signature": "0x01"}]})
    }

    fn read(value: &Value) -> Result<(Vec<Queue>, Vec<QueueError>), QueueError> {
        read_queues(value.to_string().as_bytes())
    }

    #[test]
    fn the_services_answers_are_read_with_what_it_says_of_the_safe() {
        let document = json!({"safe": {"address": SAFE, "owners": [SAFE], "threshold": 1, "version": "1.3.0+L2"},
            "chainId": "137", "transactions": [listed()]});
        let (queues, errors) = read(&document).unwrap();
        assert!(errors.is_empty());
        let queue = &queues[0];
        assert_eq!(
            (queue.chain, queue.threshold, queue.owners.len()),
            (Some(137), Some(1), 1)
        );
        assert_eq!(queue.version, SafeVersion::parse("1.3"));
        let filed = &queue.transactions[0];
        assert_eq!(filed.transaction.operation, Operation::DelegateCall);
        assert_eq!(filed.transaction.nonce, U256::from(3));
        assert_eq!(filed.confirmations[0].signature[..], [1]);
        assert!(filed.execution.as_ref().unwrap().time.is_some());
        // The list alone, as the service pages it.
        assert_eq!(
            read(&json!({"count": 1, "results": [listed()]}))
                .unwrap()
                .0
                .len(),
            1
        );
        assert_eq!(read(&json!([listed()])).unwrap().0.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_loses_nothing_beside_it() {
        let mut broken = listed();
        broken["to"] = "0x12".into();
        let (queues, errors) = read(&json!([broken.clone(), listed()])).unwrap();
        assert_eq!(queues[0].transactions.len(), 1);
        assert_eq!(
            errors[0].to_string(),
            "transaction 0: `to` is no address of 20 bytes in hexadecimal"
        );
        assert!(matches!(
            read(&json!([broken])),
            Err(QueueError::Transaction { index: 0, .. })
        ));
        assert!(matches!(read(&json!({"a": 1})), Err(QueueError::Shape)));
        assert!(matches!(read_queues(b"{"), Err(QueueError::Json(_))));
        let mut large = listed();
        large["value"] = json!(1.5);
        assert!(
            read(&json!([large]))
                .unwrap_err()
                .to_string()
                .contains("give it as text")
        );
    }

    proptest! {
        #[test]
        fn no_field_panics(key in "(safe|to|value|data|nonce|operation|confirmations|safeTxHash)", text in ".{0,30}") {
            let mut value = listed();
            value[key] = text.into();
            let _ = read(&value);
        }
    }
}
