//! The command line of Portreeve: arguments in, reports out.

#[macro_use]
mod say;
mod arguments;
mod command;
mod failure;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Task};

/// An estate is millions of small pieces: the system's own allocator takes a tenth of a run for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The command failed.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;
/// There was no readable input.
const NO_INPUT: u8 = 3;
/// There are findings at or above `--fail-on`.
const FINDINGS: u8 = 10;

/// How a command ended, where it did not fail.
enum Ending {
    Clean,
    Usage,
    NoInput,
    Findings,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.task {
        Task::Investigate(options) => command::investigate::run(&options),
        Task::Hunt(options) => command::hunt::run(&options),
        Task::Paths(options) => command::paths::run(&options),
        Task::Blast(options) => command::blast::run(&options),
        Task::Cut(options) => command::cut::run(&options),
        Task::Diff(options) => command::diff::run(&options),
        Task::Keys(options) => command::keys::run(&options),
        Task::Check(options) => command::check::run(&options),
        Task::Graph(options) => command::graph::run(&options),
        Task::Can(options) => command::can::can(&options),
        Task::WhoCan(options) => command::can::who_can(&options),
        Task::Policy(options) => command::policy::run(&options),
        Task::Lineage(options) => command::lineage::run(&options),
        #[cfg(feature = "aws")]
        Task::Apply(options) => command::apply::run(&options),
        #[cfg(feature = "aws")]
        Task::Collect(options) => command::collect::run(&options),
        Task::Coverage(options) => command::coverage::run(&options),
        Task::Race(options) => command::race::run(&options),
        Task::Touched(options) => command::touched::run(&options),
        Task::Wallet(options) => command::wallet::run(&options),
        Task::Bundle(options) => command::bundle::run(&options),
        Task::Evidence(options) => command::evidence::run(&options),
        Task::Exceptions(options) => command::exceptions::run(&options),
        Task::Rules(options) => command::rules::run(&options),
        Task::Networks(options) => command::networks::run(&options),
        Task::Case(options) => command::case::run(&options),
        Task::Serve(options) => command::serve::run(&options),
        Task::Token(options) => command::serve::token(&options),
        Task::Doctor(options) => command::serve::doctor(&options),
        Task::Simulate(options) => command::simulate::run(&options),
        Task::Demo(options) => command::demo::run(&options),
        Task::Completions { shell } => command::manual::completions(shell),
        Task::Manual => command::manual::manual(),
    };
    match result {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Usage) => ExitCode::from(USAGE),
        Ok(Ending::NoInput) => ExitCode::from(NO_INPUT),
        Ok(Ending::Findings) => ExitCode::from(FINDINGS),
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::tell(&error);
            ExitCode::from(FAILED)
        }
    }
}
