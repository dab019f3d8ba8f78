//! A Safe runs the code of an address that nobody declared, as itself.

use portreeve_model::Severity;

use crate::policy::Announced;
use crate::watch::{Rule, Scene};
use crate::words;

pub(super) const RULE: Rule = Rule {
    id: "wallet.safe-delegatecall",
    title: "A Safe ran unknown code as itself",
    severity: Severity::Critical,
    techniques: &["T1657"],
    about: "A transaction of a Safe is a delegatecall to an address that is neither one of Safe's \
            published libraries nor in `delegatecall_targets`, directly or packed in MultiSend. That \
            code may replace the implementation and the owners and spend everything; the theft of \
            2025-02-21 was one, with calldata that look like a token's transfer.",
    quieten: "Name the contract in `delegatecall_targets`, or announce the transaction by its safeTxHash.",
    judge: |scene, hits| {
        for execution in &scene.changes.executions {
            let Some(wallet) = scene.policy.wallet(execution.safe) else {
                continue;
            };
            let allowed = |to| wallet.delegatecall_targets.contains(&to);
            for call in execution.calls.unknown_delegatecalls(&allowed) {
                hits.add(
                    execution.safe,
                    Some(execution.transaction),
                    &call.to.to_string(),
                    announced(scene, execution),
                    format!("{} had it {}", execution.sender, words::call(call)),
                );
            }
            if execution.calls.incomplete {
                hits.add_as(
                    Severity::High,
                    execution.safe,
                    Some(execution.transaction),
                    "packed",
                    announced(scene, execution),
                    "It carried out calls that are packed so that they cannot be read".to_owned(),
                );
            }
        }
    },
};

fn announced(scene: &Scene<'_>, execution: &crate::watch::Execution) -> bool {
    let to = Some(execution.safe_transaction.to);
    let covers = |what| {
        crate::watch::change_announced(
            scene.policy,
            what,
            execution.safe,
            scene.block,
            to,
            execution.hash,
        )
    };
    covers(Announced::Upgrade)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, Bytes, U256, address};
    use alloy_sol_types::SolCall;

    use super::*;
    use crate::abi::{execTransactionCall, transferCall};
    use crate::watch::stage::{COLD, OWNERS, PARTNER, STRANGER, Stage, log, severities};

    fn execution(operation: u8, to: Address) -> Bytes {
        execTransactionCall {
            to,
            value: U256::ZERO,
            data: transferCall {
                to: PARTNER,
                amount: U256::ZERO,
            }
            .abi_encode()
            .into(),
            operation,
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

    #[test]
    fn a_delegatecall_to_a_stranger_is_found_also_inside_another_contract() {
        let mut stage = Stage::new();
        let found = stage.block(|script| {
            script.send(STRANGER, Some(COLD), U256::ZERO, execution(1, STRANGER));
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
        let found = stage.block(|script| {
            let transaction = script.send(STRANGER, Some(PARTNER), U256::ZERO, Bytes::new());
            transaction.calls.push(crate::chain::InternalCall {
                delegate: false,
                from: PARTNER,
                to: COLD,
                value: U256::ZERO,
                input: execution(1, STRANGER),
            });
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn ordinary_calls_published_libraries_and_failures_are_not() {
        let multi_send = address!("9641d764fc13c8B624c04430C7356C1C7C8102e2");
        let found = Stage::new().block(|script| {
            script.send(OWNERS[0], Some(COLD), U256::ZERO, execution(0, STRANGER));
            script.send(OWNERS[0], Some(COLD), U256::ZERO, execution(1, multi_send));
            let failed = script.send(OWNERS[0], Some(COLD), U256::ZERO, execution(1, STRANGER));
            failed.receipt.as_mut().unwrap().succeeded = false;
            // Somebody else's Safe.
            script.send(STRANGER, Some(STRANGER), U256::ZERO, execution(1, STRANGER));
        });
        assert_eq!(severities(&found, RULE.id), []);
    }

    #[test]
    fn an_announced_one_is_informational_and_only_that_one() {
        let hash = B256::repeat_byte(5);
        let mut stage = Stage::with(&format!(
            "[[announcement]]\nwallet = \"{COLD}\"\nwhat = \"upgrade\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2026-01-02T00:00:00Z\"\nsafe_tx_hash = \"{hash}\"\n"
        ));
        let success = alloy_primitives::b256!(
            "442e715f626346e8c54381002da614f62bee8d27386535b2521ec8540898556e"
        );
        let found = stage.block(|script| {
            for hash in [hash, B256::repeat_byte(6)] {
                let transaction =
                    script.send(OWNERS[0], Some(COLD), U256::ZERO, execution(1, STRANGER));
                log(transaction, COLD, &[success, hash], &[0; 32]);
            }
        });
        assert_eq!(
            severities(&found, RULE.id),
            [Severity::Informational, Severity::Critical]
        );
    }
}
