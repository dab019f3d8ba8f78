//! `portreeve.rate`: more within a time span than the entity, or its peers, have shown in all of
//! the remembered days.
//!
//! Like is compared with like: the largest window of each day, all windows of one length, moved on
//! by a sixth of it. A day on which it fired is no part of the history, so that a burst does not
//! teach that bursts are normal. A few steps an item; state of ten bytes a day and entity.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};
use smallvec::SmallVec;

use super::{span, timespan};
use crate::behaviour::item::{DAY, Item, Moment, day_of, moment};
use crate::behaviour::kind::{Built, Kind, Out, RECORDS, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

/// Into how many steps a window is parted.
const STEPS: i64 = 6;
/// How many different values of a window are told apart.
const DISTINCT: usize = 4_096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Count,
    Sum,
    Distinct,
}

#[derive(Clone, Debug)]
struct Rate {
    measure: Measure,
    step: Moment,
    /// How many times the history.
    factor: f64,
    /// Which percentile of the days' largest windows stands for the history; 1 is the largest.
    percentile: f64,
    /// Less than this is never much.
    floor: f64,
    history: Moment,
    warm_up: Moment,
    own: bool,
    peers: bool,
    entities: Table<Pace>,
    groups: Table<Best>,
}

#[derive(Clone, Debug, Default)]
struct Pace {
    since: Moment,
    seen: bool,
    /// Most entities that are seen at all are seen once.
    steps: SmallVec<[(i64, f64); 1]>,
    values: Vec<(u64, i64)>,
    records: SmallVec<[(i64, u64); 1]>,
    days: Vec<(u16, f64)>,
    /// The last day on which it fired.
    fired: u16,
}

/// The two largest windows of each day among all entities of a kind: two, for one of them may be
/// that of the entity that is compared.
#[derive(Clone, Debug, Default)]
struct Best {
    since: Moment,
    days: Vec<(u16, [(u64, f64); 2])>,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings);
    let value = settings.texts("value");
    let (measure, roles) = match settings.text("measure").as_deref() {
        None | Some("count") => (Measure::Count, Roles::default()),
        Some("distinct") => (
            Measure::Distinct,
            Roles {
                value: value.clone(),
                ..Roles::default()
            },
        ),
        Some("sum") => (
            Measure::Sum,
            Roles {
                number: value.first().cloned(),
                ..Roles::default()
            },
        ),
        Some(_) => {
            settings.refuse("`measure` is count, distinct or sum");
            return None;
        }
    };
    if measure != Measure::Count && value.is_empty() {
        settings.refuse("this measure needs a `value`: the field that it looks at");
    }
    let peer = settings.texts("peers");
    let own = settings.text("history-of").as_deref() != Some("peers");
    if !own && peer.is_empty() {
        settings.refuse("`history-of: peers` without `peers`: nobody to compare with");
    }
    let factor = settings.number("factor").unwrap_or(3.0);
    let history = settings.duration("history").map_or(30 * DAY, span);
    let warm_up = settings.duration("warm-up").map_or(14 * DAY, span);
    let floor = settings.number("floor").unwrap_or(10.0);
    let percentile = settings.share("percentile").unwrap_or(1.0);
    let step = (timespan? / STEPS).max(1);
    Some(Built {
        kind: Box::new(Rate {
            measure,
            step,
            factor,
            percentile,
            floor,
            history,
            warm_up,
            own,
            peers: !peer.is_empty(),
            entities: Table::new(bound, history + warm_up),
            groups: Table::new(bound, history + warm_up),
        }),
        roles: Roles {
            extra: [peer, Vec::new()],
            ..roles
        },
    })
}

impl Rate {
    fn days(&self) -> u16 {
        u16::try_from(self.history / DAY).unwrap_or(u16::MAX)
    }

    /// The history's figure: a percentile of the days' largest windows, today left out.
    fn figure(&self, days: impl Iterator<Item = (u16, f64)>, today: u16) -> f64 {
        let mut figures: Vec<f64> = days
            .filter(|(day, _)| *day < today && today - day <= self.days())
            .map(|(_, figure)| figure)
            .collect();
        figures.sort_unstable_by(f64::total_cmp);
        let rank = (self.percentile * figures.len() as f64).ceil().max(1.0) as usize;
        figures.get(rank - 1).copied().unwrap_or(0.0)
    }
}

impl Kind for Rate {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn expect(&self, item: &Item) -> u64 {
        self.entities.expect(item.key)
    }

    fn fold(&mut self, item: &Item, world: &World<'_>, out: &mut Out<'_>) {
        let (key, time) = (item.key, item.time);
        let (step, today) = (time.div_euclid(self.step), day_of(time));
        let days = self.days();
        let measure = self.measure;
        let pace = self.entities.touch(key, time);
        if !pace.seen {
            (pace.seen, pace.since) = (true, time);
        }
        let first = step - STEPS + 1;
        pace.steps.retain(|(one, _)| *one >= first);
        pace.values.retain(|(_, one)| *one >= first);
        pace.records.retain(|(one, _)| *one >= first);
        if pace.records.len() < RECORDS {
            pace.records.push((step, item.record));
        }
        let figure = match measure {
            Measure::Distinct => {
                let known = pace
                    .values
                    .iter()
                    .position(|(value, _)| *value == item.value);
                match known {
                    Some(at) => pace.values[at].1 = step,
                    None if pace.values.len() < DISTINCT => pace.values.push((item.value, step)),
                    None => {}
                }
                pace.values.len() as f64
            }
            Measure::Count | Measure::Sum => {
                let amount = if measure == Measure::Count {
                    1.0
                } else {
                    item.number
                };
                match pace.steps.last_mut() {
                    Some((one, sum)) if *one == step => *sum += amount,
                    _ => pace.steps.push((step, amount)),
                }
                pace.steps.iter().map(|(_, sum)| sum).sum()
            }
        };
        // With a time that is declared good, only that teaches what is normal.
        let teaches = world
            .known_good
            .is_none_or(|(from, to)| (from..=to).contains(&time));
        if teaches && pace.fired != today {
            match pace.days.last_mut() {
                Some((day, most)) if *day == today => *most = most.max(figure),
                _ => {
                    pace.days
                        .retain(|(day, _)| today.saturating_sub(*day) <= days);
                    pace.days.push((today, figure));
                }
            }
        }
        let warm = time - pace.since >= self.warm_up;
        let declared = world.known_good.is_some_and(|(_, to)| time > to);
        let own_days: Vec<(u16, f64)> = if figure >= self.floor {
            pace.days.clone()
        } else {
            Vec::new()
        };
        let mut peers_figure = None;
        if self.peers {
            let best = self.groups.touch(item.extra[0], time);
            if best.days.is_empty() {
                best.since = time;
            }
            if figure >= self.floor && (time - best.since >= self.warm_up || declared) {
                let others: Vec<(u16, f64)> = best
                    .days
                    .iter()
                    .map(|(day, two)| {
                        let other = two.iter().find(|(entity, _)| *entity != key);
                        (*day, other.map_or(0.0, |(_, figure)| *figure))
                    })
                    .collect();
                peers_figure = Some(others);
            }
            if teaches {
                best.take(today, days, key, figure);
            }
        }
        // In the time that is declared good nothing is judged.
        if figure < self.floor || (world.known_good.is_some() && teaches) {
            return;
        }
        let own_figure =
            (self.own && (warm || declared)).then(|| self.figure(own_days.into_iter(), today));
        let peers_figure = peers_figure.map(|days| self.figure(days.into_iter(), today));
        // Both, where both are known: a person's own quiet past does not make much of what
        // everybody does.
        let limit = match (own_figure, peers_figure) {
            (Some(own), Some(peers)) => own.max(peers),
            (Some(figure), None) | (None, Some(figure)) => figure,
            (None, None) => {
                *out.unknown += 1;
                return;
            }
        };
        if item.doubt {
            *out.unknown += 1;
            return;
        }
        if figure <= limit * self.factor {
            return;
        }
        let pace = self.entities.touch(key, time);
        let records = if pace.fired == today {
            vec![item.record]
        } else {
            pace.records.iter().map(|(_, record)| *record).collect()
        };
        if pace.fired != today {
            pace.fired = today;
            pace.days.retain(|(day, _)| *day != today);
        }
        out.fire(key, time, records, item.record).number = Some(figure);
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.entities, &mut self.groups]
    }
}

impl Best {
    fn take(&mut self, today: u16, days: u16, key: u64, figure: f64) {
        let two = match self.days.last_mut() {
            Some((day, two)) if *day == today => two,
            _ => {
                self.days
                    .retain(|(day, _)| today.saturating_sub(*day) <= days);
                self.days.push((today, [(0, 0.0); 2]));
                let last = self.days.len() - 1;
                &mut self.days[last].1
            }
        };
        if two[0].0 == key {
            two[0].1 = two[0].1.max(figure);
        } else if figure > two[0].1 {
            two[1] = two[0];
            two[0] = (key, figure);
        } else if two[1].0 == key || figure > two[1].1 {
            two[1] = (key, two[1].1.max(figure));
        }
        if two[1].1 > two[0].1 {
            two.swap(0, 1);
        }
    }
}

impl Entry for Pace {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        self.records.iter().for_each(|(_, record)| take(*record));
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .signed(self.since)
            .flag(self.seen)
            .number(self.fired.into())
            .list(self.steps.iter(), |writer, (step, sum)| {
                writer.signed(*step).float(*sum);
            })
            .list(self.values.iter(), |writer, (value, step)| {
                writer.hash(*value).signed(*step);
            })
            .list(self.records.iter(), |writer, (step, record)| {
                writer.signed(*step).number(*record);
            })
            .list(self.days.iter(), |writer, (day, figure)| {
                writer.number((*day).into()).float(*figure);
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            since: moment(reader)?,
            seen: reader.flag()?,
            fired: reader.narrow()?,
            steps: reader.list(|reader| Ok((reader.signed()?, reader.float()?)))?,
            values: reader.list(|reader| Ok((reader.hash()?, reader.signed()?)))?,
            records: reader.list(|reader| Ok((reader.signed()?, reader.number()?)))?,
            days: reader.list(|reader| Ok((reader.narrow()?, reader.float()?)))?,
        })
    }
}

impl Entry for Best {
    fn write(&self, writer: &mut Writer) {
        writer
            .signed(self.since)
            .list(self.days.iter(), |writer, (day, two)| {
                writer.number((*day).into());
                for (entity, figure) in two {
                    writer.hash(*entity).float(*figure);
                }
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            since: moment(reader)?,
            days: reader.list(|reader| {
                Ok((
                    reader.narrow()?,
                    [
                        (reader.hash()?, reader.float()?),
                        (reader.hash()?, reader.float()?),
                    ],
                ))
            })?,
        })
    }
}
