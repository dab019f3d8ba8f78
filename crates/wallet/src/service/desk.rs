//! The queues of several Safes, round by round.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use portreeve_model::Severity;
use serde_json::{Value, json};

use super::answer::{page, said};
use super::memory::{MOST, Memory};
use super::{Service, ServiceError};
use crate::safe::{Check, Expectations, Filed, Queue, Verification, queues_of, verify};

/// How many transactions are asked for at once: the most that the service gives.
const LIMIT: usize = 100;
/// After so many rounds of a Safe its whole history is read again: a nonce that is said to be used up hides nothing
/// for longer.
const WHOLE: u32 = 40;
/// The most checks of which is remembered that they were told.
const TOLD: usize = 200_000;

type Told = (
    Address,
    String,
    &'static str,
    Option<B256>,
    Option<Address>,
    Severity,
);

/// Reads queues and judges them. It neither waits nor knows the time.
#[derive(Debug)]
pub struct Desk<S> {
    service: S,
    safes: Vec<Address>,
    expectations: Expectations,
    memories: BTreeMap<Address, Memory>,
    told: BTreeSet<Told>,
    rounds: u32,
    /// With which Safe a round begins: the first that the last one did not come to.
    first: usize,
}

/// What a round came to.
#[derive(Clone, Debug)]
pub struct Round {
    /// What was judged in it: everything in the first, then what changed and what waits. None of a Safe of which
    /// nothing changed.
    pub queues: Vec<Queue>,
    /// What came of judging it.
    pub verification: Verification,
    /// The checks that were not told before, above informational.
    pub fresh: Vec<Check>,
    /// Safes whose queues could not be read, or not in whole.
    pub faults: Vec<Fault>,
    /// For how many seconds the service asks to be left alone.
    pub rest: Option<u64>,
    /// How many queues were read.
    pub read: usize,
}

/// A queue that was not seen, or not in whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of which Safe.
    pub safe: Address,
    /// Why, in plain words.
    pub reason: String,
    /// Whether nothing of it was taken.
    pub unread: bool,
}

/// A Safe's queue as it was read.
struct Read {
    queue: Queue,
    from: u64,
    faults: Vec<String>,
}

impl<S: Service> Desk<S> {
    /// A desk for these Safes.
    pub fn new(service: S, safes: Vec<Address>, expectations: Expectations) -> Self {
        Self {
            service,
            safes,
            expectations,
            memories: BTreeMap::new(),
            told: BTreeSet::new(),
            rounds: 0,
            first: 0,
        }
    }

    /// Reads all queues once, and judges what is new in them.
    pub fn round(&mut self) -> Round {
        let whole = self.rounds.is_multiple_of(WHOLE);
        self.rounds = self.rounds.wrapping_add(1);
        let mut queues = Vec::new();
        let (mut faults, mut gone) = (Vec::new(), Vec::new());
        let mut rest = None;
        let mut read = 0;
        for turn in 0..self.safes.len() {
            let place = (self.first + turn) % self.safes.len();
            let safe = self.safes[place];
            if rest.is_some() {
                faults.push(Fault {
                    safe,
                    reason: "not asked, since the service asks to be called less often".to_owned(),
                    unread: true,
                });
                continue;
            }
            match self.read(safe, whole) {
                Ok(Read {
                    mut queue,
                    from,
                    faults: told,
                }) => {
                    read += 1;
                    faults.extend(told.into_iter().map(|reason| Fault {
                        safe,
                        reason,
                        unread: false,
                    }));
                    let memory = self.memories.entry(safe).or_default();
                    let filed = std::mem::take(&mut queue.transactions);
                    let (changed, withdrawn) = memory.take(safe, from, filed);
                    gone.extend(withdrawn);
                    if !changed.is_empty() {
                        queue.transactions = memory.judged(&changed);
                        queues.push(queue);
                    }
                }
                Err(error) => {
                    if let ServiceError::RateLimited { seconds } = error {
                        rest = Some(seconds.unwrap_or_default());
                        self.first = place;
                    }
                    faults.push(Fault {
                        safe,
                        reason: error.to_string(),
                        unread: true,
                    });
                }
            }
        }
        let verification = verify(&queues, &self.expectations);
        if self.told.len() > TOLD {
            self.told.clear();
        }
        let checks = gone.into_iter().chain(verification.checks.iter().cloned());
        let fresh = checks
            .filter(|check| check.severity > Severity::Informational)
            .filter(|check| {
                self.told.insert((
                    check.safe,
                    check.nonce.clone(),
                    check.id,
                    check.hash,
                    check.owner,
                    check.severity,
                ))
            })
            .collect();
        Round {
            queues,
            verification,
            fresh,
            faults,
            rest,
            read,
        }
    }

    fn read(&mut self, safe: Address, whole: bool) -> Result<Read, ServiceError> {
        let said = said(&self.service.get(&format!("/api/v1/safes/{safe}/"))?, safe)?;
        let memory = self.memories.entry(safe).or_default();
        let whole = whole || !memory.whole;
        let from = match whole {
            true => 0,
            false => memory.from(said.nonce),
        };
        let (mut entries, mut complete) = self.pages(safe, from)?;
        if let Gap::Counted { .. } = complete {
            // Between two pages something was filed or taken away: once more.
            (entries, complete) = self.pages(safe, from)?;
        }
        let mut faults = Vec::new();
        match complete {
            Gap::None => {}
            Gap::Counted { counted, given } => faults.push(format!(
                "the service counts {counted} transactions and gives {given}: some are not seen"
            )),
            Gap::Most => faults.push(format!(
                "the service has more than {MOST} transactions: the oldest are not seen"
            )),
        }
        let mut document = json!({"safe": said.document});
        document["transactions"] = Value::Array(entries);
        let (queue, left_out) = filed(&document, safe);
        faults.extend(left_out);
        if let Some(memory) = self.memories.get_mut(&safe) {
            memory.whole = true;
        }
        Ok(Read {
            queue,
            from,
            faults,
        })
    }

    /// All pages from a nonce on.
    fn pages(&mut self, safe: Address, from: u64) -> Result<(Vec<Value>, Gap), ServiceError> {
        let mut query = format!("limit={LIMIT}");
        if from > 0 {
            query.push_str(&format!("&nonce__gte={from}"));
        }
        let mut asked = BTreeSet::new();
        let mut entries = Vec::new();
        let counted = loop {
            let path = format!("/api/v1/safes/{safe}/multisig-transactions/?{query}");
            let page = page(&self.service.get(&path)?)?;
            entries.extend(page.entries);
            asked.insert(query);
            match page.next {
                None => break page.count,
                Some(next) if asked.contains(&next) => {
                    return Err(ServiceError::Garbage(
                        "its pages lead back to one that was read".to_owned(),
                    ));
                }
                Some(_) if entries.len() >= MOST || asked.len() > MOST / LIMIT => {
                    entries.truncate(MOST);
                    return Ok((entries, Gap::Most));
                }
                Some(next) => query = next,
            }
        };
        let given = entries.len() as u64;
        let gap = match counted {
            Some(counted) if counted > given => Gap::Counted { counted, given },
            _ => Gap::None,
        };
        Ok((entries, gap))
    }
}

/// What is missing of all pages.
enum Gap {
    None,
    Counted { counted: u64, given: u64 },
    Most,
}

/// The transactions of a Safe, and what of the answer is none.
fn filed(document: &Value, safe: Address) -> (Queue, Vec<String>) {
    let mut faults = Vec::new();
    let read = queues_of(document);
    let (mut queues, errors) = read.unwrap_or_else(|error| (Vec::new(), vec![error]));
    let empty = document["transactions"]
        .as_array()
        .is_none_or(Vec::is_empty);
    if !empty {
        faults.extend(
            errors
                .iter()
                .map(|error| format!("{error}; it is left out")),
        );
    }
    let place = queues.iter().position(|queue| queue.safe == safe);
    let own = place.map(|place| queues.swap_remove(place));
    let others: usize = queues.iter().map(|queue| queue.transactions.len()).sum();
    if others > 0 {
        faults.push(format!(
            "{others} transactions are of another Safe and are left out"
        ));
    }
    let queue = own.unwrap_or(Queue {
        safe,
        chain: None,
        version: None,
        owners: Vec::new(),
        threshold: None,
        transactions: Vec::<Filed>::new(),
    });
    (queue, faults)
}
