use std::sync::Arc;

use jiff::Timestamp;
use portreeve_model::Proof;
use serde::{Deserialize, Serialize};

use crate::Place;

/// What digests, keys and log files together prove, and what they show to be missing or altered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The public keys that were given, and how many digests each proved.
    pub keys: Vec<KeyUse>,
    /// The chains of digests, by account, region and trail.
    pub chains: Vec<Chain>,
    /// What is missing or altered, in order of time.
    pub holes: Vec<EvidenceHole>,
    /// Files that lie elsewhere than the rest of their chain, or by another name. Their content is as
    /// it was delivered.
    pub moved: Vec<Moved>,
    /// Files with the same content as another that is used.
    pub repeated: Vec<Repeated>,
    /// Each digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<DigestState>,
    /// Each log file that a digest lists, and each that none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogState>,
}

/// A public key, and what it was good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// Its fingerprint.
    pub fingerprint: String,
    /// From when on CloudTrail signs with it, where that is known.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_until: Option<Timestamp>,
    /// The file that it was read from.
    pub file: Arc<str>,
    /// How many digests have a signature of it.
    pub digests: u64,
}

/// A stretch of time; the end does not belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
}

/// The digests of one account, region and trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Whose they are.
    #[serde(flatten)]
    pub place: Place,
    /// Where the first of them begins.
    pub from: Timestamp,
    /// Where the last of them ends.
    pub until: Timestamp,
    /// How many there are.
    pub digests: u64,
    /// How many of them are proven.
    pub digests_proven: u64,
    /// How many log files they list.
    pub logs: u64,
    /// How many of those are proven.
    pub logs_proven: u64,
    /// Whether the first refers to one before, which was not given.
    pub goes_on_before: bool,
    /// The stretches that proven digests cover.
    pub proven: Vec<Span>,
}

/// What is known of one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestState {
    /// The file.
    pub file: Arc<str>,
    /// Where it was delivered: bucket and key.
    pub object: String,
    /// Its chain.
    #[serde(flatten)]
    pub place: Place,
    /// From when on it lists what was delivered.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many log files it lists.
    pub logs: u64,
    /// Whether it is as it was delivered.
    pub proof: Proof,
    /// Why.
    pub reason: String,
}

/// What is known of one log file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogState {
    /// The file; absent where it is missing.
    pub file: Option<Arc<str>>,
    /// Where it was delivered: bucket and key; absent where no digest lists it.
    pub object: Option<String>,
    /// The account, where that is known.
    pub account: String,
    /// The region, where that is known.
    pub region: String,
    /// The time of its first event, as the digest tells it.
    pub from: Option<Timestamp>,
    /// The time of its last event.
    pub until: Option<Timestamp>,
    /// Whether it is as it was delivered.
    pub proof: Proof,
    /// Why.
    pub reason: String,
}

/// Something that is missing or altered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceHole {
    /// From when on events may be hidden by it.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// What it is.
    pub kind: HoleKind,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The trail.
    pub trail: String,
    /// Where it was delivered: bucket and key; empty for a gap.
    pub object: String,
    /// The file, where there is one.
    pub file: Option<Arc<str>>,
    /// How that is known.
    pub reason: String,
}

/// What is missing or altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoleKind {
    /// A log file that a digest lists is not there.
    MissingLog,
    /// A log file has another content than a digest lists.
    AlteredLog,
    /// A digest that the next one refers to is not there.
    MissingDigest,
    /// A digest has another content than it was signed with.
    AlteredDigest,
    /// A stretch of time without digests: logging, or the validation of log files, was off.
    Gap,
}

impl HoleKind {
    /// The name used in reports.
    pub fn title(self) -> &'static str {
        match self {
            HoleKind::MissingLog => "missing log file",
            HoleKind::AlteredLog => "altered log file",
            HoleKind::MissingDigest => "missing digest",
            HoleKind::AlteredDigest => "altered digest",
            HoleKind::Gap => "no digests",
        }
    }
}

impl EvidenceHole {
    /// What is missing or altered, by name: the file that is there, else the one that is not.
    pub fn name(&self) -> &str {
        match &self.file {
            Some(file) => file,
            None => &self.object,
        }
    }

    /// Whether it may hide events of a stretch of time. One without times may hide any.
    pub fn overlaps(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> bool {
        let ends_before = self.until.zip(from).is_some_and(|(own, from)| own < from);
        let begins_after = self.from.zip(until).is_some_and(|(own, until)| own > until);
        !ends_before && !begins_after
    }
}

/// A file whose content is as it was delivered, at another place or by another name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moved {
    /// The file.
    pub file: Arc<str>,
    /// Where it was delivered: bucket and key.
    pub object: String,
    /// Whether it has another name; else it lies in another folder.
    pub renamed: bool,
}

/// A file with the content of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Repeated {
    /// The file.
    pub file: Arc<str>,
    /// The one that is used.
    pub of: Arc<str>,
}

impl Verification {
    /// Whether a log file, by the name under which it was given, is as it was delivered. `None`
    /// where nothing is known of it. Costs a walk over all log files.
    pub fn proof_of(&self, file: &str) -> Option<Proof> {
        self.logs
            .iter()
            .find(|log| log.file.as_deref() == Some(file))
            .map(|log| log.proof)
    }

    /// How many log files there are of a kind.
    pub fn count(&self, proof: Proof) -> u64 {
        self.logs.iter().filter(|log| log.proof == proof).count() as u64
    }

    /// The holes that may hide events of some accounts in a stretch of time. Without an account it
    /// is those of any.
    pub fn holes_in<'e>(
        &'e self,
        accounts: &'e [&str],
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> impl Iterator<Item = &'e EvidenceHole> {
        self.holes.iter().filter(move |hole| {
            (accounts.is_empty() || accounts.contains(&hole.account.as_str()))
                && hole.overlaps(from, until)
        })
    }
}
