//! The groups of one correlation in one partition.

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::compile::Compiled;
use super::item::{Amount, Item, Moment, Part, Reference};
use super::plan::group_hash;
use super::window::{Step, Window};

/// How many records of a match are told.
const RECORDS: usize = 16;
/// No slot.
const NONE: u32 = u32::MAX;

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
    pub(crate) fed: Vec<Item>,
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
    episode: Option<Episode>,
    /// What to tell other correlations, where the time span is decided at its end.
    carried: Box<[Part]>,
    /// The record that was counted last.
    counted: Option<(Moment, Reference)>,
}

#[derive(Debug)]
struct Slot {
    hash: u64,
    key: Box<[u8]>,
    last: Moment,
    entries: usize,
    before: u32,
    behind: u32,
    group: Group,
}

/// Groups by key, in the order in which they were last seen.
#[derive(Debug)]
pub(crate) struct Table {
    correlation: u32,
    pub(crate) pending: Vec<Item>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    found: HashTable<u32>,
    oldest: u32,
    newest: u32,
    entries: usize,
    /// When a time span, or a condition that holds, will be over.
    due: BTreeSet<(Moment, u32)>,
}

/// A group as it is saved: its key, when it was last seen, what it holds.
pub(crate) type SavedGroup = (Box<[u8]>, Moment, Group);

impl Table {
    pub(crate) fn new(correlation: usize) -> Self {
        Self {
            correlation: correlation as u32,
            pending: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            found: HashTable::new(),
            oldest: NONE,
            newest: NONE,
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
        if !self.pending.is_empty() {
            self.pending.sort_by_key(Item::order);
            let ready = self.pending.partition_point(|item| item.time < watermark);
            let rest = self.pending.split_off(ready);
            for item in std::mem::replace(&mut self.pending, rest) {
                self.take(item, compiled, limits, output);
            }
        }
        self.close(watermark, compiled, output);
        self.expire(watermark, compiled);
    }

    fn take(&mut self, item: Item, compiled: &Compiled, limits: Limits, output: &mut Output) {
        let (time, reference) = (item.time, item.reference);
        self.close(time, compiled, output);
        self.expire(time, compiled);
        if item.part.amount == Amount::Unreadable {
            output.unreadable += 1;
            return;
        }
        let Part {
            position,
            amount,
            hash,
            key,
            carried,
            ..
        } = item.part;
        let at = self.touch(hash, key, time, compiled, limits, output);
        let Some(Some(slot)) = self.slots.get_mut(at as usize) else {
            return;
        };
        let group = &mut slot.group;
        if compiled.counts_records() {
            if group.counted == Some((time, reference)) {
                return;
            }
            group.counted = Some((time, reference));
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
            position,
            amount,
        };
        group.window.add(step, compiled);
        if group.recent.back() != Some(&(time, reference)) {
            group.recent.push_back((time, reference));
        }
        if group.recent.len() > RECORDS {
            group.recent.pop_front();
        }
        if !compiled.slides {
            group.carried = carried;
        } else if let (number, true) = group.window.measure(earliest, compiled) {
            for part in carried {
                output.fed.push(Item {
                    time,
                    reference,
                    part,
                });
            }
            if compiled.shows && group.hold(time, number, earliest) {
                self.due
                    .insert((time.saturating_add(compiled.timespan), at));
            }
        }
        let entries = slot.group.window.entries();
        self.entries = self.entries + entries - slot.entries;
        slot.entries = entries;
        while self.entries > limits.entries && self.oldest != NONE {
            let alone = self.oldest == at;
            self.let_go(self.oldest, time, output);
            if alone {
                break;
            }
        }
    }

    /// The slot of a group, which is then the one seen last. Makes room for it where there is none.
    fn touch(
        &mut self,
        hash: u64,
        key: Box<[u8]>,
        time: Moment,
        compiled: &Compiled,
        limits: Limits,
        output: &mut Output,
    ) -> u32 {
        let slots = &self.slots;
        let is_it = |at: &u32| matches!(slots.get(*at as usize), Some(Some(slot)) if slot.hash == hash && slot.key == key);
        if let Some(at) = self.found.find(hash, is_it).copied() {
            if at != self.newest {
                self.unlink(at);
                self.link(at);
            }
            if let Some(Some(slot)) = self.slots.get_mut(at as usize) {
                slot.last = time;
            }
            return at;
        }
        while self.found.len() >= limits.groups.max(1) && self.oldest != NONE {
            self.let_go(self.oldest, time, output);
        }
        let group = Group {
            window: Window::new(compiled),
            recent: VecDeque::new(),
            opened: time,
            episode: None,
            carried: Box::default(),
            counted: None,
        };
        self.insert(hash, key, time, group)
    }

    fn insert(&mut self, hash: u64, key: Box<[u8]>, last: Moment, group: Group) -> u32 {
        let entries = group.window.entries();
        self.entries += entries;
        let slot = Slot {
            hash,
            key,
            last,
            entries,
            before: NONE,
            behind: NONE,
            group,
        };
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.slots.push(None);
                self.slots.len() as u32 - 1
            }
        };
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = Some(slot);
        }
        let slots = &self.slots;
        self.found.insert_unique(hash, at, |at| {
            slots
                .get(*at as usize)
                .and_then(Option::as_ref)
                .map_or(0, |slot| slot.hash)
        });
        self.link(at);
        at
    }

    /// Puts a slot behind the newest.
    fn link(&mut self, at: u32) {
        let before = self.newest;
        if let Some(Some(slot)) = self.slots.get_mut(at as usize) {
            slot.before = before;
            slot.behind = NONE;
        }
        match self.slots.get_mut(before as usize) {
            Some(Some(slot)) => slot.behind = at,
            _ => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let Some(Some(slot)) = self.slots.get(at as usize) else {
            return;
        };
        let (before, behind) = (slot.before, slot.behind);
        match self.slots.get_mut(before as usize) {
            Some(Some(slot)) => slot.behind = behind,
            _ => self.oldest = behind,
        }
        match self.slots.get_mut(behind as usize) {
            Some(Some(slot)) => slot.before = before,
            _ => self.newest = before,
        }
    }

    fn remove(&mut self, at: u32) -> Option<Slot> {
        self.unlink(at);
        let slot = self.slots.get_mut(at as usize)?.take()?;
        self.entries -= slot.entries;
        if let Ok(entry) = self.found.find_entry(slot.hash, |other| *other == at) {
            entry.remove();
        }
        self.free.push(at);
        Some(slot)
    }

    /// Forgets a group for want of room. A condition that holds is told all the same.
    fn let_go(&mut self, at: u32, time: Moment, output: &mut Output) {
        let Some(slot) = self.remove(at) else {
            return;
        };
        if let Some(episode) = slot.group.episode {
            output.closed.push(Closed {
                over: time,
                correlation: self.correlation,
                key: slot.key.clone(),
                episode,
            });
        }
        output.let_go.push((self.correlation, slot.key, time));
    }

    /// Closes what is over before `now`, in order.
    fn close(&mut self, now: Moment, compiled: &Compiled, output: &mut Output) {
        while let Some((over, at)) = self.due.first().copied().filter(|(over, _)| *over < now) {
            self.due.pop_first();
            let Some(Some(slot)) = self.slots.get_mut(at as usize) else {
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
                    key: slot.key.clone(),
                    episode,
                });
            }
        }
    }

    /// Decides a time span that is over; its group begins anew with its next record.
    fn decide(&mut self, at: u32, over: Moment, compiled: &Compiled, output: &mut Output) {
        let Some(slot) = self.remove(at) else {
            return;
        };
        let (number, true) = slot.group.window.measure(Moment::MIN, compiled) else {
            return;
        };
        let records = slot.group.records(Moment::MIN);
        let reference = records.last().copied().unwrap_or_default();
        for part in slot.group.carried {
            output.fed.push(Item {
                time: over,
                reference,
                part,
            });
        }
        if compiled.shows {
            output.closed.push(Closed {
                over,
                correlation: self.correlation,
                key: slot.key,
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

    /// Forgets groups of which nothing counts any more.
    fn expire(&mut self, now: Moment, compiled: &Compiled) {
        while let Some(Some(slot)) = self.slots.get(self.oldest as usize) {
            if slot.last.saturating_add(compiled.timespan) >= now {
                return;
            }
            self.remove(self.oldest);
        }
    }

    /// The groups, the one seen longest ago first.
    pub(crate) fn save(&self) -> Vec<SavedGroup> {
        let mut groups = Vec::with_capacity(self.found.len());
        let mut at = self.oldest;
        while let Some(Some(slot)) = self.slots.get(at as usize) {
            groups.push((slot.key.clone(), slot.last, slot.group.clone()));
            at = slot.behind;
        }
        groups
    }

    /// Takes up groups again, in the order in which they were saved.
    pub(crate) fn restore(&mut self, group: SavedGroup, compiled: &Compiled) {
        let (key, last, group) = group;
        let ends = match (&group.episode, compiled.slides) {
            (Some(episode), true) => Some(episode.until),
            (None, true) => None,
            (_, false) => Some(group.opened),
        };
        let at = self.insert(group_hash(&key), key, last, group);
        if let Some(ends) = ends {
            self.due
                .insert((ends.saturating_add(compiled.timespan), at));
        }
    }
}

impl Group {
    /// The condition holds; true where it did not before. What was over by now is closed already.
    fn hold(&mut self, time: Moment, number: f64, earliest: Moment) -> bool {
        if let Some(episode) = &mut self.episode {
            episode.until = time;
            episode.held += 1;
            return false;
        }
        let records = self.records(earliest);
        self.episode = Some(Episode {
            time,
            until: time,
            number,
            held: 1,
            records,
        });
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
