//! `portreeve.concurrent_use`: one actor at two places at once.
//!
//! Two places alone say little: people move. What one person does not do is go back and forth
//! between two places within minutes, again and again. So the returns are counted (A, then B, then
//! A), each within a short time, and one of the two places has to be new to the person.
//!
//! A few comparisons with the places of late an item; state of at most eight places and 64 returns
//! an actor, for the time span, beside what is familiar.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};
use smallvec::SmallVec;

use super::familiar::{Familiar, Memory};
use super::{push_tight, required, required_fields, span, timespan};
use crate::behaviour::item::{DAY, Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table, join};

/// How many places of late are compared.
const PLACES: usize = 8;
/// How many changes from place to place are remembered.
const SWITCHES: usize = 64;

#[derive(Clone, Debug)]
struct ConcurrentUse {
    timespan: Moment,
    within: Moment,
    /// How many returns.
    switches: usize,
    /// For how long a place is new.
    new_for: Option<Moment>,
    memory: Memory,
    /// Whether the clients must differ too.
    differ: bool,
    uses: Table<Uses>,
    familiar: Table<Familiar>,
}

#[derive(Clone, Debug, Default)]
struct Uses {
    /// Most credentials are only ever used in one place: that one stands in the table itself.
    places: SmallVec<[Place; 1]>,
    switches: Vec<Switch>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    value: u64,
    differ: u64,
    time: Moment,
    record: u64,
}

#[derive(Clone, Copy, Debug)]
struct Switch {
    pair: u64,
    time: Moment,
    from: u64,
    to: u64,
    differs: bool,
}

/// What is to be said of the newness of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Newness {
    New,
    Rare,
    Old,
    Unknown,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings);
    let value = required_fields(settings, "value");
    let within = required(settings, "within");
    let differ = settings.texts("differ");
    let new_for = settings.duration("new").map(span);
    let of = settings.texts("new-to");
    let memory = Memory {
        remember: settings.duration("remember").map_or(60 * DAY, span),
        warm_up: settings.duration("warm-up").map_or(14 * DAY, span),
        rare_days: 1.0,
        rare_calls: settings.share("rare-calls").unwrap_or(0.1),
    };
    // None means that a mere change from one place to the other is enough.
    let switches = settings.number("switches").unwrap_or(3.0);
    if !(0.0..=(SWITCHES / 2) as f64).contains(&switches) || switches.fract() != 0.0 {
        settings.refuse(format!(
            "`switches` is a whole number up to {}",
            SWITCHES / 2
        ));
    }
    let switches = switches as usize;
    let (timespan, within) = (timespan?, within?);
    Some(Built {
        kind: Box::new(ConcurrentUse {
            timespan,
            within,
            switches,
            new_for,
            memory,
            differ: !differ.is_empty(),
            uses: Table::new(bound, timespan.max(within)),
            familiar: Table::new(bound, memory.remember + memory.warm_up),
        }),
        roles: Roles {
            value: value?,
            extra: [differ, of],
            ..Roles::default()
        },
    })
}

impl ConcurrentUse {
    fn newness(
        &self,
        entity: u64,
        value: u64,
        now: Moment,
        doubt: bool,
        world: &World<'_>,
    ) -> Newness {
        let Some(new_for) = self.new_for else {
            return Newness::New;
        };
        let Some((familiar, known)) = self
            .familiar
            .get(entity, now)
            .and_then(|familiar| Some((familiar, familiar.known(value)?)))
        else {
            return Newness::Unknown;
        };
        if world.known_good.is_some_and(|(_, to)| now > to) {
            return if known.is_good() {
                Newness::Old
            } else {
                Newness::New
            };
        }
        if now - known.first() > new_for {
            return Newness::Old;
        }
        if known.first() - familiar.since >= self.memory.warm_up && !familiar.is_restless() {
            return if doubt {
                Newness::Unknown
            } else {
                Newness::New
            };
        }
        // Known for too short a time to say what is new: what makes up a small part of all calls is
        // not the place where the work is done.
        match familiar.calls() {
            0..20 => Newness::Unknown,
            _ if familiar.share(value) <= self.memory.rare_calls => Newness::Rare,
            _ => Newness::Unknown,
        }
    }
}

/// Novelty is judged for the person, where the document names one; else for the group.
fn entity(item: &Item) -> u64 {
    if item.extra[1] == 0 {
        item.key
    } else {
        item.extra[1]
    }
}

impl Kind for ConcurrentUse {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn expect(&self, item: &Item) -> u64 {
        let familiar = self.new_for.map(|_| self.familiar.expect(entity(item)));
        self.uses.expect(item.key) ^ familiar.unwrap_or(0)
    }

    fn fold(&mut self, item: &Item, world: &World<'_>, out: &mut Out<'_>) {
        let Item {
            key, value, time, ..
        } = *item;
        let entity = entity(item);
        if self.new_for.is_some() {
            self.familiar
                .touch(entity, time)
                .see(value, time, &self.memory, world);
        }
        let (within, earliest) = (self.within, time - self.timespan);
        let uses = self.uses.touch(key, time);
        uses.switches.retain(|switch| switch.time >= earliest);
        uses.places.retain(|place| place.time >= time - within);
        let own = uses
            .places
            .iter()
            .find(|place| place.value == value)
            .copied();
        let mut changed = Vec::new();
        for other in uses.places.iter().filter(|place| place.value != value) {
            // A change from the other place: it was used since this one was, or this one was not.
            if own.is_none_or(|own| own.time < other.time) {
                let pair = join(value.min(other.value), value.max(other.value));
                changed.push((*other, pair));
            }
        }
        for (other, pair) in &changed {
            push_tight(
                &mut uses.switches,
                Switch {
                    pair: *pair,
                    time,
                    from: other.record,
                    to: item.record,
                    differs: other.differ != item.extra[0]
                        && other.differ != 0
                        && item.extra[0] != 0,
                },
            );
        }
        if uses.switches.len() > SWITCHES {
            uses.switches.drain(..uses.switches.len() - SWITCHES);
        }
        uses.places.retain(|place| place.value != value);
        if uses.places.len() >= PLACES {
            uses.places.remove(0);
        }
        uses.places.push(Place {
            value,
            differ: item.extra[0],
            time,
            record: item.record,
        });
        let mut ready = Vec::new();
        for (other, pair) in changed {
            let of_pair = || uses.switches.iter().filter(|switch| switch.pair == pair);
            let count = of_pair().count();
            let differs = !self.differ || of_pair().any(|switch| switch.differs);
            // A to B and back to A is one return.
            if count > self.switches && differs {
                let records: Vec<u64> = of_pair()
                    .flat_map(|switch| [switch.from, switch.to])
                    .collect();
                ready.push((other, records, count - 1));
            }
        }
        for (other, records, returns) in ready {
            let here = self.newness(entity, value, time, item.doubt, world);
            let there = self.newness(entity, other.value, time, item.doubt, world);
            let strange = |newness| matches!(newness, Newness::New | Newness::Rare);
            if !strange(here) && !strange(there) {
                if here == Newness::Unknown || there == Newness::Unknown {
                    *out.unknown += 1;
                }
                continue;
            }
            // The stranger speaks for both.
            let (lead, values) = if strange(here) {
                (item.record, vec![value, other.value])
            } else {
                (other.record, vec![other.value, value])
            };
            let mut records = records;
            // The first change may start from the place where the person always is: nothing strange
            // has happened there yet.
            let starts_here = (returns + 1) % 2 == 0;
            if starts_here != strange(here) && !records.is_empty() {
                records.remove(0);
            }
            records.sort_unstable();
            let fired = out.fire(key, time, records, lead);
            fired.values = values;
            fired.number = Some(returns as f64);
            fired.rare = here == Newness::Rare || there == Newness::Rare;
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.uses, &mut self.familiar]
    }
}

impl Entry for Uses {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        self.places.iter().for_each(|place| take(place.record));
        for switch in &self.switches {
            take(switch.from);
            take(switch.to);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .list(self.places.iter(), |writer, place| {
                writer
                    .hash(place.value)
                    .hash(place.differ)
                    .signed(place.time)
                    .number(place.record);
            })
            .list(self.switches.iter(), |writer, switch| {
                writer
                    .hash(switch.pair)
                    .signed(switch.time)
                    .number(switch.from)
                    .number(switch.to)
                    .flag(switch.differs);
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            places: reader.list(|reader| {
                Ok(Place {
                    value: reader.hash()?,
                    differ: reader.hash()?,
                    time: moment(reader)?,
                    record: reader.number()?,
                })
            })?,
            switches: reader.list(|reader| {
                Ok(Switch {
                    pair: reader.hash()?,
                    time: moment(reader)?,
                    from: reader.number()?,
                    to: reader.number()?,
                    differs: reader.flag()?,
                })
            })?,
        })
    }
}
