use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use portreeve_detect::Certainty;

use crate::actor::Likeness;
use crate::containment::IncidentCut;
use crate::decide::ByPeople;
use crate::eviction::{Containment, Evicted};
use crate::sight::ProfileSight;
use crate::wallets::WalletStory;
use portreeve_evidence::{EvidenceHole, Verification};
use portreeve_graph::{AttackPath, Jewel};
use portreeve_model::{
    BlindSpot, Coverage, DeadLetter, Finding, Input, Proof, Severity, Tactic, Technique,
};

/// All that one investigation has to say. Its JSON form is what `investigate --format json` writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// SHA-256 over all rules in use, so that two reports can be compared.
    pub rules_sha256: String,
    /// How many rules were in use.
    pub rules: u64,
    /// Whether the data came from the simulator. Never true for real input.
    pub simulated: bool,
    /// The incidents, gravest first.
    pub incidents: Vec<Incident>,
    /// What happened to wallets without a known intrusion that led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wallets: Vec<WalletStory>,
    /// All findings, those outside any incident too, in order of time.
    pub findings: Vec<Finding>,
    /// The estate's crown jewels.
    pub jewels: Vec<Jewel>,
    /// What the logs covered.
    pub coverage: Vec<Coverage>,
    /// Which steps of each known actor's way the logs can show.
    #[serde(default)]
    pub sight: Vec<ProfileSight>,
    /// The exceptions in use, and what each did.
    #[serde(default)]
    pub exceptions: Vec<ExceptionUse>,
    /// What could not be seen.
    pub blind_spots: Vec<BlindSpot>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// Unreadable parts beyond those kept in `dead_letters`.
    pub dead_letters_omitted: u64,
    /// Every file that was read, with its hash.
    pub inputs: Vec<Input>,
    /// What CloudTrail's digests prove of the log files; absent where none is among the input. What
    /// is known of each file stands in `inputs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// What else the user should know: rules that did not load, deploy principals inferred.
    pub notes: Vec<String>,
    /// The run in figures.
    pub summary: Summary,
}

impl Report {
    /// The same of one incident and its findings alone, without the files that were read.
    pub fn only(&self, incident: Incident, findings: Vec<Finding>) -> Self {
        Self {
            version: self.version.clone(),
            rules_sha256: self.rules_sha256.clone(),
            rules: self.rules,
            simulated: self.simulated,
            incidents: vec![incident],
            wallets: self.wallets.clone(),
            findings,
            jewels: self.jewels.clone(),
            coverage: self.coverage.clone(),
            sight: self.sight.clone(),
            exceptions: self.exceptions.clone(),
            blind_spots: self.blind_spots.clone(),
            dead_letters: self.dead_letters.clone(),
            dead_letters_omitted: self.dead_letters_omitted,
            inputs: Vec::new(),
            verification: self.verification.clone(),
            notes: self.notes.clone(),
            summary: self.summary.clone(),
        }
    }
}

/// What one exception did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionUse {
    /// Its name.
    pub id: String,
    /// Whether it is in force when the logs end, and was of use.
    pub state: ExceptionState,
    /// How many findings it muted.
    pub muted: u64,
    /// Incidents with a finding that it muted.
    pub incidents: Vec<String>,
    /// What it is for: each scope that narrows it, as `rule=…`.
    pub scope: Vec<String>,
    /// From when on.
    pub from: Option<Timestamp>,
    /// When it ends.
    pub expires: Timestamp,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Where that was decided.
    pub ticket: String,
}

/// Where an exception stands when the logs end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionState {
    /// In force, and it muted something.
    Active,
    /// In force, and it muted nothing: perhaps it can go.
    Unused,
    /// Not in force yet.
    Upcoming,
    /// No longer in force: nothing after its end is muted.
    Expired,
}

impl ExceptionState {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            ExceptionState::Active => "active",
            ExceptionState::Unused => "unused",
            ExceptionState::Upcoming => "upcoming",
            ExceptionState::Expired => "expired",
        }
    }
}

/// The run in figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Records read, duplicates too.
    pub records: u64,
    /// Bytes of logs, decompressed.
    pub bytes: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// One intrusion, told as one story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// From the root credential of its lineage and its first finding: stable across runs.
    pub id: String,
    /// How grave.
    pub severity: Severity,
    /// From 0 to 100; the sum of `score_parts`, capped.
    pub score: u32,
    /// What the score is made of.
    pub score_parts: Vec<ScorePart>,
    /// One sentence: who, what, how far.
    pub headline: String,
    /// The story in a few sentences, in order of time.
    pub narrative: Vec<String>,
    /// Time of the first sign.
    pub first_sign: Option<Timestamp>,
    /// Time of the last activity of the intruder that is known.
    pub last_activity: Option<Timestamp>,
    /// Principals that the intruder acted as: id, `/` and session name where there is one.
    pub principals: Vec<String>,
    /// Credential ids that the intruder used, or that were minted from those.
    pub credentials: Vec<String>,
    /// Where and when each of them was used.
    pub credential_stories: Vec<CredentialStory>,
    /// Credentials of one person that the intruder took one after the other.
    #[serde(default)]
    pub chains: Vec<Chain>,
    /// Techniques seen.
    pub techniques: Vec<Technique>,
    /// Tactics seen, in the order of an intrusion.
    pub tactics: Vec<Tactic>,
    /// Ids of its findings.
    pub findings: Vec<String>,
    /// What happened, in order of time.
    pub timeline: Vec<TimelineEntry>,
    /// What was touched, gravest first.
    pub touched: Vec<Touched>,
    /// The shortest path to each crown jewel that its principals can still reach.
    pub paths: Vec<AttackPath>,
    /// What to do first, in order.
    pub response: Vec<ResponseStep>,
    /// What cuts every path from what the intruder holds to crown jewels; absent for what may be
    /// ordinary work, and where there is no path.
    #[serde(default)]
    pub cut: Option<IncidentCut>,
    /// How like each known actor it is, and why; the likest first.
    #[serde(default)]
    pub likeness: Vec<Likeness>,
    /// Since when what follows is judged; absent for what may be ordinary work.
    #[serde(default)]
    pub containment: Option<Containment>,
    /// All that the intruder held, made or changed, and whether it still works; what fired after
    /// the containment first, then what is alive.
    #[serde(default)]
    pub eviction: Vec<Evicted>,
    /// How many of its findings exceptions mute. They are told, and neither page nor score.
    #[serde(default)]
    pub muted: u64,
    /// Log files and digests that are missing or altered and may hide what happened meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence_holes: Vec<EvidenceHole>,
    /// How many records of its timeline are in files of which kind; empty where nothing was
    /// verified.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof: BTreeMap<Proof, u64>,
    /// What happened to the wallets that it leads to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wallets: Vec<WalletStory>,
    /// What people decided of it; absent where they decided nothing. Never derived: it is there where an
    /// incident is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_people: Option<ByPeople>,
}

/// One part of an incident's score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorePart {
    /// What it is for.
    pub reason: String,
    /// What it adds.
    pub points: u32,
}

/// Credentials of one person, workload or pipeline that were used from the same foreign network, or
/// with the same foreign client: as each ended, the intruder got the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Whose they are: a user name, an ARN, a repository.
    pub person: String,
    /// The foreign networks that they were used from.
    pub networks: Vec<String>,
    /// The clients that they were used with there.
    pub clients: Vec<String>,
    /// First foreign use of any of them.
    pub first: Option<Timestamp>,
    /// Last foreign use of any of them.
    pub last: Option<Timestamp>,
    /// On how many days (UTC) they were used from there.
    pub days: u64,
    /// The credentials, in order of first foreign use.
    pub credentials: Vec<ChainedCredential>,
}

/// One credential of a chain, with its foreign use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainedCredential {
    /// Its id.
    pub credential: String,
    /// First foreign use.
    pub first: Option<Timestamp>,
    /// Last foreign use.
    pub last: Option<Timestamp>,
    /// How many calls.
    pub calls: u64,
}

/// What is known of one credential's use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialStory {
    /// Its id.
    pub credential: String,
    /// Whom it proves, as in [`Incident::principals`].
    pub actor: String,
    /// The credential it was minted from, where the logs show that.
    pub parent: Option<String>,
    /// How it came to be: `assume-role`, …; `unknown` where the logs do not show it.
    pub minted_by: String,
    /// How sure the logs are of that, and of the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    /// Why, in words; absent where a record says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was created, as far as known.
    pub created: Option<Timestamp>,
    /// When it ends by itself; absent for keys that do not, and where it is not known.
    pub expires: Option<Timestamp>,
    /// Where it was used, in order of first use.
    pub networks: Vec<NetworkUse>,
}

/// The use of one credential from one address with one client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkUse {
    /// The address, as recorded.
    pub address: String,
    /// The network's class: that which `portreeve.toml` declares, else that which data of networks
    /// make likely, else `unknown`.
    pub class: String,
    /// The client's user agent.
    pub client: Option<String>,
    /// First use.
    pub first: Option<Timestamp>,
    /// Last use.
    pub last: Option<Timestamp>,
    /// How many calls.
    pub calls: u64,
    /// Whether a finding was made on use from here.
    pub suspect: bool,
}

/// One record of an incident's timeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub time: Option<Timestamp>,
    /// What: `s3:GetObject`.
    pub action: String,
    /// Whether it was done, denied, or failed: the source's error code otherwise.
    pub outcome: String,
    /// Who: id, `/` and session name where there is one.
    pub actor: String,
    /// With what.
    pub credential: Option<String>,
    /// On what.
    pub targets: Vec<String>,
    /// From where.
    pub address: Option<String>,
    /// The source's event id.
    pub event_id: Option<String>,
    /// The file that holds the record.
    pub file: Arc<str>,
    /// Its number in that file.
    pub index: u64,
    /// Its first byte in the decompressed stream.
    pub offset: u64,
    /// The gravest finding on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Why it is in the timeline.
    pub role: TimelineRole,
}

/// Why a record is in a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimelineRole {
    /// A finding is on it.
    Finding,
    /// No rule fired, and it was done from where, or with what client, the intruder works.
    Suspect,
    /// The credential's other activity: perhaps its owner's.
    Quiet,
}

/// One resource that the intruder touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// Its id; for many objects of one bucket, the bucket's.
    pub resource: String,
    /// How many objects, where `resource` is a bucket; else 0.
    pub objects: u64,
    /// What was done: actions with counts, most first.
    pub actions: Vec<(String, u64)>,
    /// Whether anything was written.
    pub written: bool,
    /// Whether anything succeeded; false where every call was refused.
    pub succeeded: bool,
    /// The crown jewel's kind, if it is one.
    pub jewel: Option<String>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseStep {
    /// What and why.
    pub title: String,
    /// A command to review and run; absent where it is not a command.
    pub command: Option<String>,
    /// What it does not do, or breaks.
    pub caveat: Option<String>,
}
