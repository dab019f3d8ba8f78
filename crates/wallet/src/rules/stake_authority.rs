//! Staked money goes to another address, or is called back.

use std::collections::BTreeSet;

use alloy_primitives::{Address, address};
use portreeve_model::Severity;

use crate::policy::Announced;
use crate::watch::{Rule, change_announced, executed_hash};

/// The contracts that take requests for withdrawals (EIP-7002) and consolidations (EIP-7251).
const WITHDRAWALS: Address = address!("00000961Ef480Eb55e80D19ad83579A64c007002");
const CONSOLIDATIONS: Address = address!("0000BBdDc7CE488642fb579F8B00f3a590007251");

pub(super) const RULE: Rule = Rule {
    id: "wallet.stake-authority",
    title: "Who may withdraw a stake changed, or it was called back",
    severity: Severity::High,
    techniques: &["T1098"],
    about: "A declared validator's withdrawals go to another address than the policy says; or a wallet asked \
            the chain to withdraw or merge a validator's stake. Changes on the consensus layer itself are \
            seen by their first withdrawal.",
    quieten: "Declare `[validators]` with their addresses; announce withdrawals as an upgrade to the \
              requests' contract.",
    judge: |scene, hits| {
        let strange: BTreeSet<(u64, Address, Address)> = scene
            .block
            .withdrawals
            .iter()
            .filter_map(|withdrawal| {
                let declared = scene.policy.validators.get(&withdrawal.validator_index)?;
                (*declared != withdrawal.address).then_some((
                    withdrawal.validator_index,
                    *declared,
                    withdrawal.address,
                ))
            })
            .collect();
        for (validator, declared, address) in strange {
            hits.add(
                declared,
                None,
                &format!("{validator} {address}"),
                false,
                format!("Validator {validator} pays {address}; the policy says {declared}"),
            );
        }
        for transaction in scene
            .block
            .transactions
            .iter()
            .filter(|one| one.took_effect())
        {
            for (caller, to, ..) in transaction.all_calls() {
                let what = match to {
                    WITHDRAWALS => "asked for the withdrawal of a validator's stake",
                    CONSOLIDATIONS => "asked that a validator's stake be merged into another's",
                    _ => continue,
                };
                if scene.policy.wallet(caller).is_some() {
                    let hash = executed_hash(transaction, caller);
                    let announced = change_announced(
                        scene.policy,
                        Announced::Upgrade,
                        caller,
                        scene.block,
                        Some(to),
                        hash,
                    );
                    hits.add(
                        caller,
                        Some(transaction.hash),
                        what,
                        announced,
                        format!("It {what}"),
                    );
                }
            }
        }
    },
};

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;
    use crate::chain::Withdrawal;
    use crate::watch::stage::{COLD, PARTNER, STRANGER, Script, Stage, severities};

    fn withdraw(script: &mut Script, validator: u64, address: Address) {
        script.block.withdrawals.push(Withdrawal {
            validator_index: validator,
            address,
            amount: 1,
        });
    }

    #[test]
    fn another_address_and_requests_of_wallets_are_found() {
        let found = Stage::new().block(|script| {
            withdraw(script, 7, STRANGER);
            script.send(COLD, Some(WITHDRAWALS), U256::from(1), Default::default());
            script.send(
                COLD,
                Some(CONSOLIDATIONS),
                U256::from(1),
                Default::default(),
            );
        });
        assert_eq!(severities(&found, RULE.id), [Severity::High; 3]);
    }

    #[test]
    fn the_declared_address_other_validators_and_strangers_are_not() {
        let found = Stage::new().block(|script| {
            withdraw(script, 7, PARTNER);
            withdraw(script, 8, STRANGER);
            script.send(
                STRANGER,
                Some(WITHDRAWALS),
                U256::from(1),
                Default::default(),
            );
            script.send(COLD, Some(STRANGER), U256::from(1), Default::default());
        });
        assert_eq!(severities(&found, RULE.id), []);
    }
}
