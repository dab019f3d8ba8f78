//! A small payment that tries the way, then a large one.

use portreeve_model::Severity;

use crate::watch::{Rule, WINDOW, percent};

/// A probe is at most this share of a balance, a drain more than that, in millionths.
const PROBE: u64 = 1_000;
const DRAIN: u64 = 200_000;

pub(super) const RULE: Rule = Rule {
    id: "wallet.probe-then-drain",
    title: "A probe and then a drain",
    severity: Severity::Critical,
    techniques: &["T1657"],
    about: "A wallet paid a recipient that it never paid before less than a thousandth of a balance, and \
            within ten minutes more than a fifth of a balance to the same one, or by the same sender to \
            another new one.",
    quieten: "Announce test payments and what follows them, or declare the recipient.",
    judge: |scene, hits| {
        for drain in scene
            .changes
            .outflows
            .iter()
            .filter(|outflow| outflow.is_unexplained())
        {
            if drain.share().is_none_or(|share| share <= DRAIN) {
                continue;
            }
            let Some(history) = scene.state.wallet(drain.wallet) else {
                continue;
            };
            let probe = history.recent(scene.block.time, WINDOW).find(|probe| {
                let related =
                    probe.to == drain.to || probe.sender == drain.sender && drain.new_payee;
                let earlier = probe.transaction != drain.transaction && probe.time <= drain.time;
                earlier
                    && related
                    && probe.new_payee
                    && probe.is_unexplained()
                    && probe.share().is_some_and(|share| share < PROBE)
            });
            if let (Some(probe), Some(before)) = (probe, drain.before) {
                hits.add(
                    drain.wallet,
                    Some(drain.transaction),
                    &drain.to.to_string(),
                    false,
                    format!(
                        "{} went to {} after a probe to {} at {}",
                        percent(drain.amount, before),
                        drain.to,
                        probe.to,
                        probe.time
                    ),
                );
            }
        }
    },
};

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};

    use super::*;
    use crate::watch::stage::{COLD, OWNERS, PARTNER, STRANGER, Stage, TOKEN, ether, severities};

    fn stage() -> Stage {
        let mut stage = Stage::new();
        stage.block(|script| {
            script.balance(COLD, None, ether(1000));
            script.balance(COLD, Some(TOKEN), U256::from(1_000_000));
        });
        stage
    }

    #[test]
    fn a_probe_of_one_asset_and_the_drain_of_another_are_found() {
        let mut stage = stage();
        stage.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 90);
        });
        let found = stage.block(|script| {
            let transaction = script.send(STRANGER, Some(COLD), U256::ZERO, Default::default());
            crate::watch::stage::inner(transaction, COLD, Address::repeat_byte(0xef), ether(900));
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn known_recipients_larger_trials_and_later_ones_are_not() {
        let mut partner = stage();
        partner.block(|script| {
            script.transfer(OWNERS[0], COLD, TOKEN, COLD, PARTNER, 90);
        });
        let found = partner.block(|script| {
            script.transfer(OWNERS[0], COLD, TOKEN, COLD, PARTNER, 900_000);
        });
        assert_eq!(severities(&found, RULE.id), []);
        let mut larger = stage();
        larger.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 2_000);
        });
        let found = larger.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 900_000);
        });
        assert_eq!(severities(&found, RULE.id), []);
        let mut later = stage();
        later.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 90);
        });
        later.wait(11);
        let found = later.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 900_000);
        });
        assert_eq!(severities(&found, RULE.id), []);
        let mut small = stage();
        small.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 90);
        });
        let found = small.block(|script| {
            script.transfer(STRANGER, COLD, TOKEN, COLD, STRANGER, 190_000);
        });
        assert_eq!(severities(&found, RULE.id), []);
    }
}
