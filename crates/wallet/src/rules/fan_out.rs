//! What left a wallet is spread over fresh addresses.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256};
use portreeve_model::Severity;

use crate::chain::Asset;
use crate::watch::Rule;

/// How many addresses.
const ADDRESSES: usize = 5;
/// Within how many seconds to fresh ones, and in equal lots.
const FRESH_WITHIN: i64 = 5 * 60;
const LOTS_WITHIN: i64 = 30 * 60;

pub(super) const RULE: Rule = Rule {
    id: "wallet.fan-out",
    title: "Money from a wallet was spread over fresh addresses",
    severity: Severity::High,
    techniques: &["T1657"],
    about: "Someone whom a wallet paid at least a hundredth of a balance, and whom the policy does not \
            name, paid within half an hour five addresses that were never seen, in five minutes, or five \
            in equal round lots. So stolen money is split before it is laundered.",
    quieten: "Declare exchanges and custodians as `recipients`; their sweeps are then not followed.",
    judge: |scene, hits| {
        let spreaders: BTreeSet<Address> = scene.changes.spread.iter().copied().collect();
        for spreader in spreaders {
            let Some(traced) = scene.state.traced.get(&spreader) else {
                continue;
            };
            let within = |seconds: i64| {
                traced.paid.iter().filter(move |paid| {
                    scene.block.time.as_second() - paid.time.as_second() <= seconds
                })
            };
            let fresh: BTreeSet<Address> = within(FRESH_WITHIN)
                .filter(|paid| paid.fresh)
                .map(|paid| paid.to)
                .collect();
            let mut lots: BTreeMap<(Asset, U256), BTreeSet<Address>> = BTreeMap::new();
            for paid in within(LOTS_WITHIN).filter(|paid| is_round(paid.amount)) {
                lots.entry((paid.asset, paid.amount))
                    .or_default()
                    .insert(paid.to);
            }
            let equal = lots.values().map(BTreeSet::len).max().unwrap_or_default();
            let how = if fresh.len() >= ADDRESSES {
                format!(
                    "{} addresses that were never seen, within five minutes",
                    fresh.len()
                )
            } else if equal >= ADDRESSES {
                format!("{equal} addresses in equal round lots")
            } else {
                continue;
            };
            // One finding for one spreader in one hour, whatever the number.
            let hour = scene.block.time.as_second() / 3600;
            hits.add(
                traced.wallet,
                None,
                &format!("{spreader} {hour}"),
                false,
                format!("{spreader}, whom it paid, paid {how}"),
            );
        }
    },
};

/// Whether a lot has at most two digits before its zeroes.
fn is_round(amount: U256) -> bool {
    let digits = amount.to_string();
    digits.len() > 4 && digits.trim_end_matches('0').len() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::stage::{COLD, PARTNER, STRANGER, Script, Stage, ether, severities};

    fn paid(to: Address, amount: u64) -> Stage {
        let mut stage = Stage::new();
        stage.block(|script| script.balance(COLD, None, ether(1000)));
        stage.block(|script| {
            script.pay(COLD, to, ether(amount));
        });
        stage
    }

    fn spread(script: &mut Script, from: Address, count: u8, amount: U256) {
        for number in 0..count {
            script.pay(from, Address::with_last_byte(100 + number), amount);
        }
    }

    #[test]
    fn five_fresh_addresses_are_found_and_four_are_not() {
        let odd = ether(7) + U256::from(123);
        let four = paid(STRANGER, 100).block(|script| spread(script, STRANGER, 4, odd));
        assert_eq!(severities(&four, RULE.id), []);
        let five = paid(STRANGER, 100).block(|script| spread(script, STRANGER, 5, odd));
        assert_eq!(severities(&five, RULE.id), [Severity::High]);
    }

    #[test]
    fn equal_round_lots_are_found_over_half_an_hour() {
        let mut stage = paid(STRANGER, 100);
        let mut found = Vec::new();
        for number in 0..5 {
            stage.wait(5);
            found = stage.block(|script| {
                script.pay(STRANGER, Address::with_last_byte(100 + number), ether(10));
            });
        }
        assert_eq!(severities(&found, RULE.id), [Severity::High]);
    }

    #[test]
    fn declared_recipients_small_payments_and_old_ones_are_not_followed() {
        let found = paid(PARTNER, 100).block(|script| spread(script, PARTNER, 9, ether(1)));
        assert_eq!(severities(&found, RULE.id), []);
        let found = paid(STRANGER, 1).block(|script| spread(script, STRANGER, 9, ether(1)));
        assert_eq!(severities(&found, RULE.id), []);
        let mut old = paid(STRANGER, 100);
        old.wait(31).block(|_| ());
        let found = old.block(|script| spread(script, STRANGER, 9, ether(1)));
        assert_eq!(severities(&found, RULE.id), []);
    }
}
