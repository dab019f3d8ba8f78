//! What is written of wallets: whole, in order, the same with and without an intrusion until it begins.

mod common;

use std::collections::BTreeSet;

use common::{run, small};
use portreeve_simulate::{MemorySink, Plan, Without};
use portreeve_wallet::chain::{Block, read_block};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::safe::read_queues;

fn lines(sink: &MemorySink) -> Vec<String> {
    let blocks = String::from_utf8(sink.wallets["wallets/blocks.ndjson"].clone()).expect("text");
    blocks.lines().map(str::to_owned).collect()
}

fn blocks(sink: &MemorySink) -> Vec<Block> {
    let lines = lines(sink);
    let read = lines.iter().map(|line| read_block(line.as_bytes()));
    read.map(|block| block.expect("a block")).collect()
}

#[test]
fn blocks_follow_on_each_other_and_queues_name_where_they_were_carried_out() {
    let simulation = run(&small(5, "main"));
    let blocks = blocks(&simulation.sink);
    assert_eq!(blocks.len(), simulation.summary.blocks);
    for pair in blocks.windows(2) {
        assert_eq!(pair[1].parent, pair[0].hash);
        assert_eq!(pair[1].number, pair[0].number + 1);
        assert!(pair[1].time > pair[0].time);
    }
    let sent: BTreeSet<_> = blocks
        .iter()
        .flat_map(|block| &block.transactions)
        .map(|transaction| transaction.hash)
        .collect();
    let mut filed = 0;
    for name in ["wallets/queue-cold.json", "wallets/queue-warm.json"] {
        let (queues, errors) = read_queues(&simulation.sink.wallets[name]).expect("a queue");
        assert!(errors.is_empty(), "{errors:?}");
        for one in queues.iter().flat_map(|queue| &queue.transactions) {
            // What was carried out in place of what was shown is found on the chain, and was never filed.
            filed += usize::from(!one.confirmations.is_empty());
            let execution = one.execution.as_ref();
            let transaction = execution.and_then(|execution| execution.transaction);
            assert!(transaction.is_none_or(|hash| sent.contains(&hash)));
        }
    }
    assert_eq!(filed, simulation.summary.safe_transactions);
    let policy = String::from_utf8(simulation.sink.wallets["wallets/wallets.toml"].clone());
    let (policy, refused) = Policy::read(&policy.expect("text")).expect("a policy");
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(policy.wallets().count(), 3);
    assert_eq!(policy.announcements.len(), 1);
}

#[test]
fn the_days_before_the_theft_are_the_quiet_ones() {
    let [main, none] = ["main", "none"].map(|intrusion| run(&small(5, intrusion)).sink);
    let (with, without) = (lines(&main), lines(&none));
    let same = with.iter().zip(&without).take_while(|(a, b)| a == b);
    let same = same.count();
    assert!(same >= 30 && same < without.len(), "{same}");
    // What the theft adds: contracts, the takeover, the probe, the drain, the spread.
    assert!(with.len() >= without.len() + 18);
    assert_eq!(
        main.wallets["wallets/wallets.toml"],
        none.wallets["wallets/wallets.toml"]
    );
    // A variant steals as the one that it extends; another intrusion does not.
    let quiet = run(&small(5, "main-quiet")).sink;
    assert_eq!(quiet.wallets, main.wallets);
    let stages = |sink: &MemorySink| blocks(sink).iter().any(|block| !block.code.is_empty());
    assert!(stages(&main));
    assert!(!stages(&run(&small(5, "cookie-only")).sink));
}

#[test]
fn another_seed_has_other_keys_and_wallets_may_be_left_out() {
    let one = run(&small(5, "none")).sink;
    let other = run(&small(6, "none")).sink;
    let policy = |sink: &MemorySink| sink.wallets["wallets/wallets.toml"].clone();
    assert_ne!(policy(&one), policy(&other));
    let left_out = run(&Plan {
        without: vec![Without::Wallets],
        ..small(5, "none")
    });
    assert!(left_out.sink.wallets.is_empty());
    assert_eq!(left_out.summary.blocks, 0);
    assert_eq!(left_out.sink.files, one.files);
}
