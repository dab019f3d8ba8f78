//! What a group's time span holds, one kind of correlation a file.

mod count;
mod distinct;
mod ordered;
mod ranked;
mod sum;
mod temporal;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub(crate) use ordered::sequences;

use self::count::Count;
use self::distinct::Distinct;
use self::ordered::Ordered;
use self::ranked::Ranked;
use self::sum::Sum;
use self::temporal::Temporal;
use super::compile::{Compiled, Measure};
use super::item::{Amount, Moment, Reference};

/// Billionths in one: the unit of sums.
pub(crate) const UNIT: i128 = 1_000_000_000;

/// One item, as a window takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) time: Moment,
    pub(crate) reference: Reference,
    pub(crate) position: u16,
    pub(crate) amount: Amount,
}

/// What a group's time span holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Window {
    Count(Count),
    Distinct(Distinct),
    Sum(Sum),
    Ranked(Ranked),
    Temporal(Temporal),
    Ordered(Ordered),
}

impl Window {
    pub(crate) fn new(compiled: &Compiled) -> Self {
        match &compiled.measure {
            Measure::Count => Window::Count(Count::default()),
            Measure::Distinct => Window::Distinct(Distinct::default()),
            Measure::Sum | Measure::Average => Window::Sum(Sum::default()),
            Measure::Percentile(_) => Window::Ranked(Ranked::default()),
            Measure::Temporal(_) => Window::Temporal(Temporal::default()),
            Measure::Ordered(sequences) => Window::Ordered(Ordered::new(sequences)),
        }
    }

    /// As new, but for the memory that it has.
    pub(crate) fn clear(&mut self) {
        match self {
            Window::Count(count) => count.clear(),
            Window::Distinct(distinct) => distinct.clear(),
            Window::Sum(sum) => *sum = Sum::default(),
            Window::Ranked(ranked) => *ranked = Ranked::default(),
            Window::Temporal(temporal) => *temporal = Temporal::default(),
            Window::Ordered(ordered) => ordered.clear(),
        }
    }

    /// Lets go of what happened before `earliest`.
    pub(crate) fn expire(&mut self, earliest: Moment, compiled: &Compiled) {
        match self {
            Window::Count(count) => count.expire(earliest),
            Window::Distinct(distinct) => distinct.expire(earliest),
            Window::Sum(sum) => sum.expire(earliest),
            Window::Ranked(ranked) => ranked.expire(earliest, compiled.percentile()),
            Window::Temporal(temporal) => temporal.expire(earliest),
            // A chain that began too early is passed over where it is asked for.
            Window::Ordered(_) => {}
        }
    }

    pub(crate) fn add(&mut self, step: Step, compiled: &Compiled) {
        match self {
            Window::Count(count) => count.add(step.time, compiled),
            Window::Distinct(distinct) => distinct.add(step, compiled),
            Window::Sum(sum) => sum.add(step, compiled),
            Window::Ranked(ranked) => ranked.add(step, compiled),
            Window::Temporal(temporal) => temporal.add(step),
            Window::Ordered(ordered) => ordered.add(step, compiled),
        }
    }

    /// The count or measure, and whether it meets the condition.
    pub(crate) fn measure(&self, earliest: Moment, compiled: &Compiled) -> (f64, bool) {
        let number = match self {
            Window::Count(count) => count.total() as f64,
            Window::Distinct(distinct) => distinct.total() as f64,
            Window::Sum(sum) if matches!(compiled.measure, Measure::Average) => sum.average(),
            Window::Sum(sum) => sum.sum(),
            Window::Ranked(ranked) => match ranked.value() {
                Some(value) => value,
                None => return (0.0, false),
            },
            Window::Temporal(temporal) => return temporal.measure(compiled),
            Window::Ordered(ordered) => return ordered.measure(earliest),
        };
        (number, compiled.condition.holds(number))
    }

    /// The records that make a match, where the window knows them better than by their order.
    pub(crate) fn records(&self, earliest: Moment) -> Option<Vec<Reference>> {
        match self {
            Window::Temporal(temporal) => Some(temporal.records()),
            Window::Ordered(ordered) => Some(ordered.records(earliest)),
            _ => None,
        }
    }

    /// How many entries it keeps, as the bound on memory counts them.
    pub(crate) fn entries(&self) -> usize {
        1 + match self {
            Window::Count(count) => count.entries(),
            Window::Distinct(distinct) => distinct.entries(),
            Window::Sum(sum) => sum.entries(),
            Window::Ranked(ranked) => ranked.entries(),
            Window::Temporal(_) | Window::Ordered(_) => 1,
        }
    }
}

/// A number in billionths as a number.
fn as_float(billionths: i128) -> f64 {
    let (whole, rest) = (billionths / UNIT, billionths % UNIT);
    whole as f64 + rest as f64 / UNIT as f64
}

/// Takes the first entry where it is wanted.
fn pop_if<T>(entries: &mut VecDeque<T>, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
    entries.front().filter(|entry| is_wanted(entry))?;
    entries.pop_front()
}
