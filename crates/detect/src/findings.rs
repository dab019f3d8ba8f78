//! What matched, joined into findings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use portreeve_model::{Evidence, Finding, FindingSource};
use portreeve_record::{FieldId, Fields, Value};
use portreeve_sigma::Rule;
use sha2::{Digest, Sha256};

use crate::activities::{Activities, ActivityRow, RowId};
use crate::settings::{Sign, SignKind};
use crate::stage_one::Values;
use crate::strings::Symbol;

/// How many records a finding names as its evidence; the rest are counted.
pub const EVIDENCE_LIMIT: usize = 100;

/// How many details a finding shows.
const MOST_DETAILS: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    Rule(u32),
    Sign(u32),
}

/// What rules show of the records that they matched: texts by row and rule.
#[derive(Debug, Default)]
pub(crate) struct Shows(BTreeMap<(RowId, u32), Vec<String>>);

impl Shows {
    /// Adds what a rule shows of a row, by what the row says to the rule.
    pub(crate) fn add<'v>(
        &mut self,
        of: (RowId, u32),
        rule: &Rule,
        said: impl Iterator<Item = (FieldId, &'v Values)> + Clone,
        fields: &Fields,
    ) {
        let mut texts = Vec::new();
        for path in &rule.shown {
            let values = said
                .clone()
                .filter(|(field, _)| fields.path(*field) == path)
                .flat_map(|(_, values)| values);
            for value in values.filter_map(shown_text) {
                // What is derived speaks for itself.
                texts.push(match path.starts_with("portreeve.") {
                    true => value,
                    false => format!("{path}: {value}"),
                });
            }
        }
        if !texts.is_empty() {
            self.0.insert(of, texts);
        }
    }

    /// What a finding of a rule on these rows shows, each once, in order of time.
    fn of(&self, rule: u32, rows: &[RowId]) -> Vec<String> {
        let mut shown = Vec::new();
        for text in rows
            .iter()
            .filter_map(|row| self.0.get(&(*row, rule)))
            .flatten()
        {
            if shown.len() < MOST_DETAILS && !shown.contains(text) {
                shown.push(text.clone());
            }
        }
        shown
    }
}

fn shown_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Unknown | Value::Null => None,
        Value::Bool(truth) => Some(truth.to_string()),
        Value::String(text) => Some(text.to_string()),
        Value::Number(text) | Value::Array(text) | Value::Object(text) => Some((*text).to_owned()),
    }
}

pub(crate) fn day_of(row: ActivityRow<'_>) -> Option<Date> {
    row.time().map(|time| time.to_zoned(TimeZone::UTC).date())
}

/// What makes one finding: the same rule or sign, actor, credential and day.
pub(crate) type Key = (Origin, Symbol, Symbol, Symbol, Option<Date>);

/// Joins what was found: one group for each rule, actor, credential and day, so that a rule that fires on
/// every call of a session makes one finding with many records.
pub(crate) fn group(
    activities: &Activities,
    found: Vec<(RowId, Origin)>,
) -> BTreeMap<Key, Vec<RowId>> {
    let mut groups = BTreeMap::<Key, Vec<RowId>>::new();
    for (row, origin) in found {
        let view = activities.get(row);
        let key = (
            origin,
            view.principal_symbol(),
            view.session_symbol(),
            view.credential_symbol(),
            day_of(view),
        );
        groups.entry(key).or_default().push(row);
    }
    groups
}

/// The findings of what was found.
pub(crate) fn findings(
    activities: &Activities,
    found: Vec<(RowId, Origin)>,
    rules: &[Rule],
    signs: &[Sign],
    shows: &Shows,
) -> Vec<(Finding, Vec<RowId>)> {
    group(activities, found)
        .into_iter()
        .map(|(key, rows)| (tell(key, &rows, activities, rules, signs, shows), rows))
        .collect()
}

/// The finding of one group.
pub(crate) fn tell(
    key: Key,
    rows: &[RowId],
    activities: &Activities,
    rules: &[Rule],
    signs: &[Sign],
    shows: &Shows,
) -> Finding {
    let (origin, .., day) = key;
    match origin {
        Origin::Rule(rule) => Finding {
            details: shows.of(rule, rows),
            ..of_rule(&rules[rule as usize], activities, rows, day)
        },
        Origin::Sign(sign) => of_sign(&signs[sign as usize], activities, rows, day),
    }
}

/// The id that the finding of a group will have, of which this is any row.
pub(crate) fn id_of(key: &Key, row: ActivityRow<'_>, rules: &[Rule], signs: &[Sign]) -> String {
    let (origin, .., day) = key;
    let name = match origin {
        Origin::Rule(rule) => name_of_rule(&rules[*rule as usize]),
        Origin::Sign(sign) => name_of_sign(&signs[*sign as usize]),
    };
    id(&name, &row.actor(), row.credential(), *day)
}

/// A finding's id: by what found it, who acted with which credential, and the day.
fn id(found_by: &str, actor: &str, credential: Option<&str>, day: Option<Date>) -> String {
    let day = day.map(|day| day.to_string()).unwrap_or_default();
    stable_id(&[found_by, actor, credential.unwrap_or_default(), &day])
}

/// Findings in order of time, then of id, and which row shows which.
pub(crate) fn in_order(mut made: Vec<(Finding, Vec<RowId>)>) -> (Vec<Finding>, Vec<(RowId, u32)>) {
    made.sort_by(|(a, _), (b, _)| {
        (a.time.is_none(), a.time, &a.id).cmp(&(b.time.is_none(), b.time, &b.id))
    });
    let mut hits: Vec<(RowId, u32)> = made
        .iter()
        .enumerate()
        .flat_map(|(number, (_, rows))| rows.iter().map(move |row| (*row, number as u32)))
        .collect();
    hits.sort_unstable();
    (made.into_iter().map(|(finding, _)| finding).collect(), hits)
}

fn of_rule(rule: &Rule, activities: &Activities, rows: &[RowId], day: Option<Date>) -> Finding {
    let mut finding = shell(activities, rows, &name_of_rule(rule), day);
    finding.title = rule.title.clone();
    finding.severity = rule.level;
    finding.techniques = rule.techniques.clone();
    finding.tactics = rule.tactics.clone();
    finding.rule_author = rule.author.clone();
    finding
}

fn name_of_rule(rule: &Rule) -> String {
    rule.id.clone().unwrap_or_else(|| rule.file.to_string())
}

/// What a sign names: the kind of thing, and which.
fn named(sign: &Sign) -> (&'static str, String) {
    match &sign.kind {
        SignKind::Key(key) => ("key", key.clone()),
        SignKind::Network(range) if range.prefix_len() == range.max_prefix_len() => {
            ("address", range.addr().to_string())
        }
        SignKind::Network(range) => ("network", range.to_string()),
        SignKind::User(user) => ("user", user.clone()),
        SignKind::Role(role) => ("role", role.clone()),
        SignKind::Client(client) => ("client", client.clone()),
    }
}

fn name_of_sign(sign: &Sign) -> String {
    let (what, value) = named(sign);
    format!("sign:{what}={value}")
}

fn of_sign(sign: &Sign, activities: &Activities, rows: &[RowId], day: Option<Date>) -> Finding {
    let (what, value) = named(sign);
    let mut finding = shell(activities, rows, &name_of_sign(sign), day);
    finding.title = format!("Activity of the {what} {value}, named by {}", sign.origin);
    finding.severity = sign.severity;
    finding.source = FindingSource::Sign;
    finding
}

/// A finding with everything but what its rule says.
pub(crate) fn shell(
    activities: &Activities,
    rows: &[RowId],
    rule: &str,
    day: Option<Date>,
) -> Finding {
    let views = || rows.iter().map(|row| activities.get(*row));
    let first = activities.get(rows[0]);
    let targets: BTreeSet<&str> = views()
        .take(EVIDENCE_LIMIT)
        .flat_map(ActivityRow::targets)
        .collect();
    let evidence = views()
        .take(EVIDENCE_LIMIT)
        .map(|row| Evidence {
            file: row.file().clone(),
            index: row.position().index,
            offset: row.position().offset,
            event_id: row.event_id(),
            time: row.time(),
            action: row.action().to_owned(),
        })
        .collect();
    let actor = first.actor();
    let credential = first.credential().map(str::to_owned);
    Finding {
        id: id(rule, &actor, credential.as_deref(), day),
        rule: rule.to_owned(),
        title: String::new(),
        severity: portreeve_model::Severity::Informational,
        time: first.time(),
        last_time: views().filter_map(ActivityRow::time).max(),
        source: FindingSource::Detection,
        actor,
        credential,
        targets: targets.into_iter().map(str::to_owned).collect(),
        techniques: Vec::new(),
        tactics: Vec::new(),
        evidence,
        evidence_total: rows.len() as u64,
        rule_author: None,
        details: Vec::new(),
        muted_by: None,
    }
}

/// 16 hexadecimal digits of the SHA-256 of the parts: the same for the same parts, in any run.
pub fn stable_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
