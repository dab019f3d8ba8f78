use clap::Args;

use super::{At, GraphFormat, Inventory, Place, Requests};

#[derive(Debug, Args)]
#[command(
    override_usage = "portreeve blast [OPTIONS] <NAME>... [PATH]...",
    after_help = "EXAMPLES:
  portreeve blast dev.mira inventory/                    one principal
  portreeve blast AKIA… ASIA… ci-user inventory/         if this laptop is lost
  portreeve blast dev.mira inventory/ --without mfa
  portreeve blast dev.mira inventory/ logs/ --at 2026-03-03T10:15
  portreeve blast vendor:999988887777 inventory/         the loss of a vendor's account
  portreeve blast vendor:token.actions.githubusercontent.com inventory/
  portreeve blast vendor:our-org/web inventory/ --format html --output loss.html

A vendor is an account number, the host of an identity provider, or a name that stands in the
identities which the estate lets in: the owner of a repository, a repository, an application."
)]
pub(crate) struct Blast {
    /// What is lost: users, roles, keys, people, workloads; `vendor:ACCOUNT`, `vendor:ISSUER`,
    /// `vendor:APP`. Further words are files and folders with inventory
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) inventory: Inventory,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = GraphFormat::Terminal)]
    pub(crate) format: GraphFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}
