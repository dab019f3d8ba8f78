//! For each account, region and kind of event the hours in which the logs hold records, and the
//! holes in them.
//!
//! An hour without records is a hole only where it is surprising: each silent hour counts by how
//! regularly the same hour of the day has records on other days, weekends apart, and a run of
//! silent hours is a hole when together they could hardly be silent by chance. A public holiday
//! looks like one where only people make records.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_model::{CoverageCell, Hole};

use crate::strings::{Strings, Symbol};

/// The most cells, and hours in all of them, that are kept for one source: 40 MB. Beyond that
/// nothing is told by the hour, rather than what happened to come first.
const MOST_CELLS: usize = 20_000;
const MOST_HOURS: usize = 4_000_000;

/// On how many days of a kind an hour of the day must be known to have records.
const FEWEST_DAYS: usize = 4;

/// How many days of a kind in a hundred an hour must have records on for its silence to count.
const STEADY_PERCENT: usize = 60;

/// How unlikely the silence must be to be a hole: the natural logarithm of one in a million.
const SURPRISE: f64 = 13.8;

/// What one silent hour can count at most: one in fifty that it is silent by chance.
const LEAST_CHANCE: f64 = 0.02;

/// How many holes of one cell are named.
const MOST_HOLES: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CellKey {
    pub(crate) account: Symbol,
    pub(crate) region: Symbol,
    pub(crate) kind: Symbol,
}

/// Records by hour since 1970, in order of hours.
#[derive(Clone, Debug, Default)]
struct Hours(Vec<(i32, u32)>);

impl Hours {
    /// Adds to an hour; tells whether it is a new one.
    fn add(&mut self, hour: i32, count: u32) -> bool {
        // Records mostly come in order.
        if let Some((last, known)) = self.0.last_mut()
            && *last == hour
        {
            *known = known.saturating_add(count);
            return false;
        }
        match self.0.binary_search_by_key(&hour, |(known, _)| *known) {
            Ok(place) => {
                self.0[place].1 = self.0[place].1.saturating_add(count);
                false
            }
            Err(place) => {
                self.0.insert(place, (hour, count));
                true
            }
        }
    }
}

/// All cells of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    cells: HashMap<CellKey, Hours, FixedState>,
    hours: usize,
    too_many: bool,
}

impl Cells {
    pub(crate) fn add(&mut self, key: CellKey, time: Timestamp) {
        let hour = time.as_second().div_euclid(3_600) as i32;
        self.add_hour(key, hour, 1);
    }

    fn add_hour(&mut self, key: CellKey, hour: i32, count: u32) {
        if self.too_many {
            return;
        }
        let is_new = self.cells.entry(key).or_default().add(hour, count);
        self.hours += usize::from(is_new);
        if self.cells.len() > MOST_CELLS || self.hours > MOST_HOURS {
            // Whichever part came first must not show: what is told would depend on the order.
            *self = Self {
                too_many: true,
                ..Self::default()
            };
        }
    }

    /// Takes in the cells of another part of the logs.
    pub(crate) fn merge(&mut self, other: Cells, mut renamed: impl FnMut(Symbol) -> Symbol) {
        if other.too_many {
            *self = other;
            return;
        }
        for (key, hours) in other.cells {
            let key = CellKey {
                account: renamed(key.account),
                region: renamed(key.region),
                kind: renamed(key.kind),
            };
            for (hour, count) in hours.0 {
                self.add_hour(key, hour, count);
            }
        }
    }

    /// The hours with records of one kind, by account and region.
    pub(crate) fn of_kind<'c>(
        &'c self,
        strings: &'c Strings,
        kind: &'c str,
    ) -> impl Iterator<Item = (&'c str, &'c str, &'c [(i32, u32)])> {
        let text = |symbol: Symbol| strings.get(symbol).unwrap_or_default();
        self.cells
            .iter()
            .filter(move |(key, _)| text(key.kind) == kind)
            .map(move |(key, hours)| (text(key.account), text(key.region), hours.0.as_slice()))
    }

    /// Whether there were more than are kept.
    pub(crate) fn are_too_many(&self) -> bool {
        self.too_many
    }

    /// What is told of each cell, and the holes of each account and of the whole source.
    pub(crate) fn told(&self, strings: &Strings) -> Vec<CoverageCell> {
        let text = |symbol: Symbol| strings.get(symbol).unwrap_or_default().to_owned();
        let mut whole = Hours::default();
        let mut by_account = HashMap::<Symbol, Hours, FixedState>::default();
        for (key, hours) in &self.cells {
            let account = by_account.entry(key.account).or_default();
            for (hour, count) in &hours.0 {
                whole.add(*hour, *count);
                account.add(*hour, *count);
            }
        }
        let (Some((first, _)), Some((last, _))) = (whole.0.first(), whole.0.last()) else {
            return Vec::new();
        };
        let span = (*first, *last);
        let cell = |account: &str, region: &str, kind: &str, hours: &Hours| CoverageCell {
            account: account.to_owned(),
            region: region.to_owned(),
            kind: kind.to_owned(),
            records: hours.0.iter().map(|(_, count)| u64::from(*count)).sum(),
            hours: hours.0.len() as u64,
            first: hours.0.first().and_then(|(hour, _)| begin(*hour)),
            last: hours.0.last().and_then(|(hour, _)| begin(*hour)),
            holes: holes(&hours.0, span),
        };
        let mut told = vec![cell("", "", "", &whole)];
        told.extend(
            by_account
                .iter()
                .filter(|(account, _)| account.is_some())
                .map(|(account, hours)| cell(&text(*account), "", "", hours)),
        );
        told.extend(self.cells.iter().map(|(key, hours)| {
            let (account, region) = (text(key.account), text(key.region));
            cell(&account, &region, &text(key.kind), hours)
        }));
        told.sort_by(|a, b| {
            (&a.account, &a.region, &a.kind).cmp(&(&b.account, &b.region, &b.kind))
        });
        told
    }
}

pub(crate) fn begin(hour: i32) -> Option<Timestamp> {
    Timestamp::from_second(i64::from(hour) * 3_600).ok()
}

/// Days of a kind: working days, weekends.
fn kind_of_day(hour: i32) -> usize {
    // 1970-01-01 was a Thursday.
    usize::from((hour.div_euclid(24) + 3).rem_euclid(7) >= 5)
}

/// How regularly an hour of the day has records, by kind of day.
pub(crate) struct Regularity {
    /// How many days of each kind there are for each hour of the day, from first to last record.
    days: [[usize; 24]; 2],
    present: [[usize; 24]; 2],
}

impl Regularity {
    /// That of hours in order, which must not span centuries.
    pub(crate) fn of(hours: &[(i32, u32)]) -> Self {
        let mut regularity = Self {
            days: [[0; 24]; 2],
            present: [[0; 24]; 2],
        };
        if let (Some((first, _)), Some((last, _))) = (hours.first(), hours.last()) {
            for hour in *first..=*last {
                regularity.days[kind_of_day(hour)][hour.rem_euclid(24) as usize] += 1;
            }
        }
        for (hour, _) in hours {
            regularity.present[kind_of_day(*hour)][hour.rem_euclid(24) as usize] += 1;
        }
        regularity
    }

    /// How unlikely it is that an hour is silent by chance, as a natural logarithm; 0 where it is
    /// not known to have records.
    pub(crate) fn surprise(&self, hour: i32) -> f64 {
        let (kind, of_day) = (kind_of_day(hour), hour.rem_euclid(24) as usize);
        let (days, present) = (self.days[kind][of_day], self.present[kind][of_day]);
        if days < FEWEST_DAYS || present * 100 < days * STEADY_PERCENT {
            return 0.0;
        }
        let silent = 1.0 - present as f64 / days as f64;
        -silent.max(LEAST_CHANCE).ln()
    }
}

/// The silent runs within a span that can hardly be chance.
fn holes(hours: &[(i32, u32)], (first, last): (i32, i32)) -> Vec<Hole> {
    let (Some((own_first, _)), Some((own_last, _))) = (hours.first(), hours.last()) else {
        return Vec::new();
    };
    // A span of centuries comes from a forged or broken clock; nothing is regular in it.
    if own_last.saturating_sub(*own_first) > 24 * 366 * 10 {
        return Vec::new();
    }
    let regular = Regularity::of(hours);
    let surprise = |hour: i32| regular.surprise(hour);
    let mut found = Vec::new();
    let mut look = |from: i32, until: i32| {
        // What a sporadic cell leaves silent in between costs no more than a regular one does.
        if until.saturating_sub(from) > 24 * 366 * 10 {
            return;
        }
        let total: f64 = (from..until).map(surprise).sum();
        if total >= SURPRISE
            && let (Some(from), Some(until)) = (begin(from), begin(until))
        {
            found.push(Hole { from, until });
        }
    };
    look(first, *own_first);
    for pair in hours.windows(2) {
        if let [(a, _), (b, _)] = pair
            && b - a > 1
        {
            look(a + 1, *b);
        }
    }
    look(own_last + 1, last + 1);
    found.truncate(MOST_HOLES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02, a Monday, 00:00.
    const MONDAY: i32 = 492_336;

    fn key(strings: &mut Strings, account: &str) -> CellKey {
        CellKey {
            account: strings.intern(account),
            region: strings.intern("eu-west-1"),
            kind: strings.intern("Management"),
        }
    }

    fn found(hours: impl Iterator<Item = i32>) -> Vec<(i64, i64)> {
        let hours: Vec<(i32, u32)> = hours.map(|hour| (hour, 9)).collect();
        let span = (hours[0].0, hours[hours.len() - 1].0);
        holes(&hours, span)
            .iter()
            .map(|hole| {
                let hour = |time: Timestamp| time.as_second() / 3_600 - i64::from(MONDAY);
                (hour(hole.from), hour(hole.until))
            })
            .collect()
    }

    #[test]
    fn a_silent_stretch_of_a_steady_log_is_a_hole() {
        let steady = MONDAY..MONDAY + 24 * 21;
        assert!(found(steady.clone()).is_empty());
        let broken = steady.filter(|hour| !(100..106).contains(&(hour - MONDAY)));
        assert_eq!(found(broken), [(100, 106)]);
    }

    #[test]
    fn nights_and_weekends_are_none_where_nobody_works_then() {
        let office = |hour: &i32| {
            let of_day = hour.rem_euclid(24);
            (8..18).contains(&of_day) && kind_of_day(*hour) == 0
        };
        let worked = (MONDAY..MONDAY + 24 * 28).filter(office);
        assert!(found(worked.clone()).is_empty());
        // A working day without a record, the nights around it included.
        let day = MONDAY + 24 * 9;
        let broken = worked.filter(|hour| !(day..day + 24).contains(hour));
        let holes = found(broken);
        assert_eq!(holes.len(), 1, "{holes:?}");
    }

    #[test]
    fn what_is_sporadic_has_no_holes() {
        let nightly = (0..40)
            .filter(|day| day % 3 == 0)
            .map(|day| MONDAY + day * 24 + 2);
        assert!(found(nightly).is_empty());
    }

    #[test]
    fn an_account_that_ends_early_has_a_hole_at_the_end() {
        let mut strings = Strings::default();
        let mut cells = Cells::default();
        let (a, b) = (key(&mut strings, "111"), key(&mut strings, "222"));
        for hour in MONDAY..MONDAY + 24 * 21 {
            cells.add_hour(a, hour, 1);
            if hour < MONDAY + 24 * 18 {
                cells.add_hour(b, hour, 1);
            }
        }
        let told = cells.told(&strings);
        let of = |account: &str| {
            told.iter()
                .find(|cell| cell.account == account && cell.kind.is_empty())
                .unwrap()
        };
        assert!(of("").holes.is_empty() && of("111").holes.is_empty());
        assert_eq!(of("222").holes.len(), 1);
        assert_eq!(of("222").holes[0].from, begin(MONDAY + 24 * 18).unwrap());
    }

    #[test]
    fn neither_order_nor_parts_show() {
        let mut strings = Strings::default();
        let (a, b) = (key(&mut strings, "111"), key(&mut strings, "222"));
        let all: Vec<(CellKey, i32)> = (0..500)
            .map(|n| (if n % 3 == 0 { a } else { b }, n * 7 % 211))
            .collect();
        let mut whole = Cells::default();
        all.iter()
            .for_each(|(key, hour)| whole.add_hour(*key, *hour, 1));
        let mut parts = Cells::default();
        for chunk in all.chunks(37).rev() {
            let mut part = Cells::default();
            chunk
                .iter()
                .rev()
                .for_each(|(key, hour)| part.add_hour(*key, *hour, 1));
            parts.merge(part, |symbol| symbol);
        }
        assert_eq!(whole.told(&strings), parts.told(&strings));
    }

    #[test]
    fn too_many_cells_are_told_as_such() {
        let mut cells = Cells::default();
        let mut strings = Strings::default();
        for number in 0..=MOST_CELLS {
            let account = number.to_string();
            cells.add_hour(key(&mut strings, &account), MONDAY, 1);
        }
        assert!(cells.are_too_many());
        assert!(cells.told(&strings).is_empty());
        let mut other = Cells::default();
        other.merge(cells, |symbol| symbol);
        assert!(other.are_too_many());
    }
}
