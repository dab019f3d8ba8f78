//! Stretches of time in which an account's logs may lack what was changed.
//!
//! Stricter than the holes that a report names: here a silence is taken for a hole unless it is
//! usual, for whoever asks what was *not* done must not be told "nothing" by logs that are missing.

use std::collections::BTreeMap;

use portreeve_model::Hole;

use crate::hours::{Cells, Regularity, begin};
use crate::strings::Strings;

/// How unlikely a silence must be to be one that is not usual: the natural logarithm of one in a
/// thousand.
const SURPRISE: f64 = 6.9;

/// In how many hours without any other silence one is not usual.
const STEADY_HOURS: i32 = 48;

/// Longer spans come from a forged or broken clock.
const LONGEST: i32 = 24 * 366 * 10;

/// The regions in which the services without a region record their calls, by the beginning of the
/// regions' names: "Global service events" in the CloudTrail user guide.
const GLOBAL: [(&str, &str); 3] = [
    ("cn-", "cn-north-1"),
    ("us-gov-", "us-gov-west-1"),
    ("", "us-east-1"),
];

/// The accounts whose management events are logged where IAM records its calls, each with its
/// unusual silences in any region that it uses regularly.
pub(crate) fn silences(cells: &Cells, strings: &Strings) -> BTreeMap<String, Vec<Hole>> {
    let mut found = BTreeMap::<&str, (bool, Vec<Hole>)>::new();
    let all: Vec<_> = cells
        .of_kind(strings, "Management")
        .filter(|(account, ..)| !account.is_empty())
        .collect();
    let times = || all.iter().flat_map(|(.., hours)| *hours);
    let (Some(first), Some(last)) = (
        times().map(|(hour, _)| *hour).min(),
        times().map(|(hour, _)| *hour).max(),
    ) else {
        return BTreeMap::new();
    };
    for (account, region, hours) in &all {
        let global = GLOBAL.iter().find(|(start, _)| region.starts_with(start));
        let entry = found.entry(account).or_default();
        entry.0 |= global.is_some_and(|(_, global)| global == region);
        entry.1.extend(unusual(hours, (first, last)));
    }
    found
        .into_iter()
        .filter(|(_, (is_global, _))| *is_global)
        .map(|(account, (_, holes))| (account.to_owned(), merged(holes)))
        .collect()
}

/// The unusual silences of one account and region within a span.
fn unusual(hours: &[(i32, u32)], (first, last): (i32, i32)) -> Vec<Hole> {
    let (Some((own_first, _)), Some((own_last, _))) = (hours.first(), hours.last()) else {
        return Vec::new();
    };
    if last.saturating_sub(first) > LONGEST {
        return Vec::new();
    }
    let regular = Regularity::of(hours);
    let span = own_last - own_first + 1;
    let silent = span - hours.len() as i32;
    let mut found = Vec::new();
    let mut look = |from: i32, until: i32, is_inside: bool| {
        if until <= from {
            return;
        }
        let total: f64 = (from..until).map(|hour| regular.surprise(hour)).sum();
        let elsewhere = silent - if is_inside { until - from } else { 0 };
        let steady = span >= STEADY_HOURS && elsewhere * 1_000 < span;
        if (total >= SURPRISE || steady)
            && let (Some(from), Some(until)) = (begin(from), begin(until))
        {
            found.push(Hole { from, until });
        }
    };
    look(first, *own_first, false);
    for pair in hours.windows(2) {
        if let [(a, _), (b, _)] = pair {
            look(a + 1, *b, true);
        }
    }
    look(own_last + 1, last + 1, false);
    found
}

/// Holes in order, those that touch as one.
fn merged(mut holes: Vec<Hole>) -> Vec<Hole> {
    holes.sort_unstable();
    let mut whole: Vec<Hole> = Vec::new();
    for hole in holes {
        match whole.last_mut() {
            Some(last) if hole.from <= last.until => last.until = last.until.max(hole.until),
            _ => whole.push(hole),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02, a Monday, 00:00.
    const MONDAY: i32 = 492_336;

    fn lengths(hours: impl Iterator<Item = i32>) -> Vec<(i64, i64)> {
        let hours: Vec<(i32, u32)> = hours.map(|hour| (hour, 1)).collect();
        let span = (hours[0].0, hours[hours.len() - 1].0);
        unusual(&hours, span)
            .iter()
            .map(|hole| {
                let from = hole.from.as_second() / 3_600 - i64::from(MONDAY);
                (
                    from,
                    (hole.until.as_second() - hole.from.as_second()) / 3_600,
                )
            })
            .collect()
    }

    #[test]
    fn one_silent_hour_of_a_log_that_never_rests_counts() {
        let steady = MONDAY..MONDAY + 24 * 7;
        assert!(lengths(steady.clone()).is_empty());
        assert_eq!(
            lengths(steady.filter(|hour| hour - MONDAY != 50)),
            [(50, 1)]
        );
    }

    #[test]
    fn usual_nights_and_rare_calls_do_not_count() {
        let office = (MONDAY..MONDAY + 24 * 28).filter(|hour| {
            let day = (hour - MONDAY) / 24 % 7;
            day < 5 && (8..18).contains(&hour.rem_euclid(24))
        });
        assert!(lengths(office.clone()).is_empty());
        let morning = office.filter(|hour| !(24 * 9 + 8..24 * 9 + 11).contains(&(hour - MONDAY)));
        assert_eq!(lengths(morning).len(), 1);
        let rare = (0..40).map(|day| MONDAY + day * 24 + 2 + day % 9);
        assert!(lengths(rare).is_empty());
    }
}
