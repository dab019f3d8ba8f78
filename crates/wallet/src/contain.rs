//! What to do first: unsigned transactions, commands and calls, for people to review.
//!
//! Nothing here is signed or sent. A transaction is given as its target and calldata, to be proposed
//! in the organisation's own tool, on a machine that the intruder does not hold, and verified with
//! `portreeve wallet verify` before anyone signs.

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use portreeve_model::Severity;
use serde::Serialize;

use crate::abi;
use crate::policy::{Policy, Role, Wallet};
use crate::watch::{Remedy, WalletFinding};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// The order in which steps are taken: the lower, the sooner.
    pub order: u8,
    /// The wallet that it protects.
    pub wallet: Address,
    /// What to do, in words.
    pub text: String,
    /// A transaction to propose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Unsigned>,
    /// A command to review and run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A transaction that nobody signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unsigned {
    /// Who must send it: a wallet, or whoever may pause a contract.
    pub from: Option<Address>,
    /// Whom it calls.
    pub to: Address,
    /// With what.
    pub data: Bytes,
}

/// The steps that findings of high severity and above call for, in order.
pub fn steps(findings: &[WalletFinding], policy: &Policy) -> Vec<Step> {
    let mut steps = BTreeSet::new();
    for finding in findings
        .iter()
        .filter(|finding| finding.severity >= Severity::High)
    {
        let Some(wallet) = policy.wallet(finding.wallet) else {
            continue;
        };
        steps.extend(of_wallet(wallet));
        steps.extend(finding.remedy.map(|remedy| of_remedy(wallet, remedy)));
    }
    steps.into_iter().collect()
}

fn step(order: u8, wallet: &Wallet, text: String) -> Step {
    Step {
        order,
        wallet: wallet.address,
        text,
        transaction: None,
        command: None,
    }
}

fn of_wallet(wallet: &Wallet) -> Vec<Step> {
    let name = &wallet.name;
    let mut steps = vec![
        step(
            1,
            wallet,
            format!(
                "Freeze withdrawals from {name} in the systems that request them, and the refills of hot wallets"
            ),
        ),
        step(
            6,
            wallet,
            format!(
                "Call: the owners of {name} by a way that the intruder does not hold, the exchanges and issuers of its tokens (to freeze what arrives), the authorities"
            ),
        ),
    ];
    if let Some(key) = &wallet.signing_key {
        steps.push(Step {
            command: Some(format!("aws kms disable-key --key-id {}", quoted(key))),
            ..step(
                2,
                wallet,
                format!("Disable the key that signs for {name}; it can be enabled again"),
            )
        });
    }
    if let Some(page) = &wallet.page {
        steps.push(step(3, wallet, format!("Let nobody sign for {name} on {page} until `portreeve bundle verify` says that it serves what was built")));
    }
    if !wallet.owners.is_empty() && wallet.role != Role::Contract {
        steps.push(step(5, wallet, format!("Rotate the owners of {name} from clean machines: one `swapOwner` for each key that signed on a page or machine in doubt; verify each with `portreeve wallet verify` before signing. Where its implementation was replaced this no longer helps: move what is left")));
    }
    steps
}

fn of_remedy(wallet: &Wallet, remedy: Remedy) -> Step {
    let propose = |from, to, data: Vec<u8>| {
        Some(Unsigned {
            from,
            to,
            data: data.into(),
        })
    };
    match remedy {
        Remedy::Revoke { token, spender } => Step {
            transaction: propose(
                Some(wallet.address),
                token,
                abi::approveCall {
                    spender,
                    amount: U256::ZERO,
                }
                .abi_encode(),
            ),
            ..step(
                4,
                wallet,
                format!("Take back the allowance of {spender} for token {token}"),
            )
        },
        Remedy::DisableModule(module) => {
            // A module that was just enabled stands first in the list, after the sentinel.
            let call = abi::disableModuleCall {
                prevModule: Address::with_last_byte(1),
                module,
            };
            Step {
                transaction: propose(Some(wallet.address), wallet.address, call.abi_encode()),
                ..step(
                    4,
                    wallet,
                    format!(
                        "Take away the module {module}; if another was enabled after it, name that one as the one before"
                    ),
                )
            }
        }
        Remedy::Pause => Step {
            transaction: propose(None, wallet.address, abi::pauseCall {}.abi_encode()),
            ..step(
                0,
                wallet,
                format!(
                    "Pause {}, if it can be paused and whoever may is still ours",
                    wallet.name
                ),
            )
        },
    }
}

/// A word for a shell, whatever the policy holds.
fn quoted(word: &str) -> String {
    let plain = word
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_:/.".contains(&byte));
    if plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::stage::{HOT, STRANGER, Stage, TOKEN, log};
    use alloy_sol_types::SolEvent;

    #[test]
    fn a_drain_by_allowance_is_answered_in_order_with_what_takes_it_back() {
        let mut stage = Stage::new();
        stage.block(|script| script.balance(HOT, Some(TOKEN), U256::from(1000)));
        stage.block(|script| {
            let transaction = script.send(HOT, Some(TOKEN), U256::ZERO, Default::default());
            log(
                transaction,
                TOKEN,
                &[
                    abi::Approval::SIGNATURE_HASH,
                    HOT.into_word(),
                    STRANGER.into_word(),
                ],
                &U256::MAX.to_be_bytes::<32>(),
            );
        });
        let found = stage.block(|script| {
            script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 600);
        });
        let steps = steps(&found, stage.policy());
        let orders: Vec<u8> = steps.iter().map(|step| step.order).collect();
        assert_eq!(orders, [1, 4, 6]);
        let transaction = steps[1].transaction.as_ref().unwrap();
        assert_eq!((transaction.from, transaction.to), (Some(HOT), TOKEN));
        let call = abi::approveCall::abi_decode(&transaction.data).unwrap();
        assert_eq!((call.spender, call.amount), (STRANGER, U256::ZERO));
    }

    #[test]
    fn what_is_low_calls_for_nothing_and_words_are_quoted() {
        assert!(steps(&[], Stage::new().policy()).is_empty());
        assert_eq!(
            quoted("arn:aws:kms:eu-west-1:111122223333:key/a"),
            "arn:aws:kms:eu-west-1:111122223333:key/a"
        );
        assert_eq!(quoted("a'; rm"), "'a'\\''; rm'");
    }
}
