use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::pop_if;

use crate::correlate::compile::Compiled;
use crate::correlate::item::Moment;

/// How many records. Records of one time are one entry; a window that slides keeps no more of the
/// latest than the condition needs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Count {
    runs: VecDeque<(Moment, u64)>,
    total: u64,
}

impl Count {
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.total = 0;
    }

    pub(crate) fn expire(&mut self, earliest: Moment) {
        while let Some((_, count)) = pop_if(&mut self.runs, |(time, _)| *time < earliest) {
            self.total -= count;
        }
    }

    pub(crate) fn add(&mut self, time: Moment, compiled: &Compiled) {
        self.total += 1;
        if !compiled.slides {
            return;
        }
        match self.runs.back_mut() {
            Some((last, count)) if *last == time => *count += 1,
            _ => self.runs.push_back((time, 1)),
        }
        let total = &mut self.total;
        while let Some((_, count)) = pop_if(&mut self.runs, |(_, count)| {
            *total - count >= compiled.needed
        }) {
            *total -= count;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn entries(&self) -> usize {
        self.runs.len()
    }
}
