#[cfg(feature = "aws")]
pub(crate) mod apply;
mod at;
mod blast;
mod bundle;
mod can;
mod case;
mod check;
#[cfg(feature = "aws")]
pub(crate) mod collect;
mod coverage;
mod cut;
mod diff;
mod evidence;
mod exceptions;
mod graph;
mod hunt;
mod investigate;
mod keys;
mod lineage;
mod networks;
mod paths;
mod policy;
mod race;
mod rules;
mod serve;
mod simulate;
mod touched;
mod wallet;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use at::At;
pub(crate) use blast::Blast;
pub(crate) use bundle::{Attest, Bundle, BundleTask, VerifyBundle};
pub(crate) use can::{Can, WhoCan};
pub(crate) use case::{Case, CaseTask, Open, Pack};
pub(crate) use check::{Check, CheckFormat};
pub(crate) use coverage::Coverage;
pub(crate) use cut::Cut;
pub(crate) use diff::{Diff, Failing};
pub(crate) use evidence::{DigestKeys, Evidence, EvidenceTask, Verify};
pub(crate) use exceptions::{Exceptions, ExceptionsTask};
pub(crate) use graph::WholeGraph;
pub(crate) use hunt::{Hunt, HuntFormat};
pub(crate) use investigate::Investigate;
pub(crate) use keys::Keys;
pub(crate) use lineage::{Lineage, Sureness};
pub(crate) use networks::{Networks, NetworksFolder, NetworksTask};
pub(crate) use paths::Paths;
pub(crate) use policy::{Policy, PolicyTask, PolicyTest, PolicyTestFormat};
pub(crate) use race::Race;
pub(crate) use rules::{Backtest, Convert, Lint, LintFormat, Rules, RulesTask};
pub(crate) use serve::{Data, Doctor, LogForm, Serve, Token, TokenTask};
pub(crate) use simulate::{Demo, Simulate};
pub(crate) use touched::{About, Touched};
#[cfg(feature = "chain")]
pub(crate) use wallet::QueueToken;
pub(crate) use wallet::{Ledger, Outcome, VerifyQueue, Wallet, WalletTask, WatchBlocks};

/// Tells defenders of a cloud estate where an intruder could walk, whether one is walking now, and
/// what to do first: from their own logs and inventory, without touching anything.
#[derive(Debug, Parser)]
#[command(
    name = "portreeve",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = "EXAMPLES:
  portreeve demo                                    the whole job on simulated data
  portreeve investigate logs/ inventory/            the story of an intrusion
  portreeve investigate logs/ --from key=ASIA…      everything that hangs on one key
  portreeve hunt -r sigma/ logs/                    what Sigma rules find
  portreeve paths inventory/ --from dev.mira        where that person's keys lead
  portreeve blast AKIA… inventory/                  what one lost key costs
  portreeve cut inventory/ --from dev.mira          what to change so that they lead nowhere
  portreeve diff inventory/ plan.json               what a Terraform plan opens
  portreeve keys inventory/                         every key, the master keys first
  portreeve can dev.mira kms:Sign hot-wallet inventory/
  portreeve serve --demo                            the watch: an intrusion unfolds on a page
  portreeve lineage ASIA… logs/                     where a key came from, and who held it

EXIT CODES:
  0 clean, 1 failed, 2 wrong usage, 3 no readable input, 10 findings at or above
  --fail-on, or a policy test that fails")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Tell the story of an intrusion from logs and inventory
    Investigate(Investigate),
    /// Ask Sigma rules about months of logs, at the speed of reading them
    Hunt(Hunt),
    /// Show where a principal could walk, from inventory alone
    Paths(Paths),
    /// Show what the loss of a principal, a key or a third party would cost
    Blast(Blast),
    /// Find the cheapest changes that leave no path, proven on the estate and on its past
    Cut(Cut),
    /// Tell what a change opens and closes: two inventories, or one and a Terraform plan
    Diff(Diff),
    /// List every credential: whose, how old, what it opens; the master keys first
    Keys(Keys),
    /// Check the estate's configuration: what is wrong, what lies on an attack path first
    Check(Check),
    /// Write the whole attack graph for other tools
    Graph(WholeGraph),
    /// Tell whether a principal may do something, and why, layer by layer
    Can(Can),
    /// List who may do something
    WhoCan(WhoCan),
    /// Test policies in a pipeline: cases with the answers that are expected
    Policy(Policy),
    /// Follow a credential, person or role: what it came from, what came of it, who held it where
    Lineage(Lineage),
    /// Make the changes of a plan one by one, each after it is shown, or take them back
    #[cfg(feature = "aws")]
    Apply(apply::Apply),
    /// Read live accounts into inventory files, with read-only calls
    #[cfg(feature = "aws")]
    Collect(collect::Collect),
    /// Show which steps of known actors' ways the logs can show, and where they have holes
    Coverage(Coverage),
    /// Tell how soon each crown jewel could be taken, and how soon anyone could know
    Race(Race),
    /// Tell whether something was touched, by whom, or what a no rests on
    Touched(Touched),
    /// Tell what signers of wallets signed, and whether money moves that nobody approved
    Wallet(Wallet),
    /// State what a web bundle holds, and compare what is served with what was built
    Bundle(Bundle),
    /// Tell whether log files are as they were delivered
    Evidence(Evidence),
    /// List exceptions and what they mute, or test what they would hide
    Exceptions(Exceptions),
    /// List rules and correlations, test them, look them over, try them on a history
    Rules(Rules),
    /// Fetch, show and ask data of networks: whose an address is, and what kind of network
    Networks(Networks),
    /// Watch: follow logs as they arrive, keep incidents current, show them on a page
    Serve(Serve),
    /// Pack all of a case into one file, or open such a file to look at it elsewhere
    Case(Case),
    /// Make, list and forget the tokens of those who may look at the watch
    Token(Token),
    /// Tell whether the watch's data folder is in order, or copy its database
    Doctor(Doctor),
    /// Write a fictional organisation's estate and logs from a seed
    Simulate(Simulate),
    /// Simulate an intrusion and investigate it
    Demo(Demo),
    /// Write completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page
    #[command(hide = true)]
    Manual,
}

/// What inventory and settings are read from.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Files and folders with logs and inventory, in any mix; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl Input {
    /// Without any path the folder that one is in.
    pub(crate) fn or_here(mut paths: Vec<PathBuf>, config: Option<PathBuf>) -> Self {
        if paths.is_empty() {
            paths.push(".".into());
        }
        Self { paths, config }
    }
}

/// What inventory and settings are read from; without any path the folder that one is in.
#[derive(Debug, Args)]
pub(crate) struct InventoryPaths {
    /// Files and folders with inventory; `-` is standard input; without any the folder one is in
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl InventoryPaths {
    pub(crate) fn input(&self) -> Input {
        Input::or_here(self.paths.clone(), self.config.clone())
    }
}

/// Which rules run.
#[derive(Debug, Args)]
pub(crate) struct RuleSources {
    /// Further Sigma rules and correlations: a file or folder
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Leave out the rules and correlations that are built in
    #[arg(long)]
    pub(crate) no_built_in_rules: bool,
}

/// Where a report goes, and how it looks.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(crate) format: Format,
    /// Write to a file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for reading
    Terminal,
    /// One document
    Json,
    /// One line a finding and an incident
    Ndjson,
    /// OCSF Detection Findings, one a line
    Ocsf,
    /// A STIX 2.1 bundle of the incidents
    Stix,
    /// One page that needs no network
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Forms of an answer that is a part of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Text for reading
    Terminal,
    /// One document
    Json,
    /// One page with a picture, which needs no network
    Html,
    /// For BloodHound
    Opengraph,
    /// For Gephi, yEd, Cytoscape and the like
    Graphml,
    /// For Graphviz
    Dot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetworkFormat {
    /// For BloodHound
    Opengraph,
    /// For Gephi, yEd, Cytoscape and the like
    Graphml,
    /// For Graphviz
    Dot,
    /// Nodes and edges
    Json,
}

/// What an intruder is without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lack {
    /// A second factor: his session was made without one
    Mfa,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PathsFormat {
    /// Text for reading
    Terminal,
    /// One document
    Json,
}

/// Inventory beside the names that a question is about.
#[derive(Debug, Args)]
pub(crate) struct Inventory {
    /// Files and folders with inventory. They may also stand among the other words; without any
    /// it is the folder that one is in
    #[arg(long, short, value_name = "PATH")]
    pub(crate) inventory: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The circumstances of requests.
#[derive(Debug, Args)]
pub(crate) struct Requests {
    /// A condition key with its value, as aws:SourceIp=192.0.2.7; given again for a list; with
    /// nothing after the `=` the request does not carry the key
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
    /// What whoever asks is without
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) without: Vec<Lack>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// Text for reading
    Terminal,
    /// One document
    Json,
    /// One page with a picture, which needs no network
    Html,
}

/// Where an answer goes, and whether it is coloured.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Write to a file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}
