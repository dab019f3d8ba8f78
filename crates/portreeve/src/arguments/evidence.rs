use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AnswerFormat, Input, Place};

#[derive(Debug, Args)]
pub(crate) struct Evidence {
    #[command(subcommand)]
    pub(crate) task: EvidenceTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceTask {
    /// Verify that log files are those that CloudTrail delivered, by its digests, offline
    #[command(after_help = "EXAMPLES:
  aws cloudtrail list-public-keys --region eu-west-1 --start-time 2026-01-01T00:00:00Z > keys.json
  portreeve evidence verify logs/ --keys keys.json
  portreeve evidence verify copies/ --keys keys.json --format html --output evidence.html
  portreeve evidence verify logs/ --keys keys.json --format json

Files may have been moved, renamed and compressed anew: they are told by content. Each digest but the
newest is signed also in a copy; the newest one's signature is in S3's metadata, which
`aws s3api head-object --bucket BUCKET --key KEY > newest.metadata.json` saves beside the files.
Ends with exit code 10 where something is missing or altered.")]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) keys: DigestKeys,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read files; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

/// What digests are verified with.
#[derive(Debug, Args)]
pub(crate) struct DigestKeys {
    /// Public keys of CloudTrail's digests: what `aws cloudtrail list-public-keys` prints, PEM or
    /// DER; may be repeated, once for each region. Those of `digest_keys` in the settings count too
    #[arg(long = "keys", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}
