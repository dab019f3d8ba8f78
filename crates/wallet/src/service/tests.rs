//! A service that answers as it is told to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use alloy_primitives::{Address, address};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer::{page, said};
use super::{Desk, Round, Service, ServiceError};
use crate::policy::Policy;
use crate::safe::Expectations;

const ONE: Address = address!("1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4");
const TWO: Address = address!("00000000000000000000000000000000000000B2");
const PAYEE: Address = address!("00000000000000000000000000000000000000aa");
const OWNER: Address = address!("00000000000000000000000000000000000000c1");

/// What stands in the way of an honest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    Limited,
    Broken,
    Garbage,
    /// Each page leads to the first.
    Circles,
    /// Counts more than it gives.
    Hides,
    /// Tells of another Safe.
    Mistaken,
    /// Says that a nonce far ahead is the next, and that one was carried out.
    Boasts,
}

struct World {
    manner: Manner,
    filed: BTreeMap<Address, Vec<Value>>,
    nonces: BTreeMap<Address, u64>,
    asked: Vec<String>,
    page: usize,
}

#[derive(Clone)]
struct Fake(Rc<RefCell<World>>);

impl Service for Fake {
    fn get(&mut self, path: &str) -> Result<Vec<u8>, ServiceError> {
        let mut world = self.0.borrow_mut();
        world.asked.push(path.to_owned());
        let rest = path.strip_prefix("/api/v1/safes/").unwrap();
        let (safe, rest) = rest.split_once('/').unwrap();
        let safe: Address = safe.parse().unwrap();
        match world.manner {
            Manner::Limited => return Err(ServiceError::RateLimited { seconds: Some(7) }),
            Manner::Broken => return Err(ServiceError::Unreachable("broke off".to_owned())),
            Manner::Garbage => return Ok(b"<html>".to_vec()),
            _ => {}
        }
        let next = world.nonces.get(&safe).copied().unwrap_or_default();
        if rest.is_empty() {
            let safe = if world.manner == Manner::Mistaken {
                PAYEE
            } else {
                safe
            };
            let next = if world.manner == Manner::Boasts {
                1_000_000
            } else {
                next
            };
            let said = json!({"address": safe, "nonce": next.to_string(), "version": "1.4.1", "owners": [PAYEE], "threshold": 1});
            return Ok(said.to_string().into_bytes());
        }
        let query: BTreeMap<&str, u64> = rest
            .split_once('?')
            .unwrap()
            .1
            .split('&')
            .filter_map(|part| part.split_once('='))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let at = |name| query.get(name).copied().unwrap_or_default();
        let mut all = world.filed.get(&safe).cloned().unwrap_or_default();
        if world.manner == Manner::Boasts {
            let mut far = entry(safe, 1_000_000, 0);
            far["isExecuted"] = true.into();
            all.push(far);
        }
        all.retain(|one| one["nonce"].as_u64().unwrap() >= at("nonce__gte"));
        all.sort_by_key(|one| std::cmp::Reverse(one["nonce"].as_u64()));
        let offset = at("offset") as usize;
        let end = all.len().min(offset + world.page);
        let count = all.len() + usize::from(world.manner == Manner::Hides);
        let more = format!(
            "http://elsewhere.example/steals?limit=100&nonce__gte={}&offset={end}",
            at("nonce__gte")
        );
        let next = match world.manner {
            Manner::Circles => json!("https://x.example/?limit=100"),
            _ if end < all.len() => json!(more),
            _ => Value::Null,
        };
        let answer =
            json!({"count": count, "next": next, "previous": null, "results": all[offset..end]});
        Ok(answer.to_string().into_bytes())
    }
}

fn entry(safe: Address, nonce: u64, operation: u8) -> Value {
    json!({"safe": safe, "to": PAYEE, "value": "1", "data": null, "operation": operation, "nonce": nonce,
        "submissionDate": "2026-01-01T10:00:00Z", "isExecuted": false, "confirmations": []})
}

fn expectations() -> Expectations {
    let policy = format!(
        "[[wallet]]\nname = \"one\"\naddress = \"{ONE}\"\nrole = \"warm\"\nowners = [\"{OWNER}\"]\nthreshold = 1\n"
    );
    Policy::read(&policy).unwrap().0.expectations(Some(1))
}

fn desk(safes: &[Address]) -> (Desk<Fake>, Rc<RefCell<World>>) {
    let world = Rc::new(RefCell::new(World {
        manner: Manner::Honest,
        filed: BTreeMap::new(),
        nonces: BTreeMap::new(),
        asked: Vec::new(),
        page: 2,
    }));
    let fake = Fake(Rc::clone(&world));
    (Desk::new(fake, safes.to_vec(), expectations()), world)
}

fn files(world: &Rc<RefCell<World>>, entry: Value) {
    let safe = serde_json::from_value(entry["safe"].clone()).unwrap();
    let mut world = world.borrow_mut();
    world.filed.entry(safe).or_default().push(entry);
}

fn found(round: &Round) -> Vec<(&'static str, &str)> {
    let fresh = round.fresh.iter();
    fresh
        .map(|check| (check.id, check.nonce.as_str()))
        .collect()
}

fn reasons(round: &Round) -> String {
    let faults = round.faults.iter();
    faults.map(|fault| fault.reason.as_str()).collect()
}

#[test]
fn what_is_filed_is_told_once_before_it_is_carried_out() {
    let (mut desk, world) = desk(&[ONE, TWO]);
    for nonce in 0..5 {
        files(&world, entry(ONE, nonce, 0));
    }
    let first = desk.round();
    assert_eq!((first.read, first.faults.len()), (2, 0));
    assert!(found(&first).is_empty(), "{:?}", first.fresh);
    assert_eq!(first.verification.transactions.len(), 5);
    files(&world, entry(ONE, 5, 1));
    files(&world, entry(TWO, 9, 1));
    let second = desk.round();
    let delegatecalls = [
        ("delegatecall-to-unknown", "5"),
        ("delegatecall-to-unknown", "9"),
    ];
    assert_eq!(found(&second), delegatecalls);
    assert_eq!(desk.round().fresh, []);
    // A confirmation by whom the policy does not name, whatever the service says of owners.
    let mut world = world.borrow_mut();
    let filed = world.filed.get_mut(&ONE).unwrap();
    filed[5]["confirmations"] = json!([{"owner": PAYEE, "signature": format!("0x{}{}{:0>64}01", "0".repeat(24), "00000000000000000000000000000000000000aa", "")}]);
    drop(world);
    let third = desk.round();
    assert!(
        found(&third).contains(&("owner-unknown", "5")),
        "{:?}",
        third.fresh
    );
}

#[test]
fn pages_are_followed_at_the_same_place_wherever_they_point() {
    let (mut desk, world) = desk(&[ONE]);
    for nonce in 0..7 {
        files(&world, entry(ONE, nonce, 0));
    }
    assert_eq!(desk.round().verification.transactions.len(), 7);
    let asked = world.borrow().asked.clone();
    assert_eq!(asked.len(), 5);
    let below = format!("/api/v1/safes/{ONE}/");
    assert!(asked.iter().all(|path| path.starts_with(&below)));
}

#[test]
fn after_the_first_round_only_what_may_have_changed_is_asked_for() {
    let (mut desk, world) = desk(&[ONE]);
    world.borrow_mut().page = 100;
    world.borrow_mut().nonces.insert(ONE, 60);
    for nonce in 0..60 {
        let mut executed = entry(ONE, nonce, 0);
        executed["isExecuted"] = true.into();
        files(&world, executed);
    }
    files(&world, entry(ONE, 60, 0));
    assert_eq!(desk.round().verification.transactions.len(), 61);
    files(&world, entry(ONE, 61, 1));
    let second = desk.round();
    assert!(
        world
            .borrow()
            .asked
            .last()
            .unwrap()
            .contains("nonce__gte=40")
    );
    // What changed and what waits is judged, not the history.
    assert_eq!(second.verification.transactions.len(), 2);
    assert_eq!(found(&second), [("delegatecall-to-unknown", "61")]);
    for _ in 0..40 {
        desk.round();
    }
    let asked = world.borrow().asked.clone();
    let whole = asked.iter().filter(|path| path.ends_with("?limit=100"));
    assert_eq!(whole.count(), 2, "the whole history now and then");
}

#[test]
fn a_service_that_boasts_of_a_nonce_hides_nothing_for_long() {
    let (mut desk, world) = desk(&[ONE]);
    world.borrow_mut().page = 100;
    world.borrow_mut().manner = Manner::Boasts;
    desk.round();
    files(&world, entry(ONE, 1, 1));
    let found = (0..40).any(|_| desk.round().fresh.iter().any(|check| check.nonce == "1"));
    assert!(found);
}

#[test]
fn what_was_signed_and_is_no_longer_shown_is_told() {
    let (mut desk, world) = desk(&[ONE]);
    let mut signed = entry(ONE, 4, 0);
    signed["confirmations"] = json!([{"owner": OWNER, "signature": "0x"}]);
    files(&world, signed);
    files(&world, entry(ONE, 5, 0));
    desk.round();
    let all = world.borrow_mut().filed.remove(&ONE).unwrap();
    let gone = desk.round();
    assert_eq!(found(&gone), [("signed-and-withdrawn", "4")]);
    assert!(desk.round().fresh.is_empty());
    // It is still judged as a rival of what comes in its place.
    files(&world, entry(ONE, 4, 1));
    let rival = desk.round();
    let on_nonce = |one: &&crate::safe::TransactionReport| one.nonce == "4";
    assert_eq!(
        rival
            .verification
            .transactions
            .iter()
            .filter(on_nonce)
            .count(),
        2
    );
    // What was carried out is not missed.
    world.borrow_mut().filed.insert(ONE, all);
    desk.round();
    let mut executed = entry(ONE, 5, 0);
    executed["isExecuted"] = true.into();
    world.borrow_mut().filed.insert(ONE, vec![executed]);
    assert!(
        !found(&desk.round())
            .iter()
            .any(|(id, _)| *id == "signed-and-withdrawn")
    );
}

#[test]
fn faults_are_told_each_round_and_nothing_is_lost_by_them() {
    for (manner, word) in [
        (Manner::Broken, "not reached"),
        (Manner::Garbage, "cannot be read"),
        (Manner::Circles, "lead back"),
        (Manner::Mistaken, "another Safe"),
    ] {
        let (mut desk, world) = desk(&[ONE]);
        world.borrow_mut().manner = manner;
        files(&world, entry(ONE, 3, 1));
        for _ in 0..2 {
            let round = desk.round();
            assert_eq!((round.read, round.faults.len()), (0, 1), "{manner:?}");
            assert!(round.faults[0].unread);
            assert!(reasons(&round).contains(word), "{}", reasons(&round));
        }
        world.borrow_mut().manner = Manner::Honest;
        assert_eq!(found(&desk.round()), [("delegatecall-to-unknown", "3")]);
    }
}

#[test]
fn a_service_that_asks_to_be_left_alone_is_and_goes_on_with_the_same_safe() {
    let (mut desk, world) = desk(&[ONE, TWO]);
    world.borrow_mut().manner = Manner::Limited;
    let round = desk.round();
    assert_eq!((round.rest, round.faults.len()), (Some(7), 2));
    assert_eq!(world.borrow().asked.len(), 1, "the other is not asked");
    world.borrow_mut().manner = Manner::Honest;
    assert_eq!(desk.round().read, 2);
}

#[test]
fn what_is_counted_and_not_given_is_told_and_so_is_what_cannot_be_read() {
    let (mut desk, world) = desk(&[ONE]);
    world.borrow_mut().manner = Manner::Hides;
    files(&world, entry(ONE, 1, 0));
    let round = desk.round();
    assert_eq!(round.read, 1);
    assert!(reasons(&round).contains("counts 2 transactions and gives 1"));
    world.borrow_mut().manner = Manner::Honest;
    let mut broken = entry(ONE, 2, 0);
    broken["to"] = "nowhere".into();
    files(&world, broken);
    let mut other = entry(ONE, 3, 1);
    other["safe"] = json!(TWO);
    world.borrow_mut().filed.get_mut(&ONE).unwrap().push(other);
    let round = desk.round();
    assert!(
        reasons(&round).contains("`to` is no address"),
        "{}",
        reasons(&round)
    );
    assert!(reasons(&round).contains("1 transactions are of another Safe"));
    assert!(round.fresh.is_empty());
}

proptest! {
    #[test]
    fn no_answer_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), key in "(address|nonce|results|next|count)", text in ".{0,20}") {
        let _ = page(&bytes);
        let _ = said(&bytes, ONE);
        let mut document = json!({"address": ONE, "nonce": 1, "results": [], "next": "x?limit=1", "count": 0});
        document[key] = text.into();
        let document = document.to_string();
        let _ = said(document.as_bytes(), ONE);
        if let Ok(page) = page(document.as_bytes()) {
            // What goes into a request is one line of plain characters.
            prop_assert!(page.next.is_none_or(|next| next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')));
        }
    }
}
