//! What a Safe's transaction comes to: the calls in it, unpacked through MultiSend.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;

use super::transaction::{Operation, SafeTransaction};
use super::version::Library;
use crate::abi::multiSendCall;

/// How deep packed calls are followed. A MultiSend in a MultiSend is rare, and a third is none's habit.
const DEEPEST: usize = 8;
/// The most calls of one transaction that are looked at.
const MOST: usize = 4096;

/// One call that a Safe makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// How.
    pub operation: Operation,
    /// Whom.
    pub to: Address,
    /// With how much of the chain's coin, in wei.
    pub value: U256,
    /// With what calldata.
    pub data: Bytes,
}

impl Call {
    /// The first four bytes of the calldata.
    pub fn selector(&self) -> Option<[u8; 4]> {
        self.data.get(..4)?.try_into().ok()
    }
}

/// The calls that a transaction comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Each call that does something, in order; calls that only run others are left out.
    pub calls: Vec<Call>,
    /// Whether something was packed so that it could not be read, too deep or too long. Then there
    /// is more than `calls`.
    pub incomplete: bool,
}

/// Where MultiSend may stand, beside the published libraries.
pub type Packed<'a> = &'a dyn Fn(Address) -> bool;

impl Unpacked {
    /// Unpacks a transaction. `runs_calls` tells of addresses that a user trusts as MultiSend; a
    /// delegatecall to any other is one call, whatever its calldata look like.
    pub fn of(transaction: &SafeTransaction, runs_calls: Packed<'_>) -> Self {
        let mut unpacked = Self::default();
        let first = Call {
            operation: transaction.operation,
            to: transaction.to,
            value: transaction.value,
            data: transaction.data.clone(),
        };
        // A stack instead of recursion; what is on top comes first.
        let mut waiting = vec![(first, 0)];
        while let Some((call, depth)) = waiting.pop() {
            if unpacked.calls.len() >= MOST {
                unpacked.incomplete = true;
                break;
            }
            let trusted =
                Library::at(call.to).is_some_and(Library::runs_calls) || runs_calls(call.to);
            if call.operation != Operation::DelegateCall
                || !trusted
                || call.selector() != Some(multiSendCall::SELECTOR)
            {
                unpacked.calls.push(call);
                continue;
            }
            let inner = multiSendCall::abi_decode(&call.data)
                .ok()
                .filter(|_| depth < DEEPEST)
                .and_then(|packed| unpack(&packed.transactions));
            match inner {
                Some(inner) if waiting.len() + inner.len() <= MOST => {
                    waiting.extend(inner.into_iter().rev().map(|call| (call, depth + 1)));
                }
                _ => {
                    unpacked.incomplete = true;
                    unpacked.calls.push(call);
                }
            }
        }
        unpacked
    }

    /// The delegatecalls whose target is neither a published library nor allowed.
    pub fn unknown_delegatecalls(&self, allowed: &dyn Fn(Address) -> bool) -> Vec<&Call> {
        self.calls
            .iter()
            .filter(|call| call.operation == Operation::DelegateCall)
            .filter(|call| Library::at(call.to).is_none() && !allowed(call.to))
            .collect()
    }
}

/// The calls in the argument of `multiSend`: for each an operation of 1 byte, an address of 20, a
/// value of 32, a length of 32, and as many bytes (`MultiSend.sol`). `None` where they do not end
/// with the bytes, or are too many.
fn unpack(mut bytes: &[u8]) -> Option<Vec<Call>> {
    const HEAD: usize = 1 + 20 + 32 + 32;
    let mut calls = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let length = usize::try_from(U256::from_be_slice(&head[53..])).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        if calls.len() == MOST {
            return None;
        }
        calls.push(Call {
            operation: Operation::from_number(head[0]),
            to: Address::from_slice(&head[1..21]),
            value: U256::from_be_slice(&head[21..53]),
            data: Bytes::copy_from_slice(data),
        });
        bytes = rest;
    }
    Some(calls)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;
    use proptest::prelude::*;

    use super::*;

    const MULTI_SEND: Address = address!("38869bf66a61cF6bDB996A6aE40D5853Fd43B526");
    const TARGET: Address = address!("00000000000000000000000000000000000000aa");

    fn pack(calls: &[Call]) -> Bytes {
        let mut bytes = Vec::new();
        for call in calls {
            bytes.push(call.operation.number());
            bytes.extend(call.to);
            bytes.extend(call.value.to_be_bytes::<32>());
            bytes.extend(U256::from(call.data.len()).to_be_bytes::<32>());
            bytes.extend(&call.data);
        }
        multiSendCall {
            transactions: bytes.into(),
        }
        .abi_encode()
        .into()
    }

    fn call(operation: Operation, to: Address, data: Bytes) -> Call {
        Call {
            operation,
            to,
            value: U256::ZERO,
            data,
        }
    }

    fn transaction(call: Call) -> SafeTransaction {
        SafeTransaction {
            to: call.to,
            value: call.value,
            data: call.data,
            operation: call.operation,
            safe_tx_gas: U256::ZERO,
            base_gas: U256::ZERO,
            gas_price: U256::ZERO,
            gas_token: Address::ZERO,
            refund_receiver: Address::ZERO,
            nonce: U256::ZERO,
        }
    }

    fn unpacked(call: Call) -> Unpacked {
        Unpacked::of(&transaction(call), &|_| false)
    }

    #[test]
    fn packed_calls_are_unpacked_in_order_and_through_each_other() {
        let one = call(Operation::Call, TARGET, Bytes::from_static(b"one"));
        let two = call(Operation::Call, TARGET, Bytes::from_static(b"two"));
        let three = call(
            Operation::DelegateCall,
            TARGET,
            Bytes::from_static(b"three"),
        );
        let inner = call(
            Operation::DelegateCall,
            MULTI_SEND,
            pack(&[two.clone(), three.clone()]),
        );
        let found = unpacked(call(
            Operation::DelegateCall,
            MULTI_SEND,
            pack(&[one.clone(), inner]),
        ));
        assert!(!found.incomplete);
        assert_eq!(found.calls, [one, two, three.clone()]);
        assert_eq!(found.unknown_delegatecalls(&|_| false), [&three]);
        assert!(found.unknown_delegatecalls(&|to| to == TARGET).is_empty());
    }

    #[test]
    fn what_merely_looks_packed_is_one_call() {
        let inner = [call(Operation::Call, TARGET, Bytes::new())];
        // The same calldata at an address that is no MultiSend may do anything.
        let stranger = call(Operation::DelegateCall, TARGET, pack(&inner));
        assert_eq!(unpacked(stranger.clone()).calls, [stranger]);
        // An ordinary call to MultiSend runs nothing as the Safe.
        let ordinary = call(Operation::Call, MULTI_SEND, pack(&inner));
        assert_eq!(unpacked(ordinary.clone()).calls, [ordinary]);
    }

    #[test]
    fn depth_and_broken_packing_are_told() {
        let mut nested = call(Operation::Call, TARGET, Bytes::new());
        for _ in 0..DEEPEST {
            nested = call(Operation::DelegateCall, MULTI_SEND, pack(&[nested]));
        }
        assert!(!unpacked(nested.clone()).incomplete);
        assert!(unpacked(call(Operation::DelegateCall, MULTI_SEND, pack(&[nested]))).incomplete);
        let broken = multiSendCall {
            transactions: vec![0; 40].into(),
        }
        .abi_encode();
        let found = unpacked(call(Operation::DelegateCall, MULTI_SEND, broken.into()));
        assert!(found.incomplete);
        assert_eq!(found.calls.len(), 1);
    }

    proptest! {
        #[test]
        fn no_packing_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let data: Bytes = multiSendCall { transactions: bytes.into() }.abi_encode().into();
            unpacked(call(Operation::DelegateCall, MULTI_SEND, data));
        }

        #[test]
        fn packing_and_unpacking_agree(calls in prop::collection::vec((0..2u8, any::<[u8; 20]>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20)) {
            let calls: Vec<Call> = calls.into_iter().map(|(operation, to, data)| call(Operation::from_number(operation), to.into(), data.into())).collect();
            let packed = multiSendCall::abi_decode(&pack(&calls)).unwrap().transactions;
            prop_assert_eq!(unpack(&packed), Some(calls));
        }
    }
}
