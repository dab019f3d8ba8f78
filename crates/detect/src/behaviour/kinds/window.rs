//! Sigma's own counts and measures within a time span: `event_count`, `value_count`, `value_sum`,
//! `value_avg`, `value_percentile`.
//!
//! The window slides: no boundary cuts a burst in two. A condition that more can only help is
//! decided with the record that meets it. One with an upper limit is decided when the time span
//! that began with the group's first record is over, since more may come until then; groups without
//! any record are not looked at.
//!
//! A pass over the window's entries for each item where values are told apart, constant otherwise;
//! at most [`MOST`] entries a group.

use std::collections::BTreeSet;

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, CorrelationKind, SettingsReader, Threshold};

use super::timespan;
use crate::behaviour::item::{Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, RECORDS, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

/// The most records of a group that are kept apart. A condition that asks for more is refused.
const MOST: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Count,
    Distinct,
    Sum,
    Average,
    Percentile,
}

#[derive(Clone, Debug)]
struct Windowed {
    measure: Measure,
    condition: Threshold,
    timespan: Moment,
    /// Whether a record that meets the condition decides.
    at_once: bool,
    /// How many entries a window needs to keep.
    keep: usize,
    groups: Table<Window>,
    /// When windows close that are decided at their end: time and group.
    closing: BTreeSet<(Moment, u64)>,
}

#[derive(Clone, Debug, Default)]
struct Window {
    entries: std::collections::VecDeque<Seen>,
    /// When it began, where it is decided at its end.
    opened: Moment,
    /// Records beyond those that are kept.
    more: u64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    time: Moment,
    record: u64,
    value: u64,
    number: f64,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings)?;
    let condition = correlation.condition.clone()?;
    let measure = match correlation.kind {
        CorrelationKind::EventCount => Measure::Count,
        CorrelationKind::ValueCount => Measure::Distinct,
        CorrelationKind::ValueSum => Measure::Sum,
        CorrelationKind::ValueAverage => Measure::Average,
        _ => Measure::Percentile,
    };
    let counts = matches!(measure, Measure::Count | Measure::Distinct);
    if counts && condition.largest() >= MOST as f64 {
        settings.refuse(format!(
            "a count of {MOST} or more within a time span is not kept"
        ));
        return None;
    }
    let keep = if counts {
        (condition.largest() as usize + 1).max(RECORDS)
    } else {
        MOST
    };
    let mut roles = Roles::default();
    match measure {
        Measure::Count => {}
        Measure::Distinct => roles.value = condition.fields.clone(),
        _ => roles.number = condition.fields.first().cloned(),
    }
    Some(Built {
        kind: Box::new(Windowed {
            measure,
            at_once: condition.only_rises(),
            condition,
            timespan,
            keep,
            groups: Table::new(bound, timespan),
            closing: BTreeSet::new(),
        }),
        roles,
    })
}

impl Windowed {
    fn measured(&self, window: &Window) -> f64 {
        let numbers = || window.entries.iter().map(|seen| seen.number);
        match self.measure {
            Measure::Count | Measure::Distinct => window.entries.len() as f64 + window.more as f64,
            Measure::Sum => numbers().sum(),
            Measure::Average => numbers().sum::<f64>() / window.entries.len().max(1) as f64,
            Measure::Percentile => {
                let mut sorted: Vec<f64> = numbers().collect();
                sorted.sort_unstable_by(f64::total_cmp);
                let share = self.condition.percentile.unwrap_or(50.0) / 100.0;
                // The nearest rank: always a value that was there.
                let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
                sorted.get(rank - 1).copied().unwrap_or(0.0)
            }
        }
    }

    fn tell(&self, key: u64, time: Moment, window: &Window, out: &mut Out<'_>) {
        let number = self.measured(window);
        if !self.condition.holds(number) {
            return;
        }
        let skipped = window.entries.len().saturating_sub(RECORDS);
        let entries = || window.entries.iter().skip(skipped);
        let lead = window.entries.back().map_or(0, |seen| seen.record);
        let fired = out.fire(key, time, entries().map(|seen| seen.record).collect(), lead);
        fired.number = Some(number);
        fired.values = entries()
            .map(|seen| seen.value)
            .filter(|value| *value != 0)
            .collect();
    }
}

impl Kind for Windowed {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn expect(&self, item: &Item) -> u64 {
        self.groups.expect(item.key)
    }

    fn fold(&mut self, item: &Item, _world: &World<'_>, out: &mut Out<'_>) {
        let (key, time) = (item.key, item.time);
        let mut window = std::mem::take(self.groups.touch(key, time));
        if self.at_once {
            while window
                .entries
                .front()
                .is_some_and(|seen| seen.time < time - self.timespan)
            {
                window.entries.pop_front();
            }
        } else if window.entries.is_empty() {
            window.opened = time;
            self.closing.insert((time + self.timespan, key));
        }
        let seen = Seen {
            time,
            record: item.record,
            value: item.value,
            number: item.number,
        };
        if self.measure == Measure::Distinct {
            let known = window
                .entries
                .iter()
                .position(|known| known.value == item.value);
            match known {
                // Within a sliding window the latest use of a value counts; at its end any.
                Some(at) if self.at_once => {
                    window.entries.remove(at);
                    window.entries.push_back(seen);
                }
                Some(_) => {}
                None => window.entries.push_back(seen),
            }
        } else {
            window.entries.push_back(seen);
        }
        if window.entries.len() > self.keep {
            window.entries.pop_front();
            if !self.at_once {
                window.more = window.more.saturating_add(1);
            }
        }
        if self.at_once {
            self.tell(key, time, &window, out);
        }
        *self.groups.touch(key, time) = window;
    }

    fn closes(&self) -> bool {
        !self.at_once
    }

    fn pass(&mut self, now: Moment, out: &mut Out<'_>) {
        while let Some((end, key)) = self.closing.first().copied() {
            if end >= now {
                return;
            }
            self.closing.pop_first();
            // A group that was let go may be back by now, with a window that ends later: the end of
            // the one that was forgotten is not its end.
            let is_due = |window: &Window| {
                !window.entries.is_empty() && window.opened + self.timespan == end
            };
            if !self.groups.get(key, Moment::MIN).is_some_and(is_due) {
                continue;
            }
            if let Some(window) = self.groups.change(key) {
                let window = std::mem::take(window);
                // Decided behind everything that still belonged to it.
                self.tell(key, end + 1, &window, out);
            }
        }
    }

    fn finish(&mut self, _now: Moment, _world: &World<'_>, out: &mut Out<'_>) {
        self.pass(Moment::MAX, out);
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.groups]
    }

    fn restored(&mut self) {
        if self.at_once {
            return;
        }
        self.closing.clear();
        for key in self.groups.keys() {
            let open = self
                .groups
                .get(key, Moment::MIN)
                .filter(|window| !window.entries.is_empty());
            if let Some(window) = open {
                self.closing.insert((window.opened + self.timespan, key));
            }
        }
    }
}

impl Entry for Window {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        self.entries.iter().for_each(|seen| take(seen.record));
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .signed(self.opened)
            .number(self.more)
            .list(self.entries.iter(), |writer, seen| {
                writer
                    .signed(seen.time)
                    .number(seen.record)
                    .hash(seen.value)
                    .float(seen.number);
            });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            opened: moment(reader)?,
            more: reader.number()?,
            entries: reader.list(|reader| {
                Ok(Seen {
                    time: moment(reader)?,
                    record: reader.number()?,
                    value: reader.hash()?,
                    number: reader.float()?,
                })
            })?,
        })
    }
}
