//! Recorded blocks: one JSON document a line, made of what a node answers.
//!
//! | key | what |
//! |---|---|
//! | `chainId` | the chain's number, as `eth_chainId` answers |
//! | `block` | `eth_getBlockByNumber` with whole transactions |
//! | `receipts` | `eth_getBlockReceipts`; without it only what calldata say is seen |
//! | `storage` | address → slot → value after the block (`eth_getStorageAt`) |
//! | `balances` | address → `native` or a token's address → balance after the block |
//! | `calls` | internal calls: `transactionHash`, `type`, `from`, `to`, `value`, `input` |
//! | `code` | address → the code of a contract created in the block (`eth_getCode`) |

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// A block with all that is known of it.
#[derive(Clone, Debug)]
pub struct Block {
    /// The chain's number.
    pub chain: u64,
    /// The block's number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// The hash of the one before.
    pub parent: B256,
    /// When it was made.
    pub time: Timestamp,
    /// Its transactions, in order.
    pub transactions: Vec<Transaction>,
    /// Staking withdrawals.
    pub withdrawals: Vec<Withdrawal>,
    /// Storage after the block, as far as it was read.
    pub storage: BTreeMap<Address, BTreeMap<B256, B256>>,
    /// Balances after the block, as far as they were read; the chain's coin under `None`.
    pub balances: BTreeMap<Address, BTreeMap<Option<Address>, U256>>,
    /// Code of contracts that it created.
    pub code: BTreeMap<Address, Bytes>,
    /// Whether receipts were given.
    pub has_receipts: bool,
}

/// A transaction with its receipt.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub from: Address,
    /// Whom it calls; absent where it creates a contract.
    pub to: Option<Address>,
    /// How much of the coin it carries, in wei.
    pub value: U256,
    /// Its calldata.
    pub input: Bytes,
    /// The sender's running number.
    pub nonce: u64,
    /// What came of it, where known.
    pub receipt: Option<Receipt>,
    /// Calls that contracts made in it, where traced.
    pub calls: Vec<InternalCall>,
}

impl Transaction {
    /// Whether it took effect, as far as is known: without a receipt it may have.
    pub fn took_effect(&self) -> bool {
        self.receipt
            .as_ref()
            .is_none_or(|receipt| receipt.succeeded)
    }

    /// Its logs.
    pub fn logs(&self) -> &[Log] {
        self.receipt.as_ref().map_or(&[], |receipt| &receipt.logs)
    }

    /// Every call in it that is known: itself first, then internal ones, as sender, target, value
    /// and calldata.
    pub fn all_calls(&self) -> impl Iterator<Item = (Address, Address, U256, &Bytes)> {
        let outer = self.to.map(|to| (self.from, to, self.value, &self.input));
        let inner = self
            .calls
            .iter()
            .map(|call| (call.from, call.to, call.value, &call.input));
        outer.into_iter().chain(inner)
    }
}

/// What came of a transaction.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Whether it was not taken back.
    pub succeeded: bool,
    /// The contract that it created.
    pub created: Option<Address>,
    /// What contracts logged.
    pub logs: Vec<Log>,
}

/// What a contract logged.
#[derive(Clone, Debug, Deserialize)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// The event's hash and indexed fields.
    pub topics: Vec<B256>,
    /// The other fields.
    #[serde(default)]
    pub data: Bytes,
}

/// A call that a contract made.
#[derive(Clone, Debug)]
pub struct InternalCall {
    /// Whether the target's code ran as the caller.
    pub delegate: bool,
    /// Who called.
    pub from: Address,
    /// Whom.
    pub to: Address,
    /// With how much of the coin, in wei.
    pub value: U256,
    /// With what calldata.
    pub input: Bytes,
}

/// A withdrawal of a staking validator.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Withdrawal {
    /// The validator's number.
    #[serde(deserialize_with = "number")]
    pub validator_index: u64,
    /// Who is paid.
    pub address: Address,
    /// How much, in gwei.
    #[serde(deserialize_with = "number")]
    pub amount: u64,
}

/// Why a line is no recorded block.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// Not the form that is documented.
    #[error("no recorded block: {0}")]
    Form(#[from] serde_json::Error),
    /// A time outside the calendar.
    #[error("block {number}: its timestamp {seconds} is no time")]
    Time {
        /// The block.
        number: u64,
        /// Its seconds.
        seconds: u64,
    },
    /// A receipt of a transaction that the block does not hold.
    #[error(
        "block {number}: a receipt of transaction {transaction}, which the block does not hold"
    )]
    Receipt {
        /// The block.
        number: u64,
        /// The stranger.
        transaction: B256,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(deserialize_with = "number")]
    chain_id: u64,
    block: Header,
    receipts: Option<Vec<RawReceipt>>,
    #[serde(default)]
    storage: BTreeMap<Address, BTreeMap<U256, U256>>,
    #[serde(default)]
    balances: BTreeMap<Address, BTreeMap<String, U256>>,
    #[serde(default)]
    calls: Vec<RawCall>,
    #[serde(default)]
    code: BTreeMap<Address, Bytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(deserialize_with = "number")]
    number: u64,
    hash: B256,
    parent_hash: B256,
    #[serde(deserialize_with = "number")]
    timestamp: u64,
    #[serde(default)]
    transactions: Vec<RawTransaction>,
    #[serde(default)]
    withdrawals: Vec<Withdrawal>,
}

#[derive(Deserialize)]
struct RawTransaction {
    hash: B256,
    from: Address,
    to: Option<Address>,
    #[serde(default)]
    value: U256,
    #[serde(default, alias = "data")]
    input: Bytes,
    #[serde(default, deserialize_with = "number")]
    nonce: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReceipt {
    transaction_hash: B256,
    #[serde(default)]
    status: Option<U256>,
    contract_address: Option<Address>,
    #[serde(default)]
    logs: Vec<Log>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCall {
    transaction_hash: B256,
    #[serde(default, rename = "type")]
    kind: String,
    from: Address,
    to: Option<Address>,
    #[serde(default)]
    value: U256,
    #[serde(default)]
    input: Bytes,
}

/// A number, as JSON's own or as decimal or hexadecimal text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let wide = U256::deserialize(deserializer)?;
    u64::try_from(wide).map_err(|_| serde::de::Error::custom("a number above 2^64"))
}

/// Reads one line.
pub fn read_block(bytes: &[u8]) -> Result<Block, BlockError> {
    let line: Line = serde_json::from_slice(bytes)?;
    let number = line.block.number;
    let seconds = line.block.timestamp;
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or(BlockError::Time { number, seconds })?;
    let mut transactions: Vec<Transaction> = line
        .block
        .transactions
        .into_iter()
        .map(|raw| Transaction {
            hash: raw.hash,
            from: raw.from,
            to: raw.to,
            value: raw.value,
            input: raw.input,
            nonce: raw.nonce,
            receipt: None,
            calls: Vec::new(),
        })
        .collect();
    let places: BTreeMap<B256, usize> = transactions
        .iter()
        .enumerate()
        .map(|(place, transaction)| (transaction.hash, place))
        .collect();
    let place = |hash: B256| {
        places.get(&hash).copied().ok_or(BlockError::Receipt {
            number,
            transaction: hash,
        })
    };
    let has_receipts = line.receipts.is_some();
    for raw in line.receipts.into_iter().flatten() {
        transactions[place(raw.transaction_hash)?].receipt = Some(Receipt {
            // Before Byzantium receipts had no status; what failed had no logs.
            succeeded: raw.status.is_none_or(|status| !status.is_zero()),
            created: raw.contract_address,
            logs: raw.logs,
        });
    }
    for raw in line.calls {
        let place = place(raw.transaction_hash)?;
        if let Some(to) = raw.to {
            transactions[place].calls.push(InternalCall {
                delegate: raw.kind.eq_ignore_ascii_case("delegatecall"),
                from: raw.from,
                to,
                value: raw.value,
                input: raw.input,
            });
        }
    }
    let word = |value: U256| B256::from(value.to_be_bytes::<32>());
    let storage = line
        .storage
        .into_iter()
        .map(|(address, slots)| {
            (
                address,
                slots
                    .into_iter()
                    .map(|(slot, value)| (word(slot), word(value)))
                    .collect(),
            )
        })
        .collect();
    let balances = line
        .balances
        .into_iter()
        .map(|(address, assets)| {
            let read = assets
                .into_iter()
                .filter_map(|(asset, balance)| match asset.as_str() {
                    "native" => Some((None, balance)),
                    token => Some((Some(token.parse().ok()?), balance)),
                });
            (address, read.collect())
        })
        .collect();
    Ok(Block {
        chain: line.chain_id,
        number,
        hash: line.block.hash,
        parent: line.block.parent_hash,
        time,
        transactions,
        withdrawals: line.block.withdrawals,
        storage,
        balances,
        code: line.code,
        has_receipts,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn line() -> Value {
        let hash = |byte: &str| format!("0x{}", byte.repeat(32));
        let address = |byte: &str| format!("0x{}", byte.repeat(20));
        json!({
            "chainId": "0x1",
            "block": {"number": "0x10", "hash": hash("aa"), "parentHash": hash("bb"), "timestamp": "0x65920080",
                "transactions": [{"hash": hash("01"), "from": address("0a"), "to": address("0b"), "value": "0x5", "input": "0x", "nonce": "0x2"}],
                "withdrawals": [{"index": "0x1", "validatorIndex": "0x7", "address": address("0c"), "amount": "0x9"}]},
            "receipts": [{"transactionHash": hash("01"), "status": "0x0", "contractAddress": null, "logs": []}],
            "storage": {address("0b"): {"0x0": hash("00")}},
            "balances": {address("0b"): {"native": "0x64", address("0d"): "0x1"}},
            "calls": [{"transactionHash": hash("01"), "type": "DELEGATECALL", "from": address("0b"), "to": address("0e"), "value": "0x0", "input": "0x01"}],
        })
    }

    #[test]
    fn what_a_node_answers_is_read() {
        let block = read_block(line().to_string().as_bytes()).unwrap();
        assert_eq!((block.chain, block.number), (1, 16));
        let transaction = &block.transactions[0];
        assert!(!transaction.took_effect());
        assert!(transaction.calls[0].delegate);
        assert_eq!(transaction.all_calls().count(), 2);
        assert_eq!(block.withdrawals[0].validator_index, 7);
        assert_eq!(block.balances.values().next().unwrap().len(), 2);
        assert_eq!(block.storage.values().next().unwrap().len(), 1);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let mut strange = line();
        strange["receipts"][0]["transactionHash"] = format!("0x{}", "02".repeat(32)).into();
        let error = read_block(strange.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("block 16: a receipt of transaction 0x0202"),
            "{error}"
        );
        let mut late = line();
        late["block"]["timestamp"] = "0xffffffffffffffff".into();
        assert!(matches!(
            read_block(late.to_string().as_bytes()),
            Err(BlockError::Time { .. })
        ));
        assert!(
            read_block(b"{}")
                .unwrap_err()
                .to_string()
                .contains("chainId")
        );
    }

    proptest! {
        #[test]
        fn no_line_panics(cut in 0usize..1200, byte in any::<u8>()) {
            let mut bytes = line().to_string().into_bytes();
            let place = cut % bytes.len();
            bytes[place] = byte;
            let _ = read_block(&bytes);
            let _ = read_block(&bytes[..place]);
        }
    }
}
