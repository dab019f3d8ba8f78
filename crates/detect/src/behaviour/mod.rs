//! Behaviour over time: correlations, folded over items in order of event time.
//!
//! A correlation is a Sigma document (`correlations/`): Sigma's own types, and those that
//! Portreeve adds ([`EXTENSIONS`]). [`Correlations`] makes documents ready, [`Behaviour`] folds.
//! Its state is keyed and saved by change ([`KeyedState`]); texts are hashes in it, so that it
//! means the same in any run.
//!
//! Records that come out of order wait behind the watermark ([`Behaviour::offer`]); what is in
//! order already is folded at once ([`Behaviour::fold`]). Either way the result is that of the
//! order of event time.

mod compile;
mod facts;
mod holes;
mod item;
mod kind;
mod kinds;
mod make;
mod numbers;
mod table;
mod told;

use std::collections::BTreeMap;

use portreeve_model::Timestamp;
use portreeve_model::state::{Change, Dropped, KeyedState, Reader, StateError, Writer};

pub use compile::Correlations;
pub use facts::{ROW_FIELDS, RowField};
pub use item::{Fired, Item};
pub use kind::{EXTENSIONS, Extension};
pub use told::{Hole, LetGo, Told, Unknown};

pub(crate) use compile::Copies;
pub(crate) use facts::Facts;
pub(crate) use holes::{Holes, Rhythms, go_on};
pub(crate) use make::{Hit, Maker};
pub(crate) use numbers::Numbers;
pub(crate) use told::{detail, name_values};

use item::{Moment, moment};
use kind::{Kind, Out, World};
use table::{day_start, digest};

/// What is known of the time that the logs cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// When the estate was surely clean: only then is learnt what is normal.
    pub known_good: Option<(Timestamp, Timestamp)>,
    /// When some log was silent that should not have been, in order of time.
    pub holes: Vec<(Timestamp, Timestamp)>,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many entities each correlation remembers. Beyond that the least recently active are let
    /// go, and [`KeyedState::dropped`] tells.
    pub entities: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            entities: 1_000_000,
        }
    }
}

/// Puts items of one record in the order in which they are folded: correlations after those that
/// they are made of; and of one record the later leg comes first, so that it cannot be two steps of
/// a sequence.
fn put_in_order(items: &mut [Item]) {
    let place = |item: &Item| {
        (
            item.correlation,
            std::cmp::Reverse(item.leg),
            item.after.wrapping_add(1),
        )
    };
    if !items.is_sorted_by_key(place) {
        items.sort_by_key(place);
    }
}

/// The first byte of a key of the saved state.
const ENGINE: u8 = 0;
const CORRELATION: u8 = 1;
const TABLE: u8 = 2;
const WAITING: u8 = 3;

/// A count that was saved is no larger; so that going on counting cannot overflow.
const MOST_COUNTED: u64 = u64::MAX >> 1;

/// The correlations of a run with everything that they remember.
#[derive(Clone, Debug)]
pub struct Behaviour {
    correlations: Vec<Running>,
    known_good: Option<(Moment, Moment)>,
    holes: Vec<(Moment, Moment)>,
    clock: Clock,
    saved_clock: u64,
    /// Items of records that came before their time, by time and record.
    waiting: BTreeMap<(Moment, u64), Vec<Item>>,
    /// Which of them changed since the last commit, and whether they are saved.
    waiting_changed: BTreeMap<(Moment, u64), bool>,
    fired: Vec<Fired>,
    /// Those that fired on the record at hand.
    on_record: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// The first activity of all.
    began: Option<Moment>,
    /// How far event time has come.
    now: Option<Moment>,
    /// The watermark: nothing before it is taken any more.
    watermark: Option<Moment>,
    /// Records that came after the watermark had passed them.
    late: u64,
}

#[derive(Clone, Debug)]
struct Running {
    id: String,
    /// Names the correlation, and what makes it fire, in saved keys.
    state_id: u64,
    kind: Box<dyn Kind>,
    closes: bool,
    unknown: u64,
    saved_unknown: u64,
}

impl Behaviour {
    /// Correlations that remember nothing yet.
    pub fn new(correlations: &Correlations, baseline: &Baseline, bounds: Bounds) -> Self {
        let running = correlations
            .loaded()
            .filter_map(|correlation| {
                let kind = compile::build(correlation, bounds.entities)?;
                let id = compile::name(correlation);
                Some(Running {
                    state_id: digest(format!("{id}\n{}", correlation.definition()).as_bytes()),
                    id,
                    closes: kind.closes(),
                    kind,
                    unknown: 0,
                    saved_unknown: 0,
                })
            })
            .collect();
        let mut behaviour = Self {
            correlations: running,
            known_good: None,
            holes: Vec::new(),
            clock: Clock::default(),
            saved_clock: 0,
            waiting: BTreeMap::new(),
            waiting_changed: BTreeMap::new(),
            fired: Vec::new(),
            on_record: Vec::new(),
        };
        behaviour.set_baseline(baseline);
        behaviour
    }

    /// Goes on with what is known of the time that the logs cover now.
    pub(crate) fn set_baseline(&mut self, baseline: &Baseline) {
        let moment = |time: &Timestamp| time.as_microsecond();
        self.known_good = baseline
            .known_good
            .as_ref()
            .map(|(from, to)| (moment(from), moment(to)));
        self.holes = baseline
            .holes
            .iter()
            .map(|(from, to)| (moment(from), moment(to)))
            .collect();
    }

    /// Names the records that may yet be given as evidence.
    pub(crate) fn records(&mut self, take: &mut dyn FnMut(u64)) {
        for running in &mut self.correlations {
            for table in running.kind.tables() {
                table.records(take);
            }
        }
    }

    /// Tells when the logs begin, where that is before the first item.
    pub fn begin(&mut self, time: Timestamp) {
        self.clock.began.get_or_insert(time.as_microsecond());
    }

    /// Takes the items of one record that may come out of order: they wait until the watermark
    /// has passed them. A record that the watermark has passed already is counted, and left out.
    pub fn offer(&mut self, items: &[Item]) {
        let Some(first) = items.first() else {
            return;
        };
        let place = (first.time, first.record);
        if self
            .clock
            .watermark
            .is_some_and(|watermark| first.time < watermark)
        {
            self.clock.late += 1;
            return;
        }
        if self.waiting.insert(place, items.to_vec()).is_none() {
            self.waiting_changed.entry(place).or_insert(false);
        }
    }

    /// Tells what will be folded soon, so that its state is fetched together.
    pub(crate) fn expect(&self, items: &[Item]) {
        let read = items.iter().fold(0, |read, item| {
            let running = self.correlations.get(item.correlation as usize);
            read ^ running.map_or(0, |running| running.kind.expect(item))
        });
        std::hint::black_box(read);
    }

    /// Folds the items of one record, which is none before those that were folded.
    pub fn fold(&mut self, items: &[Item]) {
        self.fold_following(&mut items.to_vec(), &mut |_, _| ());
    }

    /// The same. Where a correlation fires on the record itself, `follow` is called once to add what
    /// it sets off.
    pub(crate) fn fold_following(
        &mut self,
        items: &mut Vec<Item>,
        follow: &mut dyn FnMut(u32, &mut Vec<Item>),
    ) {
        put_in_order(items);
        let Some(first) = items.first() else {
            return;
        };
        // The first record is where the logs begin, and not how far the watermark has come.
        self.clock.began.get_or_insert(first.time);
        self.pass(first.time);
        self.on_record.clear();
        let Self {
            correlations,
            known_good,
            holes,
            clock,
            fired,
            on_record,
            ..
        } = self;
        let world = World {
            known_good: *known_good,
            holes,
            began: clock.began.unwrap_or(first.time),
        };
        let mut next = 0;
        while let Some(item) = items.get(next) {
            next += 1;
            // What depends on a correlation is folded behind it, or not at all.
            let wanted = item.after == Item::ALWAYS
                || (item.after < item.correlation && on_record.contains(&item.after));
            let Some(running) = correlations.get_mut(item.correlation as usize) else {
                continue;
            };
            if !wanted {
                continue;
            }
            let before = fired.len();
            let mut out = Out {
                correlation: item.correlation,
                fired,
                unknown: &mut running.unknown,
            };
            running.kind.fold(item, &world, &mut out);
            // What is decided in hindsight is no leg of anything else.
            let now = |one: &Fired| one.lead == item.record || one.records.contains(&item.record);
            let setter = item.correlation;
            if fired[before..].iter().any(now) && !on_record.contains(&setter) {
                on_record.push(setter);
                follow(setter, items);
                put_in_order(&mut items[next..]);
            }
        }
    }

    /// Event time has come to `now`: windows close, and what has lapsed is let go, day by day.
    fn pass(&mut self, now: Moment) {
        let known = self.clock.now.unwrap_or(Moment::MIN);
        if now <= known {
            return;
        }
        self.clock.now = Some(now);
        for (number, running) in (0..).zip(&mut self.correlations) {
            if running.closes {
                running.kind.pass(
                    now,
                    &mut Out {
                        correlation: number,
                        fired: &mut self.fired,
                        unknown: &mut running.unknown,
                    },
                );
            }
        }
        let today = day_start(now);
        if known == Moment::MIN || day_start(known) < today {
            for running in &mut self.correlations {
                for table in running.kind.tables() {
                    table.sweep(today);
                }
            }
        }
    }

    /// What fired since the last call, in the order of event time in which it was decided.
    pub fn take_fired(&mut self) -> Vec<Fired> {
        let mut fired = std::mem::take(&mut self.fired);
        fired.sort_by_key(|one| (one.time, one.correlation, one.key, one.lead));
        fired
    }

    /// All input has ended: what can be decided of what is open is decided, the rest is counted as
    /// unknown.
    pub fn finish(&mut self) {
        self.release(Moment::MAX);
        let now = self.clock.now.unwrap_or(0);
        let world = World {
            known_good: self.known_good,
            holes: &self.holes,
            began: self.clock.began.unwrap_or(now),
        };
        for (number, running) in (0..).zip(&mut self.correlations) {
            let mut out = Out {
                correlation: number,
                fired: &mut self.fired,
                unknown: &mut running.unknown,
            };
            running.kind.finish(now, &world, &mut out);
        }
    }

    /// Folds what waited and lies before a moment.
    fn release(&mut self, until: Moment) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 >= until {
                return;
            }
            let (place, items) = first.remove_entry();
            // One that was never saved needs no word when it goes.
            match self.waiting_changed.get(&place) {
                Some(false) => {
                    self.waiting_changed.remove(&place);
                }
                _ => {
                    self.waiting_changed.insert(place, true);
                }
            }
            self.fold(&items);
        }
    }

    /// How many questions of each correlation could not be answered, by number.
    pub fn unknown(&self) -> impl Iterator<Item = (u32, u64)> {
        (0..)
            .zip(&self.correlations)
            .filter(|(_, running)| running.unknown > 0)
            .map(|(number, running)| (number, running.unknown))
    }

    /// How many records came after the watermark had passed them.
    pub fn late(&self) -> u64 {
        self.clock.late
    }

    /// How many entities are remembered, over all correlations.
    pub fn entities(&mut self) -> usize {
        self.correlations
            .iter_mut()
            .flat_map(|running| running.kind.tables())
            .map(|table| table.len())
            .sum()
    }

    fn clock_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        for time in [self.clock.began, self.clock.now, self.clock.watermark] {
            writer.flag(time.is_some()).signed(time.unwrap_or(0));
        }
        writer.number(self.clock.late);
        writer.finish()
    }

    fn restore_one(&mut self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        let odd = StateError::Key(key.len());
        let (tag, rest) = key.split_first().ok_or(odd.clone())?;
        match *tag {
            ENGINE if rest.is_empty() => {
                let mut reader = Reader::new(value);
                let mut time = || -> Result<Option<Moment>, StateError> {
                    let known = reader.flag()?;
                    let time = moment(&mut reader)?;
                    Ok(known.then_some(time))
                };
                let (began, now, watermark) = (time()?, time()?, time()?);
                self.clock = Clock {
                    began,
                    now,
                    watermark,
                    late: reader.number()?.min(MOST_COUNTED),
                };
                reader.end()?;
                self.saved_clock = digest(value);
                Ok(())
            }
            WAITING => {
                let (time, record) = rest.split_first_chunk::<8>().ok_or(odd.clone())?;
                let record: [u8; 8] = record.try_into().map_err(|_| odd)?;
                let time = i64::from_be_bytes(*time) ^ i64::MIN;
                let mut reader = Reader::new(value);
                let items = reader.list(Item::read)?;
                reader.end()?;
                self.waiting
                    .insert((time, u64::from_be_bytes(record)), items);
                Ok(())
            }
            CORRELATION | TABLE => {
                let (id, rest) = rest.split_first_chunk::<8>().ok_or(odd.clone())?;
                let id = u64::from_be_bytes(*id);
                let found = self
                    .correlations
                    .iter_mut()
                    .find(|running| running.state_id == id);
                // One that is not loaded any more, or was changed: what it remembered is moot.
                let Some(running) = found else {
                    return Ok(());
                };
                match (*tag, rest) {
                    (CORRELATION, []) => {
                        let mut reader = Reader::new(value);
                        running.unknown = reader.number()?.min(MOST_COUNTED);
                        running.saved_unknown = running.unknown;
                        reader.end()
                    }
                    (TABLE, [number, rest @ ..]) => {
                        let mut tables = running.kind.tables();
                        let table = tables
                            .get_mut(usize::from(*number))
                            .ok_or(StateError::Key(key.len()))?;
                        match <[u8; 8]>::try_from(rest) {
                            _ if rest.is_empty() => table.restore_dropped(value),
                            Ok(entity) => table.restore(u64::from_be_bytes(entity), value),
                            Err(_) => Err(odd),
                        }
                    }
                    _ => Err(odd),
                }
            }
            _ => Err(odd),
        }
    }
}

impl KeyedState for Behaviour {
    fn changes(&mut self, take: &mut dyn FnMut(Change)) {
        let clock = self.clock_bytes();
        let clock_hash = digest(&clock);
        let begun = self.clock.began.is_some() || self.clock.watermark.is_some();
        if begun && clock_hash != self.saved_clock {
            self.saved_clock = clock_hash;
            take((vec![ENGINE], Some(clock)));
        }
        // In the order of the keys that they are saved under.
        let mut order: Vec<&mut Running> = self.correlations.iter_mut().collect();
        order.sort_by_key(|running| running.state_id);
        for running in &mut order {
            if running.unknown != running.saved_unknown {
                running.saved_unknown = running.unknown;
                let mut writer = Writer::new();
                writer.number(running.unknown);
                let id = running.state_id.to_be_bytes();
                take(([&[CORRELATION], &id[..]].concat(), Some(writer.finish())));
            }
        }
        for running in order {
            let id = running.state_id.to_be_bytes();
            for (number, table) in (0u8..).zip(running.kind.tables()) {
                let prefix = [&[TABLE], &id[..], &[number]].concat();
                table.changes(&prefix, take);
            }
        }
        for ((time, record), _) in std::mem::take(&mut self.waiting_changed) {
            let key = [
                &[WAITING],
                &(time ^ i64::MIN).to_be_bytes()[..],
                &record.to_be_bytes()[..],
            ]
            .concat();
            let value = self.waiting.get(&(time, record)).map(|items| {
                let mut writer = Writer::new();
                writer.list(items.iter(), |writer, item| item.write(writer));
                writer.finish()
            });
            take((key, value));
        }
    }

    fn restore(
        &mut self,
        items: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<(), StateError> {
        for (key, value) in items {
            self.restore_one(&key, &value)?;
        }
        for running in &mut self.correlations {
            running.kind.restored();
        }
        Ok(())
    }

    fn advance(&mut self, watermark: Timestamp) {
        let watermark = watermark.as_microsecond();
        self.release(watermark);
        self.pass(watermark);
        self.clock.watermark = self.clock.watermark.max(Some(watermark));
    }

    fn dropped(&mut self) -> Vec<Dropped> {
        let mut dropped = Vec::new();
        for running in &mut self.correlations {
            for table in running.kind.tables() {
                dropped.extend(table.dropped().map(|lost| Dropped {
                    from: running.id.clone(),
                    ..lost
                }));
            }
        }
        dropped
    }
}
