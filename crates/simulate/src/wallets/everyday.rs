//! The ordinary days of wallets: customers are paid, wallets filled, partners paid, a key replaced.

use super::treasury::{coin, milli, usd};
use super::{Deed, Proposal, Vault};
use crate::dice::Dice;
use crate::stage::{Day, Stage};
use crate::time::{DAY, HOUR, MINUTE};

/// A plan that is shorter has no ceremony.
const LEAST_DAYS: i64 = 7;

/// All that happens, in order of time.
pub(super) fn plan(stage: &Stage) -> Vec<(i64, Deed)> {
    let ceremony = ceremony(stage);
    let mut all = Vec::new();
    for day in stage.calendar() {
        let mut dice = stage.stream("wallets", day);
        for _ in 0..if day.weekend { 1 } else { 2 } {
            let at = day.midnight + dice.between(0, DAY - 1);
            let in_usd = dice.permille(500);
            let amount = match in_usd {
                true => dice.between(100, 12_000),
                false => dice.between(200, 15_000),
            };
            let amount = amount as u64;
            all.push((at, Deed::Withdrawal { in_usd, amount }));
        }
        let week = day.number() / 7;
        // 1970-01-01 was a Thursday.
        match (day.number() + 3) % 7 {
            0 => {
                let refill = match week % 2 {
                    0 => Proposal::Refill(coin(dice.between(200, 280) as u64)),
                    _ => Proposal::RefillUsd(usd(dice.between(80, 100) as u64 * 1_000)),
                };
                rite(day, 9, Vault::Cold, refill, &mut dice, &mut all);
            }
            1 => {
                let refill = Proposal::Refill(coin(dice.between(40, 60) as u64));
                rite(day, 10, Vault::Warm, refill, &mut dice, &mut all);
            }
            2 => {
                let amounts = (0..3).map(|_| milli(dice.between(5_000, 40_000) as u64));
                let partners = Proposal::Partners(amounts.collect());
                rite(day, 13, Vault::Warm, partners, &mut dice, &mut all);
            }
            4 => {
                let refill = Proposal::RefillUsd(usd(dice.between(35, 45) as u64 * 1_000));
                rite(day, 10, Vault::Warm, refill, &mut dice, &mut all);
            }
            _ => {}
        }
        if ceremony == Some(day.midnight) {
            let replace = Proposal::ReplaceSpare;
            rite(day, 8, Vault::Cold, replace, &mut dice, &mut all);
        }
    }
    all.retain(|(at, _)| *at < stage.end());
    all.sort_by_key(|(at, _)| *at);
    all
}

/// The day of the ceremony: a Wednesday a third into the plan.
fn ceremony(stage: &Stage) -> Option<i64> {
    let days = i64::from(stage.days);
    let third = days / 3;
    let wednesdays = stage
        .calendar()
        .filter(|day| (day.number() + 3) % 7 == 2)
        .map(|day| day.midnight);
    let mut after = wednesdays.filter(|midnight| *midnight >= stage.start + third * DAY);
    after.next().filter(|_| days >= LEAST_DAYS)
}

/// A transaction of a Safe from its proposal to the chain, within two hours of a morning or afternoon. The
/// spare never signs.
fn rite(
    day: Day,
    hour: i64,
    vault: Vault,
    proposal: Proposal,
    dice: &mut Dice,
    all: &mut Vec<(i64, Deed)>,
) {
    let (mut signers, threshold) = match vault {
        Vault::Cold => (vec![0, 1, 2, 3], 3),
        Vault::Warm => (vec![0, 1, 2], 2),
    };
    dice.shuffle(&mut signers);
    let mut at = day.midnight + hour * HOUR + dice.between(0, 20 * MINUTE);
    all.push((at, Deed::Proposed { vault, proposal }));
    for owner in signers.into_iter().take(threshold) {
        at += dice.between(20, 25 * MINUTE);
        // One of the owners has a wallet that signs no typed data.
        let as_message = owner == 2;
        let confirmed = Deed::Confirmed {
            vault,
            owner,
            as_message,
        };
        all.push((at, confirmed));
    }
    at += dice.between(10, 4 * MINUTE);
    all.push((at, Deed::Executed { vault }));
}
