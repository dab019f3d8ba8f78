//! Exceptions: findings that the user expects. They mute paging and score, never evidence or
//! lineage: a muted finding is told like any other, joins incidents like any other, and says which
//! exception muted it.

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;
use portreeve_model::{Finding, FindingSource};

use crate::activities::{Activities, ActivityRow, RowId};
use crate::settings::matches_pattern;
use crate::stage_two::Folded;

/// What the user expects, from when to when, and who answers for it. A scope without entries does
/// not narrow; of several entries one must match. `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its name in reports.
    pub id: String,
    /// Ids or file names of rules.
    pub rules: Vec<String>,
    /// Who acts: principal and session (`ROLE_ARN/NAME`), the session's name, or the last part of
    /// the principal's id.
    pub actors: Vec<String>,
    /// The principal's id, or its last part.
    pub principals: Vec<String>,
    /// From where.
    pub networks: Vec<IpNet>,
    /// On what: ids of resources; a bucket's stands for its objects too.
    pub targets: Vec<String>,
    /// In which accounts.
    pub accounts: Vec<String>,
    /// From when on; absent for always.
    pub from: Option<Timestamp>,
    /// The moment at which it ends.
    pub expires: Timestamp,
    /// Who answers for it.
    pub owner: String,
    /// Why it is expected.
    pub reason: String,
    /// Where that was decided.
    pub ticket: String,
}

impl Exception {
    /// Whether nothing narrows it: it would mute everything.
    pub fn is_boundless(&self) -> bool {
        let all = |patterns: &[String]| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|pattern| !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*'))
        };
        let networks =
            self.networks.is_empty() || self.networks.iter().any(|range| range.prefix_len() == 0);
        networks
            && [
                &self.rules,
                &self.actors,
                &self.principals,
                &self.targets,
                &self.accounts,
            ]
            .into_iter()
            .all(|patterns| all(patterns))
    }

    /// Whether it holds for a rule, by its id and the name of its file.
    fn is_for_rule(&self, rule: &str, file: &str) -> bool {
        any(&self.rules, |pattern| {
            matches_pattern(pattern, rule) || (!file.is_empty() && matches_pattern(pattern, file))
        })
    }

    /// Whether it holds at a time: from its beginning up to its end.
    fn is_in_force(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && time < self.expires
    }

    fn is_for_row(&self, row: ActivityRow<'_>) -> bool {
        let last = |id: &'_ str| id.rsplit('/').next().unwrap_or(id).to_owned();
        let address = || row.address()?.parse::<std::net::IpAddr>().ok();
        any(&self.actors, |pattern| {
            matches_pattern(pattern, &row.actor())
                || row
                    .session()
                    .is_some_and(|session| matches_pattern(pattern, session))
                || matches_pattern(pattern, &last(row.principal()))
        }) && any(&self.principals, |pattern| {
            matches_pattern(pattern, row.principal())
                || matches_pattern(pattern, &last(row.principal()))
        }) && any(&self.accounts, |pattern| {
            row.account()
                .is_some_and(|account| matches_pattern(pattern, account))
        }) && (self.networks.is_empty()
            || address()
                .is_some_and(|address| self.networks.iter().any(|range| range.contains(&address))))
            && self.is_for_targets(row)
    }

    /// Whether all that a call was made on is meant. A call on an object names its bucket too.
    fn is_for_targets(&self, row: ActivityRow<'_>) -> bool {
        if self.targets.is_empty() {
            return true;
        }
        let is_meant = |id: &str| {
            self.targets.iter().any(|pattern| {
                matches_pattern(pattern, id)
                    || id.strip_prefix("arn:").is_some_and(|rest| {
                        // An object's bucket: what stands before the first slash.
                        rest.contains(":s3:::")
                            && id
                                .split_once('/')
                                .is_some_and(|(bucket, _)| matches_pattern(pattern, bucket))
                    })
            })
        };
        let holds_meant = |bucket: &str| {
            row.targets().any(|id| {
                id.strip_prefix(bucket)
                    .is_some_and(|key| key.starts_with('/'))
                    && is_meant(id)
            })
        };
        let mut targets = row.targets().peekable();
        targets.peek().is_some() && targets.all(|id| is_meant(id) || holds_meant(id))
    }
}

/// Whether a scope holds: it does not narrow, or one of its entries matches.
fn any(patterns: &[String], matches: impl Fn(&str) -> bool) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern))
}

/// Marks the findings that exceptions mute, the first of several in their order; tells how many
/// each muted. A finding is muted where all of its records are meant, never where the user's own
/// sign found it. `files` are the names of rules' files by the rules' ids.
pub fn mute(
    folded: &mut Folded,
    exceptions: &[Exception],
    files: &BTreeMap<String, String>,
) -> Vec<u64> {
    let mut muted = vec![0; exceptions.len()];
    for finding in &mut folded.findings {
        finding.muted_by = None;
    }
    if exceptions.is_empty() {
        return muted;
    }
    let mut rows = vec![Vec::new(); folded.findings.len()];
    for (row, finding) in &folded.hits {
        rows[*finding as usize].push(*row);
    }
    for (finding, rows) in folded.findings.iter_mut().zip(rows) {
        let found = muting(exceptions, finding, &rows, &folded.activities, files);
        if let Some(place) = found {
            finding.muted_by = Some(exceptions[place].id.clone());
            muted[place] += 1;
        }
    }
    muted
}

/// The number of the exception that mutes a finding with these rows.
pub(crate) fn muting(
    exceptions: &[Exception],
    finding: &Finding,
    rows: &[RowId],
    activities: &Activities,
    files: &BTreeMap<String, String>,
) -> Option<usize> {
    let file = files.get(&finding.rule).map_or("", String::as_str);
    exceptions.iter().position(|exception| {
        could_mute(exception, finding, file)
            && !rows.is_empty()
            && rows.iter().all(|row| {
                let row = activities.get(*row);
                row.time().is_some_and(|time| exception.is_in_force(time))
                    && exception.is_for_row(row)
            })
    })
}

fn could_mute(exception: &Exception, finding: &Finding, file: &str) -> bool {
    finding.source != FindingSource::Sign && exception.is_for_rule(&finding.rule, file)
}
