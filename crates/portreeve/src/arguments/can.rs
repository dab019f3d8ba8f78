use clap::Args;

use super::{AnswerFormat, At, Inventory, Place, Requests};

#[derive(Debug, Args)]
#[command(
    override_usage = "portreeve can [OPTIONS] <PRINCIPAL> <ACTION> <RESOURCE> [PATH]...",
    after_help = "EXAMPLES:
  portreeve can dev.mira s3:PutObject s3://web-prod/index.html inventory/
  portreeve can deploy iam:PassRole arn:aws:iam::111122223333:role/admin
  portreeve can ci-user kms:Sign hot-wallet inventory/ --context aws:SourceIp=192.0.2.7
  portreeve can dev.mira 's3:GetObject' 'arn:aws:s3:::web-*/*' inventory/ --format json
  portreeve can ci-user kms:Sign hot-wallet inventory/ logs/ --at 2026-03-03T10:15

A RESOURCE with `*` asks whether there is one on which it is allowed. What is neither given nor in
the inventory is unknown, and the answer says what it depends on; with --strict it is absent."
)]
pub(crate) struct Can {
    /// Who does what on what: a user, role, session, key or workload; `service:Action`; an ARN, a
    /// name, `s3://BUCKET/KEY`, or `*`. Further words are files and folders with inventory
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) inventory: Inventory,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// A condition key that is not given is absent
    #[arg(long)]
    pub(crate) strict: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "portreeve who-can [OPTIONS] <ACTION> <RESOURCE> [PATH]...",
    after_help = "EXAMPLES:
  portreeve who-can kms:Sign hot-wallet inventory/
  portreeve who-can s3:PutObject 'arn:aws:s3:::web-prod/*' inventory/ --format json
  portreeve who-can sts:AssumeRole deploy inventory/ --context aws:MultiFactorAuthPresent=false"
)]
pub(crate) struct WhoCan {
    /// What on what: `service:Action`; an ARN, a name, `s3://BUCKET/KEY`, or `*`. Further words are
    /// files and folders with inventory
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) inventory: Inventory,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// A condition key that is not given is absent
    #[arg(long)]
    pub(crate) strict: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everyone on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}
