//! What a rule would have told of a history: how often, of whom, and whether that is noise.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portreeve_model::FindingSource;
use serde::Serialize;

use crate::Report;

/// A principal that a rule matches on so large a part of the days is doing its work.
const DAILY: f64 = 0.5;
/// Fewer days than these show no habit.
const FEWEST_DAYS: usize = 3;
/// A principal with so large a part of all matches hides the rest.
const SHARE: f64 = 0.5;
/// Days without a match are listed for so long a history at most.
const MOST_DAYS: i32 = 3_660;
/// Fewer matches than these are no noise, whosever they are.
const FEWEST_MATCHES: u64 = 20;

/// What rules would have told of a history.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// The rules and correlations that were tried.
    pub rules: u64,
    /// How many records were read.
    pub records: u64,
    /// The first and last day of the history.
    pub period: Option<(Date, Date)>,
    /// How many records matched, in all.
    pub matches: u64,
    /// The mean of matches over the days of the history.
    pub matches_a_day: f64,
    /// How many findings a person would have been shown.
    pub findings: u64,
    /// Matches by day, for every day of the history.
    pub days: BTreeMap<Date, u64>,
    /// Who it matched, most often first.
    pub principals: Vec<PrincipalMatches>,
}

/// How often rules matched one principal.
#[derive(Clone, Debug, Serialize)]
pub struct PrincipalMatches {
    /// The principal's id, without the name of its session.
    pub principal: String,
    /// How many records matched.
    pub matches: u64,
    /// On how many days.
    pub days: usize,
    /// Why this is likely noise; absent where nothing speaks for it.
    pub noise: Option<Noise>,
}

/// Why matches of a principal are likely noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// It does so on most days.
    Daily,
    /// Most of the matches are its own.
    MostOfAll,
}

/// Tells by days and principals what the findings of a report hold. The report is to be made with
/// the rules in question alone.
pub fn backtest(report: &Report) -> Backtest {
    let mut days: BTreeMap<Date, u64> = BTreeMap::new();
    let mut of_principals: BTreeMap<&str, (u64, BTreeSet<Date>)> = BTreeMap::new();
    let mut matches = 0;
    let detections = || {
        report
            .findings
            .iter()
            .filter(|finding| finding.source == FindingSource::Detection)
    };
    for finding in detections() {
        let principal = principal_of(&finding.actor);
        let (count, on) = of_principals.entry(principal).or_default();
        *count += finding.evidence_total;
        matches += finding.evidence_total;
        // A finding is of one day; what it holds beyond the records that it names is of that day.
        let day = finding.time.map(day);
        on.extend(day);
        if let Some(day) = day {
            *days.entry(day).or_default() += finding.evidence_total;
        }
    }
    let period = period(report, &days);
    if let Some((first, last)) = period
        && first
            .until(last)
            .is_ok_and(|span| span.get_days() <= MOST_DAYS)
    {
        for day in first
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= last)
        {
            days.entry(day).or_default();
        }
    }
    let length = days.len();
    let mut principals: Vec<PrincipalMatches> = of_principals
        .into_iter()
        .map(|(principal, (count, on))| PrincipalMatches {
            noise: noise(count, on.len(), matches, length),
            principal: principal.to_owned(),
            matches: count,
            days: on.len(),
        })
        .collect();
    principals.sort_by(|one, other| {
        (other.matches, &one.principal).cmp(&(one.matches, &other.principal))
    });
    Backtest {
        rules: report.rules,
        records: report.summary.records,
        period,
        matches,
        matches_a_day: matches as f64 / length.max(1) as f64,
        findings: detections().count() as u64,
        days,
        principals,
    }
}

/// An actor without the name of its session.
fn principal_of(actor: &str) -> &str {
    // A role's id holds slashes of its own; the session's name stands behind the last.
    match actor.rsplit_once('/') {
        Some((role, _)) if role.contains(":role/") => role,
        _ => actor,
    }
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// From the first to the last day that the logs cover, or that something matched on.
fn period(report: &Report, days: &BTreeMap<Date, u64>) -> Option<(Date, Date)> {
    let covered = report
        .coverage
        .iter()
        .flat_map(|one| [one.first, one.last])
        .flatten();
    let mut all: Vec<Date> = covered.map(day).chain(days.keys().copied()).collect();
    all.sort();
    Some((*all.first()?, *all.last()?))
}

fn noise(count: u64, on: usize, all: u64, length: usize) -> Option<Noise> {
    if on >= FEWEST_DAYS && on as f64 >= DAILY * length as f64 {
        Some(Noise::Daily)
    } else if count >= FEWEST_MATCHES && count as f64 > SHARE * all as f64 {
        Some(Noise::MostOfAll)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_daily_or_mostly_is_noise() {
        assert_eq!(noise(3, 3, 100, 5), Some(Noise::Daily));
        assert_eq!(noise(2, 2, 100, 3), None);
        assert_eq!(noise(60, 1, 100, 30), Some(Noise::MostOfAll));
        assert_eq!(noise(19, 1, 19, 30), None);
        assert_eq!(noise(40, 10, 100, 30), None);
    }

    #[test]
    fn sessions_of_one_role_are_one_principal() {
        assert_eq!(
            principal_of("arn:aws:iam::111122223333:role/path/Dev/ann"),
            "arn:aws:iam::111122223333:role/path/Dev"
        );
        assert_eq!(
            principal_of("arn:aws:iam::111122223333:user/path/ann"),
            "arn:aws:iam::111122223333:user/path/ann"
        );
    }
}
