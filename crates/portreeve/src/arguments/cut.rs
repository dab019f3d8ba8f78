use std::path::PathBuf;

use clap::Args;
use portreeve_graph::cut::EXACT_UP_TO;

use super::{AnswerFormat, InventoryPaths, Place, Requests};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve cut inventory/ --from dev.mira                   from a person to any crown jewel
  portreeve cut inventory/ --from AKIA… --to arn:aws:s3:::web-prod
  portreeve cut inventory/ --from dev.mira --history logs/   what the past would have missed
  portreeve cut inventory/                                   from every door
  portreeve cut inventory/ --from dev.mira --format html --output cut.html
  portreeve cut inventory/ --from dev.mira --plan plan.json  for `portreeve apply`

What each kind of change costs stands in docs/cut.md, and can be set in portreeve.toml under
[cut.costs]. Nothing is changed in any cloud.")]
pub(crate) struct Cut {
    #[command(flatten)]
    pub(crate) inventory: InventoryPaths,
    /// Where the intruder stands: an id, a user or role name, an access key; may be repeated.
    /// Without it every door
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) from: Vec<String>,
    /// What must not be reached; may be repeated. Without it any crown jewel
    #[arg(long, value_name = "ID")]
    pub(crate) to: Vec<String>,
    /// Logs of the past: every call in them is replayed against the changed policies
    #[arg(long, value_name = "PATH")]
    pub(crate) history: Vec<PathBuf>,
    /// Write the plan by itself, for making the changes one by one
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Among how many candidate changes the least cost is proven; beyond it a bound is told
    #[arg(long, default_value_t = EXACT_UP_TO, value_name = "N")]
    pub(crate) exact_up_to: usize,
    #[command(flatten)]
    pub(crate) requests: Requests,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}
