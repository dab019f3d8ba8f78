//! A month of withdrawals, with what nobody approved among them.

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256, keccak256};
use jiff::Timestamp;
use portreeve_model::Severity;

use super::{Certainty, LedgerReport, Request, SignRecord, SigningKey, Spend, reconcile};
use crate::policy::Policy;
use crate::test_keys::owner;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/0a1b";
const START: i64 = 1_767_225_600;
const MONTH: u64 = 30 * 86_400;

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 += 1;
        let hash = keccak256(self.0.to_be_bytes());
        u64::from_be_bytes(hash[..8].try_into().unwrap()) % bound
    }
}

#[derive(Default)]
struct Month {
    signs: Vec<SignRecord>,
    spends: Vec<Spend>,
    requests: Vec<Request>,
    off_the_books: BTreeSet<String>,
    unexplained: BTreeSet<B256>,
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(START + second as i64).unwrap()
}

impl Month {
    /// `ids`: whether the ledger keeps the key service's request ids.
    fn new(withdrawals: u64, off_the_books: u64, unexplained: u64, ids: bool) -> Self {
        let mut month = Self::default();
        let mut random = Random(7);
        for number in 0..withdrawals {
            let second = number * MONTH / withdrawals + random.below(200);
            let signed = second + 1 + random.below(4);
            month.requests.push(Request {
                request_id: format!("withdrawal-{number}"),
                key: KEY.to_owned(),
                approved_at: at(second),
                approvers: vec!["ann".to_owned(), "bob".to_owned()],
                transaction: None,
                kms_request_id: ids.then(|| format!("kms-{number}")),
                signatures: 1,
            });
            month.sign(
                format!("event-{number}"),
                Some(format!("kms-{number}")),
                signed,
            );
            month.spend(number, signed + 12 + random.below(40));
        }
        for number in 0..off_the_books {
            let id = format!("odd-{number}");
            let second = random.below(MONTH);
            month.sign(id.clone(), Some(format!("kms-odd-{number}")), second);
            month.off_the_books.insert(id);
        }
        for number in 0..unexplained {
            let second = random.below(MONTH);
            let hash = month.spend(withdrawals + number, second);
            month.unexplained.insert(hash);
        }
        month
    }

    fn sign(&mut self, event_id: String, request_id: Option<String>, second: u64) {
        self.signs.push(SignRecord {
            event_id,
            request_id,
            time: at(second),
            key: KEY.to_owned(),
            principal: "arn:aws:iam::111122223333:role/signer".to_owned(),
            from: None,
            place: "log 0".to_owned(),
        });
    }

    fn spend(&mut self, nonce: u64, second: u64) -> B256 {
        let transaction = B256::from(U256::from(nonce + 1));
        self.spends.push(Spend {
            chain: 1,
            transaction,
            from: owner(1),
            nonce,
            time: at(second),
        });
        transaction
    }

    fn reconcile(&self, policy: &Policy) -> LedgerReport {
        let keys = [SigningKey {
            key: KEY.to_owned(),
            address: owner(1),
        }];
        reconcile(&keys, &self.signs, &self.spends, &self.requests, policy)
    }
}

fn found(report: &LedgerReport) -> (BTreeSet<String>, BTreeSet<B256>) {
    let signs = report
        .findings
        .iter()
        .filter(|one| one.id == "signed-off-the-books")
        .filter_map(|one| one.event_id.clone());
    let spends = report
        .findings
        .iter()
        .filter(|one| one.id == "spent-without-signature")
        .filter_map(|one| one.transaction);
    (signs.collect(), spends.collect())
}

#[test]
fn of_five_thousand_withdrawals_all_twenty_five_that_nobody_explains_are_found() {
    let month = Month::new(5000, 20, 5, true);
    let report = month.reconcile(&Policy::default());
    assert_eq!(report.findings.len(), 25);
    let (signs, spends) = found(&report);
    assert_eq!(signs, month.off_the_books);
    assert_eq!(spends, month.unexplained);
    let key = &report.keys[0];
    assert_eq!(
        (
            key.signatures,
            key.requested,
            key.spends,
            key.signed,
            key.missing_nonces
        ),
        (5020, 5000, 5005, 5000, 0)
    );
}

#[test]
fn without_ids_the_same_are_found_by_time_and_the_doubtful_say_so() {
    let month = Month::new(5000, 20, 5, false);
    let report = month.reconcile(&Policy::default());
    assert_eq!(report.findings.len(), 25);
    let (signs, spends) = found(&report);
    let told = |event: &String| {
        let finding = report
            .findings
            .iter()
            .find(|one| one.event_id.as_ref() == Some(event))
            .unwrap();
        finding.certainty
    };
    for event in signs.difference(&month.off_the_books) {
        assert_eq!(
            told(event),
            Certainty::Possible,
            "{event} is not the odd one, and was told as sure"
        );
    }
    assert!(signs.intersection(&month.off_the_books).count() >= 18);
    assert!(spends.intersection(&month.unexplained).count() >= 4);
}

#[test]
fn without_a_ledger_spends_explain_signatures() {
    let mut month = Month::new(500, 3, 2, true);
    month.requests.clear();
    let (signs, spends) = found(&month.reconcile(&Policy::default()));
    assert_eq!((signs.len(), spends.len()), (3, 2));
}

#[test]
fn retries_that_a_request_allows_are_quiet_and_others_are_not() {
    let mut month = Month::new(10, 0, 0, false);
    let second = (month.requests[4].approved_at.as_second() - START) as u64;
    month.sign("retry".to_owned(), None, second + 20);
    assert_eq!(month.reconcile(&Policy::default()).findings.len(), 1);
    month.requests[4].signatures = 2;
    assert_eq!(month.reconcile(&Policy::default()).findings.len(), 0);
}

#[test]
fn strangers_keys_of_other_wallets_and_keys_without_public_key_are_told() {
    let policy = format!(
        "[[wallet]]\nname = \"hot\"\naddress = \"{}\"\nrole = \"hot\"\nsigning_key = \"{KEY}\"\nsigners = [\"arn:aws:iam::111122223333:role/other\"]\n",
        owner(2)
    );
    let (policy, _) = Policy::read(&policy).unwrap();
    let mut month = Month::new(2, 0, 0, true);
    month.sign("stranger".to_owned(), None, 5);
    month.signs[2].key = "arn:aws:kms:eu-west-1:111122223333:key/else".to_owned();
    let report = month.reconcile(&policy);
    let mut ids: Vec<(&str, Severity)> = report
        .findings
        .iter()
        .map(|one| (one.id, one.severity))
        .collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        [
            ("key-of-another-wallet", Severity::High),
            ("unexpected-signer", Severity::Critical),
            ("unexpected-signer", Severity::Critical)
        ]
    );
    assert_eq!(report.blind_spots.len(), 1);
    assert_eq!(report.keys[0].wallet.as_deref(), Some("hot"));
}
