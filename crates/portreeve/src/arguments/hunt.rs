use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use portreeve_model::Severity;

use super::Place;

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve hunt logs/                                   with the rules that are built in
  portreeve hunt -r sigma/rules/cloud/aws logs/          with a folder of Sigma rules
  portreeve hunt -r sigma/ logs/ --format ndjson | jq -r .rule.title
  portreeve hunt -r rule.yml logs/ --since 2026-03-01T00:00:00Z --where userIdentity.type=IAMUser
  portreeve hunt -r rule.yml logs/ --where 'sourceIPAddress|cidr=203.0.113.0/24'
  portreeve hunt -r sigma/ logs/ --stats                 what each rule costs, and what leads to it
  portreeve hunt -r sigma/ logs/ --state hunt.state --format ndjson >> matches.ndjson
                                                         again and again: only what is new
  portreeve hunt -r sigma/ --explain 'Bucket Deleted' logs/a.json#17
  portreeve hunt -r sigma/ logs/ --format html --output hunt.html --fail-on high
  zcat *.json.gz | portreeve hunt -r sigma/ -

Logs are told by content: CloudTrail in all of its forms, and JSON records of any other source; gzip and
zstd. Rules are asked about the logs that their `logsource` means, and about records of unknown sources.")]
pub(crate) struct Hunt {
    /// Files and folders with logs; `-` is standard input
    #[arg(required_unless_present = "explain", value_name = "LOGS")]
    pub(crate) paths: Vec<PathBuf>,
    /// Sigma rules: a file or folder; may be repeated. Without any those that are built in
    #[arg(long, short, value_name = "RULES")]
    pub(crate) rules: Vec<PathBuf>,
    /// Only rules of these statuses (stable, test, experimental, deprecated, unsupported). Without it
    /// all but deprecated and unsupported ones
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    pub(crate) status: Vec<portreeve_engine::RuleStatus>,
    /// Only rules of this level at least
    #[arg(long, value_name = "LEVEL", default_value = "informational")]
    pub(crate) level: Severity,
    /// Ask every rule about every record, whatever logs it is meant for
    #[arg(long)]
    pub(crate) any_source: bool,
    /// A value of a placeholder, as `Administrators=alice`; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) placeholder: Vec<Pair>,
    /// A file of values of placeholders: a YAML map of names to a value or a list; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) placeholders: Vec<PathBuf>,
    /// A processing pipeline in pySigma's YAML that changes the rules, as one that maps field names;
    /// may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) pipeline: Vec<PathBuf>,
    /// Leave out what happened before, as 2026-03-03 or 2026-03-03T07:44:00Z, and what has no time
    #[arg(long, value_name = "TIME", value_parser = portreeve_engine::moment)]
    pub(crate) since: Option<Timestamp>,
    /// Leave out what happened then or later, and what has no time
    #[arg(long, value_name = "TIME", value_parser = portreeve_engine::moment)]
    pub(crate) until: Option<Timestamp>,
    /// Only records with this value in a field; Sigma's wildcards and modifiers work
    /// (`eventName|startswith=Delete`); may be repeated, then all must hold
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    pub(crate) wanted: Vec<Pair>,
    /// Look at one record of N only, for a first impression
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: u64,
    /// How many hours earlier than the latest match so far another may be and still take part in
    /// correlations
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    pub(crate) lateness: u64,
    /// Keep how far the hunt came in this file, and go on from there where it exists: what was read is
    /// not read again, and correlations go on. Ctrl-C then stops without loss
    #[arg(long, value_name = "FILE", conflicts_with = "explain")]
    pub(crate) state: Option<PathBuf>,
    /// Measure each rule: how often it was asked, how long that took, what led to it. Slower
    #[arg(long)]
    pub(crate) stats: bool,
    /// Tell why a rule (its id, title or file name) matches a record or does not, predicate by predicate.
    /// The record is `FILE#INDEX` as a match gives it, a file with one record, or JSON itself
    #[arg(long, num_args = 2, value_names = ["RULE", "RECORD"])]
    pub(crate) explain: Vec<String>,
    /// Exit with 10 where a rule of this level or above matches
    #[arg(long, value_name = "LEVEL")]
    pub(crate) fail_on: Option<Severity>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = HuntFormat::Table)]
    pub(crate) format: HuntFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show all on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

/// The forms of what a hunt finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HuntFormat {
    /// A summary on the terminal
    Table,
    /// All of it as one JSON object
    Json,
    /// A match a line, as JSON, as it is found
    Ndjson,
    /// A match a line, as an OCSF Detection Finding
    Ocsf,
    /// A match a row, as comma-separated values
    Csv,
    /// One page
    Html,
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` has no `=`; write it as NAME=VALUE"))?;
        if name.trim().is_empty() {
            return Err(format!("`{text}` has nothing before the `=`"));
        }
        Ok(Self {
            name: name.trim().to_owned(),
            value: value.to_owned(),
        })
    }
}
