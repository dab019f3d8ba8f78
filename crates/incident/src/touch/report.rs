use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use portreeve_evidence::{EvidenceHole, Span};
use portreeve_model::{CoverageCell, Proof};
use serde::{Deserialize, Serialize};

/// Whether something was touched, with the records, or with what was and was not logged. Its JSON form is
/// what `touched --format json` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// What was asked for, as the user wrote it.
    pub asked: String,
    /// Whether that is a resource, or a principal whose deeds are told.
    pub subject: Subject,
    /// The ids that it means.
    pub ids: Vec<String>,
    /// The incident whose credentials alone count.
    pub by: Option<String>,
    /// The answer.
    pub answer: Answer,
    /// The answer in a sentence.
    pub headline: String,
    /// Calls that were done, in order of time.
    pub records: Vec<TouchRecord>,
    /// Calls that were refused or failed: they did not touch it.
    pub attempts: Vec<TouchRecord>,
    /// Calls that may have touched it without naming it, or told its name.
    pub implied: Vec<Implied>,
    /// How many of each are beyond those told.
    pub omitted: Omitted,
    /// For a principal: what it acted on, most calls first.
    pub resources: Vec<Acted>,
    /// What the answer rests on.
    pub covered: Covered,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Something that is acted on.
    Resource,
    /// Someone who acts.
    Principal,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It was: the records are there.
    Yes,
    /// A call that names no single resource may have: its record is there.
    Possibly,
    /// Not in what was logged. What was not logged stands beside it.
    No,
}

impl Answer {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::Possibly => "possibly",
            Answer::No => "no",
        }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchRecord {
    /// When.
    pub time: Option<Timestamp>,
    /// What: `s3:GetObject`.
    pub action: String,
    /// `success`, or the source's error code.
    pub outcome: String,
    /// Whether it was refused for lack of permission.
    pub denied: bool,
    /// Who: id, `/` and session name where there is one.
    pub actor: String,
    /// With what.
    pub credential: Option<String>,
    /// On what.
    pub targets: Vec<String>,
    /// In which account.
    pub account: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// With which client.
    pub client: Option<String>,
    /// The source's event id.
    pub event_id: Option<String>,
    /// The file that holds the record.
    pub file: Arc<str>,
    /// Its number in that file.
    pub index: u64,
    /// Its first byte in the decompressed stream.
    pub offset: u64,
    /// What digests prove of the file; absent where nothing was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// A call that does not name the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Implied {
    /// The call.
    #[serde(flatten)]
    pub record: TouchRecord,
    /// Whether it may have read, changed or deleted it; else it told its name at most.
    pub touches: bool,
    /// What such a call does.
    pub says: String,
}

/// How many records are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omitted {
    /// Calls that were done.
    pub records: u64,
    /// Calls that were not.
    pub attempts: u64,
    /// Calls that do not name it.
    pub implied: u64,
}

/// A resource that a principal acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// Its id; for the objects of a bucket, the bucket's.
    pub resource: String,
    /// How many different objects, where it is a bucket; else 0.
    pub objects: u64,
    /// Actions that were done, with counts.
    pub actions: BTreeMap<String, u64>,
    /// Actions that were refused or failed, with counts.
    pub refused: BTreeMap<String, u64>,
    /// First call.
    pub first: Option<Timestamp>,
    /// Last call.
    pub last: Option<Timestamp>,
}

/// What an answer rests on: what was logged, and what of that is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The accounts whose records count; empty where the account is not known, so that all do.
    pub accounts: Vec<String>,
    /// The region of the resource, where it has one.
    pub region: Option<String>,
    /// The kinds of events that would show a touch, and whether they are there.
    pub kinds: Vec<KindCovered>,
    /// What the logs hold of these accounts and kinds, by region, with their holes.
    pub cells: Vec<CoverageCell>,
    /// Whether there were too many cells to be told.
    pub cells_omitted: bool,
    /// Files that are missing or altered.
    pub evidence_holes: Vec<EvidenceHole>,
    /// Log files of these accounts by what digests prove of them; empty where nothing was verified.
    pub files: BTreeMap<Proof, u64>,
    /// The stretches that proven digests cover.
    pub proven: Vec<ProvenSpan>,
    /// All limits of the answer, in sentences. Empty where none is known.
    pub limits: Vec<String>,
}

/// A kind of events that would show a touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCovered {
    /// `Management` or `Data`.
    pub kind: String,
    /// The service whose calls they are.
    pub service: String,
    /// What they tell.
    pub shows: String,
    /// Whether they are in the logs.
    pub logged: Logged,
    /// How that is known.
    pub why: String,
}

/// Whether events are in the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Logged {
    /// They are.
    Yes,
    /// Some of their like are; nothing says whether these are.
    Unsure,
    /// They are not.
    No,
}

impl Logged {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Logged::Yes => "logged",
            Logged::Unsure => "not sure",
            Logged::No => "NOT LOGGED",
        }
    }
}

/// A stretch of time that proven digests cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProvenSpan {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The trail.
    pub trail: String,
    /// From when to when.
    #[serde(flatten)]
    pub span: Span,
}
