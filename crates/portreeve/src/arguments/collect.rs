use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AnswerFormat, Place};

#[derive(Debug, Args)]
pub(crate) struct Collect {
    #[command(subcommand)]
    pub(crate) from: CollectFrom,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CollectFrom {
    /// An AWS account, or all of an organization
    Aws(CollectAws),
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve collect aws --out inventory/                       the account one is signed in to
  portreeve collect aws --out inventory/ --organization        every account of the organization
  portreeve collect aws --out inventory/ --accounts 111122223333,444455556666 --role Audit
  portreeve collect aws --out inventory/ --regions eu-west-1,us-east-1 --only iam,buckets
  portreeve collect aws --policy > policy.json                 the permissions that it needs
  portreeve paths inventory/                                   use what was collected

Credentials are found as the AWS command line finds them. Every call only reads. A run that was
stopped goes on where it ended when the same command is given again, and asks again for what was
refused.")]
pub(crate) struct CollectAws {
    /// The folder to write to: empty, or that of an earlier collection
    #[arg(long, value_name = "DIR", required_unless_present = "policy")]
    pub(crate) out: Option<PathBuf>,
    /// Read every active account of the organization
    #[arg(long, conflicts_with = "accounts")]
    pub(crate) organization: bool,
    /// Read these accounts
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = account)]
    pub(crate) accounts: Vec<String>,
    /// The name of the role to assume in every account but one's own, with its path
    #[arg(long, value_name = "NAME", default_value = portreeve_cloud::ROLE)]
    pub(crate) role: String,
    /// The external id that the role's trust policy asks for
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// Read these regions; without it every region that an account has enabled
    #[arg(long, value_name = "REGION,…", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    /// Read only these: iam, buckets, keys, …
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// The profile of the AWS configuration to use
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// How many calls are under way at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) at_once: u16,
    /// Read everything again, also what an earlier run has read
    #[arg(long)]
    pub(crate) again: bool,
    /// Print the least policy with which everything is seen, and read nothing
    #[arg(long)]
    pub(crate) policy: bool,
    /// The form of the summary
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}

fn account(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account is 12 digits".to_owned()),
    }
}
