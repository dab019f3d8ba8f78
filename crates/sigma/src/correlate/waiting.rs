//! Items that wait until the watermark has passed them.
//!
//! They lie packed in stretches of time. Records mostly come in order: then a stretch is read as it was
//! written, and only one in which something came out of order is sorted.

use std::collections::BTreeMap;

use super::item::{Item, Items, Moment, Order};

/// The longest stretch: so much is sorted together at most, where items come out of order.
const LONGEST: Moment = 3_600_000_000;
/// The shortest stretch: there are not to be many more than hold something.
const SHORTEST: Moment = 60_000_000;
/// In how many stretches what waits lies at most.
const STRETCHES: Moment = 32;

/// What waits for one table.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// How long a stretch is.
    length: Moment,
    /// The number of the stretch that was added to last, which lies apart from the others, and where
    /// it begins.
    number: Moment,
    begins: Moment,
    latest: Stretch,
    others: BTreeMap<Moment, Stretch>,
    count: usize,
}

/// The items of one stretch of time.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    items: Items,
    count: usize,
    /// The order of the item that was added last.
    last: Option<Order>,
    /// Whether some came out of order.
    mixed: bool,
}

impl Waiting {
    /// Nothing, where items wait for so long.
    pub(crate) fn new(lateness: Moment) -> Self {
        Self {
            length: (lateness / STRETCHES).clamp(SHORTEST, LONGEST),
            number: 0,
            begins: 0,
            latest: Stretch::default(),
            others: BTreeMap::new(),
            count: 0,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn push(&mut self, item: &Item<'_>) {
        let is_inside = (item.time.wrapping_sub(self.begins) as u64) < self.length as u64;
        if !is_inside {
            let number = item.time.div_euclid(self.length);
            let last = self.latest.items.len();
            let wanted = self.others.remove(&number).unwrap_or_else(|| Stretch {
                // The next stretch is mostly like the last. With no room to spare every second one would
                // outgrow it, and be copied to twice of it.
                items: Items::with_room(last + last / 8),
                ..Stretch::default()
            });
            let before = std::mem::replace(&mut self.latest, wanted);
            if before.count > 0 {
                self.others.insert(self.number, before);
            }
            self.hold(number);
        }
        self.latest.push(item);
        self.count += 1;
    }

    /// Takes what is from before `watermark`, by stretches in order.
    pub(crate) fn take_before(&mut self, watermark: Moment) -> Vec<Stretch> {
        if self.count == 0 {
            return Vec::new();
        }
        let latest = std::mem::take(&mut self.latest);
        if latest.count > 0 {
            self.others.insert(self.number, latest);
        }
        let passed = watermark.div_euclid(self.length);
        let behind = self.others.split_off(&passed);
        let mut ready: Vec<Stretch> = std::mem::replace(&mut self.others, behind)
            .into_values()
            .collect();
        if let Some(whole) = self.others.remove(&passed) {
            let (before, rest) = whole.split(watermark);
            ready.push(before);
            if rest.count > 0 {
                self.others.insert(passed, rest);
            }
        }
        if let Some((number, stretch)) = self.others.pop_last() {
            self.hold(number);
            self.latest = stretch;
        }
        self.count -= ready.iter().map(|stretch| stretch.count).sum::<usize>();
        ready
    }

    fn hold(&mut self, number: Moment) {
        self.number = number;
        self.begins = number.wrapping_mul(self.length);
    }

    /// All that waits, in any order, to be pushed again.
    pub(crate) fn save(&self) -> Items {
        let mut all = Items::new();
        for stretch in self.others.values().chain([&self.latest]) {
            all.append(&stretch.items);
        }
        all
    }
}

impl Stretch {
    fn push(&mut self, item: &Item<'_>) {
        let order = item.order();
        self.mixed |= self.last.is_some_and(|last| last > order);
        self.last = Some(order);
        self.items.push(item);
        self.count += 1;
    }

    /// What is from before a moment, and the rest.
    fn split(self, moment: Moment) -> (Self, Self) {
        let (mut before, mut rest) = (Self::default(), Self::default());
        for item in self.items.iter() {
            if item.time < moment {
                before.push(&item);
            } else {
                rest.push(&item);
            }
        }
        (before, rest)
    }

    /// Gives each item, in order.
    pub(crate) fn each(&self, mut take: impl FnMut(Item<'_>)) {
        if !self.mixed {
            return self.items.iter().for_each(take);
        }
        let mut at = 0;
        let mut places: Vec<(Order, usize)> = Vec::with_capacity(self.count);
        for item in self.items.iter() {
            places.push((item.order(), at));
            at += item.size();
        }
        places.sort_unstable();
        for (_, at) in places {
            if let Some(item) = self.items.at(at) {
                take(item);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::item::{Amount, Packing, Reference};
    use super::*;

    fn items(places: &[(Moment, u64)]) -> Items {
        let mut items = Items::new();
        for (time, index) in places {
            let reference = Reference {
                source: 0,
                index: *index,
            };
            items.add(*time, reference, |bytes, place| {
                bytes.extend_from_slice(place);
                let packing = Packing::begin(bytes, false);
                let end = bytes.len();
                assert!(packing.finish(bytes, end, 0, 0));
                packing.set(bytes, 0, Amount::One);
            });
        }
        items
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_comes_in_any_order_goes_in_order(
            times in prop::collection::vec((-300_000_000..300_000_000i64, 0..9u64), 0..80),
            watermarks in prop::collection::vec(-300_000_000..300_000_000i64, 0..6),
            every in 1..20usize,
        ) {
            let mut waiting = Waiting::new(0);
            let mut watermarks = watermarks.into_iter();
            let (mut held, mut taken) = (Vec::new(), Vec::new());
            let mut take = |waiting: &mut Waiting, held: &mut Vec<(Moment, u64)>, watermark| {
                held.sort_unstable();
                let ready = held.partition_point(|(time, _)| *time < watermark);
                let expected: Vec<(Moment, u64)> = held.drain(..ready).collect();
                taken.clear();
                for stretch in waiting.take_before(watermark) {
                    stretch.each(|item| taken.push((item.time, item.reference.index)));
                }
                assert_eq!(taken, expected);
                assert_eq!(waiting.count(), held.len());
            };
            for piece in times.chunks(every) {
                for item in items(piece).iter() {
                    waiting.push(&item);
                }
                held.extend_from_slice(piece);
                if let Some(watermark) = watermarks.next() {
                    take(&mut waiting, &mut held, watermark);
                }
            }
            prop_assert_eq!(waiting.save().iter().count(), held.len());
            take(&mut waiting, &mut held, Moment::MAX);
        }
    }
}
