//! A Safe's implementation or guard is another.

use portreeve_model::Severity;

use crate::policy::Announced;
use crate::watch::{Rule, Ruling, change_announced};

pub(super) const RULE: Rule = Rule {
    id: "wallet.safe-implementation",
    title: "A Safe's implementation or guard was replaced",
    severity: Severity::Critical,
    techniques: &["T1565.001"],
    about: "Storage slot 0, which holds the implementation, or the guard's slot has another value than \
            before, or than the policy says. A delegatecall writes there without any event, so that \
            storage is read each block.",
    quieten: "Announce the upgrade with the new address or the safeTxHash.",
    judge: |scene, hits| {
        for ruled in &scene.changes.ruled {
            if !matches!(ruled.what, Ruling::Implementation | Ruling::Guard) {
                continue;
            }
            let announced = change_announced(
                scene.policy,
                Announced::Upgrade,
                ruled.wallet,
                scene.block,
                ruled.address,
                None,
            );
            let than = if ruled.against_policy {
                "the policy says"
            } else {
                "it was"
            };
            hits.add(
                ruled.wallet,
                None,
                &format!("{} {}", ruled.what.name(), ruled.to),
                announced,
                format!(
                    "Its {} is {}; {than} {}",
                    ruled.what.name(),
                    ruled.to,
                    ruled.from
                ),
            );
        }
    },
};

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};

    use super::*;
    use crate::chain::{GUARD_SLOT, IMPLEMENTATION_SLOT};
    use crate::watch::stage::{COLD, STRANGER, Stage, severities};

    const GOOD: Address = Address::repeat_byte(0x11);

    #[test]
    fn a_new_value_is_found_in_its_block() {
        let mut stage = Stage::new();
        let same = stage.block(|script| {
            script.slot(COLD, IMPLEMENTATION_SLOT, GOOD.into_word());
            script.slot(COLD, GUARD_SLOT, GOOD.into_word());
        });
        assert_eq!(severities(&same, RULE.id), []);
        let found = stage.block(|script| {
            script.slot(COLD, IMPLEMENTATION_SLOT, STRANGER.into_word());
            script.slot(COLD, GUARD_SLOT, B256::ZERO);
        });
        assert_eq!(
            severities(&found, RULE.id),
            [Severity::Critical, Severity::Critical]
        );
        let still =
            stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, STRANGER.into_word()));
        assert_eq!(severities(&still, RULE.id), []);
    }

    #[test]
    fn other_slots_and_strangers_are_not_and_announced_ones_are_quiet() {
        let mut stage = Stage::with(&format!(
            "[[announcement]]\nwallet = \"{COLD}\"\nwhat = \"upgrade\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2026-01-02T00:00:00Z\"\nto = \"{GOOD}\"\n"
        ));
        stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, STRANGER.into_word()));
        let found = stage.block(|script| {
            script.slot(STRANGER, IMPLEMENTATION_SLOT, GOOD.into_word());
            script.slot(COLD, B256::with_last_byte(5), GOOD.into_word());
        });
        assert_eq!(severities(&found, RULE.id), []);
        let announced =
            stage.block(|script| script.slot(COLD, IMPLEMENTATION_SLOT, GOOD.into_word()));
        assert_eq!(severities(&announced, RULE.id), [Severity::Informational]);
    }
}
