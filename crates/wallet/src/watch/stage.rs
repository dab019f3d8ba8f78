//! Blocks for the tests of rules: a wallet, its owners, strangers, and what they do.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolEvent;
use jiff::Timestamp;
use portreeve_model::Severity;

use super::{Observation, WalletFinding, Watcher};
use crate::chain::{Block, InternalCall, Log, Receipt, Transaction};
use crate::policy::Policy;

/// The cold wallet of the tests' policy, a Safe.
pub(crate) const COLD: Address = Address::repeat_byte(0xc1);
/// The hot wallet.
pub(crate) const HOT: Address = Address::repeat_byte(0xc2);
/// A contract of ours, behind [`TIMELOCK`].
pub(crate) const PROXY: Address = Address::repeat_byte(0xc3);
pub(crate) const TIMELOCK: Address = Address::repeat_byte(0xc4);
/// A declared recipient of both wallets.
pub(crate) const PARTNER: Address = Address::repeat_byte(0xb1);
/// Owners of the cold wallet.
pub(crate) const OWNERS: [Address; 2] = [Address::repeat_byte(0xa1), Address::repeat_byte(0xa2)];
pub(crate) const STRANGER: Address = Address::repeat_byte(0xee);
pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);

const POLICY: &str = r#"
[validators]
7 = "0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"
[[wallet]]
name = "cold"
address = "0xc1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"
role = "cold"
owners = ["0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", "0xa2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2"]
threshold = 2
recipients = ["0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]
[[wallet]]
name = "hot"
address = "0xc2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2"
role = "hot"
recipients = ["0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]
[[wallet]]
name = "proxy"
address = "0xc3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3"
role = "contract"
timelock = "0xc4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4"
[[bridge]]
name = "bridge"
ends = [{ chain = 1, address = "0xc3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3" }, { chain = 10, address = "0xd3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3" }]
"#;

pub(crate) fn ether(whole: u64) -> U256 {
    U256::from(whole) * U256::from(10u64).pow(U256::from(18))
}

/// 2026-01-01.
const START: i64 = 1_767_225_600;

/// A chain on which time passes.
pub(crate) struct Stage {
    watcher: Watcher,
    number: u64,
    time: i64,
    count: u64,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With more in the policy, above what all have.
    pub(crate) fn with(more: &str) -> Self {
        let (mut policy, _) = Policy::read(&format!("{more}{POLICY}")).unwrap();
        // Signatures of announcements have tests of their own.
        if let Ok(table) = more.parse::<toml::Table>()
            && let Some(list) = table.get("announcement")
        {
            policy.announcements = list.clone().try_into().unwrap();
        }
        Self {
            watcher: Watcher::new(policy),
            number: 100,
            time: START,
            count: 0,
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        self.watcher.policy()
    }

    /// Lets minutes pass.
    pub(crate) fn wait(&mut self, minutes: i64) -> &mut Self {
        self.time += minutes * 60;
        self
    }

    /// One block, 12 seconds after the last; what it makes rules say.
    pub(crate) fn block(&mut self, write: impl FnOnce(&mut Script)) -> Vec<WalletFinding> {
        self.number += 1;
        self.time += 12;
        let mut script = Script::at(self.number, keccak256((self.number - 1).to_be_bytes()));
        script.block.time = Timestamp::from_second(self.time).unwrap();
        script.count = self.count;
        write(&mut script);
        self.count = script.count;
        let Script {
            block, divergences, ..
        } = script;
        self.watcher
            .observe(Observation::Block(Box::new(block), divergences))
            .findings
    }
}

/// What happens in a block.
pub(crate) struct Script {
    pub(crate) block: Block,
    pub(crate) divergences: Vec<super::Divergence>,
    count: u64,
}

impl Script {
    /// An empty block, 12 seconds after the one before.
    pub(crate) fn at(number: u64, parent: B256) -> Self {
        Self {
            block: Block {
                chain: 1,
                number,
                hash: keccak256(number.to_be_bytes()),
                parent,
                time: Timestamp::from_second(START + number as i64 * 12).unwrap(),
                transactions: Vec::new(),
                withdrawals: Vec::new(),
                storage: BTreeMap::new(),
                balances: BTreeMap::new(),
                code: BTreeMap::new(),
                has_receipts: true,
            },
            divergences: Vec::new(),
            count: number * 1000,
        }
    }

    /// A transaction; what it logs and does more may be added.
    pub(crate) fn send(
        &mut self,
        from: Address,
        to: Option<Address>,
        value: U256,
        input: Bytes,
    ) -> &mut Transaction {
        self.count += 1;
        self.block.transactions.push(Transaction {
            hash: keccak256([b"transaction".as_slice(), &self.count.to_be_bytes()].concat()),
            from,
            to,
            value,
            input,
            nonce: 1000,
            receipt: Some(Receipt {
                succeeded: true,
                created: None,
                logs: Vec::new(),
            }),
            calls: Vec::new(),
        });
        self.block.transactions.last_mut().unwrap()
    }

    pub(crate) fn pay(&mut self, from: Address, to: Address, amount: U256) -> &mut Transaction {
        self.send(from, Some(to), amount, Bytes::new())
    }

    /// A token's transfer, sent by `sender` to the contract `by`.
    pub(crate) fn transfer(
        &mut self,
        sender: Address,
        by: Address,
        token: Address,
        from: Address,
        to: Address,
        amount: u64,
    ) -> &mut Transaction {
        let transaction = self.send(
            sender,
            Some(by),
            U256::ZERO,
            Bytes::from_static(&[1, 2, 3, 4]),
        );
        log(
            transaction,
            token,
            &[
                crate::abi::Transfer::SIGNATURE_HASH,
                from.into_word(),
                to.into_word(),
            ],
            &U256::from(amount).to_be_bytes::<32>(),
        );
        transaction
    }

    pub(crate) fn balance(&mut self, wallet: Address, token: Option<Address>, amount: U256) {
        self.block
            .balances
            .entry(wallet)
            .or_default()
            .insert(token, amount);
    }

    pub(crate) fn slot(&mut self, wallet: Address, slot: B256, value: B256) {
        self.block
            .storage
            .entry(wallet)
            .or_default()
            .insert(slot, value);
    }
}

/// Adds a log to a transaction.
pub(crate) fn log(transaction: &mut Transaction, address: Address, topics: &[B256], data: &[u8]) {
    if let Some(receipt) = &mut transaction.receipt {
        receipt.logs.push(Log {
            address,
            topics: topics.to_vec(),
            data: Bytes::copy_from_slice(data),
        });
    }
}

/// Adds a call that a contract made.
pub(crate) fn inner(transaction: &mut Transaction, from: Address, to: Address, value: U256) {
    transaction.calls.push(InternalCall {
        delegate: false,
        from,
        to,
        value,
        input: Bytes::new(),
    });
}

/// The findings of one rule.
pub(crate) fn of<'a>(findings: &'a [WalletFinding], rule: &str) -> Vec<&'a WalletFinding> {
    findings
        .iter()
        .filter(|finding| finding.rule == rule)
        .collect()
}

/// The severities of one rule's findings.
pub(crate) fn severities(findings: &[WalletFinding], rule: &str) -> Vec<Severity> {
    of(findings, rule)
        .iter()
        .map(|finding| finding.severity)
        .collect()
}
