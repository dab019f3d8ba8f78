//! An address that looks like one that a wallet pays.

use alloy_primitives::Address;
use portreeve_model::Severity;

use crate::watch::{Rule, Scene};

pub(super) const RULE: Rule = Rule {
    id: "wallet.address-poisoning",
    title: "An address looks like one that a wallet pays",
    severity: Severity::Critical,
    techniques: &["T1657"],
    about: "A wallet paid an address that begins and ends as a declared recipient or another wallet does, \
            and is another. Such addresses are made so that people copy the wrong one. The bait, a \
            payment of nothing that puts it in the wallet's history, is low.",
    quieten: "Declare both addresses, if both are meant.",
    judge: |scene, hits| {
        for outflow in &scene.changes.outflows {
            if let Some(meant) = resembles(scene, outflow.wallet, outflow.to) {
                hits.add(
                    outflow.wallet,
                    Some(outflow.transaction),
                    &outflow.to.to_string(),
                    false,
                    format!("It paid {}, which looks like {meant}", outflow.to),
                );
            }
        }
        for transaction in scene
            .block
            .transactions
            .iter()
            .filter(|one| one.took_effect())
        {
            for movement in crate::chain::movements(transaction)
                .iter()
                .filter(|movement| movement.amount.is_zero())
            {
                let (wallet, other) = match scene.policy.wallet(movement.from) {
                    Some(_) => (movement.from, movement.to),
                    None => (movement.to, movement.from),
                };
                if let Some(meant) = resembles(scene, wallet, other) {
                    hits.add_as(
                        Severity::Low,
                        wallet,
                        Some(transaction.hash),
                        &format!("bait {other}"),
                        false,
                        format!("{other}, which looks like {meant}, put itself in its history"),
                    );
                }
            }
        }
    },
};

/// The declared address that another one looks like: the same first and last two bytes, as wallets
/// show them.
fn resembles(scene: &Scene<'_>, wallet: Address, other: Address) -> Option<Address> {
    let wallet = scene.policy.wallet(wallet)?;
    if scene.policy.knows(other) {
        return None;
    }
    let ends = |address: &Address| (address[0], address[1], address[18], address[19]);
    let alike = |meant: &Address| *meant != other && ends(meant) == ends(&other);
    let recipients = wallet.recipients.iter().copied();
    let own = scene.policy.wallets().map(|wallet| wallet.address);
    recipients.chain(own).find(alike)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::stage::{COLD, HOT, PARTNER, STRANGER, Stage, TOKEN, ether, severities};

    /// The same ends as the partner's, another middle.
    fn twin() -> Address {
        let mut twin = PARTNER;
        twin[9] = 0;
        twin
    }

    #[test]
    fn paying_the_twin_is_critical_and_its_bait_is_low() {
        let mut stage = Stage::new();
        let bait = stage.block(|script| {
            script.transfer(STRANGER, TOKEN, TOKEN, COLD, twin(), 0);
        });
        assert_eq!(severities(&bait, RULE.id), [Severity::Low]);
        let found = stage.block(|script| {
            script.pay(COLD, twin(), ether(1));
        });
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn the_partner_himself_and_those_who_look_like_nobody_are_not() {
        let mut half = PARTNER;
        half[19] = 0;
        let found = Stage::new().block(|script| {
            script.pay(COLD, PARTNER, ether(1));
            script.pay(COLD, half, ether(1));
            script.pay(HOT, STRANGER, ether(1));
            script.pay(STRANGER, twin(), ether(1));
        });
        assert_eq!(severities(&found, RULE.id), []);
    }
}
