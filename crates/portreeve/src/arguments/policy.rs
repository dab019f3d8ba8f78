use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Place;

#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) task: PolicyTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyTask {
    /// Ask each case of a file whether its request is allowed, and compare with what is expected
    #[command(after_help = "EXAMPLES:
  portreeve policy test cases.ndjson
  portreeve policy test policies/tests/ --format ndjson
  generate-cases | portreeve policy test -

A case is a line: {\"id\": …, \"request\": {\"principal\", \"action\", \"resource\", \"context\"},
\"identity_policies\": […], \"resource_policy\", \"boundary\", \"session_policy\", \"scps\", \"rcps\",
\"expected\": \"allowed\" | \"denied\" | \"depends\" | \"invalid\"}; docs/policy-test.md has all of it.
Ends with exit code 10 where a case fails or a line is no case.")]
    Test(PolicyTest),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyTest {
    /// Files of cases, one a line; folders of `.ndjson` and `.jsonl` files; `-` is standard input
    #[arg(required = true, value_name = "CASES")]
    pub(crate) paths: Vec<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PolicyTestFormat::Terminal)]
    pub(crate) format: PolicyTestFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every failure on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyTestFormat {
    /// The failures and the run in numbers, for reading
    Terminal,
    /// One document
    Json,
    /// One line a case
    Ndjson,
    /// One page that needs no network
    Html,
}
