use std::collections::BTreeMap;

use portreeve_model::Timestamp;
use portreeve_model::state::Dropped;
use portreeve_sigma::{Correlation, CorrelationKind};

use super::item::Fired;

/// What the correlations could not tell, for the reader of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// For each correlation how many questions could not be answered.
    pub unknown: Vec<Unknown>,
    /// Holes of the logs, in order of time.
    pub holes: Vec<Hole>,
    /// Entities that were let go because a bound bit.
    pub dropped: Vec<LetGo>,
}

/// Entities of one correlation that were let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetGo {
    /// The correlation's title.
    pub title: String,
    /// The first of them, by name, as far as the records still name them.
    pub names: Vec<String>,
    /// How many, and since when they were idle.
    pub dropped: Dropped,
}

/// Questions that a correlation could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The correlation's id.
    pub rule: String,
    /// The correlation's title.
    pub title: String,
    /// How many.
    pub count: u64,
}

/// A time in which a log was silent that should not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The log source.
    pub source: String,
    /// The account; empty where records do not tell.
    pub account: String,
    /// The last record before it.
    pub from: Timestamp,
    /// The first record after it.
    pub to: Timestamp,
}

/// How many holes are named.
const NAMED: usize = 5;

impl Told {
    /// The same in sentences.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.unknown.is_empty() {
            let total: u64 = self.unknown.iter().map(|one| one.count).sum();
            let parts: Vec<String> = self
                .unknown
                .iter()
                .map(|one| format!("{} ({})", one.title, one.count))
                .collect();
            notes.push(format!(
                "Whether something was new or unusual could not be told {total} times, for want of \
                 a history: {}. Longer logs, or --known-good, help.",
                parts.join("; ")
            ));
        }
        if !self.holes.is_empty() {
            let named: Vec<String> = self
                .holes
                .iter()
                .take(NAMED)
                .map(|hole| {
                    let account = if hole.account.is_empty() {
                        String::new()
                    } else {
                        format!(" of account {}", hole.account)
                    };
                    format!("{}{account} from {} to {}", hole.source, hole.from, hole.to)
                })
                .collect();
            let more = match self.holes.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            notes.push(format!(
                "The logs have holes: {}{more}. What is first seen soon after one may have begun in it, \
                 and counts as unknown.",
                named.join("; ")
            ));
        }
        for LetGo {
            title,
            names,
            dropped,
        } in &self.dropped
        {
            let since = dropped
                .idle_since
                .map_or_else(String::new, |time| format!(", idle since {time} or before"));
            let named = match names.as_slice() {
                [] => String::new(),
                names => format!(" ({}, …)", names.join(", ")),
            };
            notes.push(format!(
                "{title}: {} entities were let go, the least recently active first{since}{named}, \
                 since no more than {} are remembered.",
                dropped.count, dropped.bound
            ));
        }
        notes
    }
}

/// How many values a title names.
const VALUES: usize = 3;

/// What made a correlation fire, to stand behind its title.
pub(crate) fn detail(
    correlation: &Correlation,
    fired: &Fired,
    names: &BTreeMap<u64, String>,
) -> Option<String> {
    let mut known: Vec<&str> = Vec::new();
    for name in fired.values.iter().filter_map(|value| names.get(value)) {
        if !known.contains(&name.as_str()) {
            known.push(name);
        }
    }
    let more = known.len().saturating_sub(VALUES);
    known.truncate(VALUES);
    let listed = match more {
        0 => known.join(", "),
        more => format!("{} and {more} more", known.join(", ")),
    };
    let number = fired.number.unwrap_or(0.0);
    let words = match &correlation.kind {
        CorrelationKind::Extension(name) => match name.as_str() {
            "portreeve.first_seen" if listed.is_empty() => match fired.values.len() {
                0 | 1 => String::new(),
                several => format!("{several} of them"),
            },
            "portreeve.first_seen" if fired.rare => format!("{listed}, rare in all that is known"),
            "portreeve.first_seen" => listed,
            "portreeve.concurrent_use" => {
                format!("{}, {number} times back and forth", known.join(" and "))
            }
            "portreeve.dormant" => format!("idle for {number} days"),
            "portreeve.rate" => format!("{number} within the time span"),
            "portreeve.stages" => format!("{number} of them"),
            _ => listed,
        },
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => listed,
        _ => format!("{number}"),
    };
    (!words.is_empty()).then_some(words)
}

/// Names for the values of what fired, from its records.
pub(crate) fn name_values(maker: &mut super::Maker<'_>, fired: &Fired) -> BTreeMap<u64, String> {
    let mut names = BTreeMap::new();
    if fired.values.is_empty() {
        return names;
    }
    for record in &fired.records {
        if let Some(row) = maker.row_of(*record) {
            maker.name(fired.correlation, row, &mut names);
        }
    }
    names
}
