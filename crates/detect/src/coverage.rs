//! What the logs covered, with what is carried over from rows that are sealed and held no more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use jiff::ToSpan;
use jiff::civil::Date;
use portreeve_model::{Coverage, Timestamp};

use crate::activities::{Activities, ActivityRow};
use crate::findings::day_of;
use crate::stage_one::SourceCounts;
use crate::strings::Symbol;

/// The longest span for which days without records are listed one by one.
const LONGEST_SPAN_OF_DAYS: usize = 3_660;

/// What was counted of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    /// Records that were read, repeated ones too.
    pub(crate) read: u64,
    records: u64,
    without_time: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// The last day that was added, in days since 1970.
    day: Option<i64>,
    days: BTreeSet<Date>,
    /// By account, then by service.
    services: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What was counted, by source.
pub(crate) type Counts = BTreeMap<&'static str, Counted>;

impl Counted {
    fn add(&mut self, row: ActivityRow<'_>) {
        self.records += 1;
        let Some(time) = row.time() else {
            self.without_time += 1;
            return;
        };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = self.last.max(Some(time));
        let day = time.as_second().div_euclid(24 * 60 * 60);
        if self.day != Some(day) {
            self.day = Some(day);
            self.days.extend(day_of(row));
        }
    }

    /// The days between the first and the last that are missing.
    fn days_between(&self) -> Vec<String> {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else {
            return Vec::new();
        };
        first
            .series(1.day())
            .take_while(|day| day < last)
            .take(LONGEST_SPAN_OF_DAYS)
            .filter(|day| !self.days.contains(day))
            .map(|day| day.to_string())
            .collect()
    }
}

/// Adds rows to what was counted before.
pub(crate) fn count<'a>(
    counts: &mut Counts,
    activities: &'a Activities,
    rows: impl Iterator<Item = ActivityRow<'a>>,
) {
    let sources = activities.sources();
    let mut own: Vec<Counted> = sources
        .iter()
        .map(|source| counts.remove(source).unwrap_or_default())
        .collect();
    let mut calls = HashMap::<(usize, Symbol, Symbol), u64, FixedState>::default();
    for row in rows {
        let source = row.source_number();
        if let Some(counted) = own.get_mut(source) {
            counted.add(row);
        }
        *calls
            .entry((source, row.account_symbol(), row.action_symbol()))
            .or_default() += 1;
    }
    let text = |symbol| activities.strings().get(symbol).unwrap_or_default();
    for ((source, account, action), count) in calls {
        let Some(counted) = own.get_mut(source) else {
            continue;
        };
        let service = text(action).split(':').next().unwrap_or_default();
        *counted
            .services
            .entry(text(account).to_owned())
            .or_default()
            .entry(service.to_owned())
            .or_default() += count;
    }
    counts.extend(sources.iter().copied().zip(own));
}

/// What is told of it, for each source that records were read of.
pub(crate) fn coverage(
    activities: &Activities,
    mut counts: Counts,
    sources: BTreeMap<&'static str, SourceCounts>,
) -> Vec<Coverage> {
    let text = |symbol| activities.strings().get(symbol).unwrap_or_default();
    sources
        .into_iter()
        .map(|(source, told)| {
            let counted = counts.remove(source).unwrap_or_default();
            Coverage {
                source: source.to_owned(),
                regions: told
                    .regions
                    .into_keys()
                    .map(|region| text(region).to_owned())
                    .collect(),
                event_kinds: told
                    .kinds
                    .into_iter()
                    .map(|(kind, count)| (text(kind).to_owned(), count))
                    .collect(),
                cells: told.cells.told(activities.strings()),
                cells_omitted: told.cells.are_too_many(),
                records: counted.records,
                without_time: counted.without_time,
                first: counted.first,
                last: counted.last,
                duplicates: counted.read.saturating_sub(counted.records),
                days_without_records: counted.days_between(),
                accounts: counted
                    .services
                    .keys()
                    .filter(|account| !account.is_empty())
                    .cloned()
                    .collect(),
                services: counted.services,
            }
        })
        .collect()
}
