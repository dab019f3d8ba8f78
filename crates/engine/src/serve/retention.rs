//! How long the event log keeps records, and what stays of those that it let go.
//!
//! Whole segments go, the oldest first. What was found in them stays in the store, and in the report: it is
//! *settled*, since no record is left from which it could be found again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portreeve_incident::{Incident, Report};
use portreeve_model::Finding;
use portreeve_store::{Segment, StateChange, Store, StoreError};

const SPACE: &str = "retention";
const FLOOR: &[u8] = b"marks-floor";
const DROPPED: &[u8] = b"dropped-until";

const GIGABYTE: u64 = 1_000_000_000;
const DAY: i64 = 86_400_000_000;

/// How much of the event log is kept; all of it where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Records of so many days, by their own time.
    pub days: Option<u32>,
    /// So many gigabytes on disk.
    pub gigabytes: Option<u32>,
}

impl Keep {
    /// The segments to let go, of which the last, which may still grow, is none. `now` is the earlier of the
    /// clock and the latest record's time, so that neither of them, gone astray, costs records.
    pub(crate) fn let_go(self, segments: &[Segment], now: Option<i64>) -> Vec<Segment> {
        let oldest = self
            .days
            .and_then(|days| Some(now? - i64::from(days) * DAY))
            .unwrap_or(i64::MIN);
        let size = |segment: &Segment| segment.bytes + segment.positions;
        let all: u64 = segments.iter().map(size).sum();
        let most = self.gigabytes.map(|it| u64::from(it) * GIGABYTE);
        let mut over = most.map_or(0, |most| all.saturating_sub(most));
        let closed = segments.len().saturating_sub(1);
        segments
            .iter()
            .take(closed)
            .take_while(|segment| {
                let is_old = segment.latest.is_some_and(|latest| latest < oldest);
                let goes = is_old || over > 0;
                over = over.saturating_sub(size(segment));
                goes
            })
            .cloned()
            .collect()
    }
}

/// The moment up to which records were let go, as it is stored.
pub(crate) fn dropped_until(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let mut until = None;
    store.state(SPACE, &mut |key, value| {
        if key == DROPPED {
            let text = std::str::from_utf8(value).ok();
            until = text.and_then(|text| Timestamp::from_microsecond(text.parse().ok()?).ok());
        }
    })?;
    Ok(until)
}

/// What a commit sets down of segments that it lets go.
pub(crate) fn set_dropped(segments: &[Segment], before: Option<Timestamp>) -> Option<StateChange> {
    let before = before.map(|time| time.as_microsecond());
    let until = segments
        .iter()
        .filter_map(|it| it.latest)
        .max()
        .max(before)?;
    let value = until.to_string().into_bytes();
    Some((SPACE.to_owned(), DROPPED.to_vec(), Some(value)))
}

/// Up to when marks of files were pruned, in seconds since 1970.
pub(crate) fn floor(store: &dyn Store) -> Result<Option<i64>, StoreError> {
    let mut floor = None;
    store.state(SPACE, &mut |key, value| {
        if key == FLOOR {
            let text = std::str::from_utf8(value).ok();
            floor = text.and_then(|text| text.parse().ok());
        }
    })?;
    Ok(floor)
}

/// What a commit sets down of that.
pub(crate) fn set_floor(floor: i64) -> StateChange {
    (
        SPACE.to_owned(),
        FLOOR.to_vec(),
        Some(floor.to_string().into_bytes()),
    )
}

/// What was found in records that are no longer kept.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    findings: Vec<Finding>,
    incidents: Vec<Incident>,
}

impl Settled {
    /// Everything in the store that ended before records were let go.
    pub(crate) fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut settled = Self::default();
        let Some(until) = dropped_until(store)? else {
            return Ok(settled);
        };
        let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= until);
        store.each_finding(&mut |_, body| {
            // What another version wrote may not be readable.
            let finding = serde_json::from_slice::<Finding>(body);
            settled
                .findings
                .extend(finding.ok().filter(|it| is_over(it.last_time.or(it.time))));
        })?;
        store.each_incident(&mut |_, body| {
            let incident = serde_json::from_slice::<Incident>(body);
            settled
                .incidents
                .extend(incident.ok().filter(|it| is_over(it.last_activity)));
        })?;
        Ok(settled)
    }

    /// Adds to a report what it does not tell anew.
    pub(crate) fn join(&self, report: &mut Report) {
        if self.findings.is_empty() && self.incidents.is_empty() {
            return;
        }
        let known: BTreeSet<&str> = report.findings.iter().map(|it| it.id.as_str()).collect();
        let lost = |finding: &&Finding| !known.contains(finding.id.as_str());
        let findings: Vec<Finding> = self.findings.iter().filter(lost).cloned().collect();
        report.findings.extend(findings);
        report.findings.sort_by(|a, b| {
            (a.time.is_none(), a.time, &a.id).cmp(&(b.time.is_none(), b.time, &b.id))
        });
        // An incident whose findings are another's by now has gone into that one.
        let told: BTreeSet<&str> = report
            .incidents
            .iter()
            .flat_map(|it| {
                it.findings
                    .iter()
                    .map(String::as_str)
                    .chain([it.id.as_str()])
            })
            .collect();
        let lost = |incident: &&Incident| {
            let own = incident.findings.iter().chain([&incident.id]);
            own.into_iter().all(|id| !told.contains(id.as_str()))
        };
        let incidents: Vec<Incident> = self.incidents.iter().filter(lost).cloned().collect();
        report.incidents.extend(incidents);
        report.incidents.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then(b.score.cmp(&a.score))
                .then(a.first_sign.cmp(&b.first_sign))
                .then_with(|| a.id.cmp(&b.id))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(latest: &[i64]) -> Vec<Segment> {
        (1..)
            .zip(latest)
            .map(|(number, day)| Segment {
                number,
                bytes: GIGABYTE,
                latest: Some(day * DAY),
                ..Segment::default()
            })
            .collect()
    }

    fn numbers(keep: Keep, segments: &[Segment], now: i64) -> Vec<u64> {
        let gone = keep.let_go(segments, Some(now * DAY));
        gone.iter().map(|it| it.number).collect()
    }

    #[test]
    fn the_oldest_go_by_age_or_size_and_never_the_last() {
        let segments = segments(&[1, 5, 3, 20]);
        let keep = |days, gigabytes| Keep { days, gigabytes };
        assert_eq!(numbers(keep(None, None), &segments, 100), [0; 0]);
        assert_eq!(numbers(keep(Some(6), None), &segments, 10), [1]);
        assert_eq!(numbers(keep(Some(4), None), &segments, 10), [1, 2, 3]);
        assert_eq!(numbers(keep(Some(1), None), &segments, 100), [1, 2, 3]);
        assert_eq!(numbers(keep(None, Some(3)), &segments, 10), [1]);
        assert_eq!(numbers(keep(None, Some(0)), &segments, 10), [1, 2, 3]);
    }
}
