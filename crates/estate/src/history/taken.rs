//! When an inventory was made, told from what it shows of the changes in the logs.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{Held, Spot, Timestamp};

use super::History;
use super::lit::Lit;
use super::timeline::{Event, Timeline};

/// How many contradictions more than the fewest still count, one for so many spots that the logs
/// change: records may be missing, and each that is makes one.
const SPOTS_A_CONTRADICTION: i64 = 25;
/// How many more still count for the time after the last change: most inventories are made after it
/// all, and it takes more than a record or two to tell that one was not.
const FEW: i64 = 2;

impl History {
    /// The first and the last instant at which the inventory may have been made: those at which it
    /// contradicts the changes least, or by little more, and that are no earlier than the newest
    /// date in it. Costs the number of changes times its logarithm.
    pub(super) fn inferred(&self, events: &BTreeMap<Spot, Vec<Event>>) -> (Timestamp, Timestamp) {
        let times: Vec<Timestamp> = events
            .values()
            .flatten()
            .map(|event| event.time)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        // Between the change `n - 1` and the change `n` of all, how many spots contradict.
        let mut steps = vec![0_i64; times.len() + 2];
        let place = |time: Timestamp| times.partition_point(|known| *known < time);
        for (spot, list) in events {
            let shown = self.shown.held(spot);
            if shown == Held::Unknown {
                continue;
            }
            let dark = self.home(spot).and_then(|home| self.dark.get(&home));
            let lit = Lit::of(dark.map_or(&[], Vec::as_slice));
            let timeline = Timeline::new(list.clone(), &lit);
            for (from, until) in timeline.contradictions(&shown) {
                steps[from.map_or(0, |from| place(from) + 1)] += 1;
                steps[until.map_or(times.len(), place) + 1] -= 1;
            }
        }
        let counts = steps.iter().scan(0, |count, step| {
            *count += step;
            Some(*count)
        });
        let earliest = self.shown.newest_date().unwrap_or(Timestamp::MIN);
        let end = |number: usize| times.get(number).copied().unwrap_or(Timestamp::MAX);
        let possible: Vec<(usize, i64)> = counts
            .take(times.len() + 1)
            .enumerate()
            .filter(|(number, _)| end(*number) > earliest)
            .collect();
        let fewest = possible.iter().map(|(_, count)| *count).min().unwrap_or(0);
        let most = fewest + events.len() as i64 / SPOTS_A_CONTRADICTION;
        let mut numbers = possible
            .iter()
            .filter(|(number, count)| {
                let few = if *number == times.len() { FEW } else { 0 };
                *count <= most + few
            })
            .map(|(number, _)| *number);
        let first = numbers.next().unwrap_or(times.len());
        let last = numbers.next_back().unwrap_or(first);
        let from = match first.checked_sub(1) {
            Some(before) => times[before].max(earliest),
            None => earliest.max(self.covered.from),
        };
        // Just before the next change, which it does not show.
        let until = match times.get(last) {
            Some(next) => Timestamp::from_second(next.as_second() - 1).unwrap_or(*next),
            None => self.covered.until,
        };
        (from.min(until), until)
    }
}
