//! Stage two's use of correlations: rows in order of event time, to findings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use portreeve_model::state::{Dropped, KeyedState};
use portreeve_model::{Finding, Severity, Timestamp};
use portreeve_record::FieldId;
use portreeve_sigma::{Correlation, Rule};

use crate::activities::{Activities, RowId};
use crate::actors::Actors;
use crate::behaviour::{
    Baseline, Behaviour, Bounds, Correlations, Facts, Fired, Hit, Holes, LetGo, Maker, Numbers,
    Rhythms, Told, Unknown, detail, go_on, name_values,
};
use crate::findings::{shell, stable_id};
use crate::lineage::Lineage;
use crate::snapshot::Snapshot;
use crate::strings::Symbol;

/// Everything that correlations look at.
pub(crate) struct Correlating<'c> {
    pub(crate) correlations: &'c Correlations,
    pub(crate) rules: &'c [Rule],
    pub(crate) activities: &'c Activities,
    pub(crate) lineage: &'c Lineage,
    pub(crate) actors: &'c Actors,
    pub(crate) snapshot: &'c Snapshot,
    /// In order of row and field.
    pub(crate) copied: &'c [(RowId, FieldId, Symbol)],
    /// What records are called.
    pub(crate) numbers: &'c Numbers,
    pub(crate) known_good: Option<(Timestamp, Timestamp)>,
}

/// For how many rows items are made before they are folded.
const ROWS_AHEAD: usize = 16;

/// A correlation's number, a group of it, and the day.
type GroupKey = (u32, u64, Option<Date>);

/// What fired for one group on one day, which is one finding.
#[derive(Clone, Debug)]
struct Group {
    /// The records that show it, by number.
    records: BTreeSet<u64>,
    /// The first that fired.
    first: Fired,
    raised: bool,
    number: f64,
}

/// What fired, joined as it is told: what fires on each of a million records takes no more than they do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups(BTreeMap<GroupKey, Arc<Group>>);

impl Groups {
    /// Takes in what fired, whichever of it came first.
    fn join(&mut self, fired: impl IntoIterator<Item = Fired>) {
        for one in fired {
            let day = Timestamp::from_microsecond(one.time)
                .ok()
                .map(|time| time.to_zoned(TimeZone::UTC).date());
            let group = self
                .0
                .entry((one.correlation, one.key, day))
                .or_insert_with(|| {
                    Arc::new(Group {
                        records: BTreeSet::new(),
                        first: one.clone(),
                        raised: false,
                        number: 0.0,
                    })
                });
            let group = Arc::make_mut(group);
            group.records.extend(one.records.iter().chain([&one.lead]));
            group.raised |= one.raised;
            group.number = group.number.max(one.number.unwrap_or(0.0));
            if (one.time, one.lead) < (group.first.time, group.first.lead) {
                group.first = one;
            }
        }
    }

    /// Forgets records that are not held any more: nothing can be told of them, and they were counted when
    /// they were let go.
    fn forget(&mut self, is_held: impl Fn(u64) -> bool) {
        let is_gone = |record: &u64| !is_held(*record);
        for group in self.0.values_mut() {
            if group.records.iter().any(is_gone) || group.first.records.iter().any(is_gone) {
                let group = Arc::make_mut(group);
                group.records.retain(|record| is_held(*record));
                group.first.records.retain(|record| is_held(*record));
                group.first.records.shrink_to_fit();
            }
        }
    }
}

/// What correlations remember of a sealed past.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// Their state behind the last sealed row; nothing before anything is sealed.
    pub(crate) behaviour: Option<Arc<Behaviour>>,
    /// What fired on sealed rows.
    pub(crate) fired: Arc<Groups>,
    /// When each log speaks and is silent.
    pub(crate) rhythms: Rhythms,
}

/// What a run of correlations gives.
pub(crate) struct Ran {
    pub(crate) findings: Vec<(Finding, Vec<RowId>)>,
    pub(crate) told: Told,
    /// What is to be remembered where rows are sealed, and the rows that it may yet name as evidence.
    pub(crate) sealed: Option<(Remembered, Vec<RowId>)>,
}

impl Correlating<'_> {
    /// Folds the matches, which are in order of row, behind what is remembered. `seal` is the row before
    /// which rows are to be sealed.
    pub(crate) fn run(&self, matched: &[Hit], before: &Remembered, seal: Option<RowId>) -> Ran {
        let (first, rows) = (self.numbers.first, self.activities.len() as RowId);
        let holes = Holes::find(self.activities, &before.rhythms, first..rows);
        let facts = Facts::new(self.activities, self.lineage, self.actors, self.snapshot);
        let mut maker = Maker::new(
            self.correlations,
            self.rules,
            facts,
            &holes,
            self.copied,
            self.numbers,
        );
        let baseline = Baseline {
            known_good: self.known_good,
            holes: holes.joined(),
        };
        let mut behaviour = match &before.behaviour {
            Some(behaviour) => {
                let mut behaviour = Behaviour::clone(behaviour);
                behaviour.set_baseline(&baseline);
                behaviour
            }
            None => Behaviour::new(self.correlations, &baseline, Bounds::default()),
        };
        let tail = &matched[matched.partition_point(|(row, _)| *row < first)..];
        if first < rows
            && let Some(time) = self.activities.get(first).time()
        {
            behaviour.begin(time);
        }
        let mut groups = before.fired.clone();
        let (past, rest) = tail.split_at(tail.partition_point(|(row, _)| Some(*row) < seal));
        let mut sealed = None;
        if let Some(seal) = seal {
            let known = Arc::make_mut(&mut groups);
            self.fold(past, &mut maker, &mut behaviour, known);
            known.forget(|record| self.row_of(record).is_some());
            let mut evidence = Vec::new();
            behaviour.records(&mut |record| evidence.extend(self.row_of(record)));
            let mut remembered = Remembered {
                behaviour: Some(Arc::new(behaviour.clone())),
                fired: groups.clone(),
                rhythms: before.rhythms.clone(),
            };
            go_on(self.activities, &mut remembered.rhythms, first..seal);
            sealed = Some((remembered, evidence));
        }
        let mut groups = Arc::unwrap_or_clone(groups);
        self.fold(rest, &mut maker, &mut behaviour, &mut groups);
        behaviour.finish();
        self.join(&mut behaviour, &mut groups);
        let findings = self.findings(groups, &mut maker);
        let told = Told {
            unknown: behaviour
                .unknown()
                .filter_map(|(number, count)| {
                    let correlation = self.correlations.get(number)?;
                    Some(Unknown {
                        rule: id(correlation),
                        title: correlation.title.clone(),
                        count,
                    })
                })
                .collect(),
            holes: holes.told(self.activities),
            dropped: self.name_dropped(behaviour.dropped(), matched, &mut maker),
        };
        Ran {
            findings,
            told,
            sealed,
        }
    }

    /// Takes in what fired of correlations that are told.
    fn join(&self, behaviour: &mut Behaviour, groups: &mut Groups) {
        let fired = behaviour.take_fired().into_iter();
        groups.join(fired.filter(|one| !self.correlations.is_silent_correlation(one.correlation)));
    }

    fn row_of(&self, record: u64) -> Option<RowId> {
        let row = self.numbers.row(record)?;
        ((row as usize) < self.activities.len()).then_some(row)
    }

    /// Folds matches, and takes in at once what fires: it may be much, and its records mostly the same.
    fn fold(
        &self,
        matched: &[Hit],
        maker: &mut Maker<'_>,
        behaviour: &mut Behaviour,
        groups: &mut Groups,
    ) {
        let row_of = |(row, _): &Hit| *row;
        let rows: Vec<&[Hit]> = matched.chunk_by(|a, b| row_of(a) == row_of(b)).collect();
        let (mut ahead, mut ends, mut items) = (Vec::new(), Vec::new(), Vec::new());
        for rows in rows.chunks(ROWS_AHEAD) {
            ahead.clear();
            ends.clear();
            for hits in rows {
                maker.items(row_of(&hits[0]), hits, &mut ahead);
                ends.push(ahead.len());
            }
            behaviour.expect(&ahead);
            let mut start = 0;
            for (hits, end) in rows.iter().zip(&ends) {
                items.clear();
                items.extend_from_slice(&ahead[start..*end]);
                start = *end;
                let row = row_of(&hits[0]);
                behaviour.fold_following(&mut items, &mut |setter, items| {
                    maker.follow(setter, row, items);
                });
            }
            self.join(behaviour, groups);
        }
    }

    /// One finding for each group and day of a correlation, so that what goes on firing makes one
    /// finding with many records.
    fn findings(&self, groups: Groups, maker: &mut Maker<'_>) -> Vec<(Finding, Vec<RowId>)> {
        groups
            .0
            .into_iter()
            .filter_map(|((number, key, day), group)| {
                let correlation = self.correlations.get(number)?;
                let mut first = group.first.clone();
                first.number = first.number.map(|_| group.number);
                let names = name_values(maker, &first);
                let rows: BTreeSet<RowId> = group
                    .records
                    .iter()
                    .filter_map(|record| self.row_of(*record))
                    .collect();
                let rows: Vec<RowId> = rows.into_iter().collect();
                // Of a past so long ago that none of its records is held nothing can be shown.
                let lead = self.row_of(first.lead).or(rows.first().copied())?;
                let rule = id(correlation);
                let mut finding = shell(self.activities, &rows, &rule, day);
                let lead = self.activities.get(lead);
                finding.actor = lead.actor();
                finding.credential = lead.credential().map(str::to_owned);
                let day = day.map(|day| day.to_string()).unwrap_or_default();
                finding.id = stable_id(&[&rule, &format!("{key:016x}"), &day]);
                finding.title = match detail(correlation, &first, &names) {
                    Some(detail) => format!("{}: {detail}", correlation.title),
                    None => correlation.title.clone(),
                };
                finding.severity = if group.raised {
                    raised(correlation.level)
                } else {
                    correlation.level
                };
                finding.techniques = correlation.techniques.clone();
                finding.tactics = correlation.tactics.clone();
                finding.rule_author = correlation.author.clone();
                Some((finding, rows))
            })
            .collect()
    }

    /// Gives the entities that were let go the names that they have in the records. A pass over
    /// the matches, which is made only where a bound bit.
    fn name_dropped(
        &self,
        dropped: Vec<Dropped>,
        matched: &[Hit],
        maker: &mut Maker<'_>,
    ) -> Vec<LetGo> {
        let mut told: Vec<LetGo> = dropped
            .into_iter()
            .map(|dropped| LetGo {
                title: dropped.from.clone(),
                names: Vec::new(),
                dropped,
            })
            .collect();
        for one in &mut told {
            let found = (0..)
                .zip(self.correlations.loaded())
                .find(|(_, correlation)| id(correlation) == one.dropped.from);
            let Some((number, correlation)) = found else {
                continue;
            };
            one.title.clone_from(&correlation.title);
            let mut wanted: BTreeSet<u64> = one.dropped.examples.iter().copied().collect();
            for (row, _) in matched {
                if wanted.is_empty() {
                    break;
                }
                for (key, name) in maker.group(number, *row) {
                    if wanted.remove(&key) {
                        one.names.push(name);
                    }
                }
            }
        }
        told
    }
}

fn id(correlation: &Correlation) -> String {
    correlation
        .id
        .clone()
        .unwrap_or_else(|| format!("{}:{}", correlation.file, correlation.line))
}

fn raised(level: Severity) -> Severity {
    let next = level as usize + 1;
    Severity::ALL.get(next).copied().unwrap_or(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn fired(time: i64, lead: u64, number: f64) -> Fired {
        Fired {
            correlation: 0,
            key: 7,
            time,
            records: (lead.saturating_sub(99)..=lead).collect(),
            lead,
            values: vec![lead],
            number: Some(number),
            rare: false,
            raised: lead == 1_001,
        }
    }

    fn told(groups: &Groups) -> Vec<(GroupKey, Vec<u64>, Fired, bool, f64)> {
        let one = |(key, group): (&GroupKey, &Arc<Group>)| {
            let records = group.records.iter().copied().collect();
            (
                *key,
                records,
                group.first.clone(),
                group.raised,
                group.number,
            )
        };
        groups.0.iter().map(one).collect()
    }

    #[test]
    fn what_fires_on_every_record_is_kept_once() {
        let all = || (1_000..5_000).map(|lead| fired(lead as i64, lead, (lead % 77) as f64));
        let mut groups = Groups::default();
        groups.join(all());
        groups.join([fired(DAY, 6_000, 1.0)]);
        let known = told(&groups);
        assert_eq!(known.len(), 2, "one for each day");
        let (_, records, first, raised, number) = &known[0];
        assert_eq!(*records, (901..5_000).collect::<Vec<u64>>());
        assert_eq!((first.lead, *raised, *number), (1_000, true, 76.0));
        // In whatever order and parts.
        let mut other = Groups::default();
        other.join([fired(DAY, 6_000, 1.0)]);
        let mut backwards: Vec<Fired> = all().collect();
        backwards.reverse();
        for part in backwards.chunks(999) {
            other.join(part.to_vec());
        }
        assert_eq!(told(&other), known);
    }

    #[test]
    fn of_records_that_are_not_held_nothing_is_kept_but_what_they_said() {
        let mut groups = Groups::default();
        groups.join((1_000..5_000).map(|lead| fired(lead as i64, lead, 3.0)));
        let copy = groups.clone();
        groups.forget(|record| record == 950 || record >= 4_990);
        let (_, records, first, raised, number) = told(&groups).remove(0);
        assert_eq!(records.len(), 11);
        assert_eq!((first.lead, first.records), (1_000, vec![950]));
        assert_eq!((raised, number), (true, 3.0));
        assert_eq!(told(&copy)[0].1.len(), 4_099, "others keep theirs");
    }
}
