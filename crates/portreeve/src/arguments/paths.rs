use clap::Args;

use super::{At, GraphFormat, InventoryPaths, Place, Requests};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve paths inventory/                             every door and jewel
  portreeve paths inventory/ --from dev.mira
  portreeve paths inventory/ --from dev.mira --without mfa
  portreeve paths inventory/ logs/ --from dev.mira --at 2026-03-03T10:15
  portreeve paths inventory/ --to arn:aws:s3:::web-prod  who reaches it
  portreeve paths inventory/ --from ci-user --to arn:aws:s3:::web-prod --format json
  portreeve paths inventory/ --format opengraph --output paths.json

With --without mfa only those steps are walked that a stolen session without a second factor takes.")]
pub(crate) struct Paths {
    #[command(flatten)]
    pub(crate) inventory: InventoryPaths,
    /// Where to start: an id, a user or role name, an access key; may be repeated. Without it
    /// every door, or with --to everyone
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) from: Vec<String>,
    /// Where to go; without it every crown jewel
    #[arg(long, value_name = "ID")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = GraphFormat::Terminal)]
    pub(crate) format: GraphFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every path on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}
