//! 100 blocks of 300 transactions, judged for 1,000 wallets.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use portreeve_wallet::chain::{Block, Log, Receipt, Transaction};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::watch::{Observation, Watcher};
use portreeve_wallet::{Address, B256, Bytes, U256};

const WALLETS: u64 = 1000;
const BLOCKS: u64 = 100;
const TRANSACTIONS: u64 = 300;

fn address(number: u64) -> Address {
    Address::from_word(U256::from(number + (1 << 40)).into())
}

fn policy() -> Policy {
    let mut text = String::new();
    for number in 0..WALLETS {
        let role = ["hot", "warm", "cold"][(number % 3) as usize];
        let _ = writeln!(
            text,
            "[[wallet]]\nname = \"w{number}\"\naddress = \"{}\"\nrole = \"{role}\"\nowners = [\"{}\"]",
            address(number),
            address(number + 5000)
        );
    }
    Policy::read(&text).unwrap().0
}

/// A third plain payments, a third token transfers, a third with five logs of other contracts; one
/// in ten is a watched wallet's.
fn block(number: u64) -> Block {
    let transactions = (0..TRANSACTIONS)
        .map(|place| {
            let random = (number * TRANSACTIONS + place).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let ours = place % 10 == 0;
            let from = if ours {
                address(random % WALLETS)
            } else {
                address(10_000 + random % 100_000)
            };
            let to = address(200_000 + random % 50_000);
            let transfer = alloy_primitives::b256!(
                "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
            );
            let logs = (0..if place % 3 == 2 { 5 } else { place % 3 })
                .map(|log| Log {
                    address: address(300_000 + log),
                    topics: vec![transfer, from.into_word(), to.into_word()],
                    data: Bytes::copy_from_slice(&U256::from(random % 1000).to_be_bytes::<32>()),
                })
                .collect();
            Transaction {
                hash: B256::from(U256::from(number * TRANSACTIONS + place)),
                from,
                to: Some(to),
                value: U256::from(random % 1000),
                input: Bytes::from(vec![7; 68]),
                nonce: random,
                receipt: Some(Receipt {
                    succeeded: true,
                    created: None,
                    logs,
                }),
                calls: Vec::new(),
            }
        })
        .collect();
    let slots = |wallet: u64| BTreeMap::from([(B256::ZERO, address(wallet % 7).into_word())]);
    Block {
        chain: 1,
        number,
        hash: B256::from(U256::from(number + 1)),
        parent: B256::from(U256::from(number)),
        time: jiff::Timestamp::from_second(1_767_225_600 + number as i64 * 12).unwrap(),
        transactions,
        withdrawals: Vec::new(),
        storage: (0..WALLETS)
            .map(|wallet| (address(wallet), slots(wallet)))
            .collect(),
        balances: (0..WALLETS)
            .map(|wallet| {
                (
                    address(wallet),
                    BTreeMap::from([(None, U256::from(1_000_000))]),
                )
            })
            .collect(),
        code: BTreeMap::new(),
        has_receipts: true,
    }
}

fn judge(criterion: &mut Criterion) {
    let policy = policy();
    let blocks: Vec<Block> = (0..BLOCKS).map(block).collect();
    let mut group = criterion.benchmark_group("watch");
    group.sample_size(10);
    group.bench_function("100 blocks of 300 transactions, 1,000 wallets", |bencher| {
        bencher.iter_batched(
            || (Watcher::new(policy.clone()), blocks.clone()),
            |(mut watcher, blocks)| {
                let found: usize = blocks
                    .into_iter()
                    .map(|block| {
                        watcher
                            .observe(Observation::Block(Box::new(block), Vec::new()))
                            .findings
                            .len()
                    })
                    .sum();
                found
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
