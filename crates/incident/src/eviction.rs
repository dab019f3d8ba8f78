//! Whether an intruder is out: what of all that was made, changed or held still works after a
//! containment, by what the logs show, and what of it fired later.
//!
//! Nothing is called dead without the record that killed it, or the end that it had from the
//! beginning. What no record takes away is alive where the account's logs go on past the
//! containment, and unknown where they do not.

mod aftermath;
mod judge;
mod kinds;

use std::sync::Arc;

use jiff::Timestamp;
use portreeve_detect::ActivityRow;
use portreeve_model::Severity;
use serde::{Deserialize, Serialize};

pub(crate) use aftermath::Aftermath;

use crate::case::Case;
use crate::text::minute;

/// How many things of one incident are listed.
const LISTED: usize = 500;

/// From when on an incident's things are judged, and why from then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// The moment.
    pub at: Timestamp,
    /// Where it comes from.
    pub basis: ContainmentBasis,
}

/// Where the time of a containment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainmentBasis {
    /// The user said it.
    Stated,
    /// It is that of the last record that took something of the incident away.
    LastRevocation,
    /// No record takes anything away: it is that of the last record of the logs.
    EndOfLogs,
}

impl ContainmentBasis {
    /// The basis in words.
    pub fn words(self) -> &'static str {
        match self {
            ContainmentBasis::Stated => "as you say",
            ContainmentBasis::LastRevocation => {
                "the last record that takes something of it away; say otherwise with --contained-at"
            }
            ContainmentBasis::EndOfLogs => {
                "the end of the logs: no record in them takes anything away"
            }
        }
    }
}

/// One thing that the intruder held, made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    /// What it is: `session`, `access key`, `trust of a role`, `schedule`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Whether the intruder used it, made it, or changed it.
    pub how: Hold,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The record of that.
    pub record: Option<RecordName>,
    /// What became of it.
    pub state: EvictionState,
    /// For what ends by itself: when, at the latest.
    pub until: Option<Timestamp>,
    /// What shows that.
    pub why: String,
    /// The record that shows it.
    pub shown_by: Option<RecordName>,
    /// What was done by it, or with it, after the containment: the first of it.
    pub fired: Vec<RecordName>,
    /// How often.
    pub fired_total: u64,
}

/// What the intruder had to do with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// It was made.
    Made,
    /// It was there before, and was changed.
    Changed,
    /// It was there before, and was used.
    Used,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvictionState {
    /// It works, and nothing ends it.
    Alive,
    /// It works until it ends by itself.
    AliveUntil,
    /// The logs do not tell.
    Unknown,
    /// It no longer works.
    Dead,
}

impl EvictionState {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            EvictionState::Alive => "alive",
            EvictionState::AliveUntil => "alive until",
            EvictionState::Unknown => "unknown",
            EvictionState::Dead => "dead",
        }
    }
}

/// Names a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordName {
    /// When.
    pub time: Option<Timestamp>,
    /// What: `iam:DeleteAccessKey`.
    pub action: String,
    /// Who.
    pub actor: String,
    /// The source's event id.
    pub event_id: Option<String>,
    /// The file that holds it, where it has no event id to be found by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// Its number in that file, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
}

impl RecordName {
    fn of(row: ActivityRow<'_>) -> Self {
        let event_id = row.event_id();
        let is_nameless = event_id.is_none();
        Self {
            time: row.time(),
            action: row.action().to_owned(),
            actor: row.actor(),
            event_id,
            file: is_nameless.then(|| row.file().clone()),
            index: is_nameless.then(|| row.position().index),
        }
    }
}

/// Judges all that an incident's intruder held, made or changed; what is still alive first. Nothing
/// for what may be somebody's ordinary work.
pub(crate) fn eviction(
    case: &Case<'_>,
    aftermath: &Aftermath,
) -> (Option<Containment>, Vec<Evicted>) {
    let is_intrusion =
        case.group.is_strange() || case.group.named || case.gravest() >= Severity::High;
    let Some(end) = logs_end(case).filter(|_| is_intrusion) else {
        return (None, Vec::new());
    };
    let things = kinds::things(case);
    let judge = judge::Judge::new(case, aftermath, end);
    let containment = match case.settings.contained_at {
        Some(at) => Containment {
            at,
            basis: ContainmentBasis::Stated,
        },
        None => match judge.last_revocation(&things) {
            Some(at) => Containment {
                at,
                basis: ContainmentBasis::LastRevocation,
            },
            None => Containment {
                at: end,
                basis: ContainmentBasis::EndOfLogs,
            },
        },
    };
    let mut evicted: Vec<Evicted> = things
        .iter()
        .map(|thing| judge.judge(thing, containment.at))
        .collect();
    evicted.sort_by(|a, b| {
        (
            a.fired_total == 0,
            a.state,
            a.since.is_none(),
            a.since,
            &a.kind,
            &a.id,
        )
            .cmp(&(
                b.fired_total == 0,
                b.state,
                b.since.is_none(),
                b.since,
                &b.kind,
                &b.id,
            ))
    });
    evicted.truncate(LISTED);
    (Some(containment), evicted)
}

fn logs_end(case: &Case<'_>) -> Option<Timestamp> {
    let coverage = &case.folded.coverage;
    coverage.iter().filter_map(|coverage| coverage.last).max()
}

fn after(seconds: Timestamp) -> String {
    format!("at {}", minute(seconds))
}
