use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Step, as_float, pop_if};
use crate::correlate::compile::Compiled;
use crate::correlate::item::{Amount, Moment};

/// A percentile of numbers. The numbers stand in two sorted halves, the lower of which ends with the
/// percentile; an item moves at most one number from one half to the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ranked {
    window: VecDeque<(Moment, i128)>,
    lower: Half,
    upper: Half,
}

/// Numbers, and how often each is there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Half {
    counts: BTreeMap<i128, u64>,
    size: u64,
}

impl Half {
    fn insert(&mut self, number: i128) {
        *self.counts.entry(number).or_default() += 1;
        self.size += 1;
    }

    fn remove(&mut self, number: i128) -> bool {
        let Some(count) = self.counts.get_mut(&number) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&number);
        }
        self.size -= 1;
        true
    }

    fn least(&self) -> Option<i128> {
        self.counts.first_key_value().map(|(number, _)| *number)
    }

    fn greatest(&self) -> Option<i128> {
        self.counts.last_key_value().map(|(number, _)| *number)
    }
}

impl Ranked {
    pub(crate) fn expire(&mut self, earliest: Moment, percentile: f64) {
        while let Some((_, number)) = pop_if(&mut self.window, |(time, _)| *time < earliest) {
            if !self.lower.remove(number) {
                self.upper.remove(number);
            }
            self.balance(percentile);
        }
    }

    pub(crate) fn add(&mut self, step: Step, compiled: &Compiled) {
        let Amount::Number(number) = step.amount else {
            return;
        };
        if compiled.slides {
            self.window.push_back((step.time, number));
        }
        match self.lower.greatest() {
            Some(middle) if number <= middle => self.lower.insert(number),
            _ => self.upper.insert(number),
        }
        self.balance(compiled.percentile());
    }

    fn balance(&mut self, percentile: f64) {
        let rank = rank(self.lower.size + self.upper.size, percentile);
        while self.lower.size < rank
            && let Some(number) = self.upper.least()
        {
            self.upper.remove(number);
            self.lower.insert(number);
        }
        while self.lower.size > rank
            && let Some(number) = self.lower.greatest()
        {
            self.lower.remove(number);
            self.upper.insert(number);
        }
    }

    /// The percentile; none where there is no number.
    pub(crate) fn value(&self) -> Option<f64> {
        self.lower.greatest().map(as_float)
    }

    pub(crate) fn entries(&self) -> usize {
        self.window.len() + self.lower.counts.len() + self.upper.counts.len()
    }
}

/// The nearest rank, from 1: the place of the percentile among so many sorted numbers.
fn rank(count: u64, percentile: f64) -> u64 {
    let rank = (percentile * count as f64 / 100.0).ceil() as u64;
    rank.clamp(u64::from(count > 0), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        assert_eq!(rank(0, 50.0), 0);
        assert_eq!(rank(1, 0.0), 1);
        assert_eq!(rank(4, 50.0), 2);
        assert_eq!(rank(5, 50.0), 3);
        assert_eq!(rank(20, 95.0), 19);
        assert_eq!(rank(20, 100.0), 20);
    }
}
