//! Blocks in their order, from several nodes compared.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bloom, BloomInput, keccak256};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::agree::{Agreed, agree};
use super::provider::{Provider, ProviderError};
use crate::chain::{Block, read_block};
use crate::policy::{Policy, Role};
use crate::watch::Divergence;

/// How many blocks back a reorganisation is followed.
const DEPTH: usize = 64;
/// How often a tie between nodes is asked again, before the first's answer is gone by.
const TRIES: u32 = 3;
/// Seconds to wait where nodes fail or differ: a slot of Ethereum.
const SLOT: u64 = 12;
/// The longest that a node may ask to be left alone for, in seconds.
const LONGEST: u64 = 300;

/// Where reading goes on. Save it after each block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The chain's number; 0 before the first answer.
    pub chain: u64,
    /// The blocks that were read last, oldest first: number and hash.
    pub recent: VecDeque<(u64, B256)>,
}

impl Cursor {
    /// The number of the last block.
    pub fn number(&self) -> Option<u64> {
        self.recent.back().map(|(number, _)| *number)
    }
}

/// What the reader has to say.
#[derive(Clone, Debug)]
pub enum Step {
    /// The next block, with where nodes disagree about it, and as a line that
    /// [`read_block`] reads again.
    Block(Box<Block>, Vec<Divergence>, String),
    /// Nothing to read now; call again after a while.
    Wait {
        /// How long.
        pause: Duration,
        /// Why, if it is not that there is no new block.
        reason: Option<String>,
        /// Whether it may end sooner where a node tells of a new block, or is reached again. Not where a node asks to
        /// be left alone, or where nodes are given the time to agree.
        sooner: bool,
    },
}

/// How often a node failed, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The node.
    pub provider: String,
    /// How.
    pub kind: FaultKind,
    /// How often.
    pub count: u64,
}

/// Ways in which a node fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It asks to be called less often.
    RateLimited,
    /// It is not reached, or breaks off.
    Unreachable,
    /// Its answer cannot be read, or contradicts itself.
    Garbage,
    /// It answers with an error.
    Refused,
    /// It does not know a block that others know.
    Lagging,
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// Nobody to ask.
    #[error("no provider is given")]
    NoProvider,
    /// A saved cursor of another chain.
    #[error("the providers are of chain {found}, and what was saved is of chain {saved}")]
    OtherChain {
        /// What the nodes say.
        found: u64,
        /// What was saved.
        saved: u64,
    },
    /// The chain took back more blocks than are remembered.
    #[error(
        "the chain took back more than {DEPTH} blocks before block {number}; start anew with --from"
    )]
    TooDeep {
        /// The block at which it was noticed.
        number: u64,
    },
}

/// Reads a chain. It neither waits nor knows the time: [`Step::Wait`] asks the caller to.
#[derive(Debug)]
pub struct Reader<P> {
    providers: Vec<P>,
    cursor: Cursor,
    from: Option<u64>,
    /// How long to wait for a new block.
    poll: Duration,
    pub(super) safes: Vec<Address>,
    pub(super) holders: BTreeSet<Address>,
    pub(super) tokens: BTreeSet<(Address, Address)>,
    /// How many transactions of Safes no node traced.
    pub(super) untraced: u64,
    faults: BTreeMap<(usize, FaultKind), u64>,
    /// After how many seconds a node that was asked too often may be asked again.
    rest: Option<u64>,
    tries: u32,
    /// Whether nobody answered a question about the block since all broke off.
    cut_off: bool,
    /// Whether the nodes said which chain they are of.
    chain_known: bool,
}

impl<P: Provider> Reader<P> {
    /// Reads what a policy's wallets need, from a block on, or from the newest; a cursor that was saved
    /// goes before both.
    pub fn new(
        providers: Vec<P>,
        policy: &Policy,
        from: Option<u64>,
        cursor: Cursor,
    ) -> Result<Self, ReaderError> {
        if providers.is_empty() {
            return Err(ReaderError::NoProvider);
        }
        let of = |is: fn(&crate::policy::Wallet) -> bool| {
            policy
                .wallets()
                .filter(move |wallet| is(wallet))
                .map(|wallet| wallet.address)
        };
        Ok(Self {
            providers,
            cursor,
            from,
            poll: Duration::from_secs(SLOT),
            safes: of(|wallet| wallet.role != Role::Contract && !wallet.owners.is_empty())
                .collect(),
            holders: of(|wallet| wallet.role != Role::Contract).collect(),
            tokens: BTreeSet::new(),
            untraced: 0,
            faults: BTreeMap::new(),
            rest: None,
            tries: 0,
            cut_off: false,
            chain_known: false,
        })
    }

    /// The same with another time to wait for a new block; 12 s without.
    #[must_use]
    pub fn with_poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// Where reading goes on.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// How many transactions of Safes no node traced: what they paid of the chain's coin is not seen.
    pub fn untraced(&self) -> u64 {
        self.untraced
    }

    /// How nodes failed until now.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults
            .iter()
            .map(|((place, kind), count)| Fault {
                provider: self.providers[*place].name().to_owned(),
                kind: *kind,
                count: *count,
            })
            .collect()
    }

    /// The next block, or how long to wait for it.
    pub fn step(&mut self) -> Result<Step, ReaderError> {
        self.rest = None;
        if !self.chain_known {
            match self.agreed("chain", "eth_chainId", &json!([]), |answer| {
                quantity(answer)
            }) {
                None => return Ok(self.wait("no provider says which chain it is of")),
                Some(chain) if self.cursor.chain != 0 && self.cursor.chain != chain.taken => {
                    return Err(ReaderError::OtherChain {
                        found: chain.taken,
                        saved: self.cursor.chain,
                    });
                }
                Some(chain) => self.cursor.chain = chain.taken,
            }
            self.chain_known = true;
        }
        let mut heads: Vec<u64> = self
            .ask("eth_blockNumber", &json!([]), None, |answer| {
                quantity(answer)
            })
            .into_iter()
            .map(|(.., head)| head)
            .collect();
        heads.sort_unstable();
        // As far as at least half of those who answer have come.
        let Some(head) = heads.get(heads.len() / 2).copied() else {
            return Ok(self.wait("no provider answers"));
        };
        let next = match self.cursor.number() {
            Some(number) => number + 1,
            None => self.from.unwrap_or(head),
        };
        if next > head {
            return Ok(Step::Wait {
                pause: self.rest.map_or(self.poll, Duration::from_secs),
                reason: None,
                sooner: self.rest.is_none(),
            });
        }
        self.read(next)
    }

    fn read(&mut self, number: u64) -> Result<Step, ReaderError> {
        let Some(block) = self.block(number) else {
            return Ok(self.wait("no provider gives the next block"));
        };
        let mut divergences = Vec::new();
        if let Some(divergence) = &block.divergence {
            if divergence.taken.is_none() && self.tries < TRIES {
                self.tries += 1;
                return Ok(
                    self.tie("providers disagree about the next block, and no majority decides")
                );
            }
            divergences.push(divergence.clone());
        }
        let hash = text(&block.taken, "hash").unwrap_or_default();
        let parent = text(&block.taken, "parentHash");
        let follows = self
            .cursor
            .recent
            .back()
            .is_none_or(|(_, last)| Some(last.to_string()) == parent);
        if !follows {
            return match self.step_back(number)? {
                true => self.step(),
                false => Ok(self.wait("the next block does not follow on the last one")),
            };
        }
        let Some(mut receipts) = self.receipts(&block, &hash) else {
            return Ok(self.wait("no provider gives the block's receipts"));
        };
        if let Some(divergence) = receipts.divergence.take() {
            if divergence.taken.is_none() && self.tries < TRIES {
                self.tries += 1;
                return Ok(self.tie(
                    "providers disagree about the block's receipts, and no majority decides",
                ));
            }
            divergences.push(divergence);
        }
        let at = json!(format!("0x{number:x}"));
        self.cut_off = false;
        let storage = self.storage(&receipts.by, &at, &mut divergences);
        let balances = self.balances(&receipts, &block.taken, &at);
        let calls = self.calls(&receipts, &block.taken);
        // What nobody was there to answer may be had in a moment, and a takeover shows in storage alone.
        if self.cut_off && self.tries < TRIES {
            self.tries += 1;
            return Ok(self.wait("providers broke off while wallets were read"));
        }
        let line = json!({
            "chainId": self.cursor.chain,
            "block": block.taken,
            "receipts": receipts.taken,
            "storage": storage,
            "balances": balances,
            "calls": calls,
        })
        .to_string();
        let read = match read_block(line.as_bytes()) {
            Ok(read) => read,
            Err(error) => {
                for place in block.by {
                    self.fault(place, FaultKind::Garbage);
                }
                return Ok(self.wait(&error.to_string()));
            }
        };
        self.tries = 0;
        self.cursor.recent.push_back((number, read.hash));
        if self.cursor.recent.len() > DEPTH {
            self.cursor.recent.pop_front();
        }
        Ok(Step::Block(Box::new(read), divergences, line))
    }

    /// Goes back to the last block that is still in the chain. Whether it went back at all.
    fn step_back(&mut self, number: u64) -> Result<bool, ReaderError> {
        let before = self.cursor.recent.len();
        while let Some((last, hash)) = self.cursor.recent.back().copied() {
            let Some(block) = self.block(last) else {
                // Nobody answers: what is remembered stays, and the next step asks again.
                return Ok(false);
            };
            if text(&block.taken, "hash") == Some(hash.to_string()) {
                return Ok(self.cursor.recent.len() < before);
            }
            self.cursor.recent.pop_back();
        }
        Err(ReaderError::TooDeep { number })
    }

    fn block(&mut self, number: u64) -> Option<Agreed<Value>> {
        let parameters = json!([format!("0x{number:x}"), true]);
        let answers = self.ask(
            "eth_getBlockByNumber",
            &parameters,
            None,
            |answer| match answer {
                Value::Null => Some(None),
                block => {
                    let same = quantity(block.get("number")?) == Some(number);
                    let read: Option<B256> = text(block, "hash")?.parse().ok();
                    read.filter(|_| same && block.get("transactions").is_some_and(Value::is_array))
                        .map(|_| Some(block.clone()))
                }
            },
        );
        let mut known = Vec::new();
        for (place, name, block) in answers {
            match block {
                Some(block) => known.push((place, name, block)),
                None => self.fault(place, FaultKind::Lagging),
            }
        }
        agree(&format!("block {number}"), known, |block| {
            text(block, "hash").unwrap_or_default()
        })
    }

    /// The receipts, from those who agree on the block. Logs that do not fit the block's own bloom
    /// filter are a lie, whoever else tells it.
    fn receipts(&mut self, block: &Agreed<Value>, hash: &str) -> Option<Agreed<Value>> {
        let bloom: Option<Bloom> =
            text(&block.taken, "logsBloom").and_then(|bloom| bloom.parse().ok());
        let count = block
            .taken
            .get("transactions")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let answers = self.ask(
            "eth_getBlockReceipts",
            &json!([hash]),
            Some(&block.by),
            |answer| {
                let receipts = answer.as_array()?;
                let fits = bloom.is_none_or(|bloom| bloom_of(receipts) == Some(bloom));
                (receipts.len() == count).then(|| (answer.clone(), fits))
            },
        );
        let mut fitting = Vec::new();
        let mut lies = Vec::new();
        for (place, name, (receipts, fits)) in answers {
            if fits {
                fitting.push((place, name, receipts));
            } else {
                self.fault(place, FaultKind::Garbage);
                lies.push((name, mark(&receipts)));
            }
        }
        let number = text(&block.taken, "number").unwrap_or_default();
        let mut agreed = agree(&format!("receipts of block {number}"), fitting, mark)?;
        if !lies.is_empty() {
            let taken = mark(&agreed.taken);
            let divergence = agreed.divergence.get_or_insert_with(|| Divergence {
                what: format!("receipts of block {number}"),
                answers: agreed
                    .by
                    .iter()
                    .map(|place| (self.providers[*place].name().to_owned(), taken.clone()))
                    .collect(),
                taken: Some(taken.clone()),
            });
            divergence.answers.extend(
                lies.into_iter()
                    .map(|(name, mark)| (name, format!("{mark}, which does not fit the block"))),
            );
        }
        Some(agreed)
    }

    /// Asks all, or those of some places. What cannot be read counts as a fault, and is left out.
    pub(super) fn ask<T>(
        &mut self,
        method: &str,
        parameters: &Value,
        of: Option<&[usize]>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Vec<(usize, String, T)> {
        let mut answers = Vec::new();
        let mut broke_off = false;
        for place in 0..self.providers.len() {
            if of.is_some_and(|of| !of.contains(&place)) {
                continue;
            }
            let provider = &mut self.providers[place];
            match provider.call(method, parameters) {
                Ok(answer) => match read(&answer) {
                    Some(read) => answers.push((place, provider.name().to_owned(), read)),
                    None => self.fault(place, FaultKind::Garbage),
                },
                Err(error) => {
                    let kind = match error {
                        ProviderError::RateLimited { seconds } => {
                            let seconds = seconds.unwrap_or(SLOT).clamp(1, LONGEST);
                            self.rest = Some(self.rest.map_or(seconds, |rest| rest.min(seconds)));
                            FaultKind::RateLimited
                        }
                        ProviderError::Unreachable(_) => FaultKind::Unreachable,
                        ProviderError::Garbage(_) => FaultKind::Garbage,
                        ProviderError::Refused { .. } => FaultKind::Refused,
                    };
                    broke_off |= matches!(kind, FaultKind::RateLimited | FaultKind::Unreachable);
                    // A contract that takes a call back is no node's fault, nor is what a node
                    // was built without.
                    let optional = matches!(method, "eth_call" | "debug_traceTransaction");
                    if kind != FaultKind::Refused || !optional {
                        self.fault(place, kind);
                    }
                }
            }
        }
        self.cut_off |= broke_off && answers.is_empty();
        answers
    }

    fn agreed<T: ToString>(
        &mut self,
        what: &str,
        method: &str,
        parameters: &Value,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Agreed<T>> {
        let answers = self.ask(method, parameters, None, read);
        agree(what, answers, ToString::to_string)
    }

    fn fault(&mut self, place: usize, kind: FaultKind) {
        *self.faults.entry((place, kind)).or_default() += 1;
    }

    fn wait(&self, reason: &str) -> Step {
        Step::Wait {
            pause: Duration::from_secs(self.rest.unwrap_or(SLOT)),
            reason: Some(reason.to_owned()),
            sooner: self.rest.is_none(),
        }
    }

    fn tie(&self, reason: &str) -> Step {
        Step::Wait {
            pause: Duration::from_secs(self.rest.unwrap_or(SLOT)),
            reason: Some(reason.to_owned()),
            sooner: false,
        }
    }
}

fn quantity(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => u64::from_str_radix(text.strip_prefix("0x")?, 16).ok(),
        _ => None,
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_ascii_lowercase())
}

/// What receipts are compared by: what took effect, what was created, what was logged. Prices and the
/// like differ between nodes' versions.
fn mark(receipts: &Value) -> String {
    let parts: Vec<Value> = receipts
        .as_array()
        .into_iter()
        .flatten()
        .map(|receipt| {
            let logs: Vec<Value> = receipt
                .get("logs")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|log| json!([log.get("address"), log.get("topics"), log.get("data")]))
                .collect();
            json!([
                receipt.get("transactionHash"),
                receipt.get("status"),
                receipt.get("contractAddress"),
                logs
            ])
        })
        .collect();
    keccak256(json!(parts).to_string().to_ascii_lowercase()).to_string()
}

/// The bloom filter of all logs. `None` where one cannot be read.
fn bloom_of(receipts: &[Value]) -> Option<Bloom> {
    let mut bloom = Bloom::ZERO;
    for log in receipts
        .iter()
        .filter_map(|receipt| receipt.get("logs")?.as_array())
        .flatten()
    {
        let address: Address = log.get("address")?.as_str()?.parse().ok()?;
        bloom.accrue(BloomInput::Raw(address.as_slice()));
        for topic in log.get("topics")?.as_array()? {
            let topic: B256 = topic.as_str()?.parse().ok()?;
            bloom.accrue(BloomInput::Raw(topic.as_slice()));
        }
    }
    Some(bloom)
}
