//! Where records come from, and how late they usually are.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::board::SourceState;

/// By how many of the latest pieces a source's usual delay is told.
const DELAYS: usize = 200;

#[derive(Debug)]
pub(crate) struct Source {
    state: SourceState,
    delays: VecDeque<i64>,
}

impl Source {
    pub(crate) fn new((source, input): (String, String)) -> Self {
        Self {
            state: SourceState {
                source,
                input,
                ..SourceState::default()
            },
            delays: VecDeque::new(),
        }
    }

    pub(crate) fn arrived(&mut self, records: u64, latest: Option<Timestamp>) {
        let now = Timestamp::now();
        self.state.records += records;
        self.state.last_arrival = Some(now);
        self.state.last_event = self.state.last_event.max(latest);
        if let Some(latest) = latest {
            if self.delays.len() == DELAYS {
                self.delays.pop_front();
            }
            self.delays.push_back(now.as_second() - latest.as_second());
        }
    }

    pub(crate) fn told(&self) -> SourceState {
        let mut delays: Vec<i64> = self.delays.iter().copied().collect();
        delays.sort_unstable();
        SourceState {
            usual_delay: delays.get(delays.len() / 2).copied(),
            ..self.state.clone()
        }
    }
}
