use std::path::PathBuf;

use clap::Args;

use super::{AnswerFormat, Input, Place};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve race logs/ inventory/                        every crown jewel
  portreeve race logs/ inventory/ --response 15          people need a quarter of an hour
  portreeve race logs/ inventory/ --from dev.mira --format json
  portreeve race inventory/ --format html --output race.html   with the documented delay of logs

How late records come is measured by the names of files as a trail delivers them; the actor's pace is in
his profile (actors/). docs/race.md tells what is assumed.")]
pub(crate) struct Race {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Where the actor starts: a person, user, role, key; may be repeated. Without it every person,
    /// every user, and everyone from outside who is let in
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) from: Vec<String>,
    /// Whose pace: the name of a profile
    #[arg(long, default_value = "lazarus", value_name = "ACTOR")]
    pub(crate) actor: String,
    /// Minutes that people need from a sign to the cut
    #[arg(long, default_value_t = 0, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(..=100_000))]
    pub(crate) response: u64,
    /// Further Sigma rules: a file or folder
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every jewel and control on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}
