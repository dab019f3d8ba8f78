use clap::{Args, ValueEnum};

use super::{Input, PathsFormat, Place};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve lineage ASIA… logs/
  portreeve lineage dev.mira logs/ inventory/ --format json
  portreeve lineage arn:aws:iam::111122223333:role/deploy logs/ --certainty certain

A link is certain where a record says it, likely where person, role and second of creation fit and
nothing else does, possible where more than one answer fits.")]
pub(crate) struct Lineage {
    /// An access key id or other credential's id, an ARN, or the name of a user, role, permission
    /// set, session, instance or repository
    #[arg(value_name = "KEY|ARN|NAME")]
    pub(crate) asked: String,
    #[command(flatten)]
    pub(crate) input: Input,
    /// How sure a link must be to be followed
    #[arg(long, value_enum, default_value_t = Sureness::Likely)]
    pub(crate) certainty: Sureness,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every tree, credential and holder on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sureness {
    /// Every link, also where others fit as well
    Possible,
    /// Links that nothing in the logs speaks against
    Likely,
    /// Only links that a record spells out
    Certain,
}
