use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use portreeve_model::Severity;

use super::{DigestKeys, Input, Output, RuleSources};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve investigate logs/ iam.json
  portreeve investigate logs/ inventory/ --format html --output case.html
  portreeve investigate logs/ --from ip=203.0.113.7 --from user=dev.mira
  portreeve investigate logs/ --ioc report.stix.json --redact --format json
  zcat *.json.gz | portreeve investigate - --fail-on high

Formats are told by content: CloudTrail as delivered, as exported, wrapped by a SIEM; gzip, zstd;
inventory as the AWS CLI exports it (docs/inventory.md).")]
pub(crate) struct Investigate {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
    /// Start from a sign: key=ID, ip=ADDRESS or CIDR, user=NAME, role=NAME, client=TEXT
    #[arg(long, value_name = "SIGN")]
    pub(crate) from: Vec<String>,
    /// Indicators: a STIX 2.1 bundle, CSV, or one a line; defanged forms are understood
    #[arg(long, value_name = "FILE")]
    pub(crate) ioc: Vec<PathBuf>,
    /// When the estate was surely clean, as 2026-01-05..2026-02-01: only then is learnt what is
    /// normal
    #[arg(long, value_name = "A..B")]
    pub(crate) known_good: Option<String>,
    /// When the intruder was shut out, as 2026-03-19T15:00:00Z: what was made or touched is told as
    /// dead, alive or unknown since then
    #[arg(long, value_name = "TIME")]
    pub(crate) contained_at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) keys: DigestKeys,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Replace names, accounts, addresses and keys, for handing the report on
    #[arg(long)]
    pub(crate) redact: bool,
    /// End with exit code 10 where a finding is this grave or graver
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
    /// Show every entry of timelines and lists on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}
