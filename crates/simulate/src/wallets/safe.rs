//! A Safe, and what its transaction service says of it.

use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::SolCall;
use portreeve_wallet::safe::{Domain, DomainKind, Operation, SafeTransaction};
use serde_json::{Value, json};

use super::abi;
use super::chain::{CHAIN, Included};
use super::keys::Key;
use crate::time::iso;

/// The published implementation of Safe 1.3.0, its fallback handler and its library for several calls.
pub(super) const IMPLEMENTATION: Address = address!("d9Db270c1B5E3Bd161E8c8503c55cEABeE709552");
pub(super) const FALLBACK_HANDLER: Address = address!("f48f2B2d2a534e402487b3ee7C18c33Aec0Fe5e4");
pub(super) const MULTI_SEND: Address = address!("40A2aCCbd92BCA938b02010E17A5b8929b49130D");

/// A Safe with what was filed for it.
pub(super) struct Safe {
    pub(super) address: Address,
    pub(super) owners: Vec<Key>,
    pub(super) threshold: usize,
    nonce: u64,
    /// What the service knows, the first filed first.
    filed: Vec<Value>,
    /// What waits for confirmations.
    open: Option<Open>,
}

/// A transaction that waits for confirmations.
struct Open {
    place: usize,
    /// What the service shows.
    shown: SafeTransaction,
    /// What is put before the owners to sign: the same, where nobody interferes.
    put: SafeTransaction,
    /// Owners' addresses with their signatures.
    signatures: Vec<(Address, Bytes)>,
}

/// What goes to the chain.
pub(super) struct Execution {
    pub(super) transaction: SafeTransaction,
    pub(super) hash: B256,
    pub(super) calldata: Bytes,
}

impl Safe {
    pub(super) fn new(address: Address, owners: Vec<Key>, threshold: usize, nonce: u64) -> Self {
        Self {
            address,
            owners,
            threshold,
            nonce,
            filed: Vec::new(),
            open: None,
        }
    }

    /// Its owners' addresses.
    pub(super) fn owners_now(&self) -> Vec<Address> {
        self.owners.iter().map(|owner| owner.address).collect()
    }

    fn hash(&self, transaction: &SafeTransaction) -> B256 {
        let kind = DomainKind::Since1_3 { chain: CHAIN };
        transaction.hash(&Domain {
            safe: self.address,
            kind,
        })
    }

    /// Files what `shown` says. `put` is what owners are given to sign where that is something else.
    /// The safeTxHash of what is shown.
    pub(super) fn propose(
        &mut self,
        at: i64,
        shown: SafeTransaction,
        put: Option<SafeTransaction>,
    ) -> B256 {
        let with_nonce = |transaction: SafeTransaction| SafeTransaction {
            nonce: U256::from(self.nonce),
            ..transaction
        };
        let shown = with_nonce(shown);
        let put = put.map_or_else(|| shown.clone(), with_nonce);
        let hash = self.hash(&shown);
        self.filed.push(self.entry(&shown, hash, at));
        self.open = Some(Open {
            place: self.filed.len() - 1,
            shown,
            put,
            signatures: Vec::new(),
        });
        hash
    }

    fn entry(&self, transaction: &SafeTransaction, hash: B256, at: i64) -> Value {
        json!({
            "safe": self.address, "to": transaction.to, "value": transaction.value.to_string(),
            "data": (!transaction.data.is_empty()).then_some(&transaction.data),
            "operation": transaction.operation.number(), "gasToken": Address::ZERO, "safeTxGas": 0,
            "baseGas": 0, "gasPrice": "0", "refundReceiver": Address::ZERO, "nonce": self.nonce,
            "executionDate": null, "submissionDate": iso(at), "modified": iso(at), "blockNumber": null,
            "transactionHash": null, "safeTxHash": hash, "executor": null, "isExecuted": false,
            "isSuccessful": null, "confirmationsRequired": self.threshold, "confirmations": [],
            "signatures": null,
        })
    }

    /// An owner signs what is put before him, and his signature is filed under what is shown.
    pub(super) fn confirm(&mut self, at: i64, owner: usize, as_message: bool) {
        let (Some(open), Some(key)) = (&self.open, self.owners.get(owner)) else {
            return;
        };
        let hash = self.hash(&open.put);
        let (signature, kind) = match as_message {
            true => (key.sign_as_message(hash), "ETH_SIGN"),
            false => (key.sign(hash), "EOA"),
        };
        let address = key.address;
        let confirmation = json!({
            "owner": address, "submissionDate": iso(at), "transactionHash": null,
            "signature": signature, "signatureType": kind,
        });
        if let Some(open) = &mut self.open {
            open.signatures.push((address, signature));
            let entry = &mut self.filed[open.place];
            if let Some(list) = entry["confirmations"].as_array_mut() {
                list.push(confirmation);
            }
            entry["modified"] = iso(at).into();
        }
    }

    /// What was signed, ready for the chain: signatures in the order of their owners' addresses.
    pub(super) fn execution(&self) -> Option<Execution> {
        let open = self.open.as_ref()?;
        let transaction = open.put.clone();
        let call = abi::execTransactionCall {
            to: transaction.to,
            value: transaction.value,
            data: transaction.data.clone(),
            operation: transaction.operation.number(),
            safeTxGas: U256::ZERO,
            baseGas: U256::ZERO,
            gasPrice: U256::ZERO,
            gasToken: Address::ZERO,
            refundReceiver: Address::ZERO,
            signatures: joined(&open.signatures),
        };
        Some(Execution {
            hash: self.hash(&transaction),
            calldata: call.abi_encode().into(),
            transaction,
        })
    }

    /// Notes what the chain took. What was not shown is filed as the service finds it there: without
    /// confirmations.
    pub(super) fn executed(&mut self, at: i64, executor: Address, included: &Included) {
        let Some(open) = self.open.take() else {
            return;
        };
        let place = match open.shown == open.put {
            true => open.place,
            false => {
                let entry = self.entry(&open.put, self.hash(&open.put), at);
                self.filed.push(entry);
                self.filed.len() - 1
            }
        };
        let entry = &mut self.filed[place];
        entry["isExecuted"] = true.into();
        entry["isSuccessful"] = true.into();
        entry["executionDate"] = iso(at).into();
        entry["modified"] = iso(at).into();
        entry["transactionHash"] = json!(included.hash);
        entry["blockNumber"] = included.block.into();
        entry["executor"] = json!(executor);
        entry["signatures"] = json!(joined(&open.signatures));
        self.nonce += 1;
    }

    /// What the service answers, both of its answers side by side, the last filed first.
    pub(super) fn document(&self) -> String {
        let filed: Vec<&Value> = self.filed.iter().rev().collect();
        let document = json!({
            "chainId": CHAIN,
            "safe": {
                "address": self.address, "nonce": self.nonce, "threshold": self.threshold, "owners": self.owners_now(),
                "masterCopy": IMPLEMENTATION, "modules": [], "fallbackHandler": FALLBACK_HANDLER,
                "guard": Address::ZERO, "version": "1.3.0",
            },
            "transactions": filed,
        });
        format!("{document:#}\n")
    }
}

fn joined(signatures: &[(Address, Bytes)]) -> Bytes {
    let mut sorted: Vec<&(Address, Bytes)> = signatures.iter().collect();
    sorted.sort();
    let bytes = sorted.iter().flat_map(|(_, signature)| signature.iter());
    bytes.copied().collect::<Vec<u8>>().into()
}

/// A call that a Safe makes.
pub(super) fn call(to: Address, value: U256, data: Bytes) -> SafeTransaction {
    SafeTransaction {
        to,
        value,
        data,
        operation: Operation::Call,
        safe_tx_gas: U256::ZERO,
        base_gas: U256::ZERO,
        gas_price: U256::ZERO,
        gas_token: Address::ZERO,
        refund_receiver: Address::ZERO,
        nonce: U256::ZERO,
    }
}

/// Several payments of coin at once, packed as MultiSend wants them: operation, address, value, length of
/// the calldata.
pub(super) fn batch(payments: &[(Address, U256)]) -> SafeTransaction {
    let packed: Vec<u8> = payments
        .iter()
        .flat_map(|(to, amount)| {
            let mut one = vec![0];
            one.extend(to.as_slice());
            one.extend(amount.to_be_bytes::<32>());
            one.extend([0; 32]);
            one
        })
        .collect();
    let data = abi::multiSendCall {
        transactions: packed.into(),
    };
    SafeTransaction {
        operation: Operation::DelegateCall,
        ..call(MULTI_SEND, U256::ZERO, data.abi_encode().into())
    }
}
