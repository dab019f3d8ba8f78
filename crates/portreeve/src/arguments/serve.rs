use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use portreeve_model::Severity;
use portreeve_store::Role;

use super::RuleSources;

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve serve --demo                               a simulated intrusion unfolds on a page
  portreeve serve logs/ inventory/                     follow two folders; the page is on loopback
  tail -F audit.ndjson | portreeve serve - inventory/  follow what comes
  portreeve serve s3://trail/AWSLogs/ inventory/ --queue https://sqs.eu-west-1.amazonaws.com/1/trail
                                                       follow a bucket
  portreeve serve logs/ --catch-up --data watch/       take in what there is, and end
  portreeve serve logs/ --keep-days 30 --archive lake/ --archive-days 400
                                                       OCSF in Parquet, for longer than the log is kept
  portreeve serve logs/ --listen 0.0.0.0:7373 --behind-proxy
                                                       for others: tokens, and TLS by a proxy
  portreeve serve --case case/                         show a case that was opened

On loopback nobody logs in. On any other address it does not start without a token (`portreeve token add`)
and a proxy that speaks TLS before it. The section [serve] of portreeve.toml, and variables as
PORTREEVE_SERVE_HOLD before it, say the same as options do, which come before both. docs/serve.md tells what is kept, and what each promise rests on.")]
pub(crate) struct Serve {
    /// Files and folders with logs and inventory, in any mix; s3://BUCKET/PREFIX with logs; `-` is standard input
    #[arg(value_name = "PATH", required_unless_present_any = ["demo", "case"])]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Where the page and the API are (127.0.0.1:7373)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// A proxy that speaks TLS stands before it, and adds X-Forwarded-For
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// Take in what there is, write what follows, and end; no page
    #[arg(long, conflicts_with = "demo")]
    pub(crate) catch_up: bool,
    /// Milliseconds between two looks at the folders (500)
    #[arg(long, value_name = "MS")]
    pub(crate) poll: Option<u64>,
    /// Milliseconds that what arrives is gathered before it is folded, at least (200)
    #[arg(long, value_name = "MS")]
    pub(crate) gather: Option<u64>,
    /// Seconds that the unfinished end of a file is waited for (60)
    #[arg(long, value_name = "S")]
    pub(crate) settle: Option<u64>,
    /// Seconds between two looks whether inventory has changed (60)
    #[arg(long, value_name = "S")]
    pub(crate) inventory_every: Option<u64>,
    /// The SQS queue that tells of new objects of the bucket that is followed
    #[arg(long, value_name = "URL")]
    pub(crate) queue: Option<String>,
    /// Seconds between two listings of a bucket; with a queue twenty times as many (30)
    #[arg(long, value_name = "S")]
    pub(crate) bucket_every: Option<u64>,
    /// How many records are held whole; of older ones only what may still matter is (500000)
    #[arg(long, value_name = "RECORDS")]
    pub(crate) hold: Option<usize>,
    /// For how many days records stay in the event log, by their own time (all)
    #[arg(long, value_name = "DAYS")]
    pub(crate) keep_days: Option<u32>,
    /// How many gigabytes the event log may take, compressed (any)
    #[arg(long, value_name = "GB")]
    pub(crate) keep_gigabytes: Option<u32>,
    /// Archive activities in this folder, as OCSF in Parquet, laid out as a security lake is
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["demo", "case"])]
    pub(crate) archive: Option<PathBuf>,
    /// For how many days activities stay in the archive, by their own time (all)
    #[arg(long, value_name = "DAYS")]
    pub(crate) archive_days: Option<u32>,
    /// How many gigabytes the archive may take (any)
    #[arg(long, value_name = "GB")]
    pub(crate) archive_gigabytes: Option<u32>,
    /// Tell of incidents: slack=URL or ocsf=URL; may be given more than once
    #[arg(long, value_name = "TARGET")]
    pub(crate) notify: Vec<String>,
    /// From which severity on others are told (high)
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) notify_from: Option<Severity>,
    /// What the page is called by others, for links in what they are told
    #[arg(long, value_name = "URL")]
    pub(crate) page: Option<String>,
    /// How the watch says what it does: lines for people, or JSON (text)
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogForm>,
    /// Watch a simulated organisation while an intrusion unfolds
    #[arg(long, conflicts_with = "paths")]
    pub(crate) demo: bool,
    /// Show a case that `portreeve case open` made: nothing is taken in, and nothing can be written
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["paths", "demo", "catch_up", "config", "rules", "data"])]
    pub(crate) case: Option<PathBuf>,
    /// How many hours of the simulation pass in a second
    #[arg(long, value_name = "HOURS", default_value_t = 6.0, requires = "demo")]
    pub(crate) speed: f64,
    /// Another seed gives another organisation
    #[arg(long, value_name = "N", default_value_t = 1, requires = "demo")]
    pub(crate) seed: u64,
}

/// How the watch says what it does.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogForm {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
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
