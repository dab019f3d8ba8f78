//! Nodes that behave as they are told to, over a chain that is made here.

mod after;

use std::cell::RefCell;
use std::rc::Rc;

use alloy_primitives::{Address, B256, Bloom, BloomInput, U256, keccak256};
use serde_json::{Value, json};

use super::{Cursor, Fault, FaultKind, Provider, ProviderError, Reader, ReaderError, Step};
use crate::chain::IMPLEMENTATION_SLOT;
use crate::watch::stage::{OWNERS, PARTNER, STRANGER, Stage};
use crate::watch::{Notice, Observation, Watcher};

/// What all honest nodes know: the branch of each block, from block 100 on.
#[derive(Default)]
struct World {
    branches: Vec<u8>,
}

impl World {
    fn hash(&self, number: u64) -> B256 {
        match (number as usize)
            .checked_sub(100)
            .and_then(|place| self.branches.get(..=place))
        {
            Some(path) => keccak256([path, &number.to_be_bytes()].concat()),
            None => B256::ZERO,
        }
    }

    fn head(&self) -> u64 {
        99 + self.branches.len() as u64
    }
}

/// How a node fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    /// So many blocks behind.
    Lags(u64),
    /// Adds a log to receipts, which the bloom filter shows.
    Forges,
    /// Leaves a status out that the bloom filter does not show.
    Denies,
    Garbage,
    /// Every other call.
    Limited,
    Drops,
    /// Tells of another block at each height.
    Forks,
}

struct Node {
    name: String,
    manner: Manner,
    world: Rc<RefCell<World>>,
    calls: u64,
}

impl Provider for Node {
    fn name(&self) -> &str {
        &self.name
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        self.calls += 1;
        match self.manner {
            Manner::Garbage => return Err(ProviderError::Garbage("<html>".to_owned())),
            Manner::Limited if self.calls.is_multiple_of(2) => {
                return Err(ProviderError::RateLimited { seconds: Some(3) });
            }
            Manner::Drops if self.calls.is_multiple_of(3) => {
                return Err(ProviderError::Unreachable("broke off".to_owned()));
            }
            _ => {}
        }
        let world = self.world.borrow();
        let behind = if let Manner::Lags(blocks) = self.manner {
            blocks
        } else {
            0
        };
        let head = world.head() - behind;
        let number = |value: &Value| {
            u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
        };
        Ok(match method {
            "eth_chainId" => json!("0x1"),
            "eth_blockNumber" => json!(format!("0x{head:x}")),
            "eth_getBlockByNumber" => {
                let number = number(&parameters[0]);
                if number > head {
                    return Ok(Value::Null);
                }
                let mut hash = world.hash(number);
                if self.manner == Manner::Forks {
                    hash.0[0] ^= 1;
                }
                let mut bloom = Bloom::ZERO;
                bloom.accrue(BloomInput::Raw(PARTNER.as_slice()));
                json!({"number": parameters[0], "hash": hash, "parentHash": world.hash(number - 1), "logsBloom": bloom,
                    "timestamp": format!("0x{:x}", 1_767_225_600 + number * 12),
                    "transactions": [{"hash": B256::from(U256::from(number)), "from": STRANGER, "to": PARTNER, "value": "0x0", "input": "0x", "nonce": "0x0"}]})
            }
            "eth_getBlockReceipts" => {
                let number = (100..=world.head())
                    .find(|number| json!(world.hash(*number)) == parameters[0])
                    .unwrap();
                let mut logs = vec![json!({"address": PARTNER, "topics": [], "data": "0x"})];
                if self.manner == Manner::Forges {
                    logs.push(json!({"address": STRANGER, "topics": [], "data": "0x"}));
                }
                let status = if self.manner == Manner::Denies {
                    "0x0"
                } else {
                    "0x1"
                };
                json!([{"transactionHash": B256::from(U256::from(number)), "status": status, "contractAddress": null, "logs": logs}])
            }
            "eth_getStorageAt" => {
                let number = number(&parameters[2]);
                let slot: B256 = parameters[1].as_str().unwrap().parse().unwrap();
                json!(stored(slot, number))
            }
            "eth_getBalance" => json!("0x64"),
            other => {
                return Err(ProviderError::Refused {
                    code: -32601,
                    message: other.to_owned(),
                });
            }
        })
    }
}

/// The Safe of the tests' policy, of which the implementation is replaced in block 106.
fn stored(slot: B256, number: u64) -> B256 {
    let list = |mapping: u8, key: Address| {
        keccak256(
            [
                key.into_word().as_slice(),
                B256::with_last_byte(mapping).as_slice(),
            ]
            .concat(),
        )
    };
    let sentinel = Address::with_last_byte(1);
    let [first, second] = OWNERS;
    let owners = [(sentinel, first), (first, second), (second, sentinel)];
    if slot == IMPLEMENTATION_SLOT {
        return if number < 106 { PARTNER } else { STRANGER }.into_word();
    }
    if slot == B256::with_last_byte(4) {
        return B256::with_last_byte(2);
    }
    owners
        .into_iter()
        .find(|(key, _)| list(2, *key) == slot)
        .map_or(B256::ZERO, |(_, next)| next.into_word())
}

struct Run {
    world: Rc<RefCell<World>>,
    reader: Reader<Node>,
    watcher: Watcher,
    blocks: Vec<u64>,
    rules: Vec<(String, u64)>,
    notices: Vec<Notice>,
    divergences: usize,
    waits: Vec<u64>,
}

impl Run {
    fn new(manners: &[Manner]) -> Self {
        let world = Rc::new(RefCell::new(World {
            branches: vec![0; 10],
        }));
        let reader = Reader::new(
            nodes(&world, manners),
            Stage::new().policy(),
            Some(100),
            Cursor::default(),
        )
        .unwrap();
        Self {
            world,
            reader,
            watcher: Watcher::new(Stage::new().policy().clone()),
            blocks: Vec::new(),
            rules: Vec::new(),
            notices: Vec::new(),
            divergences: 0,
            waits: Vec::new(),
        }
    }

    /// Reads until there is nothing new; gives up after many waits.
    fn read(&mut self) -> &mut Self {
        for _ in 0..400 {
            match self.reader.step().unwrap() {
                Step::Block(block, divergences, _) => {
                    self.blocks.push(block.number);
                    self.divergences += divergences.len();
                    let observed = self.watcher.observe(Observation::Block(block, divergences));
                    self.rules.extend(
                        observed
                            .findings
                            .into_iter()
                            .map(|one| (one.rule.to_owned(), one.block)),
                    );
                    self.notices.extend(observed.notices);
                }
                Step::Wait { pause, reason, .. } => {
                    self.waits.push(pause.as_secs());
                    if reason.is_none()
                        && self.reader.cursor().number() == Some(self.world.borrow().head())
                    {
                        return self;
                    }
                }
            }
        }
        self
    }

    fn faults(&self) -> Vec<(String, FaultKind)> {
        self.reader
            .faults()
            .into_iter()
            .map(|Fault { provider, kind, .. }| (provider, kind))
            .collect()
    }
}

fn nodes(world: &Rc<RefCell<World>>, manners: &[Manner]) -> Vec<Node> {
    manners
        .iter()
        .enumerate()
        .map(|(place, manner)| Node {
            name: format!("node {place}"),
            manner: *manner,
            world: Rc::clone(world),
            calls: 0,
        })
        .collect()
}

const TAKEOVER: (&str, u64) = ("wallet.safe-implementation", 106);

fn takeover() -> (String, u64) {
    (TAKEOVER.0.to_owned(), TAKEOVER.1)
}

#[test]
fn honest_nodes_give_each_block_once() {
    let mut run = Run::new(&[Manner::Honest; 3]);
    run.read();
    assert_eq!(run.blocks, (100..110).collect::<Vec<_>>());
    assert_eq!(run.rules, [takeover()]);
    assert_eq!((run.divergences, run.faults().len()), (0, 0));
}

#[test]
fn lagging_limited_and_broken_nodes_cost_nothing_beside_honest_ones() {
    for (manner, kind) in [
        (Manner::Lags(4), FaultKind::Lagging),
        (Manner::Limited, FaultKind::RateLimited),
        (Manner::Drops, FaultKind::Unreachable),
        (Manner::Garbage, FaultKind::Garbage),
    ] {
        let mut run = Run::new(&[manner, Manner::Honest, Manner::Honest]);
        run.read();
        assert_eq!(run.blocks, (100..110).collect::<Vec<_>>(), "{kind:?}");
        assert_eq!(run.rules, [takeover()], "{kind:?}");
        assert_eq!(run.divergences, 0, "{kind:?}");
        assert!(
            run.faults().contains(&("node 0".to_owned(), kind)),
            "{kind:?}"
        );
    }
}

#[test]
fn a_node_that_lies_is_outvoted_and_named() {
    for manner in [Manner::Forges, Manner::Denies, Manner::Forks] {
        let mut run = Run::new(&[manner, Manner::Honest, Manner::Honest]);
        run.read();
        assert_eq!(run.blocks, (100..110).collect::<Vec<_>>());
        assert!(run.rules.contains(&takeover()));
        assert_eq!(run.divergences, 10);
        let divergent = run
            .rules
            .iter()
            .filter(|(rule, _)| rule == "wallet.provider-divergence")
            .count();
        assert_eq!(divergent, 10);
    }
}

#[test]
fn a_forged_log_is_known_without_a_majority_by_the_blocks_bloom() {
    let mut run = Run::new(&[Manner::Forges, Manner::Honest]);
    run.read();
    assert_eq!(run.blocks, (100..110).collect::<Vec<_>>());
    assert!(run.waits.len() <= 1, "a tie was waited for");
    // Alone it is not believed: nothing is read.
    let mut alone = Run::new(&[Manner::Forges]);
    alone.read();
    assert_eq!(alone.blocks, Vec::<u64>::new());
}

#[test]
fn a_tie_is_asked_again_and_then_told_as_undecided() {
    let mut run = Run::new(&[Manner::Honest, Manner::Denies]);
    run.read();
    assert_eq!(run.blocks, (100..110).collect::<Vec<_>>());
    assert!(run.waits.len() >= 30);
    assert!(
        run.rules
            .contains(&("wallet.provider-divergence".to_owned(), 100))
    );
}

#[test]
fn five_blocks_taken_back_are_read_again_and_nothing_is_told_twice() {
    let mut run = Run::new(&[Manner::Honest; 3]);
    run.read();
    {
        let mut world = run.world.borrow_mut();
        world.branches.truncate(5);
        world.branches.extend([1; 7]);
    }
    run.read();
    assert_eq!(run.blocks, (100..110).chain(105..112).collect::<Vec<_>>());
    assert_eq!(
        run.notices,
        [Notice::Reorganised {
            chain: 1,
            block: 105,
            depth: 5
        }]
    );
    assert_eq!(run.rules, [takeover()]);
}

#[test]
fn reading_resumes_after_the_last_block_and_sees_what_was_taken_back_meanwhile() {
    let mut run = Run::new(&[Manner::Honest; 2]);
    run.read();
    let saved = serde_json::to_string(run.reader.cursor()).unwrap();
    {
        let mut world = run.world.borrow_mut();
        world.branches.truncate(8);
        world.branches.extend([2; 5]);
    }
    let cursor: Cursor = serde_json::from_str(&saved).unwrap();
    let mut reader = Reader::new(
        nodes(&run.world, &[Manner::Honest; 2]),
        Stage::new().policy(),
        None,
        cursor,
    )
    .unwrap();
    let mut read = Vec::new();
    while let Step::Block(block, ..) = reader.step().unwrap() {
        read.push(block.number);
    }
    assert_eq!(read, (108..113).collect::<Vec<_>>());
}

#[test]
fn nobody_to_ask_and_chains_that_forget_everything_are_told() {
    let none = Reader::<Node>::new(Vec::new(), Stage::new().policy(), None, Cursor::default());
    assert!(matches!(none, Err(ReaderError::NoProvider)));
    let mut run = Run::new(&[Manner::Honest]);
    run.read();
    run.world.borrow_mut().branches = vec![9; 12];
    assert!(matches!(
        run.reader.step(),
        Err(ReaderError::TooDeep { number: 110 })
    ));
}

#[test]
fn a_node_that_breaks_off_alone_is_asked_again_for_the_whole_block() {
    let mut run = Run::new(&[Manner::Honest]);
    run.read();
    {
        let mut world = run.world.borrow_mut();
        world.branches.push(0);
    }
    // The fourth call is one for storage: chain, head, block and receipts come before it.
    let breaks = Breaks {
        node: nodes(&run.world, &[Manner::Honest]).remove(0),
        calls: 0,
        at: 4,
    };
    let cursor = run.reader.cursor().clone();
    let mut reader = Reader::new(vec![breaks], Stage::new().policy(), None, cursor).unwrap();
    let Step::Wait { reason, sooner, .. } = reader.step().unwrap() else {
        panic!("a block without its storage");
    };
    assert!(reason.is_some() && sooner);
    let Step::Block(block, ..) = reader.step().unwrap() else {
        panic!("the block is read in whole");
    };
    assert_eq!(block.number, 110);
}

/// A node of which one call breaks off.
struct Breaks {
    node: Node,
    calls: u64,
    at: u64,
}

impl Provider for Breaks {
    fn name(&self) -> &str {
        self.node.name()
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        let call = self.calls;
        self.calls += 1;
        if call == self.at {
            return Err(ProviderError::Unreachable("broke off".to_owned()));
        }
        self.node.call(method, parameters)
    }
}

#[test]
fn only_what_a_new_block_may_mend_is_ended_by_one() {
    let sooner = |manners: &[Manner]| {
        let mut run = Run::new(manners);
        loop {
            if let Step::Wait { sooner, .. } = run.reader.step().unwrap() {
                return sooner;
            }
        }
    };
    assert!(sooner(&[Manner::Honest]));
    assert!(sooner(&[Manner::Garbage]));
    assert!(!sooner(&[Manner::Limited]));
    assert!(!sooner(&[Manner::Honest, Manner::Denies]));
}
