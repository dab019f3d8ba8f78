//! The groups of one correlation in one partition.

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::compile::Compiled;
use super::feed::group_hash;
use super::item::{Amount, Item, Items, Moment, Reference};
use super::recency::Recency;
use super::waiting::Waiting;
use super::window::{Step, Window};

/// How many records of a match are told.
const RECORDS: usize = 16;

/// The most that a table may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) groups: usize,
    pub(crate) entries: usize,
}

/// What comes of folding.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// For the correlations that refer to this one.
    pub(crate) fed: Items,
    pub(crate) closed: Vec<Closed>,
    /// Groups that were let go, and when.
    pub(crate) let_go: Vec<(u32, Box<[u8]>, Moment)>,
    pub(crate) unreadable: u64,
}

/// A match that is over.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) over: Moment,
    pub(crate) correlation: u32,
    pub(crate) key: Box<[u8]>,
    pub(crate) episode: Episode,
}

/// A condition that holds, from the first time to the last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) time: Moment,
    pub(crate) until: Moment,
    pub(crate) number: f64,
    pub(crate) held: u64,
    pub(crate) records: Vec<Reference>,
}

/// One group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    window: Window,
    /// The latest records, oldest first.
    recent: VecDeque<(Moment, Reference)>,
    /// When the time span began, where it is decided at its end.
    opened: Moment,
    episode: Option<Box<Episode>>,
    /// What to tell other correlations, where the time span is decided at its end.
    carried: Vec<u8>,
}

/// The place of a group. When it is free, its memory is kept for the next group.
#[derive(Debug)]
struct Slot {
    hash: u64,
    key: Vec<u8>,
    last: Moment,
    entries: usize,
    is_free: bool,
    group: Group,
}

/// Groups by key, in the order in which they were last seen.
#[derive(Debug)]
pub(crate) struct Table {
    correlation: u32,
    pub(crate) waiting: Waiting,
    slots: Vec<Slot>,
    free: Vec<u32>,
    found: HashTable<u32>,
    recency: Recency,
    entries: usize,
    /// When a time span, or a condition that holds, will be over.
    due: BTreeSet<(Moment, u32)>,
}

/// A group as it is saved: its key, when it was last seen, what it holds.
pub(crate) type SavedGroup = (Box<[u8]>, Moment, Group);

impl Table {
    /// An empty one, at which items wait for so long.
    pub(crate) fn new(correlation: usize, lateness: Moment) -> Self {
        Self {
            correlation: correlation as u32,
            waiting: Waiting::new(lateness),
            slots: Vec::new(),
            free: Vec::new(),
            found: HashTable::new(),
            recency: Recency::new(),
            entries: 0,
            due: BTreeSet::new(),
        }
    }

    /// Folds what is pending from before `watermark`, and closes what is over by then.
    pub(crate) fn run(
        &mut self,
        watermark: Moment,
        compiled: &Compiled,
        limits: Limits,
        output: &mut Output,
    ) {
        for stretch in self.waiting.take_before(watermark) {
            stretch.each(|item| self.take(&item, compiled, limits, output));
        }
        self.close(watermark, compiled, output);
        self.expire(watermark, compiled);
    }

    fn take(&mut self, item: &Item<'_>, compiled: &Compiled, limits: Limits, output: &mut Output) {
        let (time, reference) = (item.time, item.reference);
        self.close(time, compiled, output);
        self.expire(time, compiled);
        let Some(part) = item.part() else { return };
        if matches!(part.amount, Amount::Unreadable) {
            output.unreadable += 1;
            return;
        }
        let at = self.touch(item.hash(), part.key, time, compiled, limits, output);
        let Some(slot) = self.slots.get_mut(at as usize) else {
            return;
        };
        let group = &mut slot.group;
        let is_counted = group.recent.back() == Some(&(time, reference));
        if is_counted && compiled.counts_records() {
            return;
        }
        let earliest = if compiled.slides {
            let earliest = time.saturating_sub(compiled.timespan);
            group.window.expire(earliest, compiled);
            earliest
        } else {
            if group.recent.is_empty() {
                group.opened = time;
                self.due
                    .insert((time.saturating_add(compiled.timespan), at));
            }
            Moment::MIN
        };
        let step = Step {
            time,
            reference,
            position: item.position(),
            amount: part.amount,
        };
        group.window.add(step, compiled);
        if !is_counted {
            if group.recent.len() >= RECORDS {
                group.recent.pop_front();
            }
            group.recent.push_back((time, reference));
        }
        if !compiled.slides {
            group.carried.clear();
            group.carried.extend_from_slice(part.carried);
        } else if let (number, true) = group.window.measure(earliest, compiled) {
            output.fed.push_parts(time, reference, part.carried);
            if compiled.shows && group.hold(time, number, earliest) {
                self.due
                    .insert((time.saturating_add(compiled.timespan), at));
            }
        }
        let entries = slot.group.window.entries();
        self.entries = self.entries + entries - slot.entries;
        slot.entries = entries;
        while self.entries > limits.entries
            && let Some(oldest) = self.recency.oldest()
        {
            self.let_go(oldest, time, output);
            if oldest == at {
                break;
            }
        }
    }

    /// The slot of a group, which is then the one seen last. Makes room for it where there is none.
    fn touch(
        &mut self,
        hash: u64,
        key: &[u8],
        time: Moment,
        compiled: &Compiled,
        limits: Limits,
        output: &mut Output,
    ) -> u32 {
        let slots = &self.slots;
        let is_it = |at: &u32| matches!(slots.get(*at as usize), Some(slot) if slot.hash == hash && slot.key == key);
        if let Some(at) = self.found.find(hash, is_it).copied() {
            self.recency.touch(at);
            if let Some(slot) = self.slots.get_mut(at as usize) {
                slot.last = time;
            }
            return at;
        }
        while self.found.len() >= limits.groups.max(1)
            && let Some(oldest) = self.recency.oldest()
        {
            self.let_go(oldest, time, output);
        }
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.slots.push(Slot {
                    hash,
                    key: Vec::new(),
                    last: time,
                    entries: 0,
                    is_free: true,
                    group: Group {
                        window: Window::new(compiled),
                        recent: VecDeque::new(),
                        opened: time,
                        episode: None,
                        carried: Vec::new(),
                    },
                });
                self.slots.len() as u32 - 1
            }
        };
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.key.extend_from_slice(key);
            slot.hash = hash;
            slot.last = time;
            slot.group.opened = time;
        }
        self.enter(at);
        at
    }

    /// Lets a slot that was free be found, as the one seen last.
    fn enter(&mut self, at: u32) {
        let Some(slot) = self.slots.get_mut(at as usize) else {
            return;
        };
        slot.is_free = false;
        slot.entries = slot.group.window.entries();
        self.entries += slot.entries;
        let hash = slot.hash;
        let slots = &self.slots;
        self.found.insert_unique(hash, at, |at| {
            slots.get(*at as usize).map_or(0, |slot| slot.hash)
        });
        self.recency.push(at);
    }

    /// Takes a slot out of the table; what it holds is still there until [`Table::free`].
    fn remove(&mut self, at: u32) -> Option<&mut Slot> {
        self.recency.remove(at);
        let slot = self
            .slots
            .get_mut(at as usize)
            .filter(|slot| !slot.is_free)?;
        self.entries -= slot.entries;
        if let Ok(entry) = self.found.find_entry(slot.hash, |other| *other == at) {
            entry.remove();
        }
        Some(slot)
    }

    /// Lets another group have a slot that was removed.
    fn free(&mut self, at: u32) {
        if let Some(slot) = self.slots.get_mut(at as usize).filter(|slot| !slot.is_free) {
            slot.is_free = true;
            slot.key.clear();
            slot.group.clear();
            self.free.push(at);
        }
    }

    /// Forgets a group for want of room. A condition that holds is told all the same.
    fn let_go(&mut self, at: u32, time: Moment, output: &mut Output) {
        let correlation = self.correlation;
        let Some(slot) = self.remove(at) else {
            return;
        };
        let key = slot.key.as_slice();
        if let Some(episode) = slot.group.episode.take() {
            output.closed.push(Closed {
                over: time,
                correlation,
                key: key.into(),
                episode: *episode,
            });
        }
        output.let_go.push((correlation, key.into(), time));
        self.free(at);
    }

    /// Closes what is over before `now`, in order.
    fn close(&mut self, now: Moment, compiled: &Compiled, output: &mut Output) {
        while let Some((over, at)) = self.due.first().copied().filter(|(over, _)| *over < now) {
            self.due.pop_first();
            let Some(slot) = self.slots.get_mut(at as usize).filter(|slot| !slot.is_free) else {
                continue;
            };
            if !compiled.slides {
                // The slot may be another group's by now.
                if slot.group.opened.saturating_add(compiled.timespan) == over {
                    self.decide(at, over, compiled, output);
                }
                continue;
            }
            let Some(episode) = &slot.group.episode else {
                continue;
            };
            let ends = episode.until.saturating_add(compiled.timespan);
            if ends > over {
                self.due.insert((ends, at));
            } else if ends == over
                && let Some(episode) = slot.group.episode.take()
            {
                output.closed.push(Closed {
                    over,
                    correlation: self.correlation,
                    key: slot.key.as_slice().into(),
                    episode: *episode,
                });
            }
        }
    }

    /// Decides a time span that is over; its group begins anew with its next record.
    fn decide(&mut self, at: u32, over: Moment, compiled: &Compiled, output: &mut Output) {
        let correlation = self.correlation;
        let Some(slot) = self.remove(at) else {
            return;
        };
        if let (number, true) = slot.group.window.measure(Moment::MIN, compiled) {
            let records = slot.group.records(Moment::MIN);
            let reference = records.last().copied().unwrap_or_default();
            output.fed.push_parts(over, reference, &slot.group.carried);
            if compiled.shows {
                output.closed.push(Closed {
                    over,
                    correlation,
                    key: slot.key.as_slice().into(),
                    episode: Episode {
                        time: over,
                        until: over,
                        number,
                        held: 1,
                        records,
                    },
                });
            }
        }
        self.free(at);
    }

    /// Forgets groups of which nothing counts any more.
    fn expire(&mut self, now: Moment, compiled: &Compiled) {
        while let Some(oldest) = self.recency.oldest()
            && let Some(slot) = self.slots.get(oldest as usize)
        {
            if slot.last.saturating_add(compiled.timespan) >= now {
                return;
            }
            self.remove(oldest);
            self.free(oldest);
        }
    }

    /// The groups, the one seen longest ago first.
    pub(crate) fn save(&self) -> Vec<SavedGroup> {
        let slots = self.recency.iter();
        slots
            .filter_map(|at| self.slots.get(at as usize))
            .map(|slot| (slot.key.as_slice().into(), slot.last, slot.group.clone()))
            .collect()
    }

    /// Takes up groups again, in the order in which they were saved.
    pub(crate) fn restore(&mut self, group: SavedGroup, compiled: &Compiled) {
        let (key, last, group) = group;
        let ends = match (&group.episode, compiled.slides) {
            (Some(episode), true) => Some(episode.until),
            (None, true) => None,
            (_, false) => Some(group.opened),
        };
        let at = self.slots.len() as u32;
        self.slots.push(Slot {
            hash: group_hash(&key),
            key: key.into_vec(),
            last,
            entries: 0,
            is_free: true,
            group,
        });
        self.enter(at);
        if let Some(ends) = ends {
            self.due
                .insert((ends.saturating_add(compiled.timespan), at));
        }
    }
}

impl Group {
    /// As new, but for the memory that it has.
    fn clear(&mut self) {
        self.window.clear();
        self.recent.clear();
        self.episode = None;
        self.carried.clear();
    }

    /// The condition holds; true where it did not before. What was over by now is closed already.
    fn hold(&mut self, time: Moment, number: f64, earliest: Moment) -> bool {
        if let Some(episode) = &mut self.episode {
            episode.until = time;
            episode.held += 1;
            return false;
        }
        let records = self.records(earliest);
        self.episode = Some(Box::new(Episode {
            time,
            until: time,
            number,
            held: 1,
            records,
        }));
        true
    }

    fn records(&self, earliest: Moment) -> Vec<Reference> {
        let mut records = self.window.records(earliest).unwrap_or_else(|| {
            self.recent
                .iter()
                .filter(|(time, _)| *time >= earliest)
                .map(|(_, reference)| *reference)
                .collect()
        });
        let skipped = records.len().saturating_sub(RECORDS);
        records.drain(..skipped);
        records
    }
}
