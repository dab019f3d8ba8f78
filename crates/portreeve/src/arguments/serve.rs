use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use portreeve_store::Role;

use super::RuleSources;

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve serve --demo                               a simulated intrusion unfolds on a page
  portreeve serve logs/ inventory/                     follow two folders; the page is on loopback
  tail -F audit.ndjson | portreeve serve - inventory/  follow what comes
  portreeve serve logs/ --catch-up --data watch/       take in what there is, and end
  portreeve serve logs/ --listen 0.0.0.0:7373 --behind-proxy
                                                       for others: tokens, and TLS by a proxy

On loopback nobody logs in. On any other address it does not start without a token (`portreeve token add`)
and a proxy that speaks TLS before it. docs/serve.md tells what is kept, and what each promise rests on.")]
pub(crate) struct Serve {
    /// Files and folders with logs and inventory, in any mix; `-` is standard input
    #[arg(value_name = "PATH", required_unless_present = "demo")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Where the page and the API are
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7373")]
    pub(crate) listen: SocketAddr,
    /// A proxy that speaks TLS stands before it, and adds X-Forwarded-For
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// Take in what there is, write what follows, and end; no page
    #[arg(long, conflicts_with = "demo")]
    pub(crate) catch_up: bool,
    /// Milliseconds between two looks at the folders
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    pub(crate) poll: u64,
    /// Milliseconds that what arrives is gathered before it is folded, at least
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub(crate) gather: u64,
    /// Seconds that the unfinished end of a file is waited for
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) settle: u64,
    /// Seconds between two looks whether inventory has changed
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) inventory_every: u64,
    /// Watch a simulated organisation while an intrusion unfolds
    #[arg(long, conflicts_with = "paths")]
    pub(crate) demo: bool,
    /// How many hours of the simulation pass in a second
    #[arg(long, value_name = "HOURS", default_value_t = 6.0, requires = "demo")]
    pub(crate) speed: f64,
    /// Another seed gives another organisation
    #[arg(long, value_name = "N", default_value_t = 1, requires = "demo")]
    pub(crate) seed: u64,
}

/// Where the watch keeps what it must not forget.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The data folder: database and event log
    #[arg(long, value_name = "DIR", default_value = "portreeve-data")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve token add soc --role responder --days 90
  portreeve token add shipper --role ingest
  portreeve token list
  portreeve token remove soc")]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) task: TokenTask,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenTask {
    /// Make a token and print it, this once; one of the same name is replaced
    Add {
        /// What it is called in the audit log
        name: String,
        /// What its bearer may do: ingest, viewer, responder, admin
        #[arg(long)]
        role: Role,
        /// After how many days it is refused; without it, never
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Forget a token
    Remove {
        /// Its name
        name: String,
    },
    /// List tokens; none of them can be shown again
    List,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve doctor                       is everything in order here?
  portreeve doctor --backup /backups/portreeve-2026-03-04.db
                                         a copy of the database, while the watch goes on")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Write a copy of the database to a new file
    #[arg(long, value_name = "FILE")]
    pub(crate) backup: Option<PathBuf>,
}
