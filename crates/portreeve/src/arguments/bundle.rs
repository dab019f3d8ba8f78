use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Outcome;

#[derive(Debug, Args)]
pub(crate) struct Bundle {
    #[command(subcommand)]
    pub(crate) task: BundleTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BundleTask {
    /// Write a manifest of what a folder holds: an in-toto statement with SHA-256 digests
    #[command(after_help = "EXAMPLES:
  portreeve bundle attest dist/ --output bundle.json

The statement is not signed: sign it with what signs the build's other attestations.")]
    Attest(Attest),
    /// Compare what is served with what was built
    #[command(after_help = "EXAMPLES:
  portreeve bundle verify dist/ --manifest bundle.json
  portreeve bundle verify copy-of-bucket/ --manifest bundle.json --logs logs/ --bucket web-prod
  portreeve bundle verify https://app.example.com/ --manifest bundle.json
  portreeve bundle verify copy/ --manifest bundle.json --earlier monday.json --earlier tuesday.json

With the storage's records (--logs and --bucket) it names the record that changed a file, by whom and
from where. Ends with exit code 10 where something is at or above --fail-on.")]
    Verify(VerifyBundle),
}

#[derive(Debug, Args)]
pub(crate) struct Attest {
    /// The folder that was built
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Write to a file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyBundle {
    /// A folder, or the address of the page's root
    #[arg(value_name = "DIR|URL")]
    pub(crate) served: String,
    /// What was built: an in-toto statement
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: PathBuf,
    /// Statements of what was served before, oldest first; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) earlier: Vec<PathBuf>,
    /// CloudTrail's data events of the storage: files and folders; may be repeated
    #[arg(long, value_name = "PATH", requires = "bucket")]
    pub(crate) logs: Vec<PathBuf>,
    /// The bucket that the page is served from, with a prefix after `/` where it has one
    #[arg(long, value_name = "BUCKET[/PREFIX]", requires = "logs")]
    pub(crate) bucket: Option<String>,
    #[command(flatten)]
    pub(crate) outcome: Outcome,
}
