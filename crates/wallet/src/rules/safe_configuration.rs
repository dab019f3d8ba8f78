//! Who rules a Safe changed.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use portreeve_model::Severity;

use crate::abi;
use crate::policy::Announced;
use crate::watch::{Remedy, Rule, Ruling, change_announced, executed_hash};

pub(super) const RULE: Rule = Rule {
    id: "wallet.safe-configuration",
    title: "Owners, threshold or modules of a Safe changed",
    severity: Severity::High,
    techniques: &["T1098"],
    about: "A Safe logged that an owner was added or removed, the threshold, a module, the guard or the \
            fallback handler changed; or its storage shows such a change that no event tells of, which \
            is critical: only foreign code run by delegatecall does that.",
    quieten: "Announce the ceremony as a rotation, with the new address or the safeTxHash.",
    judge: |scene, hits| {
        let mut told: Vec<(Address, Ruling)> = Vec::new();
        for transaction in scene
            .block
            .transactions
            .iter()
            .filter(|one| one.took_effect())
        {
            for log in transaction.logs() {
                let Some(wallet) = scene.policy.wallet(log.address) else {
                    continue;
                };
                let Some((what, words)) = log.topics.first().and_then(|topic| change(*topic))
                else {
                    continue;
                };
                // Indexed since 1.4.
                let Some(word) = log
                    .topics
                    .get(1)
                    .copied()
                    .or_else(|| log.data.get(..32).map(B256::from_slice))
                else {
                    continue;
                };
                told.push((wallet.address, what));
                let (to, value) = match what {
                    Ruling::Threshold => (None, U256::from_be_bytes(word.0).to_string()),
                    _ => (
                        Some(Address::from_word(word)),
                        Address::from_word(word).to_string(),
                    ),
                };
                let hash = executed_hash(transaction, wallet.address);
                let announced = change_announced(
                    scene.policy,
                    Announced::Rotation,
                    wallet.address,
                    scene.block,
                    to,
                    hash,
                );
                hits.add(
                    wallet.address,
                    Some(transaction.hash),
                    &format!("{words} {value}"),
                    announced,
                    format!("{words} {value}"),
                );
                if let (Ruling::Modules, Some(module), true) = (
                    what,
                    to,
                    log.topics.first() == Some(&abi::EnabledModule::SIGNATURE_HASH),
                ) {
                    hits.remedy(Remedy::DisableModule(module));
                }
            }
        }
        for ruled in &scene.changes.ruled {
            if matches!(ruled.what, Ruling::Implementation | Ruling::Guard)
                || told.contains(&(ruled.wallet, ruled.what))
            {
                continue;
            }
            let announced = change_announced(
                scene.policy,
                Announced::Rotation,
                ruled.wallet,
                scene.block,
                ruled.address,
                None,
            );
            let (severity, why) = match ruled.against_policy {
                true => (RULE.severity, "; the policy says"),
                false => (Severity::Critical, ", and no event tells of it; it was"),
            };
            hits.add_as(
                severity,
                ruled.wallet,
                None,
                &format!("{} {}", ruled.what.name(), ruled.to),
                announced,
                format!(
                    "Its storage says {} {}{why} {}",
                    ruled.what.name(),
                    ruled.to,
                    ruled.from
                ),
            );
        }
    },
};

fn change(topic: B256) -> Option<(Ruling, &'static str)> {
    Some(match topic {
        abi::AddedOwner::SIGNATURE_HASH => (Ruling::Owners, "An owner was added:"),
        abi::RemovedOwner::SIGNATURE_HASH => (Ruling::Owners, "An owner was removed:"),
        abi::ChangedThreshold::SIGNATURE_HASH => (Ruling::Threshold, "The threshold became"),
        abi::EnabledModule::SIGNATURE_HASH => {
            (Ruling::Modules, "A module may spend without signatures:")
        }
        abi::DisabledModule::SIGNATURE_HASH => (Ruling::Modules, "A module was taken away:"),
        abi::ChangedGuard::SIGNATURE_HASH => (Ruling::Guard, "The guard became"),
        abi::ChangedFallbackHandler::SIGNATURE_HASH => {
            (Ruling::FallbackHandler, "The fallback handler became")
        }
        abi::ChangedMasterCopy::SIGNATURE_HASH => {
            (Ruling::Implementation, "The implementation became")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;

    use super::*;
    use crate::watch::stage::{COLD, OWNERS, STRANGER, Stage, log, of, severities};

    fn threshold(value: u8) -> B256 {
        B256::with_last_byte(value)
    }

    #[test]
    fn events_in_both_forms_and_silent_changes_are_found() {
        let mut stage = Stage::new();
        stage.block(|script| script.slot(COLD, B256::with_last_byte(4), threshold(2)));
        let found = stage.block(|script| {
            let transaction = script.send(OWNERS[0], Some(COLD), U256::ZERO, Bytes::new());
            log(
                transaction,
                COLD,
                &[abi::AddedOwner::SIGNATURE_HASH],
                STRANGER.into_word().as_slice(),
            );
            log(
                transaction,
                COLD,
                &[abi::EnabledModule::SIGNATURE_HASH, STRANGER.into_word()],
                &[],
            );
            log(
                transaction,
                COLD,
                &[abi::ChangedThreshold::SIGNATURE_HASH],
                threshold(1).as_slice(),
            );
            script.slot(COLD, B256::with_last_byte(4), threshold(1));
        });
        assert_eq!(severities(&found, RULE.id), [Severity::High; 3]);
        let silent = stage.block(|script| script.slot(COLD, B256::with_last_byte(4), threshold(3)));
        assert_eq!(severities(&silent, RULE.id), [Severity::Critical]);
        assert!(
            of(&silent, RULE.id)[0]
                .reason
                .contains("no event tells of it; it was 1")
        );
    }

    #[test]
    fn other_safes_other_events_and_announced_rotations_are_quiet() {
        let mut stage = Stage::with(&format!(
            "[[announcement]]\nwallet = \"{COLD}\"\nwhat = \"rotation\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2026-01-02T00:00:00Z\"\nto = \"{STRANGER}\"\n"
        ));
        let found = stage.block(|script| {
            let transaction = script.send(OWNERS[0], Some(COLD), U256::ZERO, Bytes::new());
            log(
                transaction,
                STRANGER,
                &[abi::AddedOwner::SIGNATURE_HASH],
                STRANGER.into_word().as_slice(),
            );
            log(
                transaction,
                COLD,
                &[abi::ApproveHash::SIGNATURE_HASH],
                &[0; 32],
            );
            log(
                transaction,
                COLD,
                &[abi::AddedOwner::SIGNATURE_HASH],
                STRANGER.into_word().as_slice(),
            );
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Informational]);
        let another = stage.block(|script| {
            let transaction = script.send(OWNERS[0], Some(COLD), U256::ZERO, Bytes::new());
            log(
                transaction,
                COLD,
                &[abi::AddedOwner::SIGNATURE_HASH],
                COLD.into_word().as_slice(),
            );
        });
        assert_eq!(severities(&another, RULE.id), [Severity::High]);
    }
}
