use clap::{Args, ValueEnum};
use portreeve_model::Severity;

use super::{InventoryPaths, Place};

/// What `check` is asked.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve check inventory/
  portreeve check inventory/ --format html --output posture.html
  portreeve check inventory/ --format sarif --output posture.sarif --fail-on high
  portreeve check inventory/ --only aws.root-mfa --only 'aws.bucket-*'
  portreeve check --list

What failed comes in the order in which it wants a look: first what lies on an attack path to a crown
jewel. What the inventory does not show is named, and never passes. portreeve.toml switches checks off,
sets their numbers, and holds suppressions, each with a reason and an expiry.")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) inventory: InventoryPaths,
    /// Run only these checks, by id; `*` stands for any characters
    #[arg(long, value_name = "CHECK")]
    pub(crate) only: Vec<String>,
    /// The day, or the time with its zone, for which ages are told and suppressions must hold; today
    /// without it
    #[arg(long, value_name = "DAY")]
    pub(crate) as_of: Option<String>,
    /// End with exit code 10 where a failure is this grave or graver
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = CheckFormat::Terminal)]
    pub(crate) format: CheckFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// List the checks in place of running them: as text, or with `--format json`
    #[arg(long)]
    pub(crate) list: bool,
}

/// Forms of a posture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// Text for reading
    Terminal,
    /// One document
    Json,
    /// One page with pictures, which needs no network
    Html,
    /// For code hosts and their dashboards: SARIF 2.1.0
    Sarif,
    /// For a SIEM: OCSF Compliance Findings, one a line
    Ocsf,
}
