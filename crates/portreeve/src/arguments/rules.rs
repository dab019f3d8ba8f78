use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{AnswerFormat, Input, Place, RuleSources};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "EXAMPLES:
  portreeve rules                                   list what is built in
  portreeve rules --rules my-rules/ --test          run the tests in rule files
  portreeve rules lint my-rules/                    what is wrong or odd in them
  portreeve rules lint --format json rule.yml       the same, for an editor
  portreeve rules backtest rule.yml logs/           how often it would have told, and of whom
  portreeve rules convert old-rules/ --write        `| count()` conditions into correlations"
)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) task: Option<RulesTask>,
    #[command(flatten)]
    pub(crate) sources: RuleSources,
    /// Run the test records of every rule and correlation
    #[arg(long)]
    pub(crate) test: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesTask {
    /// Look rule files over: the specification, habits, fields that the log does not have,
    /// conditions that never or always hold
    Lint(Lint),
    /// Run the test records of every rule and correlation
    Test {
        #[command(flatten)]
        sources: RuleSources,
    },
    /// Try rules on a history: matches a day, by principal, what is likely noise
    Backtest(Backtest),
    /// Write counts behind a condition, as `| count() by user > 5`, as correlation documents
    Convert(Convert),
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Rule files, and folders with them; without any, what is built in
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How it is told
    #[arg(long, value_enum, default_value_t = LintFormat::Terminal)]
    pub(crate) format: LintFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// With the lines that it is about
    Terminal,
    /// One array for editors: file, line, column, end_line, end_column, severity, code, message, help
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Backtest {
    /// The rules to try: a file or folder, correlations and filters too
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) input: Input,
    /// How it is told
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// A rule file, or a folder with them
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Write the files anew in their place; without it, what changed is printed
    #[arg(long)]
    pub(crate) write: bool,
}
