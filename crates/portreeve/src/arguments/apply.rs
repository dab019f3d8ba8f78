use std::path::PathBuf;

use clap::Args;

use super::{AnswerFormat, Place};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve cut inventory/ --from dev.mira --plan plan.json    make a plan
  portreeve apply plan.json --show                             show it, and change nothing
  portreeve apply plan.json                                    ask before each change
  portreeve apply plan.json --yes 0123456789abcdef             all of it, by the digest that is shown
  portreeve apply --undo plan.json.journal                     take it back

Changes are made with one's own credentials, which are found as the AWS command line finds them.
Nothing is changed unless everything is as the plan expects. What was before is written to the
journal before each change: a run that was stopped goes on from it when the same command is given
again, or is taken back.")]
pub(crate) struct Apply {
    /// The plan, as `portreeve cut --plan` writes it
    #[arg(value_name = "PLAN", required_unless_present = "undo")]
    pub(crate) plan: Option<PathBuf>,
    /// Take back what this journal says was made
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["plan", "journal"])]
    pub(crate) undo: Option<PathBuf>,
    /// Where to note what was before; without it `PLAN.journal` beside the plan
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Show what would be done, and its digest; ask nothing and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) show: bool,
    /// Ask no more: the digest of the plan that was shown
    #[arg(long, value_name = "DIGEST")]
    pub(crate) yes: Option<String>,
    /// The name of the role to assume in accounts that are not one's own, with its path
    #[arg(long, value_name = "NAME")]
    pub(crate) role: Option<String>,
    /// The external id that the role's trust policy asks for
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// The profile of the AWS configuration to use
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
}
