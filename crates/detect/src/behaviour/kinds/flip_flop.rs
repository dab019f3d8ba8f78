//! `portreeve.flip_flop`: a protection taken off and put back by the same hand within hours. Who
//! changes a setting for good leaves it; who puts it back had a use for its absence. A use that is
//! seen in between raises the level. Constant work an item; state of a few records for each
//! protection that is off.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};

use super::timespan;
use crate::behaviour::item::{Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, RECORDS, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

const OFF: u8 = 0;
const ON: u8 = 1;

#[derive(Clone, Debug)]
struct FlipFlop {
    timespan: Moment,
    off: Table<Off>,
}

/// A protection that is off: by which records, and what was done meanwhile.
#[derive(Clone, Debug, Default)]
struct Off {
    records: Vec<(Moment, u64)>,
    used: Vec<u64>,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings);
    let off = settings.text("off");
    let on = settings.text("on");
    let used = settings.text("used");
    if off.is_none() || on.is_none() {
        settings
            .refuse("this type needs `off` and `on`: the rules that take it off and put it back");
    }
    let (timespan, off, on) = (timespan?, off?, on?);
    Some(Built {
        kind: Box::new(FlipFlop {
            timespan,
            off: Table::new(bound, timespan),
        }),
        roles: Roles {
            legs: Some([off, on].into_iter().chain(used).collect()),
            ..Roles::default()
        },
    })
}

impl Kind for FlipFlop {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn fold(&mut self, item: &Item, _world: &World<'_>, out: &mut Out<'_>) {
        let (key, time) = (item.key, item.time);
        let earliest = time - self.timespan;
        if item.leg != OFF && self.off.get(key, time).is_none() {
            return;
        }
        let off = self.off.touch(key, time);
        off.records.retain(|(at, _)| *at >= earliest);
        match item.leg {
            OFF => {
                if off.records.is_empty() {
                    off.used.clear();
                }
                if off.records.len() < RECORDS {
                    off.records.push((time, item.record));
                }
            }
            _ if off.records.is_empty() => off.used.clear(),
            ON => {
                let Off { records, used } = std::mem::take(off);
                let lead = records.first().map_or(item.record, |(_, record)| *record);
                let mut all: Vec<u64> = records.iter().map(|(_, record)| *record).collect();
                all.extend(&used);
                all.push(item.record);
                all.sort_unstable();
                out.fire(key, time, all, lead).raised = !used.is_empty();
            }
            _ if off.used.len() < RECORDS / 2 => off.used.push(item.record),
            _ => {}
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.off]
    }
}

impl Entry for Off {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        self.records.iter().for_each(|(_, record)| take(*record));
        self.used.iter().copied().for_each(take);
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .list(self.records.iter(), |writer, (time, record)| {
                writer.signed(*time).number(*record);
            })
            .list(self.used.iter(), |writer, record| {
                writer.number(*record);
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            records: reader.list(|reader| Ok((moment(reader)?, reader.number()?)))?,
            used: reader.list(Reader::number)?,
        })
    }
}
