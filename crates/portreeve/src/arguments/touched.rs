use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{AnswerFormat, DigestKeys, Place};

#[derive(Debug, Args)]
#[command(
    override_usage = "portreeve touched [OPTIONS] <RESOURCE|PRINCIPAL> [PATH]...",
    after_help = "EXAMPLES:
  portreeve touched s3://web-prod/index.html logs/ inventory/
  portreeve touched hot-wallet logs/ inventory/ --keys keys.json
  portreeve touched hot-wallet logs/ inventory/ --by inc-4f2a
  portreeve touched dev.mira logs/ inventory/ --format json        all that they touched
  portreeve touched arn:aws:s3:::web-prod logs/ --format html --output touched.html

A call that was refused did not touch it, and is listed apart. A no says what was and was not logged, over
which hours, and what of the log files is proven (docs/touched.md)."
)]
pub(crate) struct Touched {
    /// What is asked about: an ARN, `s3://BUCKET/KEY`, a key's id, or a name in the inventory or the
    /// logs
    #[arg(value_name = "RESOURCE|PRINCIPAL")]
    pub(crate) asked: String,
    /// Files and folders with logs and inventory, in any mix; `-` is standard input; without any the
    /// folder one is in
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Count only the credentials of this incident, by its id in `investigate`, which may be cut short
    #[arg(long, value_name = "INCIDENT")]
    pub(crate) by: Option<String>,
    /// Whether the name is meant as a resource or as a principal, where it may be both, as a role
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub(crate) about: Option<About>,
    #[command(flatten)]
    pub(crate) keys: DigestKeys,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every record on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

/// What a name is meant as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum About {
    /// Something that is acted on
    Resource,
    /// Someone who acts
    Principal,
}
