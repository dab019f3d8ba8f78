//! More leaves a wallet than it ever pays.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256};
use portreeve_model::Severity;

use crate::chain::Asset;
use crate::policy::Role;
use crate::watch::{Outflow, Rule, Scene, WINDOW, percent, share};

/// How many assets, and within how many seconds.
const ASSETS: usize = 4;
const ASSETS_WITHIN: i64 = 180;
/// How many times the largest window of the last 90 days.
const TIMES: u64 = 3;

pub(super) const RULE: Rule = Rule {
    id: "wallet.outflow-burst",
    title: "A burst of money left a wallet",
    severity: Severity::Critical,
    techniques: &["T1657"],
    about: "Within ten minutes a wallet paid unexplained recipients at least `burst_share` of an asset's \
            balance, and three times as much as in any such window of the last 90 days; or a cold or warm \
            wallet paid out four assets within three minutes. Payments to declared recipients and wallets, \
            and announced ones, do not count.",
    quieten: "Declare `recipients`, announce treasury moves as payments, or set the wallet's `burst_share`.",
    judge: |scene, hits| {
        let touched: BTreeSet<Address> = scene
            .changes
            .outflows
            .iter()
            .filter(|outflow| outflow.is_unexplained())
            .map(|outflow| outflow.wallet)
            .collect();
        for address in touched {
            let (Some(wallet), Some(history)) =
                (scene.policy.wallet(address), scene.state.wallet(address))
            else {
                continue;
            };
            let last = scene
                .changes
                .outflows
                .iter()
                .rev()
                .find(|outflow| outflow.wallet == address);
            let transaction = last.map(|outflow| outflow.transaction);
            for (asset, (sum, before)) in sums(scene, address) {
                let Some(baseline) = before.filter(|before| !before.is_zero()) else {
                    continue;
                };
                let most = (wallet.burst_share() * 1_000_000.0) as u64;
                let ever = history.largest(asset, scene.block.time);
                if share(sum, baseline).is_some_and(|share| share >= most)
                    && sum >= ever.saturating_mul(U256::from(TIMES))
                {
                    let reason = format!(
                        "{} of its {} left within ten minutes",
                        percent(sum, baseline),
                        asset
                    );
                    hits.add(
                        address,
                        transaction,
                        &format!("share {}", asset),
                        false,
                        reason,
                    );
                }
            }
            let recent = history
                .recent(scene.block.time, ASSETS_WITHIN)
                .filter(|outflow| outflow.is_unexplained());
            let assets: BTreeSet<Asset> = recent.map(|outflow| outflow.asset).collect();
            if assets.len() >= ASSETS && matches!(wallet.role, Role::Cold | Role::Warm) {
                hits.add(
                    address,
                    transaction,
                    "assets",
                    false,
                    format!("{} assets left within three minutes", assets.len()),
                );
            }
        }
    },
};

/// For each asset that left in this block the sum of the last ten minutes, and the balance before it.
fn sums(scene: &Scene<'_>, wallet: Address) -> BTreeMap<Asset, (U256, Option<U256>)> {
    let now: BTreeSet<Asset> = scene
        .changes
        .outflows
        .iter()
        .filter(|outflow| outflow.wallet == wallet && outflow.is_unexplained())
        .map(|outflow| outflow.asset)
        .collect();
    let mut sums: BTreeMap<Asset, (U256, Option<U256>)> = BTreeMap::new();
    let recent = scene
        .state
        .wallet(wallet)
        .into_iter()
        .flat_map(|history| history.recent(scene.block.time, WINDOW));
    for Outflow {
        asset,
        amount,
        before,
        ..
    } in recent.filter(|outflow| outflow.is_unexplained() && now.contains(&outflow.asset))
    {
        let (sum, baseline) = sums.entry(*asset).or_default();
        *sum = sum.saturating_add(*amount);
        *baseline = (*baseline).max(*before);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::stage::{COLD, HOT, OWNERS, PARTNER, STRANGER, Stage, ether, severities};

    #[test]
    fn a_fifth_in_ten_minutes_is_a_burst_and_less_is_not() {
        let mut stage = Stage::new();
        stage.block(|script| script.balance(COLD, None, ether(1000)));
        let less = stage.block(|script| {
            script.pay(COLD, STRANGER, ether(150));
        });
        assert_eq!(severities(&less, RULE.id), []);
        stage.wait(11);
        let apart = stage.block(|script| {
            script.pay(COLD, STRANGER, ether(100));
        });
        assert_eq!(severities(&apart, RULE.id), []);
        let found = stage.block(|script| {
            script.pay(COLD, STRANGER, ether(100));
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn recipients_own_wallets_and_announced_payments_are_quiet_up_to_what_was_announced() {
        let mut stage = Stage::with(&format!(
            "[[announcement]]\nwallet = \"{COLD}\"\nwhat = \"payment\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2026-01-02T00:00:00Z\"\nto = \"{STRANGER}\"\nat_most = \"400\"\n"
        ));
        stage.block(|script| script.balance(COLD, None, ether(1000)));
        let quiet = stage.block(|script| {
            script.pay(COLD, PARTNER, ether(100));
            script.pay(COLD, HOT, ether(200));
            script.pay(COLD, STRANGER, ether(400));
        });
        assert_eq!(severities(&quiet, RULE.id), []);
        let beyond = stage.block(|script| {
            script.pay(COLD, STRANGER, ether(250));
        });
        assert_eq!(severities(&beyond, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn a_hot_wallet_is_measured_by_its_own_history() {
        let mut stage = Stage::new();
        stage.block(|script| script.balance(HOT, None, ether(1000)));
        // A batch that is everyday by tomorrow.
        stage.block(|script| {
            script.pay(HOT, STRANGER, ether(400));
        });
        stage.wait(24 * 60);
        stage.block(|script| script.balance(HOT, None, ether(1000)));
        let everyday = stage.block(|script| {
            script.pay(HOT, STRANGER, ether(600));
        });
        assert_eq!(severities(&everyday, RULE.id), []);
        stage.wait(11);
        stage.block(|script| script.balance(HOT, None, ether(2000)));
        let found = stage.block(|script| {
            script.pay(HOT, STRANGER, ether(1300));
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn four_assets_of_a_cold_wallet_are_a_burst_whatever_their_share() {
        let tokens = (1..=4u8).map(Address::with_last_byte);
        let mut stage = Stage::new();
        let found = stage.block(|script| {
            for token in tokens.clone() {
                script.transfer(OWNERS[0], COLD, token, COLD, STRANGER, 1);
            }
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
        let three = Stage::new().block(|script| {
            for token in tokens.clone().take(3) {
                script.transfer(OWNERS[0], COLD, token, COLD, STRANGER, 1);
            }
        });
        assert_eq!(severities(&three, RULE.id), []);
        let hot = Stage::new().block(|script| {
            for token in tokens {
                script.transfer(OWNERS[0], HOT, token, HOT, STRANGER, 1);
            }
        });
        assert_eq!(severities(&hot, RULE.id), []);
    }
}
