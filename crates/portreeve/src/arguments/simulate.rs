use std::path::PathBuf;

use clap::Args;
use portreeve_simulate::{Share, Without};

use super::Colour;

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve simulate --seed 7 --out exercise --labels labels.ndjson
  portreeve simulate --intrusion none --days 60 --out quiet
  portreeve simulate --intrusion main-quiet --start-after-foothold 3 --out late
  portreeve simulate --without s3-data-events --without account=prod-sign --out blind
  portreeve simulate --loss 0.01 --duplicates 0.05 --held-up 0.02 --delay 400 --out worn

WITHOUT:
  s3-data-events                 reads and writes of objects
  read-events                    management events that only read
  identity-center                sign-ins to the portal and roles taken there
  sts, service=NAME              one service, as in eventSource
  account=ID or NAME             one account: management, prod-web, prod-sign, dev
  region=NAME                    one region
  days=FIRST..LAST               a hole: these days of the plan, counted from 0
  inventory, inventory=PART      all inventory, or: iam, resources, credentials, organization,
                                 identity-center
  networks, settings             networks.csv, portreeve.toml
  wallets                        the wallet policy, queues of Safes, the chain's blocks

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
    /// Multiply the ordinary background, as far as --max-records leaves room
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) scale: u32,
    /// Begin the logs this many days after the foothold; what was before has no label either
    #[arg(long, value_name = "DAYS")]
    pub(crate) start_after_foothold: Option<u32>,
    /// Leave out a kind of record or a part of the inventory (below); may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) without: Vec<Without>,
    /// How many changes of policies, roles and keys administrators make over these days
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) changes: u32,
    /// Make the inventory at the end of this day, from 0; without it, before the logs begin
    #[arg(long, value_name = "DAY")]
    pub(crate) inventory_day: Option<u32>,
    /// How late records come, in percent of the usual: 0 for at once and in order
    #[arg(long, default_value_t = 100, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(crate) delay: u32,
    /// Share of the records that come a second time
    #[arg(long, default_value = "0.004", value_name = "SHARE")]
    pub(crate) duplicates: Share,
    /// Share of the records that are held up for one to twelve hours
    #[arg(long, default_value = "0", value_name = "SHARE")]
    pub(crate) held_up: Share,
    /// Share of the records that never come; without it 0.01, which spares steps of few records
    #[arg(long, value_name = "SHARE")]
    pub(crate) loss: Option<Share>,
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
    /// The intrusion, as for simulate
    #[arg(long, default_value = "main")]
    pub(crate) intrusion: String,
    /// Where the simulated files and the reports go
    #[arg(long, default_value = "portreeve-demo", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}
