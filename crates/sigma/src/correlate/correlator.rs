use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::item::{Item, Items, Moment, Reference, values};
use super::plan::Plan;
use super::saved::{RestoreError, Saved, SavedTable};
use super::table::{Closed, Limits, Output, Table};

/// In how many parts the groups are kept. It never changes with the number of threads, for bounds
/// are kept by part.
const PARTITIONS: usize = 32;
/// Fewer items than this are not worth being folded.
const WORTHWHILE: usize = 16_384;
/// How many groups that were let go are named.
const NAMED: usize = 1_000;

/// How much a correlator may keep, and how late an item may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How much earlier than the latest item so far another may be, in microseconds. One that is
    /// earlier still is not folded, and counted in [`Account::late`].
    pub lateness: i64,
    /// How many groups each correlation keeps. Those seen longest ago are let go first.
    pub groups: usize,
    /// How many entries each correlation keeps over all of its groups: times, values, numbers.
    pub entries: usize,
    /// On how many threads items are folded. It changes no output.
    pub threads: usize,
}

impl Default for Bounds {
    /// A day late, a million groups, ten million entries, one thread.
    fn default() -> Self {
        Self {
            lateness: 86_400_000_000,
            groups: 1_000_000,
            entries: 10_000_000,
            threads: 1,
        }
    }
}

/// A correlation that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The correlation's number.
    pub correlation: usize,
    /// When its condition first held, in microseconds since the epoch; where it is decided when the
    /// time span is over, the end of that.
    pub time: i64,
    /// When it last held. While it holds again within a time span, it is one match.
    pub until: i64,
    /// The fields of `group-by` and their values.
    pub group: Vec<(Arc<str>, String)>,
    /// The count or measure when the condition first held.
    pub number: f64,
    /// With how many records it held.
    pub held: u64,
    /// The records with which it first held, oldest first: the latest sixteen of them.
    pub records: Vec<Reference>,
}

/// A group that was forgotten because a bound was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetGo {
    /// The correlation's number.
    pub correlation: usize,
    /// The values of its `group-by`.
    pub group: Vec<String>,
    /// The time of the item that needed the room.
    pub time: i64,
}

/// What a correlator could not do as it should.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Items that came later than the bound, and were not folded.
    pub late: u64,
    /// Items whose value is no number where one is added up or ranked.
    pub unreadable: u64,
    /// How many groups were let go. What they held until then counts no more.
    pub let_go: u64,
    /// The first thousand of them.
    pub named: Vec<LetGo>,
}

/// Folds items in order of event time, and tells what correlations make of them.
#[derive(Debug)]
pub struct Correlator {
    plan: Arc<Plan>,
    bounds: Bounds,
    /// By partition, then by correlation.
    partitions: Vec<Vec<Table>>,
    /// The latest time seen.
    newest: Moment,
    /// How many items wait, and from how many on they are folded.
    waiting: usize,
    worthwhile: usize,
    account: Account,
}

impl Correlator {
    /// One that has seen nothing.
    pub fn new(plan: Arc<Plan>, bounds: Bounds) -> Self {
        let table = |correlation| Table::new(correlation, bounds.lateness.max(0));
        let tables = || (0..plan.compiled.len()).map(table).collect();
        Self {
            partitions: std::iter::repeat_with(tables).take(PARTITIONS).collect(),
            plan,
            bounds,
            newest: Moment::MIN,
            waiting: 0,
            worthwhile: WORTHWHILE,
            account: Account::default(),
        }
    }

    /// Takes items, in any order within the allowed lateness, and adds to `matches` those that are
    /// over by then.
    ///
    /// When matches are told depends on how items come; which ones, and in which order, does not.
    pub fn fold(&mut self, items: &Items, matches: &mut Vec<Match>) {
        for item in items.iter() {
            if item.time < self.watermark() {
                self.account.late += 1;
                continue;
            }
            self.newest = self.newest.max(item.time);
            if self.put(&item) {
                self.waiting += 1;
            }
        }
        if self.waiting >= self.worthwhile {
            self.settle(matches);
        }
    }

    /// Decides what the watermark has passed already. [`Correlator::fold`] does so by itself when
    /// enough waits; a caller does who wants to tell what is known by now.
    pub fn settle(&mut self, matches: &mut Vec<Match>) {
        self.run(self.watermark(), matches);
        self.worthwhile = (self.waiting * 2).max(WORTHWHILE);
    }

    /// A record that no rule matched: its time counts as seen.
    pub fn observe(&mut self, time: i64) {
        self.newest = self.newest.max(time);
    }

    /// Folds what still waits, and closes everything: the input is at its end.
    pub fn finish(&mut self, matches: &mut Vec<Match>) {
        self.run(Moment::MAX, matches);
    }

    /// What could not be done as it should.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Everything that it knows, to be restored later.
    pub fn save(&self) -> Saved {
        let tables = self.partitions.iter().flatten().enumerate();
        Saved {
            definition: self.plan.definition,
            newest: self.newest,
            account: self.account.clone(),
            tables: tables
                .map(|(number, table)| SavedTable {
                    correlation: (number % self.plan.compiled.len().max(1)) as u32,
                    waiting: table.waiting.save(),
                    groups: table.save(),
                })
                .filter(|table| !table.waiting.is_empty() || !table.groups.is_empty())
                .collect(),
        }
    }

    /// One that knows what another knew when it was saved, and gives the same output from there on.
    ///
    /// # Errors
    ///
    /// Where the correlations, or the rules that they look at, are not the same, or what was saved is
    /// damaged.
    pub fn restore(plan: Arc<Plan>, bounds: Bounds, saved: Saved) -> Result<Self, RestoreError> {
        if saved.definition != plan.definition {
            return Err(RestoreError::OtherRules);
        }
        let mut correlator = Self::new(plan.clone(), bounds);
        correlator.newest = saved.newest;
        correlator.account = saved.account;
        for table in saved.tables {
            let number = table.correlation as usize;
            let compiled = plan.get(number).ok_or(RestoreError::OtherRules)?;
            for group in table.groups {
                let partition = partition(super::feed::group_hash(&group.0));
                if let Some(into) = correlator.table(partition, number) {
                    into.restore(group, compiled);
                }
            }
            if !table.waiting.is_whole() {
                return Err(RestoreError::Damaged);
            }
            for item in table.waiting.iter() {
                let key = item.part().map(|part| part.key).unwrap_or_default();
                if item.hash() != super::feed::group_hash(key) {
                    return Err(RestoreError::Damaged);
                }
                if correlator.put(&item) {
                    correlator.waiting += 1;
                }
            }
        }
        correlator.worthwhile = (correlator.waiting * 2).max(WORTHWHILE);
        Ok(correlator)
    }

    fn watermark(&self) -> Moment {
        self.newest.saturating_sub(self.bounds.lateness.max(0))
    }

    fn table(&mut self, partition: usize, correlation: usize) -> Option<&mut Table> {
        self.partitions.get_mut(partition)?.get_mut(correlation)
    }

    /// Lets an item wait at its table.
    fn put(&mut self, item: &Item<'_>) -> bool {
        let correlation = item.correlation() as usize;
        match self.table(partition(item.hash()), correlation) {
            Some(table) => {
                table.waiting.push(item);
                true
            }
            None => false,
        }
    }

    fn run(&mut self, watermark: Moment, matches: &mut Vec<Match>) {
        let limits = Limits {
            groups: (self.bounds.groups / PARTITIONS).max(1),
            entries: (self.bounds.entries / PARTITIONS).max(1),
        };
        let mut closed = Vec::new();
        let mut let_go = Vec::new();
        for level in 0..self.plan.levels {
            for output in self.run_level(level, watermark, limits) {
                self.account.unreadable += output.unreadable;
                closed.extend(output.closed);
                let_go.extend(output.let_go);
                for item in output.fed.iter() {
                    self.put(&item);
                }
            }
        }
        self.waiting = self
            .partitions
            .iter()
            .flatten()
            .map(|table| table.waiting.count())
            .sum();
        let_go.sort_by(|(one, left, time), (other, right, then)| {
            (time, one, left).cmp(&(then, other, right))
        });
        self.account.let_go += let_go.len() as u64;
        let room = NAMED.saturating_sub(self.account.named.len());
        let named = let_go.into_iter().take(room);
        self.account
            .named
            .extend(named.map(|(correlation, key, time)| LetGo {
                correlation: correlation as usize,
                group: values(&key),
                time,
            }));
        closed.sort_by(|one: &Closed, other: &Closed| {
            (one.over, one.correlation, &one.key).cmp(&(other.over, other.correlation, &other.key))
        });
        let plan = self.plan.clone();
        matches.extend(closed.into_iter().filter_map(|closed| told(&plan, closed)));
    }

    /// Runs the tables of one level, on as many threads as there may be.
    fn run_level(&mut self, level: usize, watermark: Moment, limits: Limits) -> Vec<Output> {
        let plan = &*self.plan;
        let run = |tables: &mut Vec<Table>| {
            let mut output = Output::default();
            for (table, compiled) in tables.iter_mut().zip(&plan.compiled) {
                if let Some(compiled) = compiled.as_ref().filter(|one| one.level == level) {
                    table.run(watermark, compiled, limits, &mut output);
                }
            }
            output
        };
        let threads = self.bounds.threads.clamp(1, PARTITIONS);
        if threads == 1 {
            return self.partitions.iter_mut().map(run).collect();
        }
        let share = PARTITIONS.div_ceil(threads);
        std::thread::scope(|scope| {
            let parts: Vec<_> = self
                .partitions
                .chunks_mut(share)
                .map(|part| scope.spawn(move || part.iter_mut().map(run).collect::<Vec<_>>()))
                .collect();
            parts
                .into_iter()
                .flat_map(|part| match part.join() {
                    Ok(outputs) => outputs,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }
}

/// The part in which a group is kept. The table inside of it looks at the other bits of the hash.
fn partition(hash: u64) -> usize {
    (hash >> 40) as usize % PARTITIONS
}

fn told(plan: &Plan, closed: Closed) -> Option<Match> {
    let correlation = closed.correlation as usize;
    let compiled = plan.get(correlation)?;
    let names = compiled.group_by.iter().cloned();
    let episode = closed.episode;
    Some(Match {
        correlation,
        time: episode.time,
        until: episode.until,
        group: names.zip(values(&closed.key)).collect(),
        number: episode.number,
        held: episode.held,
        records: episode.records,
    })
}
