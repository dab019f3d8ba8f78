use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use portreeve_model::Severity;

/// Tells defenders of a cloud estate where an intruder could walk, whether one is walking now, and
/// what to do first: from their own logs and inventory, without touching anything.
#[derive(Debug, Parser)]
#[command(
    name = "portreeve",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = "EXAMPLES:
  portreeve demo                                    the whole job on simulated data
  portreeve investigate logs/ inventory/            the story of an intrusion
  portreeve investigate logs/ --from key=ASIA…      everything that hangs on one key
  portreeve paths inventory/ --from dev.mira        where that person's keys lead

EXIT CODES:
  0 clean, 1 failed, 2 wrong usage, 3 no readable input, 10 findings at or above --fail-on")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Tell the story of an intrusion from logs and inventory
    Investigate(Investigate),
    /// Show where a principal could walk, from inventory alone
    Paths(Paths),
    /// Show which steps of known actors' ways the logs can show, and where they have holes
    Coverage(Coverage),
    /// List exceptions and what they mute, or test what they would hide
    Exceptions(Exceptions),
    /// List the rules, or test rule files
    Rules(Rules),
    /// Write a fictional organisation's estate and logs from a seed
    Simulate(Simulate),
    /// Simulate an intrusion and investigate it
    Demo(Demo),
    /// Write completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page
    #[command(hide = true)]
    Manual,
}

/// What inventory and settings are read from.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Files and folders with logs and inventory, in any mix; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

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
    /// When the intruder was shut out, as 2026-03-19T15:00:00Z: what was made or touched is told as
    /// dead, alive or unknown since then
    #[arg(long, value_name = "TIME")]
    pub(crate) contained_at: Option<Timestamp>,
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

/// Which rules run.
#[derive(Debug, Args)]
pub(crate) struct RuleSources {
    /// Further Sigma rules: a file or folder
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Leave out the rules that are built in
    #[arg(long)]
    pub(crate) no_built_in_rules: bool,
}

/// Where a report goes, and how it looks.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(crate) format: Format,
    /// Write to a file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for reading
    Terminal,
    /// One document
    Json,
    /// One line a finding and an incident
    Ndjson,
    /// OCSF Detection Findings, one a line
    Ocsf,
    /// One page that needs no network
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve paths inventory/                             every door and jewel
  portreeve paths inventory/ --from dev.mira
  portreeve paths inventory/ --from ci-user --to arn:aws:s3:::web-prod --format json")]
pub(crate) struct Paths {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Where to start: an id, a user or role name, an access key; without it every door
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) from: Option<String>,
    /// Where to go; without it every crown jewel
    #[arg(long, value_name = "ID", requires = "from")]
    pub(crate) to: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PathsFormat {
    /// Text for reading
    Terminal,
    /// One document
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve coverage logs/ inventory/
  portreeve coverage logs/ inventory/ --format json

Inventory tells which accounts, regions and web origins there should be logs of.")]
pub(crate) struct Coverage {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
    /// Show every entry of lists on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "EXAMPLES:
  portreeve exceptions                           those of portreeve.toml, as of today
  portreeve exceptions logs/ inventory/          what each mutes in these logs
  portreeve exceptions --test                    would one have hidden a simulated intrusion?
  portreeve exceptions suggest --verdicts verdicts.toml report.json"
)]
pub(crate) struct Exceptions {
    #[command(subcommand)]
    pub(crate) task: Option<ExceptionsTask>,
    /// Files and folders with logs and inventory; without them only the settings are looked at
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Simulate intrusions and tell which of them each exception would have hidden; end with exit
    /// code 10 where one would
    #[arg(long)]
    pub(crate) test: bool,
    /// How many times each intrusion is simulated for the test
    #[arg(long, default_value_t = 2, value_name = "N", requires = "test", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) seeds: u64,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsTask {
    /// Print exceptions that verdicts on incidents suggest; nothing is applied
    Suggest {
        /// What people said: `[[verdict]]` with `incident`, `verdict` (true, expected, false),
        /// `reason`, `owner`, `ticket`
        #[arg(long, value_name = "FILE")]
        verdicts: PathBuf,
        /// The report that the incidents are of, as `investigate --format json` wrote it
        #[arg(value_name = "REPORT")]
        report: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    #[command(flatten)]
    pub(crate) sources: RuleSources,
    /// Run the test records of every rule
    #[arg(long)]
    pub(crate) test: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve simulate --seed 7 --out exercise --labels labels.ndjson
  portreeve simulate --intrusion none --days 60 --out quiet

The data are fictional. Labels go to a file of their own, which detection never sees.")]
pub(crate) struct Simulate {
    /// Another seed gives other people, addresses, keys and times
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Days of logs; the intrusion takes the last ones
    #[arg(long, default_value_t = 48)]
    pub(crate) days: u32,
    /// The intrusion: main, none, or a variant
    #[arg(long, default_value = "main")]
    pub(crate) intrusion: String,
    /// No more records than this
    #[arg(long, default_value_t = 500_000, value_name = "N")]
    pub(crate) max_records: usize,
    /// The folder to write to; it must be empty or not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The file for labels
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Another seed gives another story
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the simulated files and the reports go
    #[arg(long, default_value = "portreeve-demo", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}
