use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Severity, Tactic, Technique};

/// Something worth a person's look, whatever found it, with its evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Stable for the same input: a rule's findings on one credential on one day are one finding.
    pub id: String,
    /// The id of the rule or check that fired.
    pub rule: String,
    /// What was seen, in a few words.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// Time of its first evidence; absent where no evidence has a time.
    pub time: Option<Timestamp>,
    /// Time of its last evidence.
    pub last_time: Option<Timestamp>,
    /// What kind of engine found it.
    pub source: FindingSource,
    /// Who acted: the principal's id, `/` and the session name where there is one.
    pub actor: String,
    /// The credential that was used.
    pub credential: Option<String>,
    /// Resource ids that the evidence touched, sorted, without repeats.
    pub targets: Vec<String>,
    /// ATT&CK techniques.
    pub techniques: Vec<Technique>,
    /// ATT&CK tactics.
    pub tactics: Vec<Tactic>,
    /// The first records that show it, in order of time. Never empty.
    pub evidence: Vec<Evidence>,
    /// How many records show it, those beyond `evidence` too.
    pub evidence_total: u64,
    /// The rule's authors, where its licence asks that they be named wherever its match is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_author: Option<String>,
    /// What its rule shows of it beyond the title: the path that opened, the fields that the rule
    /// lists under `fields`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// The exception that mutes it: it neither pages nor scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_by: Option<String>,
}

impl Finding {
    /// Whether an exception mutes it.
    pub fn is_muted(&self) -> bool {
        self.muted_by.is_some()
    }
}

/// What kind of engine found a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingSource {
    /// A Sigma rule over activities.
    Detection,
    /// A user's sign (`--from`, `--ioc`).
    Sign,
    /// A posture check over the estate.
    Posture,
}

/// One record that shows a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The file that it came from, as the user named it.
    pub file: Arc<str>,
    /// Its number in that file, from 0.
    pub index: u64,
    /// Its first byte in the file's decompressed stream.
    pub offset: u64,
    /// The source's own id of the event.
    pub event_id: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// What was done: `s3:GetObject`.
    pub action: String,
}
