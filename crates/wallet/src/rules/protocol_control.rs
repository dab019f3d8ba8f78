//! Control over a contract of ours changed hands.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use portreeve_model::Severity;

use crate::abi;
use crate::chain::{Log, Transaction};
use crate::policy::{Announced, Wallet};
use crate::watch::{Remedy, Rule, Scene, change_announced, executed_hash};

pub(super) const RULE: Rule = Rule {
    id: "wallet.protocol-control",
    title: "Control over a contract changed",
    severity: Severity::Critical,
    techniques: &["T1098"],
    about: "A declared contract logged a new owner, implementation, administrator, beacon, holder of the \
            administrator's role, or a shorter delay of its timelock. Whoever did it rules what the \
            contract holds.",
    quieten: "Declare the contract's `timelock`: a change that waited there for its whole delay is \
              informational; or announce the upgrade with the new address.",
    judge: |scene, hits| {
        for transaction in scene
            .block
            .transactions
            .iter()
            .filter(|one| one.took_effect())
        {
            for log in transaction.logs() {
                let Some(wallet) = owner_of(scene, log.address) else {
                    continue;
                };
                let Some((what, to)) = change(log) else {
                    continue;
                };
                let hash = executed_hash(transaction, wallet.address);
                let waited = waited(scene, wallet, transaction);
                let announced = waited.is_some()
                    || change_announced(
                        scene.policy,
                        Announced::Upgrade,
                        wallet.address,
                        scene.block,
                        to,
                        hash,
                    );
                let told = waited.map_or_else(String::new, |since| {
                    format!(", scheduled at {since} and waited for")
                });
                hits.add(
                    wallet.address,
                    Some(transaction.hash),
                    &what,
                    announced,
                    format!("{what}{told}"),
                );
                hits.remedy(Remedy::Pause);
            }
        }
    },
};

/// The declared contract that a log is about: its own, or that of its timelock.
fn owner_of<'a>(scene: &'a Scene<'_>, address: Address) -> Option<&'a Wallet> {
    scene.policy.wallet(address).or_else(|| {
        scene
            .policy
            .wallets()
            .find(|wallet| wallet.timelock == Some(address))
    })
}

fn change(log: &Log) -> Option<(String, Option<Address>)> {
    let topic = *log.topics.first()?;
    let indexed = |place: usize| log.topics.get(place).copied().map(Address::from_word);
    let field = |place: usize| {
        log.data
            .get(place * 32..place * 32 + 32)
            .map(B256::from_slice)
    };
    match topic {
        abi::OwnershipTransferred::SIGNATURE_HASH => {
            indexed(2).map(|to| (format!("Its owner became {to}"), Some(to)))
        }
        abi::Upgraded::SIGNATURE_HASH => {
            indexed(1).map(|to| (format!("Its implementation became {to}"), Some(to)))
        }
        abi::BeaconUpgraded::SIGNATURE_HASH => {
            indexed(1).map(|to| (format!("Its beacon became {to}"), Some(to)))
        }
        abi::AdminChanged::SIGNATURE_HASH => field(1)
            .map(Address::from_word)
            .map(|to| (format!("Its administrator became {to}"), Some(to))),
        // The role of all zeroes administers the others (OpenZeppelin's `DEFAULT_ADMIN_ROLE`).
        abi::RoleGranted::SIGNATURE_HASH if log.topics.get(1) == Some(&B256::ZERO) => {
            indexed(2).map(|to| (format!("{to} may give roles to anyone"), Some(to)))
        }
        abi::MinDelayChange::SIGNATURE_HASH => {
            let (from, to) = (field(0)?, field(1)?);
            (to < from).then(|| {
                let seconds = |word: B256| alloy_primitives::U256::from_be_bytes(word.0);
                (
                    format!(
                        "Its timelock waits {} seconds instead of {}",
                        seconds(to),
                        seconds(from)
                    ),
                    None,
                )
            })
        }
        _ => None,
    }
}

/// Since when the change waited in the contract's timelock, where it waited for its whole delay.
fn waited(
    scene: &Scene<'_>,
    wallet: &Wallet,
    transaction: &Transaction,
) -> Option<jiff::Timestamp> {
    let timelock = wallet.timelock?;
    let logs = transaction.logs().iter();
    logs.filter(|log| {
        log.address == timelock && log.topics.first() == Some(&abi::CallExecuted::SIGNATURE_HASH)
    })
    .find_map(|log| {
        scene
            .state
            .waited(timelock, *log.topics.get(1)?, scene.block.time)
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, U256};

    use super::*;
    use crate::watch::stage::{OWNERS, PROXY, STRANGER, Stage, TIMELOCK, log, severities};

    fn upgrade(transaction: &mut Transaction) {
        log(
            transaction,
            PROXY,
            &[abi::Upgraded::SIGNATURE_HASH, STRANGER.into_word()],
            &[],
        );
    }

    #[test]
    fn changes_of_every_kind_are_found() {
        let zero = B256::ZERO;
        let found = Stage::new().block(|script| {
            let transaction = script.send(STRANGER, Some(PROXY), U256::ZERO, Bytes::new());
            upgrade(transaction);
            log(
                transaction,
                PROXY,
                &[
                    abi::OwnershipTransferred::SIGNATURE_HASH,
                    zero,
                    STRANGER.into_word(),
                ],
                &[],
            );
            log(
                transaction,
                PROXY,
                &[
                    abi::RoleGranted::SIGNATURE_HASH,
                    zero,
                    STRANGER.into_word(),
                    zero,
                ],
                &[],
            );
            log(
                transaction,
                PROXY,
                &[abi::AdminChanged::SIGNATURE_HASH],
                &[[0; 32], STRANGER.into_word().0].concat(),
            );
            let delays = [B256::with_last_byte(9).0, B256::with_last_byte(1).0].concat();
            log(
                transaction,
                TIMELOCK,
                &[abi::MinDelayChange::SIGNATURE_HASH],
                &delays,
            );
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical; 5]);
    }

    #[test]
    fn lesser_roles_longer_delays_and_others_contracts_are_not() {
        let found = Stage::new().block(|script| {
            let transaction = script.send(STRANGER, Some(PROXY), U256::ZERO, Bytes::new());
            log(
                transaction,
                STRANGER,
                &[abi::Upgraded::SIGNATURE_HASH, STRANGER.into_word()],
                &[],
            );
            log(
                transaction,
                PROXY,
                &[
                    abi::RoleGranted::SIGNATURE_HASH,
                    B256::with_last_byte(1),
                    STRANGER.into_word(),
                    B256::ZERO,
                ],
                &[],
            );
            let delays = [B256::with_last_byte(1).0, B256::with_last_byte(9).0].concat();
            log(
                transaction,
                TIMELOCK,
                &[abi::MinDelayChange::SIGNATURE_HASH],
                &delays,
            );
        });
        assert_eq!(severities(&found, RULE.id), []);
    }

    #[test]
    fn a_change_that_waited_in_the_timelock_is_informational_and_a_hasty_one_is_not() {
        let id = B256::repeat_byte(7);
        let mut stage = Stage::new();
        stage.block(|script| {
            let transaction = script.send(OWNERS[0], Some(TIMELOCK), U256::ZERO, Bytes::new());
            let call = abi::CallScheduled {
                id,
                index: U256::ZERO,
                target: PROXY,
                value: U256::ZERO,
                data: Bytes::new(),
                predecessor: B256::ZERO,
                delay: U256::from(3600),
            };
            let data = call.encode_data();
            log(
                transaction,
                TIMELOCK,
                &[abi::CallScheduled::SIGNATURE_HASH, id, B256::ZERO],
                &data,
            );
        });
        let execute = |stage: &mut Stage| {
            stage.block(|script| {
                let transaction = script.send(OWNERS[0], Some(TIMELOCK), U256::ZERO, Bytes::new());
                log(
                    transaction,
                    TIMELOCK,
                    &[abi::CallExecuted::SIGNATURE_HASH, id, B256::ZERO],
                    &[0; 32],
                );
                upgrade(transaction);
            })
        };
        stage.wait(30);
        assert_eq!(
            severities(&execute(&mut stage), RULE.id),
            [Severity::Critical]
        );
        stage.wait(30);
        assert_eq!(
            severities(&execute(&mut stage), RULE.id),
            [Severity::Informational]
        );
    }
}
