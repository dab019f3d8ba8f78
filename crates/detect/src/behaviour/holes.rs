//! Times in which a log was silent that is not silent otherwise.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use foldhash::fast::FixedState;
use portreeve_model::Timestamp;

use super::item::{DAY, Moment, SECOND};
use super::told::Hole;
use crate::activities::{Activities, ActivityRow, RowId};
use crate::strings::Symbol;

const HOUR: Moment = 3_600 * SECOND;
/// Shorter silences are none.
const SHORTEST: Moment = 6 * HOUR;
/// A silence counts where so many records would have been expected in it.
const EXPECTED: f64 = 50.0;
/// A log of fewer records has no rhythm.
const FEWEST: i64 = 200;
/// Silences that come back, as nights and weekends do, are the rhythm of the estate.
const RHYTHM: usize = 3;
/// For so long after a hole, at most, it is not said what is new.
const LONGEST_DOUBT: Moment = 14 * DAY;

/// The holes of the logs, for each source and account.
#[derive(Debug, Default)]
pub(crate) struct Holes {
    places: HashMap<(&'static str, Symbol), Vec<(Moment, Moment)>, FixedState>,
}

/// What is known of the rhythm of each source and account, by names that any table understands.
pub(crate) type Rhythms = BTreeMap<(&'static str, Option<String>), Place>;

#[derive(Clone, Debug)]
pub(crate) struct Place {
    first: Moment,
    last: Moment,
    records: i64,
    silences: Vec<(Moment, Moment)>,
}

impl Holes {
    /// Looks for holes in rows, which are in order of time, behind those that are known already.
    pub(crate) fn find(activities: &Activities, known: &Rhythms, rows: Range<RowId>) -> Self {
        let places = rhythms(activities, known, rows)
            .into_iter()
            .filter_map(|(key, place)| {
                let holes = place.holes();
                (!holes.is_empty()).then_some((key, holes))
            })
            .collect();
        Self { places }
    }

    /// Whether a row comes so soon after a hole that what looks new may have begun in it.
    pub(crate) fn doubt(&self, row: ActivityRow<'_>, time: Moment) -> bool {
        if self.places.is_empty() {
            return false;
        }
        let Some(holes) = self.places.get(&(row.source(), row.account_symbol())) else {
            return false;
        };
        let next = holes.partition_point(|(_, end)| *end <= time);
        holes[..next].iter().any(|(start, end)| {
            let doubt = (end - start).clamp(DAY, LONGEST_DOUBT);
            time - end < doubt
        })
    }

    /// All holes, joined where they overlap, in order of time.
    pub(crate) fn joined(&self) -> Vec<(Timestamp, Timestamp)> {
        let mut all: Vec<(Moment, Moment)> = self.places.values().flatten().copied().collect();
        all.sort_unstable();
        let mut joined: Vec<(Moment, Moment)> = Vec::new();
        for (start, end) in all {
            match joined.last_mut() {
                Some((_, known)) if start <= *known => *known = end.max(*known),
                _ => joined.push((start, end)),
            }
        }
        joined.into_iter().filter_map(timestamps).collect()
    }

    /// What is to be told of them.
    pub(crate) fn told(&self, activities: &Activities) -> Vec<Hole> {
        let mut told = BTreeMap::new();
        for ((source, account), holes) in &self.places {
            let account = activities.strings().get(*account).unwrap_or_default();
            for (from, to) in holes.iter().copied().filter_map(timestamps) {
                let hole = Hole {
                    source: (*source).to_owned(),
                    account: account.to_owned(),
                    from,
                    to,
                };
                told.insert((from, *source, account), hole);
            }
        }
        told.into_values().collect()
    }
}

type Places = HashMap<(&'static str, Symbol), Place, FixedState>;

fn rhythms(activities: &Activities, known: &Rhythms, rows: Range<RowId>) -> Places {
    let mut places = Places::default();
    for ((source, account), place) in known {
        let symbol = match account {
            None => Some(Symbol::NONE),
            Some(account) => activities.strings().find(account),
        };
        if let Some(symbol) = symbol {
            places.insert((*source, symbol), place.clone());
        }
    }
    for row in rows.map(|row| activities.get(row)) {
        let Some(time) = row.moment() else {
            continue;
        };
        let place = places
            .entry((row.source(), row.account_symbol()))
            .or_insert(Place {
                first: time,
                last: time,
                records: 0,
                silences: Vec::new(),
            });
        if time - place.last >= SHORTEST {
            place.silences.push((place.last, time));
        }
        place.last = time;
        place.records += 1;
    }
    places
}

/// The rhythms as of the end of some rows, which follow those that are known already.
pub(crate) fn go_on(activities: &Activities, known: &mut Rhythms, rows: Range<RowId>) {
    for ((source, account), place) in rhythms(activities, known, rows) {
        let account = activities.strings().get(account).map(str::to_owned);
        known.insert((source, account), place);
    }
}

fn timestamps((from, to): (Moment, Moment)) -> Option<(Timestamp, Timestamp)> {
    Some((
        Timestamp::from_microsecond(from).ok()?,
        Timestamp::from_microsecond(to).ok()?,
    ))
}

impl Place {
    fn holes(self) -> Vec<(Moment, Moment)> {
        let lengths: Vec<Moment> = self.silences.iter().map(|(from, to)| to - from).collect();
        let whole = self.last - self.first;
        self.silences
            .into_iter()
            .filter(|(from, to)| {
                let length = to - from;
                let alike = lengths.iter().filter(|other| **other >= length / 2).count();
                // The rate of the rest of the time, so that a long hole does not hide itself.
                let rest = (whole - length).max(HOUR);
                let expected = self.records as f64 * length as f64 / rest as f64;
                self.records >= FEWEST && expected >= EXPECTED && alike < RHYTHM
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(silences: &[(Moment, Moment)], records: i64) -> Vec<(Moment, Moment)> {
        Place {
            first: 0,
            last: 40 * DAY,
            records,
            silences: silences
                .iter()
                .map(|(from, to)| (from * HOUR, to * HOUR))
                .collect(),
        }
        .holes()
    }

    #[test]
    fn a_silence_of_a_busy_log_is_a_hole() {
        assert_eq!(place(&[(100, 130)], 20_000), [(100 * HOUR, 130 * HOUR)]);
        assert_eq!(place(&[(100, 130)], 600), [], "too few records to miss any");
        assert_eq!(
            place(&[(48, 950)], 10),
            [],
            "an account that is hardly used"
        );
    }

    #[test]
    fn nights_and_weekends_are_no_holes() {
        let weekends: Vec<(Moment, Moment)> = (0..5)
            .map(|week| (week * 168 + 110, week * 168 + 160))
            .collect();
        assert_eq!(place(&weekends, 20_000), []);
    }
}
