#[cfg(feature = "aws")]
pub(crate) mod apply;
mod at;
mod bundle;
mod case;
mod check;
#[cfg(feature = "aws")]
pub(crate) mod collect;
mod cut;
mod diff;
mod evidence;
mod hunt;
mod keys;
mod race;
mod rules;
mod serve;
mod touched;
mod wallet;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use portreeve_model::Severity;
use portreeve_simulate::{Share, Without};

pub(crate) use at::At;
pub(crate) use bundle::{Attest, Bundle, BundleTask, VerifyBundle};
pub(crate) use case::{Case, CaseTask, Open, Pack};
pub(crate) use check::{Check, CheckFormat};
pub(crate) use cut::Cut;
pub(crate) use diff::{Diff, Failing};
pub(crate) use evidence::{DigestKeys, Evidence, EvidenceTask, Verify};
pub(crate) use hunt::{Hunt, HuntFormat};
pub(crate) use keys::Keys;
pub(crate) use race::Race;
pub(crate) use rules::{Backtest, Convert, Lint, LintFormat, Rules, RulesTask};
pub(crate) use serve::{Data, Doctor, LogForm, Serve, Token, TokenTask};
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

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve investigate logs/ iam.json
  portreeve investigate logs/ inventory/ --format html --output case.html
  portreeve investigate logs/ --from ip=203.0.113.7 --from user=dev.mira
  portreeve investigate logs/ --ioc report.stix.json --redact --format json
  zcat *.json.gz | portreeve investigate - --fail-on high

Formats are told by content: CloudTrail as delivered, as exported, wrapped by a SIEM; gzip, zstd;
inventory as the AWS CLI exports it (docs/inventory.md).")]
pub(crate) struct Investigate {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
    /// Start from a sign: key=ID, ip=ADDRESS or CIDR, user=NAME, role=NAME, client=TEXT
    #[arg(long, value_name = "SIGN")]
    pub(crate) from: Vec<String>,
    /// Indicators: a STIX 2.1 bundle, CSV, or one a line; defanged forms are understood
    #[arg(long, value_name = "FILE")]
    pub(crate) ioc: Vec<PathBuf>,
    /// When the estate was surely clean, as 2026-01-05..2026-02-01: only then is learnt what is
    /// normal
    #[arg(long, value_name = "A..B")]
    pub(crate) known_good: Option<String>,
    /// When the intruder was shut out, as 2026-03-19T15:00:00Z: what was made or touched is told as
    /// dead, alive or unknown since then
    #[arg(long, value_name = "TIME")]
    pub(crate) contained_at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) keys: DigestKeys,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Replace names, accounts, addresses and keys, for handing the report on
    #[arg(long)]
    pub(crate) redact: bool,
    /// End with exit code 10 where a finding is this grave or graver
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
    /// Show every entry of timelines and lists on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
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

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve paths inventory/                             every door and jewel
  portreeve paths inventory/ --from dev.mira
  portreeve paths inventory/ --from dev.mira --without mfa
  portreeve paths inventory/ logs/ --from dev.mira --at 2026-03-03T10:15
  portreeve paths inventory/ --to arn:aws:s3:::web-prod  who reaches it
  portreeve paths inventory/ --from ci-user --to arn:aws:s3:::web-prod --format json
  portreeve paths inventory/ --format opengraph --output paths.json

With --without mfa only those steps are walked that a stolen session without a second factor takes.")]
pub(crate) struct Paths {
    /// Files and folders with inventory; `-` is standard input; without any the folder one is in
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to start: an id, a user or role name, an access key; may be repeated. Without it
    /// every door, or with --to everyone
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) from: Vec<String>,
    /// Where to go; without it every crown jewel
    #[arg(long, value_name = "ID")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = GraphFormat::Terminal)]
    pub(crate) format: GraphFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show every path on the terminal
    #[arg(long)]
    pub(crate) all: bool,
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

#[derive(Debug, Args)]
#[command(
    override_usage = "portreeve blast [OPTIONS] <NAME>... [PATH]...",
    after_help = "EXAMPLES:
  portreeve blast dev.mira inventory/                    one principal
  portreeve blast AKIA… ASIA… ci-user inventory/         if this laptop is lost
  portreeve blast dev.mira inventory/ --without mfa
  portreeve blast dev.mira inventory/ logs/ --at 2026-03-03T10:15
  portreeve blast vendor:999988887777 inventory/         the loss of a vendor's account
  portreeve blast vendor:token.actions.githubusercontent.com inventory/
  portreeve blast vendor:our-org/web inventory/ --format html --output loss.html

A vendor is an account number, the host of an identity provider, or a name that stands in the
identities which the estate lets in: the owner of a repository, a repository, an application."
)]
pub(crate) struct Blast {
    /// What is lost: users, roles, keys, people, workloads; `vendor:ACCOUNT`, `vendor:ISSUER`,
    /// `vendor:APP`. Further words are files and folders with inventory
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) inventory: Inventory,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = GraphFormat::Terminal)]
    pub(crate) format: GraphFormat,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show everything on the terminal
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve graph inventory/ --output estate.json        load it into BloodHound
  portreeve graph inventory/ --format graphml --output estate.graphml
  portreeve graph inventory/ --format dot | dot -Tsvg > estate.svg

Steps to what leads nowhere and is no crown jewel are not in the graph; `blast` finds them.")]
pub(crate) struct WholeGraph {
    /// Files and folders with inventory; `-` is standard input; without any the folder one is in
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here, if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) requests: Requests,
    #[command(flatten)]
    pub(crate) at: At,
    /// The form of the graph
    #[arg(long, value_enum, default_value_t = NetworkFormat::Opengraph)]
    pub(crate) format: NetworkFormat,
    /// Write to a file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
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

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve lineage ASIA… logs/
  portreeve lineage dev.mira logs/ inventory/ --format json
  portreeve lineage arn:aws:iam::111122223333:role/deploy logs/ --certainty certain

A link is certain where a record says it, likely where person, role and second of creation fit and
nothing else does, possible where more than one answer fits.")]
pub(crate) struct Lineage {
    /// An access key id or other credential's id, an ARN, or the name of a user, role, permission
    /// set, session, instance or repository
    #[arg(value_name = "KEY|ARN|NAME")]
    pub(crate) asked: String,
    #[command(flatten)]
    pub(crate) input: Input,
    /// How sure a link must be to be followed
    #[arg(long, value_enum, default_value_t = Sureness::Likely)]
    pub(crate) certainty: Sureness,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
    /// Show every tree, credential and holder on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sureness {
    /// Every link, also where others fit as well
    Possible,
    /// Links that nothing in the logs speaks against
    Likely,
    /// Only links that a record spells out
    Certain,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve coverage logs/ inventory/
  portreeve coverage logs/ inventory/ --format json

Inventory tells which accounts, regions and web origins there should be logs of.")]
pub(crate) struct Coverage {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
    /// Show every entry of lists on the terminal
    #[arg(long)]
    pub(crate) all: bool,
    /// How many threads read logs; 0 for one a processor
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "EXAMPLES:
  portreeve exceptions                           those of portreeve.toml, as of today
  portreeve exceptions logs/ inventory/          what each mutes in these logs
  portreeve exceptions --test                    would one have hidden a simulated intrusion?
  portreeve exceptions suggest --verdicts verdicts.toml report.json"
)]
pub(crate) struct Exceptions {
    #[command(subcommand)]
    pub(crate) task: Option<ExceptionsTask>,
    /// Files and folders with logs and inventory; without them only the settings are looked at
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Settings; without it `portreeve.toml` in the paths or here
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Simulate intrusions and tell which of them each exception would have hidden; end with exit
    /// code 10 where one would
    #[arg(long)]
    pub(crate) test: bool,
    /// How many times each intrusion is simulated for the test
    #[arg(long, default_value_t = 2, value_name = "N", requires = "test", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) seeds: u64,
    #[command(flatten)]
    pub(crate) rules: RuleSources,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
    pub(crate) format: PathsFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsTask {
    /// Print exceptions that verdicts on incidents suggest; nothing is applied
    Suggest {
        /// What people said: `[[verdict]]` with `incident`, `verdict` (true, expected, false),
        /// `reason`, `owner`, `ticket`
        #[arg(long, value_name = "FILE")]
        verdicts: PathBuf,
        /// The report that the incidents are of, as `investigate --format json` wrote it
        #[arg(value_name = "REPORT")]
        report: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Networks {
    #[command(subcommand)]
    pub(crate) task: NetworksTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetworksTask {
    /// Fetch the open set through npm, or take files, in place of what is stored
    #[command(after_help = "EXAMPLES:
  portreeve networks update
  portreeve networks update --from GeoLite2-ASN.tar.gz --from GeoLite2-Country.mmdb
  portreeve networks update --from ip-location-db-asn-2.3.2026061719.tgz

The open set is @ip-location-db/asn and @ip-location-db/asn-country (CC BY 4.0), about 24 MB, fetched
with `npm pack`, which honours the proxies and the registry that npm is set to.")]
    Update {
        /// Files in place of the open set: a package or another tar archive, a MaxMind database, a
        /// CSV; of two that tell something the first counts
        #[arg(long, value_name = "FILE")]
        from: Vec<PathBuf>,
        /// The package client
        #[arg(
            long,
            default_value = "npm",
            value_name = "PROGRAM",
            conflicts_with = "from"
        )]
        npm: std::ffi::OsString,
        #[command(flatten)]
        folder: NetworksFolder,
    },
    /// Show which data are stored, and whom their licences ask to be named
    Show {
        #[command(flatten)]
        folder: NetworksFolder,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
        format: PathsFormat,
    },
    /// Tell what is known of addresses, and why
    #[command(after_help = "EXAMPLES:
  portreeve networks lookup 198.51.100.10 2001:db8::1
  portreeve networks lookup 192.0.2.41 --data networks.csv --format json")]
    Lookup {
        /// Addresses
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
        /// Settings; without it `portreeve.toml` here, if there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Further data of networks, which count first
        #[arg(long, value_name = "FILE")]
        data: Vec<PathBuf>,
        #[command(flatten)]
        folder: NetworksFolder,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
        format: PathsFormat,
    },
}

/// Where data of networks are kept.
#[derive(Debug, Args)]
pub(crate) struct NetworksFolder {
    /// The folder of stored data; without it `networks` in the user's data folder, or in
    /// `PORTREEVE_DATA_DIR`
    #[arg(long = "folder", value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  portreeve simulate --seed 7 --out exercise --labels labels.ndjson
  portreeve simulate --intrusion none --days 60 --out quiet
  portreeve simulate --intrusion main-quiet --start-after-foothold 3 --out late
  portreeve simulate --without s3-data-events --without account=prod-sign --out blind
  portreeve simulate --loss 0.01 --duplicates 0.05 --held-up 0.02 --delay 400 --out worn

WITHOUT:
  s3-data-events                 reads and writes of objects
  read-events                    management events that only read
  identity-center                sign-ins to the portal and roles taken there
  sts, service=NAME              one service, as in eventSource
  account=ID or NAME             one account: management, prod-web, prod-sign, dev
  region=NAME                    one region
  days=FIRST..LAST               a hole: these days of the plan, counted from 0
  inventory, inventory=PART      all inventory, or: iam, resources, credentials, organization,
                                 identity-center
  networks, settings             networks.csv, portreeve.toml
  wallets                        the wallet policy, queues of Safes, the chain's blocks

The data are fictional. Labels go to a file of their own, which detection never sees.")]
pub(crate) struct Simulate {
    /// Another seed gives other people, addresses, keys and times
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Days of logs; the intrusion takes the last ones
    #[arg(long, default_value_t = 48)]
    pub(crate) days: u32,
    /// The intrusion: main, none, or a variant
    #[arg(long, default_value = "main")]
    pub(crate) intrusion: String,
    /// No more records than this
    #[arg(long, default_value_t = 500_000, value_name = "N")]
    pub(crate) max_records: usize,
    /// Multiply the ordinary background, as far as --max-records leaves room
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) scale: u32,
    /// Begin the logs this many days after the foothold; what was before has no label either
    #[arg(long, value_name = "DAYS")]
    pub(crate) start_after_foothold: Option<u32>,
    /// Leave out a kind of record or a part of the inventory (below); may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) without: Vec<Without>,
    /// How many changes of policies, roles and keys administrators make over these days
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) changes: u32,
    /// Make the inventory at the end of this day, from 0; without it, before the logs begin
    #[arg(long, value_name = "DAY")]
    pub(crate) inventory_day: Option<u32>,
    /// How late records come, in percent of the usual: 0 for at once and in order
    #[arg(long, default_value_t = 100, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(crate) delay: u32,
    /// Share of the records that come a second time
    #[arg(long, default_value = "0.004", value_name = "SHARE")]
    pub(crate) duplicates: Share,
    /// Share of the records that are held up for one to twelve hours
    #[arg(long, default_value = "0", value_name = "SHARE")]
    pub(crate) held_up: Share,
    /// Share of the records that never come; without it 0.01, which spares steps of few records
    #[arg(long, value_name = "SHARE")]
    pub(crate) loss: Option<Share>,
    /// The folder to write to; it must be empty or not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The file for labels
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Another seed gives another story
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The intrusion, as for simulate
    #[arg(long, default_value = "main")]
    pub(crate) intrusion: String,
    /// Where the simulated files and the reports go
    #[arg(long, default_value = "portreeve-demo", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,
}
