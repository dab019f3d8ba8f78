use hashbrown::HashTable;
use portreeve_model::Timestamp;
use portreeve_model::state::{Change, DROPPED_EXAMPLES, Dropped, Reader, StateError, Writer};
use sha2::{Digest, Sha256};

use super::item::{DAY, Moment, moment};

/// What is remembered of one entity.
pub(crate) trait Entry: Clone + Default + std::fmt::Debug + Send {
    /// Writes it for saving.
    fn write(&self, writer: &mut Writer);
    /// Reads what was saved.
    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError>;
    /// Names the records that it may yet give as evidence.
    fn records(&self, _take: &mut dyn FnMut(u64)) {}
}

/// A table as the engine sees it, whatever its entries are.
pub(crate) trait Stored {
    /// Hands over what changed since the last call, in order of key, with keys that begin with
    /// `prefix`.
    fn changes(&mut self, prefix: &[u8], take: &mut dyn FnMut(Change));
    /// Takes an entry back.
    fn restore(&mut self, key: u64, value: &[u8]) -> Result<(), StateError>;
    /// Takes back what was saved of what was let go.
    fn restore_dropped(&mut self, value: &[u8]) -> Result<(), StateError>;
    /// Lets go what has lapsed by the beginning of a day.
    fn sweep(&mut self, day_start: Moment);
    /// Names the records that may yet be given as evidence.
    fn records(&self, take: &mut dyn FnMut(u64));
    /// What was let go because the bound bit.
    fn dropped(&self) -> Option<Dropped>;
    /// How many entities are remembered.
    fn len(&self) -> usize;
}

#[derive(Clone, Debug)]
struct Slot<E> {
    key: u64,
    /// Last activity.
    last: Moment,
    /// A hash of what was saved last; 0 where nothing was.
    saved: u64,
    dirty: bool,
    entry: E,
}

/// How many slots are allocated together.
const CHUNK: usize = 1024;

/// Slots by number, in chunks: a table of millions grows without being moved, and without a half
/// that stands empty.
#[derive(Clone, Debug)]
struct Slots<E> {
    chunks: Vec<Vec<Option<Slot<E>>>>,
    free: Vec<u32>,
}

impl<E> Slots<E> {
    fn get(&self, number: u32) -> Option<&Slot<E>> {
        let number = number as usize;
        self.chunks
            .get(number / CHUNK)?
            .get(number % CHUNK)?
            .as_ref()
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut Slot<E>> {
        let number = number as usize;
        self.chunks
            .get_mut(number / CHUNK)?
            .get_mut(number % CHUNK)?
            .as_mut()
    }

    fn key(&self, number: u32) -> u64 {
        self.get(number).map_or(0, |slot| slot.key)
    }

    fn insert(&mut self, slot: Slot<E>) -> u32 {
        if let Some(number) = self.free.pop() {
            let place = number as usize;
            self.chunks[place / CHUNK][place % CHUNK] = Some(slot);
            return number;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let last = self.chunks.len() - 1;
        self.chunks[last].push(Some(slot));
        (last * CHUNK + self.chunks[last].len() - 1) as u32
    }

    fn remove(&mut self, number: u32) -> Option<Slot<E>> {
        let place = number as usize;
        let slot = self
            .chunks
            .get_mut(place / CHUNK)?
            .get_mut(place % CHUNK)?
            .take();
        if slot.is_some() {
            self.free.push(number);
        }
        slot
    }

    fn iter(&self) -> impl Iterator<Item = &Slot<E>> {
        self.chunks.iter().flatten().flatten()
    }
}

/// Entities by key, bounded in number and in time. The key is a hash already, and spread evenly.
#[derive(Clone, Debug)]
pub(crate) struct Table<E> {
    /// Numbers of slots, by key.
    index: HashTable<u32>,
    slots: Slots<E>,
    /// Keys that changed since they were saved last, and some of them that are no more.
    dirty: Vec<u64>,
    /// Keys that are saved and are no more.
    gone: Vec<u64>,
    bound: usize,
    /// How long an entity is remembered after its last activity.
    life: Moment,
    /// No entity's last activity was before this.
    earliest: Moment,
    dropped: Lost,
    dropped_changed: bool,
}

#[derive(Clone, Debug, Default)]
struct Lost {
    count: u64,
    examples: Vec<u64>,
    latest: Option<Moment>,
}

impl<E: Entry> Table<E> {
    pub(crate) fn new(bound: usize, life: Moment) -> Self {
        Self {
            index: HashTable::new(),
            slots: Slots {
                chunks: Vec::new(),
                free: Vec::new(),
            },
            dirty: Vec::new(),
            gone: Vec::new(),
            bound: bound.max(1),
            life,
            earliest: Moment::MAX,
            dropped: Lost::default(),
            dropped_changed: false,
        }
    }

    fn number(&self, key: u64) -> Option<u32> {
        self.index
            .find(key, |number| self.slots.key(*number) == key)
            .copied()
    }

    fn add(&mut self, slot: Slot<E>) -> u32 {
        let key = slot.key;
        self.earliest = self.earliest.min(slot.last);
        let number = self.slots.insert(slot);
        let slots = &self.slots;
        self.index
            .insert_unique(key, number, |number| slots.key(*number));
        number
    }

    /// The entry of a key, new where nothing is remembered of it, which the caller changes.
    pub(crate) fn touch(&mut self, key: u64, time: Moment) -> &mut E {
        let number = match self.number(key) {
            Some(number) => number,
            None => {
                if self.index.len() >= self.bound {
                    self.let_go();
                }
                if self.dirty.len() >= 2 * self.index.len() + CHUNK {
                    self.forget_who_is_no_more();
                }
                self.add(Slot {
                    key,
                    last: time,
                    saved: 0,
                    dirty: false,
                    entry: E::default(),
                })
            }
        };
        let place = number as usize;
        // Every number in the index is that of a slot that is filled.
        let slot = self.slots.chunks[place / CHUNK][place % CHUNK].get_or_insert_with(|| Slot {
            key,
            last: time,
            saved: 0,
            dirty: false,
            entry: E::default(),
        });
        if slot.last.saturating_add(self.life) < time {
            slot.entry = E::default();
        }
        slot.last = slot.last.max(time);
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push(key);
        }
        &mut slot.entry
    }

    /// Reads what a use of the key will read; see [`Kind::expect`](super::kind::Kind::expect).
    pub(crate) fn expect(&self, key: u64) -> u64 {
        self.number(key).map_or(0, u64::from)
    }

    /// The entry of a key, to look at.
    pub(crate) fn get(&self, key: u64, time: Moment) -> Option<&E> {
        self.slots
            .get(self.number(key)?)
            .filter(|slot| slot.last.saturating_add(self.life) >= time)
            .map(|slot| &slot.entry)
    }

    /// All keys, in order.
    pub(crate) fn keys(&self) -> Vec<u64> {
        self.keys_of(|_| true)
    }

    /// Keys whose entries meet a condition, in order.
    pub(crate) fn keys_of(&self, wanted: impl Fn(&E) -> bool) -> Vec<u64> {
        let mut keys: Vec<u64> = self
            .slots
            .iter()
            .filter(|slot| wanted(&slot.entry))
            .map(|slot| slot.key)
            .collect();
        keys.sort_unstable();
        keys
    }

    /// The entry of a key that is remembered, to change, without counting as activity.
    pub(crate) fn change(&mut self, key: u64) -> Option<&mut E> {
        let slot = self.slots.get_mut(self.number(key)?)?;
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push(key);
        }
        Some(&mut slot.entry)
    }

    /// Lets a sixteenth go, the least recently active first, of equal ones the lowest key. Many at
    /// once, so that looking for them costs little each.
    fn let_go(&mut self) {
        let mut order: Vec<(Moment, u64)> = self
            .slots
            .iter()
            .map(|slot| (slot.last, slot.key))
            .collect();
        let count = (self.bound / 16).max(1).min(order.len());
        if count < order.len() {
            order.select_nth_unstable(count);
        }
        order.truncate(count);
        order.sort_unstable();
        for (last, key) in order {
            self.remove(key);
            self.dropped.count = self.dropped.count.saturating_add(1);
            self.dropped.latest = self.dropped.latest.max(Some(last));
            if self.dropped.examples.len() < DROPPED_EXAMPLES {
                self.dropped.examples.push(key);
            }
        }
        self.dropped_changed = true;
    }

    /// Where nothing is ever saved, as in the watch, whoever comes and goes would stay among what changed.
    fn forget_who_is_no_more(&mut self) {
        let mut keys = std::mem::take(&mut self.dirty);
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| {
            let slot = self.number(*key).and_then(|number| self.slots.get(number));
            slot.is_some_and(|slot| slot.dirty)
        });
        self.dirty = keys;
    }

    fn remove(&mut self, key: u64) {
        let slots = &self.slots;
        let found = self
            .index
            .find_entry(key, |number| slots.key(*number) == key);
        if let Ok(found) = found {
            let (number, _) = found.remove();
            if self
                .slots
                .remove(number)
                .is_some_and(|slot| slot.saved != 0)
            {
                self.gone.push(key);
            }
        }
    }
}

impl<E: Entry> Stored for Table<E> {
    fn changes(&mut self, prefix: &[u8], take: &mut dyn FnMut(Change)) {
        if std::mem::take(&mut self.dropped_changed) {
            let mut writer = Writer::new();
            writer
                .number(self.dropped.count)
                .signed(self.dropped.latest.unwrap_or(Moment::MIN))
                .list(self.dropped.examples.iter(), |writer, key| {
                    writer.hash(*key);
                });
            take((prefix.to_vec(), Some(writer.finish())));
        }
        let mut gone = std::mem::take(&mut self.gone);
        gone.sort_unstable();
        let mut keys = std::mem::take(&mut self.dirty);
        keys.extend(&gone);
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let full = || [prefix, &key.to_be_bytes()].concat();
            let number = self.number(key);
            let Some(slot) = number.and_then(|number| self.slots.get_mut(number)) else {
                // What was never saved goes without a word.
                if gone.binary_search(&key).is_ok() {
                    take((full(), None));
                }
                continue;
            };
            if !std::mem::take(&mut slot.dirty) {
                continue;
            }
            let mut writer = Writer::new();
            writer.signed(slot.last);
            slot.entry.write(&mut writer);
            let bytes = writer.finish();
            let hash = digest(&bytes);
            if hash != slot.saved {
                slot.saved = hash;
                take((full(), Some(bytes)));
            }
        }
    }

    fn restore(&mut self, key: u64, value: &[u8]) -> Result<(), StateError> {
        let mut reader = Reader::new(value);
        let last = moment(&mut reader)?;
        let entry = E::read(&mut reader)?;
        reader.end()?;
        let slot = Slot {
            key,
            last,
            saved: digest(value),
            dirty: false,
            entry,
        };
        match self.number(key) {
            Some(number) => {
                if let Some(known) = self.slots.get_mut(number) {
                    self.earliest = self.earliest.min(slot.last);
                    *known = slot;
                }
            }
            None => {
                self.add(slot);
            }
        }
        Ok(())
    }

    fn restore_dropped(&mut self, value: &[u8]) -> Result<(), StateError> {
        let mut reader = Reader::new(value);
        self.dropped = Lost {
            count: reader.number()?,
            latest: Some(reader.signed()?).filter(|latest| *latest != Moment::MIN),
            examples: reader.list(Reader::hash)?,
        };
        reader.end()
    }

    fn sweep(&mut self, day_start: Moment) {
        let Self {
            index,
            slots,
            gone,
            life,
            earliest,
            ..
        } = self;
        if earliest.saturating_add(*life) >= day_start {
            return;
        }
        *earliest = Moment::MAX;
        index.retain(|number| {
            let Some(slot) = slots.get(*number) else {
                return false;
            };
            let lives = slot.last.saturating_add(*life) >= day_start;
            if !lives {
                if slot.saved != 0 {
                    gone.push(slot.key);
                }
                slots.remove(*number);
            } else {
                *earliest = slot.last.min(*earliest);
            }
            lives
        });
    }

    fn records(&self, take: &mut dyn FnMut(u64)) {
        for slot in self.slots.iter() {
            slot.entry.records(take);
        }
    }

    fn dropped(&self) -> Option<Dropped> {
        (self.dropped.count > 0).then(|| Dropped {
            from: String::new(),
            bound: self.bound as u64,
            count: self.dropped.count,
            examples: self.dropped.examples.clone(),
            idle_since: self
                .dropped
                .latest
                .and_then(|latest| Timestamp::from_microsecond(latest).ok()),
        })
    }

    fn len(&self) -> usize {
        self.index.len()
    }
}

/// Eight bytes of the SHA-256, never 0: whoever chooses what is hashed must not be able to choose
/// the hash, or could pass for what is known.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    hash.first_chunk::<8>()
        .map_or(1, |first| u64::from_le_bytes(*first))
        .max(1)
}

/// The hash of two hashes in their order: that of a tuple, or of one thing within another.
pub(crate) fn join(left: u64, right: u64) -> u64 {
    let mut mixed = left.rotate_left(25) ^ right.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).max(1)
}

/// The first moment of the day that a moment is in.
pub(crate) fn day_start(time: Moment) -> Moment {
    time.div_euclid(DAY) * DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Count(u64);

    impl Entry for Count {
        fn write(&self, writer: &mut Writer) {
            writer.number(self.0);
        }
        fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
            Ok(Self(reader.number()?))
        }
    }

    #[test]
    fn the_least_recently_active_are_let_go_first() {
        let mut table = Table::<Count>::new(4, DAY);
        for (time, key) in [(1, 10), (2, 11), (3, 12), (4, 13), (5, 10), (6, 14)] {
            table.touch(key, time).0 += 1;
        }
        assert_eq!(table.keys(), [10, 12, 13, 14]);
        let dropped = table.dropped().unwrap();
        assert_eq!((dropped.count, dropped.examples), (1, vec![11]));
        assert_eq!(dropped.idle_since.map(Timestamp::as_microsecond), Some(2));
    }

    #[test]
    fn what_has_lapsed_is_forgotten_swept_or_not() {
        let mut table = Table::<Count>::new(4, DAY);
        table.touch(1, 0).0 = 5;
        table.touch(2, 0).0 = 5;
        assert!(table.get(1, DAY).is_some());
        assert!(table.get(1, DAY + 1).is_none());
        assert_eq!(table.touch(1, DAY + 1).0, 0);
        table.sweep(2 * DAY);
        assert_eq!(table.keys(), [1]);
        // The one that is left has moved on since; another came with an earlier time.
        table.touch(1, 5 * DAY).0 = 5;
        table.touch(3, 3 * DAY).0 = 5;
        table.sweep(5 * DAY);
        assert_eq!(table.keys(), [1]);
        table.sweep(7 * DAY);
        assert!(table.keys().is_empty());
    }

    #[test]
    fn what_was_never_saved_goes_without_a_word() {
        let mut table = Table::<Count>::new(4, DAY);
        let mut changes = Vec::new();
        table.touch(1, 0).0 = 5;
        table.touch(2, 0).0 = 5;
        table.sweep(3 * DAY);
        table.changes(&[7], &mut |change| changes.push(change));
        assert!(changes.is_empty());
        table.touch(1, 3 * DAY).0 = 5;
        table.changes(&[7], &mut |change| changes.push(change));
        assert_eq!(changes.len(), 1);
        table.sweep(9 * DAY);
        changes.clear();
        table.changes(&[7], &mut |change| changes.push(change));
        assert_eq!(changes, [(vec![7, 0, 0, 0, 0, 0, 0, 0, 1], None)]);
    }

    #[test]
    fn who_comes_and_goes_leaves_nothing_behind() {
        let mut table = Table::<Count>::new(4, DAY);
        table.touch(0, 0).0 = 1;
        for key in 1..100_000 {
            table.touch(0, 1).0 += 1;
            table.touch(key, 1).0 = key;
        }
        assert!(table.dirty.len() <= 2 * CHUNK, "{}", table.dirty.len());
        // Those that are left are saved all the same.
        let kept = table.keys();
        let mut saved = Vec::new();
        table.changes(&[], &mut |(key, value)| saved.push((key, value.is_some())));
        let expected: Vec<(Vec<u8>, bool)> = kept
            .iter()
            .map(|key| (key.to_be_bytes().to_vec(), true))
            .collect();
        assert_eq!(saved.split_off(1), expected, "behind what was let go");
    }
}
