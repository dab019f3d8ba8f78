use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Step, as_float, pop_if};
use crate::correlate::compile::Compiled;
use crate::correlate::item::{Amount, Moment};

/// The sum of numbers, and how many there are. Sums are whole numbers of billionths, so that what
/// leaves the window takes away exactly what it brought.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sum {
    runs: VecDeque<(Moment, i128, u64)>,
    sum: i128,
    count: u64,
}

impl Sum {
    pub(crate) fn expire(&mut self, earliest: Moment) {
        while let Some((_, sum, count)) = pop_if(&mut self.runs, |(time, ..)| *time < earliest) {
            self.sum = self.sum.wrapping_sub(sum);
            self.count -= count;
        }
    }

    pub(crate) fn add(&mut self, step: Step, compiled: &Compiled) {
        let Amount::Number(number) = step.amount else {
            return;
        };
        self.sum = self.sum.wrapping_add(number);
        self.count += 1;
        if !compiled.slides {
            return;
        }
        match self.runs.back_mut() {
            Some((last, sum, count)) if *last == step.time => {
                *sum = sum.wrapping_add(number);
                *count += 1;
            }
            _ => self.runs.push_back((step.time, number, 1)),
        }
    }

    pub(crate) fn sum(&self) -> f64 {
        as_float(self.sum)
    }

    pub(crate) fn average(&self) -> f64 {
        as_float(self.sum) / self.count.max(1) as f64
    }

    pub(crate) fn entries(&self) -> usize {
        self.runs.len()
    }
}
