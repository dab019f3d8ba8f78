//! A hunt: its matches one by one for machines, and all of it at a glance.

mod lines;
mod ocsf;

use std::io;

use portreeve_detect::hunt::{Known, Match, RuleFigures, Tally};
use portreeve_model::{DeadLetter, Severity, Timestamp};
use serde_json::{Value, json};

pub use lines::{Table, ndjson};
pub use ocsf::ocsf;

use crate::text;

/// All that is told of a hunt.
#[derive(Clone, Copy, Debug)]
pub struct Hunt<'a> {
    /// Rules and files.
    pub known: &'a Known,
    /// Matches, counted.
    pub tally: &'a Tally,
    /// Matches themselves, as far as they were kept.
    pub matches: &'a [Match],
    /// How many records were read.
    pub records: u64,
    /// How many of them were matched.
    pub matched_records: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// What could not be read.
    pub dead_letters: &'a [DeadLetter],
    /// How much more could not be read.
    pub dead_omitted: u64,
    /// What the user should know.
    pub notes: &'a [String],
    /// What rules cost, where that was measured.
    pub figures: &'a [RuleFigures],
}

/// A rule that matched.
pub(crate) struct Row<'a> {
    pub(crate) level: Severity,
    pub(crate) title: &'a str,
    pub(crate) techniques: String,
    pub(crate) matches: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
}

impl<'a> Hunt<'a> {
    /// Rules that matched, the gravest first, then those with most matches.
    pub(crate) fn rows(&self) -> Vec<Row<'a>> {
        let mut rows: Vec<Row<'a>> = self
            .known
            .heads
            .iter()
            .zip(&self.tally.rules)
            .filter(|(_, count)| count.matches > 0)
            .map(|(head, count)| {
                let techniques: Vec<&str> = head
                    .techniques
                    .iter()
                    .map(|technique| technique.as_str())
                    .collect();
                Row {
                    level: head.level,
                    title: &head.title,
                    techniques: techniques.join(" "),
                    matches: count.matches,
                    first: count.first,
                    last: count.last,
                }
            })
            .collect();
        rows.sort_by(|a, b| {
            b.level
                .cmp(&a.level)
                .then(b.matches.cmp(&a.matches))
                .then(a.title.cmp(b.title))
        });
        rows
    }

    /// The hunt in one sentence.
    pub(crate) fn sentence(&self) -> String {
        if self.tally.matches == 0 {
            return "No rule matches.".to_owned();
        }
        let rules = self
            .tally
            .rules
            .iter()
            .filter(|rule| rule.matches > 0)
            .count();
        format!(
            "{} of {} in {}.",
            text::counted(self.tally.matches, "match", "matches"),
            text::counted(rules as u64, "rule", "rules"),
            text::counted(self.matched_records, "record", "records"),
        )
    }

    /// What was read, and how fast.
    pub(crate) fn effort(&self) -> String {
        let rate = self.bytes as f64 / 1e6 / self.seconds.max(1e-9);
        format!(
            "{}, {} in {:.1} s: {rate:.0} MB/s; {} rules",
            text::counted(self.records, "record", "records"),
            text::size(self.bytes),
            self.seconds,
            text::count(self.known.heads.len() as u64),
        )
    }
}

/// The hunt as one JSON object. Matches are written one by one, for there may be millions.
pub fn json(hunt: &Hunt<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(b"{\n\"matches\": [")?;
    for (number, found) in hunt.matches.iter().enumerate() {
        out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &lines::value(found, hunt.known))?;
    }
    out.write_all(b"\n]")?;
    if let Value::Object(rest) = summary(hunt) {
        for (key, value) in rest {
            write!(out, ",\n{}: ", Value::from(key))?;
            serde_json::to_writer_pretty(&mut *out, &value)?;
        }
    }
    out.write_all(b"\n}\n")
}

fn summary(hunt: &Hunt<'_>) -> Value {
    let heads = &hunt.known.heads;
    let rules: Vec<Value> = heads
        .iter()
        .zip(&hunt.tally.rules)
        .filter(|(_, count)| count.matches > 0)
        .map(|(head, count)| {
            json!({
                "id": head.id, "title": head.title, "level": head.level, "file": head.file,
                "author": head.author, "techniques": head.techniques,
                "correlation": head.correlation, "matches": count.matches,
                "first": count.first, "last": count.last,
            })
        })
        .collect();
    let named = |name: &str, count: u64| json!({"name": name, "matches": count});
    let histogram: Vec<Value> = hunt
        .tally
        .histogram()
        .columns(500)
        .into_iter()
        .map(|(time, counts)| json!({"time": time, "by_level": counts}))
        .collect();
    let figures: Vec<Value> = hunt
        .figures
        .iter()
        .filter_map(|figure| {
            let head = heads.get(figure.rule as usize)?;
            Some(json!({
                "id": head.id, "title": head.title, "reached_by": figure.reached_by,
                "asked": figure.asked, "matched": figure.matched, "nanoseconds": figure.nanoseconds,
            }))
        })
        .collect();
    let levels = hunt.tally.levels(heads).into_iter();
    json!({
        "rules": rules,
        "levels": levels.map(|(level, count)| named(level.as_str(), count)).collect::<Vec<_>>(),
        "techniques": hunt.tally.techniques(heads).iter().map(|(name, count)| named(name, *count)).collect::<Vec<_>>(),
        "principals": hunt.tally.principals().iter().map(|(name, count)| named(name, *count)).collect::<Vec<_>>(),
        "other_principals": hunt.tally.other_principals(),
        "histogram": histogram,
        "rule_figures": figures,
        "dead_letters": hunt.dead_letters,
        "dead_letters_omitted": hunt.dead_omitted,
        "notes": hunt.notes,
        "summary": {
            "records": hunt.records, "matched_records": hunt.matched_records, "bytes": hunt.bytes,
            "matches": hunt.tally.matches, "rules": heads.len(), "seconds": hunt.seconds,
        },
    })
}
