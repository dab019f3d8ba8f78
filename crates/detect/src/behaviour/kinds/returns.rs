//! `portreeve.returns`: a value that changes and comes back (A, B, A): content that was replaced
//! and restored. A pass over the last few values an item; state of sixteen values a group.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};

use super::{required_fields, timespan};
use crate::behaviour::item::{Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

/// How many changes of a value are remembered.
const CHANGES: usize = 16;

#[derive(Clone, Debug)]
struct Returns {
    timespan: Moment,
    /// Whether B has to be another hand's than the first A.
    by_another: bool,
    groups: Table<Course>,
}

#[derive(Clone, Debug, Default)]
struct Course {
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    value: u64,
    by: u64,
    time: Moment,
    record: u64,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings);
    let value = required_fields(settings, "value");
    let by = settings.texts("by");
    // The first A may be as old as it likes; what must be quick is B and the way back.
    let remember = settings.duration("remember").map(super::span);
    let (timespan, value) = (timespan?, value?);
    Some(Built {
        kind: Box::new(Returns {
            timespan,
            by_another: !by.is_empty(),
            groups: Table::new(bound, remember.unwrap_or(timespan.saturating_mul(20))),
        }),
        roles: Roles {
            value,
            extra: [by, Vec::new()],
            ..Roles::default()
        },
    })
}

impl Kind for Returns {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn fold(&mut self, item: &Item, _world: &World<'_>, out: &mut Out<'_>) {
        let time = item.time;
        let course = self.groups.touch(item.key, time);
        let current = Change {
            value: item.value,
            by: item.extra[0],
            time,
            record: item.record,
        };
        if let Some(last) = course.changes.last_mut()
            && last.value == item.value
        {
            return;
        }
        let earliest = time - self.timespan;
        // The latest A with something else in between: everything since is B.
        let before = course
            .changes
            .iter()
            .rposition(|change| change.value == item.value);
        if let Some(at) = before {
            let first = course.changes[at];
            let between = &course.changes[at + 1..];
            let quick = between.iter().all(|change| change.time >= earliest);
            let another = !self.by_another || between.iter().any(|change| change.by != first.by);
            if quick && another {
                let lead = between
                    .iter()
                    .find(|change| change.by != first.by)
                    .or(between.first())
                    .map_or(item.record, |change| change.record);
                let mut records = vec![first.record];
                records.extend(between.iter().map(|change| change.record));
                records.push(item.record);
                out.fire(item.key, time, records, lead);
            }
        }
        if course.changes.len() >= CHANGES {
            course.changes.remove(0);
        }
        course.changes.push(current);
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.groups]
    }
}

impl Entry for Course {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        self.changes.iter().for_each(|change| take(change.record));
    }

    fn write(&self, writer: &mut Writer) {
        writer.list(self.changes.iter(), |writer, change| {
            writer
                .hash(change.value)
                .hash(change.by)
                .signed(change.time)
                .number(change.record);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            changes: reader.list(|reader| {
                Ok(Change {
                    value: reader.hash()?,
                    by: reader.hash()?,
                    time: moment(reader)?,
                    record: reader.number()?,
                })
            })?,
        })
    }
}
