//! `portreeve.first_seen`: a value that an entity has not shown before.
//!
//! A look-up in the entity's values for each item, which are few; state of about 60 bytes an
//! entity and 24 a value.
//!
//! While an entity is cold, every value would be new. Such values wait, and are judged once the
//! entity is warm: by how rare each is over the whole time, and whether peers show it. That also
//! finds what a baseline that was poisoned from its first day would hide. In and after a hole of
//! the logs the answer is unknown, and values wait likewise.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};
use smallvec::SmallVec;

use super::familiar::{Familiar, Memory, Sharing, Sight};
use super::{push_tight, required_fields, span};
use crate::behaviour::item::{DAY, Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table, join};

/// How many values of one entity wait to be judged.
const WAITING: usize = 64;

#[derive(Clone, Debug)]
struct FirstSeen {
    memory: Memory,
    /// How many new values within the time span.
    at_least: usize,
    timespan: Moment,
    /// From how many peers on a value is nothing new.
    peers: Option<usize>,
    /// Whether values of the cold time are judged by rarity.
    hindsight: bool,
    entities: Table<Habits>,
    sharing: Table<Sharing>,
}

#[derive(Clone, Debug, Default)]
struct Habits {
    familiar: Familiar,
    /// Set apart, for most entities have none of it.
    open: Option<Box<Open>>,
    /// The peers' group that it was last seen in.
    peer: u64,
}

/// What is not decided, or may yet add up.
#[derive(Clone, Debug, Default)]
struct Open {
    waiting: SmallVec<[Waiting; 1]>,
    fresh: Vec<Fresh>,
}

impl Habits {
    fn open(&mut self) -> &mut Open {
        self.open.get_or_insert_default()
    }

    fn waiting(&self) -> &[Waiting] {
        self.open.as_ref().map_or(&[], |open| &open.waiting)
    }

    /// Lets go of what is empty.
    fn close(&mut self) {
        let is_empty = |open: &Open| open.waiting.is_empty() && open.fresh.is_empty();
        if self.open.as_deref().is_some_and(is_empty) {
            self.open = None;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    value: u64,
    time: Moment,
    record: u64,
    /// It waits for a hole, and not because little is known yet.
    doubt: bool,
}

#[derive(Clone, Copy, Debug)]
struct Fresh {
    value: u64,
    time: Moment,
    record: u64,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let value = required_fields(settings, "value");
    let memory = Memory {
        remember: settings.duration("remember").map_or(60 * DAY, span),
        warm_up: settings.duration("warm-up").map_or(14 * DAY, span),
        rare_days: settings.share("rare-days").unwrap_or(0.25),
        rare_calls: settings.share("rare-calls").unwrap_or(0.1),
    };
    let at_least = settings.count("at-least").unwrap_or(1);
    if at_least > 1 && correlation.timespan.is_none() {
        settings.refuse("several new values need a `timespan` that they are counted in");
    }
    let hindsight = match settings.text("cold").as_deref() {
        None => at_least == 1,
        Some("rarity") => true,
        Some("unknown") => false,
        Some(_) => {
            settings.refuse("`cold` is rarity or unknown");
            false
        }
    };
    let peer = settings.texts("peers");
    let most = settings.count("peers-at-least");
    if peer.is_empty() && most.is_some() {
        settings.refuse("`peers-at-least` without `peers`: nobody to compare with");
    }
    let peers = (!peer.is_empty()).then(|| most.unwrap_or(3));
    let life = memory.remember + memory.warm_up;
    Some(Built {
        kind: Box::new(FirstSeen {
            memory,
            at_least,
            timespan: correlation.timespan.map_or(DAY, span),
            peers,
            hindsight,
            entities: Table::new(bound, life),
            sharing: Table::new(bound, memory.remember),
        }),
        roles: Roles {
            value: value?,
            extra: [peer, Vec::new()],
            ..Roles::default()
        },
    })
}

impl FirstSeen {
    /// Whether so many peers show a value that it says nothing of one of them.
    fn is_shared(&self, peer: u64, value: u64, entity: u64, time: Moment) -> bool {
        self.peers.is_some_and(|most| {
            self.sharing
                .get(join(peer, value), time)
                .is_some_and(|sharing| sharing.others(entity) >= most)
        })
    }

    /// Judges what waited, in hindsight.
    fn judge(&mut self, key: u64, now: Moment, world: &World<'_>, out: &mut Out<'_>) {
        let Some(habits) = self.entities.change(key) else {
            return;
        };
        let waiting = std::mem::take(&mut habits.open().waiting);
        habits.close();
        let (familiar, peer) = (habits.familiar.clone(), habits.peer);
        let declared = world.known_good.is_some();
        if !declared && !self.hindsight {
            // What was shown while little was known is what is known now; what came with a hole
            // stays unknown.
            *out.unknown += waiting.iter().filter(|one| one.doubt).count() as u64;
            return;
        }
        let mut rare: Vec<Waiting> = waiting
            .into_iter()
            .filter(|one| {
                // Against a time that is declared good nothing needs to be guessed.
                let odd = if declared && familiar.is_warm(now, &self.memory, world) {
                    familiar
                        .known(one.value)
                        .is_some_and(|known| !known.is_good())
                } else {
                    self.hindsight && familiar.is_rare(one.value, &self.memory)
                };
                odd && !self.is_shared(peer, one.value, key, now)
            })
            .collect();
        rare.sort_unstable_by_key(|one| (one.time, one.record));
        for (at, last) in rare.iter().enumerate() {
            let first = rare[..=at].partition_point(|one| one.time < last.time - self.timespan);
            let together = &rare[first..=at];
            if together.len() >= self.at_least {
                let records = together.iter().map(|one| one.record).collect();
                let values = together.iter().map(|one| one.value).collect();
                let fired = out.fire(key, now, records, last.record);
                fired.values = values;
                fired.rare = !declared;
            }
        }
    }
}

impl Kind for FirstSeen {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn expect(&self, item: &Item) -> u64 {
        let shared = join(item.extra[0], item.value);
        let sharing = self.peers.map(|_| self.sharing.expect(shared));
        self.entities.expect(item.key) ^ sharing.unwrap_or(0)
    }

    fn fold(&mut self, item: &Item, world: &World<'_>, out: &mut Out<'_>) {
        let Item {
            key, value, time, ..
        } = *item;
        let peer = item.extra[0];
        if let Some(most) = self.peers {
            self.sharing.touch(join(peer, value), time).add(key, most);
        }
        let shared = self.is_shared(peer, value, key, time);
        let habits = self.entities.touch(key, time);
        habits.peer = peer;
        let sight = habits.familiar.see(value, time, &self.memory, world);
        let wait = match sight {
            Sight::New => item.doubt,
            Sight::Cold => true,
            Sight::Familiar => false,
            Sight::Restless => {
                *out.unknown += 1;
                return;
            }
        };
        if wait {
            if habits.waiting().len() < WAITING {
                habits.open().waiting.push(Waiting {
                    value,
                    time,
                    record: item.record,
                    doubt: sight == Sight::New,
                });
            } else {
                *out.unknown += 1;
            }
        } else if sight == Sight::New && !shared {
            let fresh = &mut habits.open().fresh;
            fresh.retain(|fresh| fresh.time >= time - self.timespan);
            push_tight(
                fresh,
                Fresh {
                    value,
                    time,
                    record: item.record,
                },
            );
            if fresh.len() >= self.at_least {
                let records = fresh.iter().map(|fresh| fresh.record).collect();
                let fired = out.fire(key, time, records, item.record);
                fired.values = fresh.iter().map(|fresh| fresh.value).collect();
                if self.at_least == 1 {
                    fresh.clear();
                }
            }
            habits.close();
        }
        let ready = !habits.waiting().is_empty()
            && !item.doubt
            && world.known_good.is_none_or(|(_, to)| time > to)
            && habits.familiar.is_warm(time, &self.memory, world);
        if ready {
            self.judge(key, time, world, out);
        }
    }

    fn finish(&mut self, now: Moment, world: &World<'_>, out: &mut Out<'_>) {
        for key in self.entities.keys_of(|habits| !habits.waiting().is_empty()) {
            let Some(habits) = self.entities.get(key, now) else {
                continue;
            };
            let over = world.known_good.is_some_and(|(_, to)| now > to);
            if over && habits.familiar.is_warm(now, &self.memory, world) {
                self.judge(key, now, world, out);
            } else {
                *out.unknown += habits.waiting().len() as u64;
            }
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.entities, &mut self.sharing]
    }
}

impl Entry for Habits {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        if let Some(open) = &self.open {
            open.waiting.iter().for_each(|one| take(one.record));
            open.fresh.iter().for_each(|one| take(one.record));
        }
    }

    fn write(&self, writer: &mut Writer) {
        self.familiar.write(writer);
        let none = Open::default();
        let open = self.open.as_deref().unwrap_or(&none);
        writer
            .hash(self.peer)
            .list(open.waiting.iter(), |writer, one| {
                writer
                    .hash(one.value)
                    .signed(one.time)
                    .number(one.record)
                    .flag(one.doubt);
            })
            .list(open.fresh.iter(), |writer, one| {
                writer.hash(one.value).signed(one.time).number(one.record);
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut habits = Self {
            familiar: Familiar::read(reader)?,
            peer: reader.hash()?,
            open: None,
        };
        *habits.open() = Open {
            waiting: reader.list(|reader| {
                Ok(Waiting {
                    value: reader.hash()?,
                    time: moment(reader)?,
                    record: reader.number()?,
                    doubt: reader.flag()?,
                })
            })?,
            fresh: reader.list(|reader| {
                Ok(Fresh {
                    value: reader.hash()?,
                    time: moment(reader)?,
                    record: reader.number()?,
                })
            })?,
        };
        habits.close();
        Ok(habits)
    }
}
