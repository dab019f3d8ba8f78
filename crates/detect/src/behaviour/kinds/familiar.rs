use portreeve_model::state::{Reader, StateError, Writer};
use smallvec::SmallVec;

use crate::behaviour::item::{DAY, Moment, SECOND, day_of, moment};
use crate::behaviour::kind::World;
use crate::behaviour::table::Entry;

/// How many values of one entity are told apart. Who shows more has no habits that a new one could
/// break.
const MOST: usize = 512;

/// How long something is remembered, and when an entity is known well enough to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// A value not shown for so long is new again.
    pub(crate) remember: Moment,
    /// An entity known for a shorter time is cold: everything it does would be new.
    pub(crate) warm_up: Moment,
    /// In hindsight a value is rare when it was seen on at most this share of the active days…
    pub(crate) rare_days: f64,
    /// …and made up at most this share of all calls.
    pub(crate) rare_calls: f64,
}

/// What an entity usually does: the values it has shown, each with how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Familiar {
    /// The first activity.
    pub(crate) since: Moment,
    last_day: u16,
    days: u16,
    calls: u32,
    /// In order of value. Most entities show one.
    values: SmallVec<[Known; 1]>,
    restless: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    value: u64,
    /// Seconds since 1970.
    first: u32,
    last_day: u16,
    days: u16,
    calls: u32,
    /// Shown in the time declared good, or where none was declared.
    good: bool,
}

impl Known {
    pub(crate) fn first(&self) -> Moment {
        Moment::from(self.first) * SECOND
    }

    pub(crate) fn is_good(&self) -> bool {
        self.good
    }
}

/// How a value looks to one who knows the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Seen before.
    Familiar,
    /// Never seen before, by an entity that is known.
    New,
    /// Not seen before, by an entity that is not known well enough, or before the time declared
    /// good is over.
    Cold,
    /// The entity shows ever other values.
    Restless,
}

impl Familiar {
    /// Takes in a use of a value, and tells how it looks.
    pub(crate) fn see(
        &mut self,
        value: u64,
        time: Moment,
        memory: &Memory,
        world: &World<'_>,
    ) -> Sight {
        let day = day_of(time);
        if self.days == 0 {
            self.since = time;
        }
        if self.days == 0 || day > self.last_day {
            self.days = self.days.saturating_add(1);
            self.last_day = day;
        }
        self.calls = self.calls.saturating_add(1);
        let good = world
            .known_good
            .is_none_or(|(from, to)| (from..=to).contains(&time));
        let remember = u16::try_from(memory.remember / DAY).unwrap_or(u16::MAX);
        let fresh = Known {
            value,
            first: u32::try_from(time / SECOND).unwrap_or(0),
            last_day: day,
            days: 1,
            calls: 1,
            good,
        };
        match self
            .values
            .binary_search_by_key(&value, |known| known.value)
        {
            Ok(at) => {
                let known = &mut self.values[at];
                if day.saturating_sub(known.last_day) <= remember {
                    known.calls = known.calls.saturating_add(1);
                    known.good |= good;
                    if day > known.last_day {
                        known.days = known.days.saturating_add(1);
                        known.last_day = day;
                    }
                    return Sight::Familiar;
                }
                *known = fresh;
            }
            Err(_) => {
                if self.values.len() >= MOST {
                    self.values
                        .retain(|known| day.saturating_sub(known.last_day) <= remember);
                }
                if self.values.len() >= MOST {
                    self.restless = true;
                    return Sight::Restless;
                }
                let at = self.values.partition_point(|known| known.value < value);
                // Most entities show few values: the list grows by little.
                if self.values.len() == self.values.capacity() {
                    self.values.reserve_exact(1 + self.values.len() / 2);
                }
                self.values.insert(at, fresh);
            }
        }
        match world.known_good {
            Some((from, to)) if (from..=to).contains(&time) => Sight::Familiar,
            Some((_, to)) if time < to => Sight::Cold,
            _ if self.is_warm(time, memory, world) => Sight::New,
            _ => Sight::Cold,
        }
    }

    /// Whether the entity is known well enough: for long enough, and active on one day in four of
    /// that time at least.
    pub(crate) fn is_warm(&self, time: Moment, memory: &Memory, world: &World<'_>) -> bool {
        if let Some((_, to)) = world.known_good
            && self.since <= to
            && self.values.iter().any(|known| known.good)
        {
            return time > to;
        }
        let days = (memory.warm_up / DAY + 3) / 4;
        time - self.since >= memory.warm_up && Moment::from(self.days) >= days
    }

    /// Whether nothing could be told apart any more.
    pub(crate) fn is_restless(&self) -> bool {
        self.restless
    }

    /// What is known of a value.
    pub(crate) fn known(&self, value: u64) -> Option<&Known> {
        let at = self
            .values
            .binary_search_by_key(&value, |known| known.value)
            .ok()?;
        self.values.get(at)
    }

    /// Whether a value is rare in all that the entity did.
    pub(crate) fn is_rare(&self, value: u64, memory: &Memory) -> bool {
        self.known(value).is_some_and(|known| {
            f64::from(known.days) <= memory.rare_days * f64::from(self.days)
                && f64::from(known.calls) <= memory.rare_calls * f64::from(self.calls)
        })
    }

    /// The share of all calls that a value makes up.
    pub(crate) fn share(&self, value: u64) -> f64 {
        self.known(value).map_or(0.0, |known| {
            f64::from(known.calls) / f64::from(self.calls.max(1))
        })
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }
}

impl Entry for Familiar {
    fn write(&self, writer: &mut Writer) {
        writer
            .signed(self.since)
            .number(self.last_day.into())
            .number(self.days.into())
            .number(self.calls.into())
            .flag(self.restless)
            .list(self.values.iter(), |writer, known| {
                writer
                    .hash(known.value)
                    .number(known.first.into())
                    .number(known.last_day.into())
                    .number(known.days.into())
                    .number(known.calls.into())
                    .flag(known.good);
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            since: moment(reader)?,
            last_day: reader.narrow()?,
            days: reader.narrow()?,
            calls: reader.narrow()?,
            restless: reader.flag()?,
            values: reader.list(|reader| {
                Ok(Known {
                    value: reader.hash()?,
                    first: reader.narrow()?,
                    last_day: reader.narrow()?,
                    days: reader.narrow()?,
                    calls: reader.narrow()?,
                    good: reader.flag()?,
                })
            })?,
        })
    }
}

/// Who else of the same kind shows a value: up to as many as matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sharing {
    /// Most values are shown by one or two.
    entities: SmallVec<[u64; 2]>,
}

impl Sharing {
    /// Takes in that an entity shows the value; tells how many others do.
    pub(crate) fn add(&mut self, entity: u64, most: usize) -> usize {
        let known = self.entities.contains(&entity);
        if !known && self.entities.len() <= most {
            self.entities.push(entity);
            self.entities.sort_unstable();
        }
        self.others(entity)
    }

    /// How many others than this one show it.
    pub(crate) fn others(&self, entity: u64) -> usize {
        self.entities
            .iter()
            .filter(|other| **other != entity)
            .count()
    }
}

impl Entry for Sharing {
    fn write(&self, writer: &mut Writer) {
        writer.list(self.entities.iter(), |writer, entity| {
            writer.hash(*entity);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            entities: reader.list(Reader::hash)?,
        })
    }
}
