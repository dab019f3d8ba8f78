//! A contract that was made for us, by someone without a past.

use alloy_primitives::{Address, B256};
use portreeve_model::Severity;

use crate::safe::Operation;
use crate::watch::{Deployment, Rule, Scene};

pub(super) const RULE: Rule = Rule {
    id: "wallet.staged-contract",
    title: "A contract was staged near a wallet",
    severity: Severity::High,
    techniques: &["T1583"],
    about: "An account that had hardly sent anything before made a contract whose code holds the address \
            of a wallet; or a contract that was made by a stranger within 21 days becomes the target of a \
            delegatecall, an implementation, an owner, a module or a guard, which is critical. The theft of \
            2025-02-21 was staged so two days before.",
    quieten: "Name who deploys your contracts under `[known]`.",
    judge: |scene, hits| {
        for (contract, transaction) in &scene.changes.created {
            let Some(deployment) = scene
                .state
                .deployed
                .get(contract)
                .filter(|deployment| deployment.fresh)
            else {
                continue;
            };
            for wallet in &deployment.names {
                hits.add(
                    *wallet,
                    Some(*transaction),
                    &contract.to_string(),
                    false,
                    format!(
                        "{} made the contract {contract}, whose code holds the wallet's address",
                        deployment.by
                    ),
                );
            }
        }
        for (wallet, transaction, contract, role) in used(scene) {
            let Some(deployment) = scene.state.staged(contract, scene.block.time) else {
                continue;
            };
            let Deployment { by, time, .. } = deployment;
            hits.add_as(
                Severity::Critical,
                wallet,
                transaction,
                &format!("{role} {contract}"),
                false,
                format!("{contract}, made by {by} at {time}, became {role}"),
            );
        }
    },
};

/// Contracts that took on power in this block.
fn used(scene: &Scene<'_>) -> Vec<(Address, Option<B256>, Address, &'static str)> {
    let delegated = scene.changes.executions.iter().flat_map(|execution| {
        let calls = execution
            .calls
            .calls
            .iter()
            .filter(|call| call.operation == Operation::DelegateCall);
        calls.map(|call| {
            (
                execution.safe,
                Some(execution.transaction),
                call.to,
                "the target of a delegatecall",
            )
        })
    });
    let ruled = scene
        .changes
        .ruled
        .iter()
        .filter_map(|ruled| Some((ruled.wallet, None, ruled.address?, ruled.what.name())));
    delegated.chain(ruled).collect()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, U256};

    use super::*;
    use crate::chain::IMPLEMENTATION_SLOT;
    use crate::watch::stage::{COLD, PARTNER, STRANGER, Script, Stage, severities};

    const CONTRACT: Address = Address::repeat_byte(0xdd);

    fn deploy(script: &mut Script, by: Address, nonce: u64, code: &[u8]) {
        let transaction = script.send(by, None, U256::ZERO, Bytes::copy_from_slice(code));
        transaction.nonce = nonce;
        transaction.receipt.as_mut().unwrap().created = Some(CONTRACT);
    }

    fn naming(wallet: Address) -> Vec<u8> {
        [b"\x60\x73".as_slice(), wallet.as_slice(), b"\x00"].concat()
    }

    #[test]
    fn a_fresh_account_that_names_a_wallet_is_found_and_its_contract_in_use_is_critical() {
        let mut stage = Stage::new();
        let found = stage.block(|script| deploy(script, STRANGER, 0, &naming(COLD)));
        assert_eq!(severities(&found, RULE.id), [Severity::High]);
        stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, PARTNER.into_word()));
        stage.wait(2 * 24 * 60);
        let found =
            stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, CONTRACT.into_word()));
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn old_accounts_other_contracts_and_what_lay_long_are_not() {
        let mut stage = Stage::new();
        let found = stage.block(|script| deploy(script, STRANGER, 500, &naming(COLD)));
        assert_eq!(severities(&found, RULE.id), []);
        let found = stage.block(|script| deploy(script, STRANGER, 0, &naming(STRANGER)));
        assert_eq!(severities(&found, RULE.id), []);
        let found = stage.block(|script| deploy(script, PARTNER, 0, &naming(COLD)));
        assert_eq!(severities(&found, RULE.id), []);
        stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, PARTNER.into_word()));
        stage.wait(22 * 24 * 60);
        let found =
            stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, CONTRACT.into_word()));
        assert_eq!(severities(&found, RULE.id), []);
    }
}
