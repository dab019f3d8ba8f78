//! Queues made here, signed with keys that everyone knows: what is wrong is named, and nothing else.

use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::SolCall;
use portreeve_model::Severity;

use super::{
    Confirmation, Domain, DomainKind, Execution, Expectations, Filed, Operation, Queue,
    SafeTransaction, Verification, verify,
};
use crate::abi;
use crate::test_keys::{owner, sign, sign_as_message};

const SAFE: Address = address!("1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4");
const PAYEE: Address = address!("00000000000000000000000000000000000000aa");
const MULTI_SEND_CALL_ONLY: Address = address!("9641d764fc13c8B624c04430C7356C1C7C8102e2");
const DOMAIN: Domain = Domain {
    safe: SAFE,
    kind: DomainKind::Since1_3 { chain: 1 },
};

fn payment(nonce: u64, wei: u64) -> SafeTransaction {
    SafeTransaction {
        to: PAYEE,
        value: U256::from(wei),
        data: Bytes::new(),
        operation: Operation::Call,
        safe_tx_gas: U256::ZERO,
        base_gas: U256::ZERO,
        gas_price: U256::ZERO,
        gas_token: Address::ZERO,
        refund_receiver: Address::ZERO,
        nonce: U256::from(nonce),
    }
}

/// A delegatecall whose calldata look like the transfer of a token.
fn takeover(nonce: u64) -> SafeTransaction {
    let data = abi::transferCall {
        to: PAYEE,
        amount: U256::ZERO,
    };
    SafeTransaction {
        operation: Operation::DelegateCall,
        data: data.abi_encode().into(),
        ..payment(nonce, 0)
    }
}

fn filed(transaction: SafeTransaction) -> Filed {
    Filed {
        stated_hash: Some(transaction.hash(&DOMAIN)),
        transaction,
        submitted: "2026-01-01T10:00:00Z".parse().ok(),
        execution: None,
        confirmations: Vec::new(),
        signatures: Bytes::new(),
    }
}

fn confirmation(number: u8, hash: B256) -> Confirmation {
    Confirmation {
        owner: owner(number),
        time: format!("2026-01-01T10:0{number}:00.9Z").parse().ok(),
        signature: if number.is_multiple_of(2) {
            sign_as_message(number, hash)
        } else {
            sign(number, hash)
        }
        .into(),
    }
}

fn queue(transactions: Vec<Filed>) -> Queue {
    Queue {
        safe: SAFE,
        chain: Some(1),
        version: None,
        owners: (1..=3).map(owner).collect(),
        threshold: Some(2),
        transactions,
    }
}

fn grave(verification: &Verification) -> Vec<(&'static str, Severity)> {
    let graves = verification
        .checks
        .iter()
        .filter(|check| check.severity >= Severity::Medium);
    graves.map(|check| (check.id, check.severity)).collect()
}

#[test]
fn owners_who_sign_what_they_were_shown_raise_nothing() {
    let mut one = filed(payment(1, 5));
    let hash = one.transaction.hash(&DOMAIN);
    one.confirmations = vec![confirmation(1, hash), confirmation(2, hash)];
    one.execution = Some(Execution {
        executor: Some(owner(1)),
        ..Execution::default()
    });
    one.signatures = [sign(1, hash), sign_as_message(2, hash)].concat().into();
    let verification = verify(&[queue(vec![one])], &Expectations::default());
    assert_eq!(verification.verdict, "clean");
    assert_eq!(grave(&verification), []);
    assert!(verification.signers.iter().all(|signer| signer.matches));
    assert_eq!(verification.transactions[0].signed_by.len(), 2);
    assert_eq!(
        verification.transactions[0].domain.as_deref(),
        Some("Safe 1.3 or later on chain 1")
    );
}

#[test]
fn a_signature_of_something_else_is_named_before_anyone_knows_of_what() {
    let mut shown = filed(payment(1, 5));
    shown.confirmations = vec![confirmation(1, takeover(1).hash(&DOMAIN))];
    let verification = verify(&[queue(vec![shown])], &Expectations::default());
    assert_eq!(
        grave(&verification),
        [("signature-mismatch", Severity::Critical)]
    );
    let check = &verification
        .checks
        .iter()
        .find(|check| check.id == "signature-mismatch")
        .unwrap();
    assert_eq!(check.time.unwrap().to_string(), "2026-01-01T10:01:00Z");
    assert_eq!(check.owner, Some(owner(1)));
    assert!(check.reason.contains("is not among the transactions known"));
    assert_eq!(verification.signers[0].signed, None);
}

#[test]
fn the_rival_that_was_signed_is_found_and_told_in_words() {
    let mut shown = filed(payment(1, 5));
    let executed = takeover(1);
    let hash = executed.hash(&DOMAIN);
    shown.confirmations = (1..=3).map(|number| confirmation(number, hash)).collect();
    let mut executed = filed(executed);
    executed.submitted = None;
    executed.execution = Some(Execution {
        time: "2026-01-01T12:00:00Z".parse().ok(),
        executor: Some(PAYEE),
        ..Execution::default()
    });
    let verification = verify(&[queue(vec![shown, executed])], &Expectations::default());
    assert_eq!(verification.verdict, "critical");
    assert_eq!(verification.lead_seconds, Some(2 * 3600 - 60));
    let ids: Vec<&str> = verification
        .checks
        .iter()
        .filter(|check| check.severity == Severity::Critical)
        .map(|check| check.id)
        .collect();
    assert_eq!(
        ids,
        [
            "signature-mismatch",
            "signature-mismatch",
            "signature-mismatch",
            "delegatecall-to-unknown",
            "executed-differs-from-shown"
        ]
    );
    for signer in &verification.signers {
        assert_eq!(signer.signed, Some(hash));
        assert!(signer.shown.starts_with("send 0.000000000000000005 ether"));
        assert!(signer.signs.starts_with("run the code of"));
    }
    assert_eq!(
        verification.transactions[1].signed_by,
        (1..=3)
            .map(owner)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    assert!(
        verification
            .checks
            .iter()
            .any(|check| check.id == "unknown-executor" && check.severity == Severity::Low)
    );
}

#[test]
fn fields_that_do_not_have_the_stated_hash_are_named() {
    let good = filed(payment(1, 5));
    let mut altered = filed(payment(2, 5));
    altered.transaction.to = SAFE;
    let stated = altered.stated_hash.unwrap();
    altered.confirmations = vec![confirmation(1, stated)];
    let verification = verify(&[queue(vec![good, altered])], &Expectations::default());
    assert_eq!(
        grave(&verification),
        [
            ("hash-mismatch", Severity::Critical),
            ("signature-mismatch", Severity::Critical)
        ]
    );
    assert_eq!(verification.signers[0].signed, Some(stated));
}

#[test]
fn a_chain_that_is_not_known_is_no_accusation() {
    // A chain whose number is not among the common ones, and not given.
    let elsewhere = Domain {
        safe: SAFE,
        kind: DomainKind::Since1_3 { chain: 4242 },
    };
    let mut one = filed(payment(1, 5));
    let hash = one.transaction.hash(&elsewhere);
    one.stated_hash = Some(hash);
    one.confirmations = vec![confirmation(1, hash)];
    let mut unknown = queue(vec![one]);
    unknown.chain = None;
    let verification = verify(std::slice::from_ref(&unknown), &Expectations::default());
    assert_eq!(
        grave(&verification),
        [("hash-not-reproduced", Severity::Medium)]
    );
    assert!(verification.signers[0].matches);
    let known = Expectations {
        chain: Some(4242),
        ..Expectations::default()
    };
    assert_eq!(grave(&verify(&[unknown], &known)), []);
}

#[test]
fn a_rejection_on_the_same_nonce_is_everyday_and_a_rival_is_not() {
    let mut one = filed(payment(1, 5));
    one.confirmations = vec![confirmation(1, one.transaction.hash(&DOMAIN))];
    let mut rejection = filed(SafeTransaction {
        to: SAFE,
        ..payment(1, 0)
    });
    rejection.confirmations = vec![confirmation(1, rejection.transaction.hash(&DOMAIN))];
    let verification = verify(
        &[queue(vec![one.clone(), rejection])],
        &Expectations::default(),
    );
    assert_eq!(grave(&verification), []);
    assert!(
        verification
            .checks
            .iter()
            .any(|check| check.id == "rivals-with-shared-signers")
    );

    let mut rival = filed(takeover(1));
    rival.confirmations = vec![confirmation(1, rival.transaction.hash(&DOMAIN))];
    let verification = verify(&[queue(vec![one, rival])], &Expectations::default());
    assert_eq!(
        grave(&verification),
        [
            ("delegatecall-to-unknown", Severity::Critical),
            ("rivals-with-shared-signers", Severity::High)
        ]
    );
}

#[test]
fn strangers_and_unreadable_signatures_are_told_apart() {
    let mut one = filed(payment(1, 5));
    let hash = one.transaction.hash(&DOMAIN);
    let stranger = confirmation(7, hash);
    let mut unreadable = confirmation(1, hash);
    unreadable.signature = Bytes::from_static(&[1, 2, 3]);
    let swapped = Confirmation {
        owner: owner(3),
        ..confirmation(1, hash)
    };
    one.confirmations = vec![stranger, unreadable, swapped];
    one.signatures = sign(9, hash).into();
    let verification = verify(&[queue(vec![one])], &Expectations::default());
    let mut found = grave(&verification);
    found.sort();
    assert_eq!(
        found,
        [
            ("execution-signature-unknown", Severity::High),
            ("owner-unknown", Severity::High),
            ("signature-mismatch", Severity::Critical),
            ("signature-unreadable", Severity::Medium),
        ]
    );
}

/// A MultiSend that pays `count` payees.
fn batch(nonce: u64, count: u8) -> SafeTransaction {
    let mut packed = Vec::new();
    for number in 0..count {
        packed.push(0);
        packed.extend([number; 20]);
        packed.extend(U256::from(number).to_be_bytes::<32>());
        packed.extend([0; 32]);
    }
    SafeTransaction {
        to: MULTI_SEND_CALL_ONLY,
        operation: Operation::DelegateCall,
        data: abi::multiSendCall {
            transactions: packed.into(),
        }
        .abi_encode()
        .into(),
        ..payment(nonce, 0)
    }
}

/// The calldata of `execTransaction` for such a batch.
pub(crate) fn batch_calldata(count: u8) -> Bytes {
    let batch = batch(0, count);
    abi::execTransactionCall {
        to: batch.to,
        value: batch.value,
        data: batch.data,
        operation: batch.operation.number(),
        safeTxGas: U256::ZERO,
        baseGas: U256::ZERO,
        gasPrice: U256::ZERO,
        gasToken: Address::ZERO,
        refundReceiver: Address::ZERO,
        signatures: Bytes::new(),
    }
    .abi_encode()
    .into()
}

fn rotation(nonce: u64) -> SafeTransaction {
    let data = abi::swapOwnerCall {
        prevOwner: owner(1),
        oldOwner: owner(2),
        newOwner: owner(4),
    };
    SafeTransaction {
        to: SAFE,
        data: data.abi_encode().into(),
        ..payment(nonce, 0)
    }
}

#[test]
fn a_thousand_benign_transactions_with_announced_rotations_raise_nothing_high() {
    let mut announced = std::collections::BTreeSet::new();
    let transactions: Vec<Filed> = (0..1000u64)
        .map(|nonce| {
            let transaction = match nonce % 4 {
                0 => batch(nonce, (nonce % 40) as u8),
                1 => rotation(nonce),
                _ => payment(nonce, nonce),
            };
            let mut one = filed(transaction);
            let hash = one.transaction.hash(&DOMAIN);
            if nonce % 4 == 1 {
                announced.insert(hash);
            }
            one.confirmations = vec![confirmation(1, hash), confirmation(2, hash)];
            one.execution = Some(Execution {
                executor: Some(owner(3)),
                ..Execution::default()
            });
            one
        })
        .collect();
    let expectations = Expectations {
        announced,
        ..Expectations::default()
    };
    let verification = verify(&[queue(transactions.clone())], &expectations);
    assert_eq!(verification.verdict, "clean");
    assert_eq!(verification.signers.len(), 2000);
    // The same without the announcements: each rotation is named, and nothing else.
    let unannounced = verify(&[queue(transactions)], &Expectations::default());
    assert_eq!(
        grave(&unannounced),
        vec![("control-change", Severity::High); 250]
    );
}
