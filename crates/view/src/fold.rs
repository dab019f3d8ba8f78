//! Timelines made short: runs of the same call become one line, quiet activity is folded.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_incident::{TimelineEntry, TimelineRole};
use portreeve_model::Severity;

use crate::name::{self, Kind, Name};
use crate::text;

/// A pause after which the same call begins a new line.
const PAUSE_SECONDS: i64 = 30 * 60;

/// How many distinct targets of a line are counted before counting stops.
const TARGETS_COUNTED: usize = 10_000;

/// How many distinct actions of a line are named.
const ACTIONS_NAMED: usize = 24;

/// One line of a folded timeline.
#[derive(Debug)]
pub(crate) enum Line<'a> {
    /// Calls with the same finding or none, by one actor from one place, close in time.
    Calls(Calls<'a>),
    /// Activity of the credential that nothing ties to the intruder.
    Quiet(Quiet<'a>),
}

/// Calls that are told in one line.
#[derive(Debug)]
pub(crate) struct Calls<'a> {
    /// The first of them, which stands for all.
    pub(crate) first: &'a TimelineEntry,
    /// Time of the last.
    pub(crate) last: Option<Timestamp>,
    /// How many.
    pub(crate) count: u64,
    /// What they acted on.
    pub(crate) targets: BTreeSet<&'a str>,
    /// Actions with their counts, in order of their first record.
    pub(crate) actions: Vec<(&'a str, u64)>,
}

impl Calls<'_> {
    /// What they acted on, in words; empty where the records do not tell.
    pub(crate) fn target(&self) -> String {
        let Some(first) = self.targets.first() else {
            return String::new();
        };
        let count = self.targets.len() as u64;
        if count == 1 {
            return name::short(first).to_owned();
        }
        let bucket = |id: &str| match name::of(id) {
            Name {
                kind: Kind::Object,
                name,
                ..
            } => name.split('/').next().map(str::to_owned),
            _ => None,
        };
        match bucket(first) {
            Some(one)
                if self
                    .targets
                    .iter()
                    .all(|id| bucket(id).as_ref() == Some(&one)) =>
            {
                format!("{} objects of {one}", text::count(count))
            }
            _ => format!("{} and {} more", name::short(first), text::count(count - 1)),
        }
    }
}

/// Quiet activity between two other lines.
#[derive(Debug)]
pub(crate) struct Quiet<'a> {
    /// Time of the first.
    pub(crate) first: Option<Timestamp>,
    /// Time of the last.
    pub(crate) last: Option<Timestamp>,
    /// How many.
    pub(crate) count: u64,
    /// Actions with their counts.
    actions: BTreeMap<&'a str, u64>,
}

impl Quiet<'_> {
    /// Actions with their counts, most first.
    pub(crate) fn actions(&self) -> Vec<(&str, u64)> {
        let mut actions: Vec<_> = self
            .actions
            .iter()
            .map(|(name, count)| (*name, *count))
            .collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        actions
    }
}

impl Line<'_> {
    /// How many records it stands for.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Line::Calls(calls) => calls.count,
            Line::Quiet(quiet) => quiet.count,
        }
    }

    /// Time of its first record.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        match self {
            Line::Calls(calls) => calls.first.time,
            Line::Quiet(quiet) => quiet.first,
        }
    }
}

/// Folds a timeline that is in order of time.
pub(crate) fn lines(timeline: &[TimelineEntry]) -> Vec<Line<'_>> {
    let mut folded = Folded::default();
    for entry in timeline {
        match entry.role {
            TimelineRole::Quiet => folded.quiet(entry),
            TimelineRole::Finding | TimelineRole::Suspect => folded.call(entry),
        }
    }
    folded.close();
    folded.lines
}

/// What makes two calls the same line: outcome, actor, finding, credential, address.
type Alike<'a> = (
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
);

#[derive(Default)]
struct Folded<'a> {
    lines: Vec<Line<'a>>,
    /// Calls of the present burst, in order of their first record.
    burst: Vec<Calls<'a>>,
    places: BTreeMap<Alike<'a>, usize>,
    /// Quiet activity since the present burst began.
    quiet: Option<Quiet<'a>>,
    last: Option<Timestamp>,
}

impl<'a> Folded<'a> {
    fn call(&mut self, entry: &'a TimelineEntry) {
        let paused = match (self.last, entry.time) {
            (Some(last), Some(time)) => time.as_second() - last.as_second() > PAUSE_SECONDS,
            (None, None) => false,
            _ => !self.burst.is_empty(),
        };
        if paused || (self.burst.is_empty() && self.quiet.is_some()) {
            self.close();
        }
        self.last = entry.time;
        let alike = (
            entry.outcome.as_str(),
            entry.actor.as_str(),
            entry.finding.as_deref(),
            entry.credential.as_deref(),
            entry.address.as_deref(),
        );
        let place = *self.places.entry(alike).or_insert(self.burst.len());
        if place == self.burst.len() {
            self.burst.push(Calls {
                first: entry,
                last: None,
                count: 0,
                targets: BTreeSet::new(),
                actions: Vec::new(),
            });
        }
        if let Some(calls) = self.burst.get_mut(place) {
            calls.count += 1;
            calls.last = entry.time;
            let named = calls.actions.len();
            let known = calls
                .actions
                .iter()
                .position(|(action, _)| *action == entry.action);
            match known.and_then(|place| calls.actions.get_mut(place)) {
                Some((_, count)) => *count += 1,
                None if named < ACTIONS_NAMED => calls.actions.push((&entry.action, 1)),
                None => {}
            }
            for target in &entry.targets {
                if calls.targets.len() < TARGETS_COUNTED {
                    calls.targets.insert(target);
                }
            }
        }
    }

    fn quiet(&mut self, entry: &'a TimelineEntry) {
        let day = |time: Option<Timestamp>| time.map(|time| time.as_second().div_euclid(86_400));
        if self
            .quiet
            .as_ref()
            .is_some_and(|quiet| day(quiet.first) != day(entry.time))
        {
            self.close();
        }
        let quiet = self.quiet.get_or_insert_with(|| Quiet {
            first: entry.time,
            last: None,
            count: 0,
            actions: BTreeMap::new(),
        });
        quiet.count += 1;
        quiet.last = entry.time;
        *quiet.actions.entry(&entry.action).or_default() += 1;
    }

    fn close(&mut self) {
        self.places.clear();
        self.lines.extend(self.burst.drain(..).map(Line::Calls));
        self.lines.extend(self.quiet.take().map(Line::Quiet));
        self.last = None;
    }
}

/// Keeps at most `limit` lines, those with the gravest findings first, and gives how many records
/// the lines left out stand for. The order stays.
pub(crate) fn abridge<'a>(
    lines: Vec<Line<'a>>,
    limit: Option<usize>,
    severity: impl Fn(&str) -> Severity,
) -> (Vec<Line<'a>>, u64) {
    let Some(limit) = limit.filter(|limit| *limit < lines.len()) else {
        return (lines, 0);
    };
    let rank = |line: &Line<'_>| match line {
        Line::Quiet(_) => 0,
        Line::Calls(calls) => match &calls.first.finding {
            Some(finding) => 2 + severity(finding) as u8,
            None => 1,
        },
    };
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(lines.get(*place).map_or(0, rank)));
    let kept: BTreeSet<usize> = order.into_iter().take(limit).collect();
    let mut omitted = 0;
    let mut shown = Vec::with_capacity(limit);
    for (place, line) in lines.into_iter().enumerate() {
        match kept.contains(&place) {
            true => shown.push(line),
            false => omitted += line.count(),
        }
    }
    (shown, omitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, action: &str, role: TimelineRole) -> TimelineEntry {
        TimelineEntry {
            time: Some(Timestamp::from_second(1_700_000_000 + second).unwrap()),
            action: action.into(),
            outcome: "success".into(),
            actor: "a".into(),
            credential: None,
            targets: vec![format!("object-{second}")],
            address: None,
            event_id: None,
            file: "f".into(),
            index: 0,
            offset: 0,
            finding: (role == TimelineRole::Finding).then(|| action.to_owned()),
            role,
        }
    }

    #[test]
    fn runs_and_quiet_activity_become_one_line_each() {
        use TimelineRole::{Finding, Quiet, Suspect};
        let timeline = [
            entry(0, "q", Quiet),
            entry(1, "list", Suspect),
            entry(2, "get", Finding),
            entry(3, "q", Quiet),
            entry(4, "list", Suspect),
            entry(5, "get", Finding),
            entry(5 + PAUSE_SECONDS + 1, "get", Finding),
        ];
        let lines = lines(&timeline);
        let counts: Vec<u64> = lines.iter().map(Line::count).collect();
        assert_eq!(counts, [1, 2, 2, 1, 1]);
        let Line::Calls(get) = &lines[2] else {
            panic!("quiet")
        };
        assert_eq!(get.targets.len(), 2);
        assert_eq!(
            lines.iter().map(Line::count).sum::<u64>(),
            timeline.len() as u64
        );

        let (shown, omitted) = abridge(lines, Some(2), |_| Severity::High);
        assert_eq!(shown.len(), 2);
        assert!(
            shown
                .iter()
                .all(|line| matches!(line, Line::Calls(calls) if calls.first.action == "get"))
        );
        assert_eq!(omitted, 4);
    }
}
