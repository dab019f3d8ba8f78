use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{AnswerFormat, InventoryPaths, Place};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve keys inventory/                              the ten master keys, and what is unused
  portreeve keys inventory/ --unused-for 30 --all
  portreeve keys inventory/ --history logs/              and the policies that would do
  portreeve keys inventory/ --history logs/ --format html --output keys.html
  portreeve keys inventory/ --format json | jq -r '.keys[] | select(.unused) | .id'

Credentials are access keys, passwords, people's sign-ins, workloads that are handed a role's sessions,
and identities from outside whom a role trusts. Ages count to the last time that inventory or logs know
of, or to --as-of.")]
pub(crate) struct Keys {
    #[command(flatten)]
    pub(crate) inventory: InventoryPaths,
    /// Logs: who used what, and when last; may be repeated
    #[arg(long, value_name = "LOGS")]
    pub(crate) history: Vec<PathBuf>,
    /// After how many days without a use a key counts as unused
    #[arg(long, default_value_t = 90, value_name = "DAYS")]
    pub(crate) unused_for: u32,
    /// When ages are counted to, as 2026-03-19T15:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<Timestamp>,
    /// How many master keys are shown, and told apart by how much they reach
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) top: usize,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every unused key and every policy on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}
