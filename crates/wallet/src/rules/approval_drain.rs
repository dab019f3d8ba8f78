//! An allowance that was new is used to empty a wallet.

use portreeve_model::Severity;

use crate::watch::{Remedy, Rule, percent};

/// How long an allowance is new, in seconds.
const NEW: i64 = 86_400;
/// More than this share of a balance is a drain, in millionths.
const DRAIN: u64 = 500_000;
/// So many wallets from which one spender took within half an hour are a drain, whatever the share.
const OWNERS: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "wallet.approval-drain",
    title: "A new allowance was used to take tokens",
    severity: Severity::High,
    techniques: &["T1657"],
    about: "A wallet allowed a spender that it never allowed anything an unlimited amount of a token, which \
            is medium; and within a day that spender took more than half of the balance, or within half an \
            hour tokens of three wallets.",
    quieten: "Declare routers and other contracts that may spend as `spenders`, or under `[known]`.",
    judge: |scene, hits| {
        for (wallet, token, spender, transaction) in &scene.changes.approvals {
            let approval = scene.state.approvals.get(&(*wallet, *token, *spender));
            if approval.is_some_and(|approval| approval.new && approval.unlimited) {
                hits.add_as(
                    Severity::Medium,
                    *wallet,
                    Some(*transaction),
                    &format!("{token} {spender}"),
                    false,
                    format!("It allowed {spender}, for the first time, to spend all it has of token {token}"),
                );
                hits.remedy(Remedy::Revoke {
                    token: *token,
                    spender: *spender,
                });
            }
        }
        for taken in scene
            .changes
            .outflows
            .iter()
            .filter(|outflow| outflow.is_unexplained())
        {
            let (Some(spender), Some(token)) = (taken.spender, taken.asset.token()) else {
                continue;
            };
            let approval = scene.state.approvals.get(&(taken.wallet, token, spender));
            let new = approval.is_some_and(|approval| {
                approval.new && scene.block.time.as_second() - approval.time.as_second() <= NEW
            });
            let owners = scene.state.taken_from(spender, scene.block.time);
            let much = taken.share().is_some_and(|share| share > DRAIN);
            if new && (much || owners >= OWNERS) {
                let part = taken.before.map_or_else(
                    || "an unknown part".to_owned(),
                    |before| percent(taken.amount, before),
                );
                hits.add(
                    taken.wallet,
                    Some(taken.transaction),
                    &format!("{token} {spender} taken"),
                    false,
                    format!("{spender} took {part} of its token {token} by an allowance that is less than a day old, for {}", taken.to),
                );
                hits.remedy(Remedy::Revoke { token, spender });
            }
        }
    },
};

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};
    use alloy_sol_types::SolEvent;

    use super::*;
    use crate::abi::Approval;
    use crate::watch::stage::{
        COLD, HOT, PARTNER, PROXY, STRANGER, Script, Stage, TOKEN, log, severities,
    };

    fn allow(script: &mut Script, spender: Address, amount: U256) {
        allow_by(script, HOT, spender, amount);
    }

    fn allow_by(script: &mut Script, wallet: Address, spender: Address, amount: U256) {
        let transaction = script.send(wallet, Some(TOKEN), U256::ZERO, Default::default());
        let topics = [
            Approval::SIGNATURE_HASH,
            wallet.into_word(),
            spender.into_word(),
        ];
        log(transaction, TOKEN, &topics, &amount.to_be_bytes::<32>());
    }

    fn stage() -> Stage {
        let mut stage = Stage::new();
        stage.block(|script| script.balance(HOT, Some(TOKEN), U256::from(1000)));
        stage
    }

    #[test]
    fn the_allowance_is_medium_and_its_use_is_high() {
        let mut stage = stage();
        let allowed = stage.block(|script| allow(script, STRANGER, U256::MAX));
        assert_eq!(severities(&allowed, RULE.id), [Severity::Medium]);
        let found = stage.block(|script| {
            script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 600);
        });
        assert_eq!(severities(&found, RULE.id), [Severity::High]);
    }

    #[test]
    fn a_little_from_each_of_three_wallets_is_high() {
        let mut stage = Stage::new();
        let mut found = Vec::new();
        for wallet in [HOT, COLD, PROXY] {
            stage.block(|script| {
                script.balance(wallet, Some(TOKEN), U256::from(1000));
                allow_by(script, wallet, STRANGER, U256::MAX);
            });
            found.push(stage.block(|script| {
                script.transfer(STRANGER, TOKEN, TOKEN, wallet, STRANGER, 100);
            }));
        }
        assert_eq!(severities(&found[1], RULE.id), []);
        assert_eq!(severities(&found[2], RULE.id), [Severity::High]);
    }

    #[test]
    fn known_spenders_limited_amounts_small_uses_and_old_allowances_are_not() {
        let found = stage().block(|script| allow(script, PARTNER, U256::MAX));
        assert_eq!(severities(&found, RULE.id), []);
        let found = stage().block(|script| allow(script, STRANGER, U256::from(10)));
        assert_eq!(severities(&found, RULE.id), []);
        let mut small = stage();
        small.block(|script| allow(script, STRANGER, U256::MAX));
        let found = small.block(|script| {
            script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 400);
        });
        assert_eq!(severities(&found, RULE.id), []);
        let mut old = stage();
        old.block(|script| allow(script, STRANGER, U256::MAX));
        old.wait(25 * 60);
        let found = old.block(|script| {
            script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 600);
        });
        assert_eq!(severities(&found, RULE.id), []);
        // The wallet itself pays.
        let mut own = stage();
        own.block(|script| allow(script, STRANGER, U256::MAX));
        let found = own.block(|script| {
            script.transfer(HOT, TOKEN, TOKEN, HOT, STRANGER, 600);
        });
        assert_eq!(severities(&found, RULE.id), []);
    }
}
