//! When an inventory was made, told from what it shows of the changes in the logs.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{Held, Spot, Timestamp};

use super::timeline::{Event, Timeline};
use super::{History, Lit};

impl History {
    /// The latest instant at which the inventory contradicts the changes least, and that is no
    /// earlier than the newest date in it. Costs the number of changes times its logarithm.
    pub(super) fn inferred(&self, events: &BTreeMap<Spot, Vec<Event>>) -> Timestamp {
        let times: Vec<Timestamp> = events
            .values()
            .flatten()
            .map(|event| event.time)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        // Between the change `n - 1` and the change `n` of all, how many spots contradict.
        let mut steps = vec![0_i64; times.len() + 2];
        let place = |time: Option<Timestamp>, open: usize| {
            time.map_or(open, |time| times.partition_point(|known| *known < time))
        };
        for (spot, list) in events {
            let shown = self.shown.held(spot);
            if shown == Held::Unknown {
                continue;
            }
            let dark = self.home(spot).and_then(|home| self.dark.get(&home));
            let lit = Lit::of(dark.map_or(&[], Vec::as_slice));
            let timeline = Timeline::new(list.clone(), &lit);
            for (from, until) in timeline.contradictions(&shown) {
                steps[from.map_or(0, |from| place(Some(from), 0) + 1)] += 1;
                steps[place(until, times.len()) + 1] -= 1;
            }
        }
        let earliest = self.shown.newest_date();
        let mut least: Option<(i64, usize)> = None;
        let mut contradictions = 0;
        for number in 0..=times.len() {
            contradictions += steps[number];
            let end = times.get(number).copied().unwrap_or(self.covered.until);
            if number < times.len() && earliest.is_some_and(|earliest| end <= earliest) {
                continue;
            }
            if least.is_none_or(|(known, _)| contradictions <= known) {
                least = Some((contradictions, number));
            }
        }
        let Some((_, number)) = least.filter(|(_, number)| *number < times.len()) else {
            return self.covered.until;
        };
        // Just before the next change, which it does not show.
        let before = Timestamp::from_second(times[number].as_second() - 1);
        before.unwrap_or(times[number])
    }
}
