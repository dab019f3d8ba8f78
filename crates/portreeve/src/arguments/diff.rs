use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{AnswerFormat, Place, Requests};

#[derive(Debug, Args)]
#[command(
    override_usage = "portreeve diff [OPTIONS] [BEFORE]... <AFTER>",
    after_help = "EXAMPLES:
  portreeve diff monday/ friday/                         what a week of changes opened
  portreeve diff inventory/ plan.json --fail-on opened   a Terraform plan in a pipeline
  terraform show -json tfplan | portreeve diff inventory/ -
  portreeve diff plan.json                               the plan against what Terraform knew
  portreeve diff inventory/ plan.json --without mfa --format html --output change.html

The last path is AFTER. Where it is a Terraform plan (terraform show -json), the plan is laid over
BEFORE: what Terraform does not manage stays as it is."
)]
pub(crate) struct Diff {
    /// Inventory as it was, and last as it is, or a Terraform plan; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) requests: Requests,
    /// End with exit code 10 where the change does this; may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) fail_on: Vec<Failing>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every way on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}

/// What a change may do that fails a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Failing {
    /// It opens a way or a door, or weakens the conditions of one
    Opened,
    /// The same, and only where nothing stands in the way: no condition
    OpenNow,
    /// It holds a policy whose text is known only after the apply
    Unknown,
    /// It opens, closes or changes any way or door
    Any,
}
