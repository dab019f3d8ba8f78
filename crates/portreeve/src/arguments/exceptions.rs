use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{PathsFormat, RuleSources};

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
