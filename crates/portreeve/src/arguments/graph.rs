use std::path::PathBuf;

use clap::Args;

use super::{At, InventoryPaths, NetworkFormat, Requests};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve graph inventory/ --output estate.json        load it into BloodHound
  portreeve graph inventory/ --format graphml --output estate.graphml
  portreeve graph inventory/ --format dot | dot -Tsvg > estate.svg

Steps to what leads nowhere and is no crown jewel are not in the graph; `blast` finds them.")]
pub(crate) struct WholeGraph {
    #[command(flatten)]
    pub(crate) inventory: InventoryPaths,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// The form of the graph
    #[arg(long, value_enum, default_value_t = NetworkFormat::Opengraph)]
    pub(crate) format: NetworkFormat,
    /// Write to a file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
