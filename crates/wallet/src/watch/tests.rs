//! A chain that takes blocks back, sends them twice, leaves some out; and days without an intruder.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolEvent;
use portreeve_model::Severity;

use super::stage::{COLD, HOT, OWNERS, PARTNER, STRANGER, Script, Stage, TOKEN, ether, log, of};
use super::{Notice, Observation, WalletFinding, Watcher};
use crate::chain::{Block, IMPLEMENTATION_SLOT};
use crate::policy::Policy;

/// Blocks that follow on each other. `branch` makes their hashes others.
fn blocks(
    from: u64,
    count: u64,
    branch: u8,
    parent: B256,
    write: impl Fn(u64, &mut Script),
) -> Vec<Block> {
    let mut parent = parent;
    (from..from + count)
        .map(|number| {
            let mut script = Script::at(number, parent);
            write(number, &mut script);
            script.block.hash = keccak256([&[branch][..], &number.to_be_bytes()].concat());
            parent = script.block.hash;
            script.block
        })
        .collect()
}

fn watch(watcher: &mut Watcher, blocks: &[Block]) -> (Vec<WalletFinding>, Vec<Notice>) {
    let mut found = (Vec::new(), Vec::new());
    for block in blocks {
        let observed = watcher.observe(Observation::Block(Box::new(block.clone()), Vec::new()));
        found.0.extend(observed.findings);
        found.1.extend(observed.notices);
    }
    found
}

/// The implementation is replaced in block 106 and money leaves in block 108.
fn theft(number: u64, script: &mut Script) {
    let implementation = if number >= 106 { STRANGER } else { PARTNER };
    script.slot(COLD, IMPLEMENTATION_SLOT, implementation.into_word());
    if number == 100 {
        script.balance(COLD, None, ether(1000));
    }
    if number == 108 {
        script.pay(COLD, STRANGER, ether(900));
    }
}

fn rules(found: &[WalletFinding]) -> Vec<&'static str> {
    let mut rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules
}

#[test]
fn five_blocks_taken_back_lose_nothing_and_repeat_nothing() {
    let policy = || Stage::new().policy().clone();
    let straight = blocks(100, 12, 0, B256::ZERO, theft);
    let (expected, _) = watch(&mut Watcher::new(policy()), &straight);
    assert_eq!(
        rules(&expected),
        ["wallet.outflow-burst", "wallet.safe-implementation"]
    );

    let mut watcher = Watcher::new(policy());
    let (first, _) = watch(&mut watcher, &straight[..10]);
    // Blocks 105 to 109 become others, in which the theft happens again.
    let others = blocks(105, 7, 1, straight[4].hash, theft);
    let (again, notices) = watch(&mut watcher, &others);
    assert_eq!(
        notices,
        [Notice::Reorganised {
            chain: 1,
            block: 105,
            depth: 5
        }]
    );
    let all = [first, again].concat();
    assert_eq!(rules(&all), rules(&expected));
    let reasons = |found: &[WalletFinding]| {
        found
            .iter()
            .map(|one| one.reason.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(reasons(&all), reasons(&expected));
}

#[test]
fn what_only_the_surviving_blocks_hold_is_found() {
    let policy = Stage::new().policy().clone();
    let quiet = blocks(100, 10, 0, B256::ZERO, |number, script| {
        if number < 106 {
            theft(number, script);
        }
    });
    let mut watcher = Watcher::new(policy);
    assert_eq!(watch(&mut watcher, &quiet).0, []);
    let (found, _) = watch(&mut watcher, &blocks(105, 7, 1, quiet[4].hash, theft));
    assert_eq!(
        rules(&found),
        ["wallet.outflow-burst", "wallet.safe-implementation"]
    );
}

#[test]
fn holes_strangers_and_repeated_blocks_are_told_or_passed_over() {
    let mut watcher = Watcher::new(Stage::new().policy().clone());
    let chain = blocks(100, 10, 0, B256::ZERO, theft);
    watch(&mut watcher, &chain[..3]);
    let (_, repeated) = watch(&mut watcher, &chain[..3]);
    assert_eq!(repeated, []);
    let (_, hole) = watch(&mut watcher, &chain[5..6]);
    assert_eq!(
        hole,
        [Notice::Hole {
            chain: 1,
            from: 103,
            until: 104
        }]
    );
    let stranger = blocks(106, 1, 2, B256::repeat_byte(9), |_, _| ());
    assert_eq!(
        watch(&mut watcher, &stranger).1,
        [Notice::Unattached {
            chain: 1,
            block: 106
        }]
    );
}

#[test]
fn a_thousand_benign_transactions_raise_nothing_high() {
    let rotation = "[[announcement]]\nwallet = \"0xc1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1\"\nwhat = \"rotation\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2026-02-01T00:00:00Z\"\nto = \"0x7777777777777777777777777777777777777777\"\n";
    let mut stage = Stage::with(rotation);
    let mut grave = Vec::new();
    let mut seen = 0;
    for round in 0..100u64 {
        stage.wait(7);
        let found = stage.block(|script| {
            script.balance(COLD, None, ether(10_000));
            script.balance(HOT, None, ether(1_000));
            script.slot(COLD, IMPLEMENTATION_SLOT, PARTNER.into_word());
            // Withdrawals of customers, each to another address; a batch of them now and then.
            let customers = if round % 10 == 0 { 20 } else { 7 };
            for number in 0..customers {
                let customer = Address::from_word(keccak256(
                    [round.to_be_bytes(), number_bytes(number)].concat(),
                ));
                script.pay(HOT, customer, ether(5));
            }
            // A refill, a payout to a partner, and a Safe's batch through MultiSend.
            script.pay(COLD, HOT, ether(300));
            script.pay(COLD, PARTNER, ether(400));
            let batch = crate::safe::tests::batch_calldata(12);
            script.send(OWNERS[0], Some(COLD), U256::ZERO, batch);
            if round % 20 == 0 {
                let rotation = script.send(OWNERS[0], Some(COLD), U256::ZERO, Bytes::new());
                let new = Address::repeat_byte(0x77).into_word();
                super::stage::log(
                    rotation,
                    COLD,
                    &[
                        alloy_primitives::b256!(
                            "9465fa0c962cc76958e6373a993326400c1c94f8be2fe3a952adfa7f60b2ea26"
                        ),
                        new,
                    ],
                    &[],
                );
            }
            seen += script.block.transactions.len();
        });
        grave.extend(
            found
                .into_iter()
                .filter(|finding| finding.severity >= Severity::High),
        );
    }
    assert!(seen >= 1000, "{seen}");
    assert_eq!(grave, []);
    // The same day with one theft is told.
    let found = stage.block(|script| {
        script.pay(COLD, STRANGER, ether(5_000));
    });
    assert_eq!(of(&found, "wallet.outflow-burst").len(), 1);
}

fn number_bytes(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

#[test]
fn a_policy_without_wallets_watches_nothing() {
    let (policy, _) = Policy::read("").unwrap();
    assert_eq!(
        watch(
            &mut Watcher::new(policy),
            &blocks(100, 12, 0, B256::ZERO, theft)
        )
        .0,
        []
    );
}

/// What a rule says of blocks that a script writes.
fn said(rule: &str, found: &[WalletFinding]) -> Vec<Severity> {
    of(found, rule).iter().map(|one| one.severity).collect()
}

#[test]
fn a_first_balance_is_told_from_what_moved_in_its_block() {
    // 100 are left of a thousand, and nothing of the wallet was read before: nine tenths left.
    let found = Stage::new().block(|script| {
        script.pay(COLD, STRANGER, ether(900));
        script.balance(COLD, None, ether(100));
    });
    assert_eq!(said("wallet.outflow-burst", &found), [Severity::Critical]);
    // What came in does not count as having been there: it held 100, and a tenth of that left.
    let found = Stage::new().block(|script| {
        script.pay(PARTNER, COLD, ether(900));
        script.pay(COLD, STRANGER, ether(10));
        script.balance(COLD, None, ether(990));
    });
    assert_eq!(said("wallet.outflow-burst", &found), []);
    // A token by its logs, in the order in which they came.
    let found = Stage::new().block(|script| {
        script.transfer(OWNERS[0], COLD, TOKEN, COLD, STRANGER, 900);
        script.transfer(PARTNER, TOKEN, TOKEN, PARTNER, COLD, 5_000);
        script.balance(COLD, Some(TOKEN), U256::from(5_100));
    });
    assert_eq!(said("wallet.outflow-burst", &found), [Severity::Critical]);
}

#[test]
fn an_allowance_that_is_logged_again_when_it_is_used_stays_as_new_as_it_was() {
    let rule = "wallet.approval-drain";
    let allow = |script: &mut Script, sender: Address, amount: U256| {
        let transaction = script.send(sender, Some(TOKEN), U256::ZERO, Bytes::new());
        let topics = [
            crate::abi::Approval::SIGNATURE_HASH,
            HOT.into_word(),
            STRANGER.into_word(),
        ];
        log(transaction, TOKEN, &topics, &amount.to_be_bytes::<32>());
    };
    let mut stage = Stage::new();
    stage.block(|script| script.balance(HOT, Some(TOKEN), U256::from(1_000)));
    let given = stage.block(|script| allow(script, HOT, U256::MAX));
    assert_eq!(said(rule, &given), [Severity::Medium]);
    // A little is taken, and the token logs what is left of the allowance: no second allowance.
    let probed = stage.block(|script| {
        script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 1);
        allow(script, STRANGER, U256::MAX - U256::from(1));
    });
    assert_eq!(said(rule, &probed), []);
    // It is no old acquaintance by that: what follows is found.
    let taken = stage.block(|script| {
        script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 800);
        allow(script, STRANGER, U256::MAX - U256::from(801));
    });
    assert_eq!(said(rule, &taken), [Severity::High]);
    // Nor any younger: after a day it is old, however often it was logged.
    let mut old = Stage::new();
    old.block(|script| script.balance(HOT, Some(TOKEN), U256::from(1_000)));
    old.block(|script| allow(script, HOT, U256::MAX));
    old.wait(25 * 60);
    old.block(|script| allow(script, STRANGER, U256::MAX - U256::from(1)));
    let used = old.block(|script| {
        script.transfer(STRANGER, TOKEN, TOKEN, HOT, STRANGER, 800);
    });
    assert_eq!(said(rule, &used), []);
}
