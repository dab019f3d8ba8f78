//! Money that would leave a Safe, told while its transactions still wait in the queue.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use jiff::Timestamp;
use portreeve_model::Severity;

use super::known::Known;
use super::nonce::Nonce;
use super::{Out, cut};
use crate::abi;
use crate::chain::Asset;
use crate::safe::calls::Call;
use crate::safe::report::Check;
use crate::safe::transaction::Operation;
use crate::words::{self, ether, grouped, is_unlimited};

/// So many assets to unknown recipients at once are a burst, whatever their share of the balance.
const ASSETS: usize = 4;

/// What the organisation says of how a Safe spends.
#[derive(Clone, Debug, Default)]
pub struct Spending {
    /// Who may receive: other wallets of the organisation, and declared recipients.
    pub recipients: BTreeSet<Address>,
    /// Whether the policy names any recipient of this very Safe; else payments are not measured by them.
    pub names_recipients: bool,
    /// Who may be given allowances.
    pub spenders: BTreeSet<Address>,
    /// Whether it moves in ceremonies only.
    pub cold: bool,
    /// Whether it is no hot wallet: four assets at once are a burst then.
    pub slow: bool,
    /// The share of a balance that is a burst.
    pub burst_share: f64,
    /// Payments that were announced by their payee.
    pub announced: Vec<AnnouncedPayment>,
    /// What it holds, where blocks told it.
    pub balances: BTreeMap<Asset, U256>,
}

/// A payment that was announced.
#[derive(Clone, Debug)]
pub struct AnnouncedPayment {
    /// To whom.
    pub to: Address,
    /// Of what.
    pub asset: Asset,
    /// At most how much.
    pub at_most: U256,
    /// Until when it holds.
    pub until: Timestamp,
}

/// A payment in a transaction.
#[derive(Clone, Copy, Debug)]
struct Payment {
    to: Address,
    asset: Asset,
    amount: U256,
}

impl Nonce<'_> {
    /// What a transaction that waits would pay to whom the policy does not name, and whom it would let
    /// spend without limit. Of several on a nonce that was used up none waits.
    pub(super) fn spends(&self, known: &Known<'_>, out: &mut Out) {
        let Some(spending) = self.expectations.spending.get(&self.safe) else {
            return;
        };
        if !self.waits() || self.is_announced(known) {
            return;
        }
        let mut unknown: Vec<Payment> = Vec::new();
        for payment in payments(self.safe, &known.calls.calls) {
            if !spending.explains(&payment, known.known_at()) {
                unknown.push(payment);
            }
        }
        if spending.names_recipients && !unknown.is_empty() {
            let severity = if spending.cold {
                Severity::High
            } else {
                Severity::Medium
            };
            out.checks.push(self.waiting(
                "recipient-unknown",
                severity,
                known,
                format!(
                    "It would pay {}, whom the policy does not name; it was not carried out yet",
                    told(&unknown)
                ),
            ));
        }
        for (token, spender) in allowances(&known.calls.calls) {
            if !spending.spenders.contains(&spender) {
                out.checks.push(self.waiting(
                    "unlimited-approval",
                    Severity::High,
                    known,
                    format!(
                        "It would let {spender}, whom the policy does not name, spend all that the Safe has and will have of the token {token}; it was not carried out yet"
                    ),
                ));
            }
        }
    }

    /// Payments to unknown recipients that wait, for what they come to together.
    pub(super) fn unexplained(&self) -> Vec<Waiting> {
        let Some(spending) = self.expectations.spending.get(&self.safe) else {
            return Vec::new();
        };
        if !self.waits() {
            return Vec::new();
        }
        // Of several on one nonce one can be carried out: the one that takes most assets stands for them.
        let of = |known: &Known<'_>| {
            let all = payments(self.safe, &known.calls.calls);
            let unknown = all.filter(|payment| !spending.explains(payment, known.known_at()));
            let mut sums: BTreeMap<Asset, U256> = BTreeMap::new();
            for payment in unknown {
                let sum = sums.entry(payment.asset).or_default();
                *sum = sum.saturating_add(payment.amount);
            }
            Waiting {
                nonce: self.nonce,
                hash: known.hash,
                time: known.known_at(),
                sums,
            }
        };
        let waiting = self.known.iter().filter(|known| !self.is_announced(known));
        let most = waiting.map(of).max_by_key(|waiting| waiting.sums.len());
        most.into_iter()
            .filter(|waiting| !waiting.sums.is_empty())
            .collect()
    }

    fn waits(&self) -> bool {
        let mut known = self.known.iter();
        known.all(|known| known.filed.execution.is_none())
    }

    fn is_announced(&self, known: &Known<'_>) -> bool {
        let announced = &self.expectations.announced;
        known.hash.is_some_and(|hash| announced.contains(&hash))
    }

    fn waiting(
        &self,
        id: &'static str,
        severity: Severity,
        known: &Known<'_>,
        reason: String,
    ) -> Check {
        self.check(id, severity, known.known_at(), known.hash, reason)
    }
}

impl Spending {
    fn explains(&self, payment: &Payment, filed: Option<Timestamp>) -> bool {
        self.recipients.contains(&payment.to)
            || self.announced.iter().any(|announced| {
                announced.to == payment.to
                    && announced.asset == payment.asset
                    && payment.amount <= announced.at_most
                    && filed.is_none_or(|filed| filed <= announced.until)
            })
    }
}

/// What one nonce would pay to unknown recipients.
pub(super) struct Waiting {
    nonce: U256,
    hash: Option<B256>,
    time: Option<Timestamp>,
    sums: BTreeMap<Asset, U256>,
}

/// Whether what waits in a queue comes to a burst: its share of a balance where blocks told one, or four
/// assets at once of a wallet that is not hot.
pub(super) fn burst(safe: Address, spending: &Spending, waiting: &[Waiting]) -> Option<Check> {
    let mut sums: BTreeMap<Asset, U256> = BTreeMap::new();
    for (asset, amount) in waiting.iter().flat_map(|one| &one.sums) {
        let sum = sums.entry(*asset).or_default();
        *sum = sum.saturating_add(*amount);
    }
    let share = |asset: &Asset, sum: &U256| {
        let balance = spending.balances.get(asset)?;
        crate::watch::share(*sum, *balance)
    };
    let most = (spending.burst_share * 1_000_000.0) as u64;
    let of_balance = sums.iter().find_map(|(asset, sum)| {
        let share = share(asset, sum).filter(|share| *share >= most)?;
        Some(format!("{} % of its {}", share / 10_000, asset))
    });
    let assets = (spending.slow && sums.len() >= ASSETS).then(|| format!("{} assets", sums.len()));
    let what = of_balance.or(assets)?;
    let last = waiting.iter().max_by_key(|one| one.time)?;
    Some(Check {
        id: "burst-waiting",
        time: last.time.map(cut),
        severity: Severity::High,
        reason: format!(
            "What waits would send {what} to recipients whom the policy does not name, in {}",
            match waiting.len() {
                1 => "one transaction".to_owned(),
                more => format!("{more} transactions"),
            }
        ),
        safe,
        nonce: last.nonce.to_string(),
        hash: last.hash,
        owner: None,
    })
}

/// The payments that calls come to.
fn payments(safe: Address, calls: &[Call]) -> impl Iterator<Item = Payment> {
    let plain = calls.iter();
    let plain = plain.filter(|call| call.operation == Operation::Call);
    plain.flat_map(move |call| {
        let coin = (!call.value.is_zero() && call.to != safe).then_some(Payment {
            to: call.to,
            asset: Asset::Coin,
            amount: call.value,
        });
        let transfer = abi::transferCall::abi_decode(&call.data)
            .map(|transfer| (transfer.to, transfer.amount))
            .ok();
        let own = |from: Address| from == safe;
        let taken = abi::transferFromCall::abi_decode(&call.data).ok();
        let taken = taken.filter(|taken| own(taken.from));
        let moved = transfer.or(taken.map(|taken| (taken.to, taken.amount)));
        let token = moved
            .filter(|(to, amount)| !amount.is_zero() && *to != safe)
            .map(|(to, amount)| Payment {
                to,
                asset: Asset::Token(call.to),
                amount,
            });
        coin.into_iter().chain(token)
    })
}

/// Whom calls let spend a token without limit: token and spender.
fn allowances(calls: &[Call]) -> BTreeSet<(Address, Address)> {
    let plain = calls.iter();
    let plain = plain.filter(|call| call.operation == Operation::Call);
    plain
        .filter_map(|call| {
            let data = &call.data;
            let limited = abi::approveCall::abi_decode(data)
                .map(|call| (call.spender, call.amount))
                .or_else(|_| {
                    abi::increaseAllowanceCall::abi_decode(data)
                        .map(|call| (call.spender, call.addedValue))
                })
                .ok()
                .filter(|(_, amount)| is_unlimited(*amount))
                .map(|(spender, _)| spender);
            let all = abi::setApprovalForAllCall::abi_decode(data).ok();
            let all = all.filter(|call| call.approved).map(|call| call.operator);
            Some((call.to, limited.or(all)?))
        })
        .collect()
}

fn told(payments: &[Payment]) -> String {
    let first = payments.iter().take(3).map(|payment| {
        let amount = match payment.asset {
            Asset::Coin => format!("{} ether", ether(payment.amount)),
            Asset::Token(token) => format!(
                "{} units of the token {}",
                grouped(&payment.amount.to_string()),
                words::short(token)
            ),
        };
        format!("{amount} to {}", payment.to)
    });
    let mut text = first.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = payments.len().saturating_sub(3) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;

    use super::*;
    use crate::policy::Policy;
    use crate::safe::{Expectations, Filed, Queue, SafeTransaction, Verification, verify};

    const SAFE: Address = Address::repeat_byte(0xc1);
    const PARTNER: Address = Address::repeat_byte(0xb1);
    const STRANGER: Address = Address::repeat_byte(0xee);
    const TOKEN: Address = Address::repeat_byte(0x70);

    fn expectations(role: &str, more: &str) -> Expectations {
        let policy = format!(
            "[[wallet]]\nname = \"safe\"\naddress = \"{SAFE}\"\nrole = \"{role}\"\nrecipients = [\"{PARTNER}\"]\nspenders = [\"{PARTNER}\"]\n{more}"
        );
        Policy::read(&policy).unwrap().0.expectations(Some(1))
    }

    fn call(nonce: u64, to: Address, wei: u64, data: Vec<u8>) -> Filed {
        Filed {
            transaction: SafeTransaction {
                to,
                value: U256::from(wei),
                data: Bytes::from(data),
                operation: Operation::Call,
                safe_tx_gas: U256::ZERO,
                base_gas: U256::ZERO,
                gas_price: U256::ZERO,
                gas_token: Address::ZERO,
                refund_receiver: Address::ZERO,
                nonce: U256::from(nonce),
            },
            stated_hash: None,
            submitted: "2026-01-01T10:00:00Z".parse().ok(),
            execution: None,
            confirmations: Vec::new(),
            signatures: Bytes::new(),
        }
    }

    fn transfer(to: Address, amount: u64) -> Vec<u8> {
        let amount = U256::from(amount);
        abi::transferCall { to, amount }.abi_encode()
    }

    fn verified(transactions: Vec<Filed>, expectations: &Expectations) -> Verification {
        let queue = Queue {
            safe: SAFE,
            chain: Some(1),
            version: crate::safe::SafeVersion::parse("1.3.0"),
            owners: Vec::new(),
            threshold: None,
            transactions,
        };
        verify(&[queue], expectations)
    }

    fn found(verification: &Verification) -> Vec<(&'static str, Severity)> {
        let checks = verification.checks.iter();
        checks
            .filter(|check| check.severity > Severity::Informational)
            .map(|check| (check.id, check.severity))
            .collect()
    }

    #[test]
    fn a_payment_to_whom_no_policy_names_is_found_before_it_is_carried_out() {
        let cold = expectations("cold", "");
        let stranger = || call(1, STRANGER, 5, Vec::new());
        assert_eq!(
            found(&verified(vec![stranger()], &cold)),
            [("recipient-unknown", Severity::High)]
        );
        let warm = expectations("warm", "");
        let token = call(1, TOKEN, 0, transfer(STRANGER, 7));
        let told = verified(vec![token], &warm);
        assert_eq!(found(&told), [("recipient-unknown", Severity::Medium)]);
        assert!(told.headline.contains("No confirmation"));
        // Whom the policy names, a call that moves nothing, and what was carried out are not.
        let mut executed = stranger();
        executed.execution = Some(crate::safe::Execution::default());
        let quiet = vec![
            call(1, PARTNER, 5, Vec::new()),
            call(2, TOKEN, 0, transfer(PARTNER, 7)),
            call(3, TOKEN, 0, transfer(STRANGER, 0)),
            call(4, SAFE, 0, Vec::new()),
        ];
        assert_eq!(found(&verified(quiet, &cold)), []);
        assert_eq!(found(&verified(vec![executed], &cold)), []);
        // Nothing is measured where no policy is, or where it names nobody.
        assert_eq!(
            found(&verified(vec![stranger()], &Expectations::default())),
            []
        );
    }

    #[test]
    fn an_announced_payment_is_quiet_up_to_what_was_announced() {
        let mut cold = expectations("cold", "");
        let spending = cold.spending.get_mut(&SAFE).unwrap();
        spending.announced.push(AnnouncedPayment {
            to: STRANGER,
            asset: Asset::Coin,
            at_most: U256::from(10),
            until: "2026-01-02T00:00:00Z".parse().unwrap(),
        });
        let pays = |wei| found(&verified(vec![call(1, STRANGER, wei, Vec::new())], &cold));
        assert_eq!(pays(10), []);
        assert_eq!(pays(11), [("recipient-unknown", Severity::High)]);
        let token = call(1, TOKEN, 0, transfer(STRANGER, 10));
        assert_eq!(found(&verified(vec![token], &cold)).len(), 1);
        let mut by_hash = expectations("cold", "");
        let waiting = call(1, STRANGER, 99, Vec::new());
        let hash = verified(vec![waiting.clone()], &by_hash).transactions[0].computed_hash;
        by_hash.announced.extend(hash);
        assert_eq!(found(&verified(vec![waiting], &by_hash)), []);
    }

    #[test]
    fn an_unlimited_allowance_is_found_before_it_is_given() {
        let warm = expectations("warm", "");
        let approve = |spender, amount| {
            let data = abi::approveCall { spender, amount }.abi_encode();
            found(&verified(vec![call(1, TOKEN, 0, data)], &warm))
        };
        assert_eq!(
            approve(STRANGER, U256::MAX),
            [("unlimited-approval", Severity::High)]
        );
        assert_eq!(approve(PARTNER, U256::MAX), []);
        assert_eq!(approve(STRANGER, U256::from(1_000)), []);
        let more = abi::increaseAllowanceCall {
            spender: STRANGER,
            addedValue: U256::MAX,
        };
        let all = |approved| abi::setApprovalForAllCall {
            operator: STRANGER,
            approved,
        };
        let gives = |data| found(&verified(vec![call(1, TOKEN, 0, data)], &warm)).len();
        assert_eq!(gives(more.abi_encode()), 1);
        assert_eq!(gives(all(true).abi_encode()), 1);
        assert_eq!(gives(all(false).abi_encode()), 0);
    }

    #[test]
    fn what_waits_together_is_a_burst_by_its_share_or_by_its_assets() {
        let burst = |transactions, expectations: &Expectations| {
            found(&verified(transactions, expectations))
                .iter()
                .any(|(id, _)| *id == "burst-waiting")
        };
        let mut warm = expectations("warm", "");
        let half = || {
            vec![
                call(1, STRANGER, 15, Vec::new()),
                call(2, STRANGER, 10, Vec::new()),
            ]
        };
        assert!(!burst(half(), &warm), "no balance is known");
        let spending = warm.spending.get_mut(&SAFE).unwrap();
        spending.balances.insert(Asset::Coin, U256::from(100));
        assert!(burst(half(), &warm));
        // Of two on one nonce, one can be carried out.
        let rivals = vec![
            call(1, STRANGER, 15, Vec::new()),
            call(1, STRANGER, 10, Vec::new()),
        ];
        assert!(!burst(rivals, &warm));
        assert!(!burst(vec![call(1, PARTNER, 90, Vec::new())], &warm));
        let assets = |count: u8| {
            let one = |number: u8| {
                let token = Address::with_last_byte(number);
                call(number.into(), token, 0, transfer(STRANGER, 1))
            };
            (1..=count).map(one).collect::<Vec<_>>()
        };
        assert!(burst(assets(4), &warm));
        assert!(!burst(assets(3), &warm));
        assert!(!burst(assets(4), &expectations("hot", "")));
    }
}
