use std::path::PathBuf;

use clap::{Args, Subcommand};
use portreeve_model::Severity;

use super::{AnswerFormat, Place};

#[derive(Debug, Args)]
pub(crate) struct Wallet {
    #[command(subcommand)]
    pub(crate) task: WalletTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WalletTask {
    /// Verify that what the owners of a Safe signed is what they were shown
    #[command(after_help = "EXAMPLES:
  portreeve wallet verify queue.json
  portreeve wallet verify queue.json --chain 1 --format json
  portreeve wallet verify queue.json --policy wallets.toml --fail-on medium
  portreeve wallet verify queue.json --format html --output queue.html
  portreeve wallet verify https://service.example --policy wallets.toml --chain 1

A queue is what the transaction service answers at
/api/v1/safes/ADDRESS/multisig-transactions/, alone or under `transactions` beside its answer at
/api/v1/safes/ADDRESS/ under `safe`; or a case with `shown`, `executed` and `confirmations`.
Every hash is computed from the fields; each signature is set against the transaction that it was
filed under and against its rivals on the same nonce. Ends with exit code 10 where something is at or
above --fail-on.")]
    Verify(VerifyQueue),
    /// Judge blocks of a chain: takeovers, drains, changes of control
    #[command(after_help = "EXAMPLES:
  portreeve wallet watch --policy wallets.toml --blocks blocks.ndjson
  portreeve wallet watch --policy wallets.toml --blocks mainnet.ndjson --blocks optimism.ndjson
  portreeve wallet watch --policy wallets.toml --blocks blocks.ndjson --format html --output wallets.html
  portreeve wallet watch --policy wallets.toml --node wss://one.example --node https://two.example
  portreeve wallet watch --policy wallets.toml --node wss://one.example --queue https://service.example

A line of a file of blocks is one block as a node gives it: `chainId`, `block`, `receipts`, and where
they were read `storage`, `balances`, `calls`, `code` (docs/wallet.md). Ends with exit code 10 where
something is at or above --fail-on.")]
    Watch(WatchBlocks),
    /// Reconcile signatures of keys with transactions and approved requests
    #[command(after_help = "EXAMPLES:
  aws kms get-public-key --key-id KEY > keys.json
  portreeve wallet ledger logs/ --keys keys.json --blocks blocks.ndjson
  portreeve wallet ledger logs/ --keys keys.json --blocks blocks.ndjson --requests approved.csv \\
      --policy wallets.toml --format json

Logs are CloudTrail's with the data events of the key service. A ledger of requests is CSV or NDJSON
(docs/wallet.md). The cloud's records hold no digest: signatures are joined by the service's request id,
the transaction's hash, and else by key, order and time; each finding says how sure it is.")]
    Ledger(Ledger),
}

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    /// Logs that hold the records of `kms:Sign`: files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) logs: Vec<PathBuf>,
    /// Public keys: what `aws kms get-public-key` prints, one after the other; may be repeated
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Recorded blocks, one a line; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) blocks: Vec<PathBuf>,
    /// Approved requests, CSV or NDJSON; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) requests: Vec<PathBuf>,
    /// The wallet policy: which key signs for which wallet, and who may have it sign
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Args)]
pub(crate) struct WatchBlocks {
    /// The wallet policy
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Recorded blocks, one a line, also gzip or zstd; may be repeated; `-` is standard input
    #[arg(long, value_name = "FILE")]
    #[cfg_attr(not(feature = "chain"), arg(required = true))]
    #[cfg_attr(feature = "chain", arg(required_unless_present_any = ["node", "queue"]))]
    pub(crate) blocks: Vec<PathBuf>,
    #[cfg(feature = "chain")]
    #[command(flatten)]
    pub(crate) live: Live,
    #[command(flatten)]
    pub(crate) outcome: Outcome,
}

/// Nodes to read from, as blocks are made.
#[cfg(feature = "chain")]
#[derive(Debug, Args)]
pub(crate) struct Live {
    /// A node's JSON-RPC, by HTTP or WebSocket (ws://, wss://), which tells of new blocks by itself; repeat it for
    /// nodes of others, whose answers are compared
    #[arg(long, value_name = "URL", conflicts_with = "blocks")]
    pub(crate) node: Vec<String>,
    /// The first block; the newest where absent
    #[arg(long, value_name = "NUMBER", requires = "node")]
    pub(crate) from: Option<u64>,
    /// The last block; without it the command goes on until it is interrupted
    #[arg(long, value_name = "NUMBER", requires = "node")]
    pub(crate) until: Option<u64>,
    /// Keep where reading goes on in this file
    #[arg(long, value_name = "FILE", requires = "node")]
    pub(crate) state: Option<PathBuf>,
    /// Add the blocks that are read to this file, for `--blocks`
    #[arg(long, value_name = "FILE", requires = "node")]
    pub(crate) record: Option<PathBuf>,
    /// How long to wait before asking whether there is a new block, where not every node tells of it by itself
    #[arg(long, value_name = "SECONDS", requires = "node", default_value = "2", value_parser = poll)]
    pub(crate) poll: std::time::Duration,
    /// A Safe's transaction service, whose queues of the policy's Safes are read again and again; or the address
    /// of one Safe below it
    #[arg(long, value_name = "URL", conflicts_with = "blocks")]
    pub(crate) queue: Option<String>,
    /// The chain's number of the queues (1 is Ethereum); nodes are asked for it where it is absent
    #[arg(long, value_name = "NUMBER", requires = "queue")]
    pub(crate) chain: Option<u64>,
    /// How long to wait before reading the queues again
    #[arg(long, value_name = "SECONDS", requires = "queue", default_value = "15", value_parser = poll)]
    pub(crate) queue_every: std::time::Duration,
    #[command(flatten)]
    pub(crate) token: QueueToken,
}

/// How a transaction service lets us in.
#[cfg(feature = "chain")]
#[derive(Debug, Args)]
pub(crate) struct QueueToken {
    /// A file that holds the transaction service's token, one line; PORTREEVE_QUEUE_TOKEN in the environment where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) queue_token_file: Option<PathBuf>,
}

/// Reads seconds, down to a hundredth.
#[cfg(feature = "chain")]
fn poll(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected seconds, as 2 or 0.5".to_owned())?;
    if !(0.01..=3600.0).contains(&seconds) {
        return Err("expected 0.01 to 3600 seconds".to_owned());
    }
    Ok(std::time::Duration::from_secs_f64(seconds))
}

#[derive(Debug, Args)]
pub(crate) struct VerifyQueue {
    /// Queues of Safes; `-` is standard input; with the feature `chain` also the address of a transaction service or of
    /// a Safe there
    #[arg(required = true, value_name = "FILE|URL")]
    pub(crate) files: Vec<PathBuf>,
    /// The chain's number, where the files do not say it (1 is Ethereum)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) chain: Option<u64>,
    /// The wallet policy: owners, delegatecall targets, executors, announcements
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    #[cfg(feature = "chain")]
    #[command(flatten)]
    pub(crate) token: QueueToken,
    #[command(flatten)]
    pub(crate) outcome: Outcome,
}

/// The form of an answer, where it goes, and what makes the command fail.
#[derive(Debug, Args)]
pub(crate) struct Outcome {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Terminal)]
    pub(crate) format: AnswerFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// End with exit code 10 where something is at least this grave
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub(crate) fail_on: Severity,
}
