use clap::Args;

use super::{Input, PathsFormat, Place};

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
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every entry of lists on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}
