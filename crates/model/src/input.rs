use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A record or file that could not be read: counted, kept with its position and reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The file, as the user named it.
    pub file: Arc<str>,
    /// First byte of the unreadable part, in the decompressed stream.
    pub offset: u64,
    /// What was expected, what was found.
    pub reason: String,
}

/// What could not be seen, and what follows from that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlindSpot {
    /// What is missing: `bucket policies of account 111122223333`.
    pub missing: String,
    /// What cannot be known because of it.
    pub consequence: String,
    /// How to close it, as a command or a step.
    pub remedy: String,
}

/// One file or stream that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The file, as the user named it; `-` for standard input.
    pub file: Arc<str>,
    /// What it was recognised as.
    pub kind: InputKind,
    /// The recognised format: `aws.cloudtrail`, `aws.account-authorization-details`.
    pub format: String,
    /// Size on disk.
    pub bytes: u64,
    /// SHA-256 of the file as it is on disk, lower-case hexadecimal.
    pub sha256: String,
    /// Records read from it; 0 for inventory.
    pub records: u64,
    /// Whether it is as it was delivered; absent where nothing was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// Whether a file is as its source delivered it, as far as signatures and hashes tell. The better
/// comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It is.
    Proven,
    /// Nothing says so, and nothing speaks against it.
    Unproven,
    /// What should list it does not.
    Unlisted,
    /// It is not.
    Altered,
    /// It is not there.
    Missing,
}

impl Proof {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Proven => "proven",
            Proof::Unproven => "unproven",
            Proof::Unlisted => "unlisted",
            Proof::Altered => "altered",
            Proof::Missing => "missing",
        }
    }
}

/// What a file was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// Audit logs.
    Log,
    /// Inventory.
    Inventory,
    /// Data of networks: whose an address is.
    Networks,
    /// Wallets: their policy, queues of Safes, blocks of chains.
    Wallets,
    /// Known and not needed, as CloudTrail's digest files.
    Ignored,
    /// Not recognised.
    Unrecognised,
}

/// What the logs of one source covered, so that "they did not touch it" has its limits stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The source: `aws.cloudtrail`.
    pub source: String,
    /// Time of the first record.
    pub first: Option<Timestamp>,
    /// Time of the last record.
    pub last: Option<Timestamp>,
    /// Records, duplicates left out.
    pub records: u64,
    /// Duplicates left out.
    pub duplicates: u64,
    /// Records without a time.
    pub without_time: u64,
    /// Accounts seen.
    pub accounts: BTreeSet<String>,
    /// Regions seen.
    pub regions: BTreeSet<String>,
    /// Kinds of events seen, with their counts, duplicates too: `Management`, `Data`, `Insight`, `NetworkActivity`.
    pub event_kinds: BTreeMap<String, u64>,
    /// Days (UTC, `YYYY-MM-DD`) between the first and the last on which no record was seen.
    pub days_without_records: Vec<String>,
    /// Records by account and service, duplicates left out.
    #[serde(default)]
    pub services: BTreeMap<String, BTreeMap<String, u64>>,
    /// What was covered in the whole (every name empty), in each account (region and kind empty),
    /// and in each account, region and kind of event.
    #[serde(default)]
    pub cells: Vec<CoverageCell>,
    /// Whether there were more cells than are kept, so that none is told.
    #[serde(default)]
    pub cells_omitted: bool,
}

/// What the logs covered of one account, region and kind of event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageCell {
    /// The account; empty for all.
    pub account: String,
    /// The region; empty for all.
    pub region: String,
    /// The kind of event; empty for all.
    pub kind: String,
    /// Records with a time, duplicates too.
    pub records: u64,
    /// Hours with a record.
    pub hours: u64,
    /// The first hour with a record.
    pub first: Option<Timestamp>,
    /// The last hour with a record.
    pub last: Option<Timestamp>,
    /// Where records are missing that should be there, judged by other days; from the first record
    /// of the source to its last.
    pub holes: Vec<Hole>,
}

/// A stretch of time without records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hole {
    /// The first silent hour.
    pub from: Timestamp,
    /// The first hour after it.
    pub until: Timestamp,
}
