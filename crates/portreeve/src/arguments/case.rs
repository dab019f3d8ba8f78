use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::RuleSources;

#[derive(Debug, Args)]
pub(crate) struct Case {
    #[command(subcommand)]
    pub(crate) task: CaseTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseTask {
    /// Write everything of a case into one file
    #[command(after_help = "EXAMPLES:
  portreeve case pack portreeve-data --out case.tar.zst
  portreeve case pack watch/ --out case.tar.zst --input inventory/ --config portreeve.toml

The watch may go on meanwhile. Inventory, settings and rules are those that it was begun with; --input, --config and
--rules name others. Tokens and addresses of those who are told are left out, and what was left out is said.
A bundle is not signed: hand its SHA-256 on by another way.")]
    Pack(Pack),
    /// Verify a bundle and put it into a folder, to look at with `portreeve serve --case`
    #[command(after_help = "EXAMPLES:
  portreeve case open case.tar.zst
  portreeve case open case.tar.zst --into /cases/2026-04 && portreeve serve --case /cases/2026-04")]
    Open(Open),
}

#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// The data folder of the watch
    #[arg(value_name = "DATA-FOLDER")]
    pub(crate) data: PathBuf,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Inventory and what tells of wallets: files and folders, in place of what the watch was begun with
    #[arg(long, value_name = "PATH")]
    pub(crate) input: Vec<PathBuf>,
    /// Settings, in place of those that the watch was begun with
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The bundle
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The folder to make; without it one here, called as the file is
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,
    /// How many gigabytes there may be in it
    #[arg(long, value_name = "GB", default_value_t = 100)]
    pub(crate) most_gigabytes: u32,
}
