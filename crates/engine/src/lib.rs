//! The run itself: finds files, tells what they are, reads inventory and logs through the two
//! stages, and makes the report.
//!
//! ```no_run
//! use portreeve_engine::{Config, Request, RuleSet, Silent, built_in_rules, investigate};
//!
//! let config = Config::default();
//! let report = investigate(
//!     Request {
//!         paths: vec!["logs".into()],
//!         rules: RuleSet::parse(&built_in_rules(), &config.rules),
//!         config,
//!         skip: Vec::new(),
//!         signs: Vec::new(),
//!         threads: 0,
//!     },
//!     &Silent,
//! )?;
//! println!("{} incidents", report.incidents.len());
//! # Ok::<(), portreeve_engine::RunError>(())
//! ```
//!
//! This crate opens files, and holds no rules of its own.

mod activities;
mod blocks;
pub mod case;
mod checks;
mod compare;
mod config;
mod content;
mod correlation_tests;
mod discover;
mod evidence;
mod exceptions;
mod files;
mod gathered;
mod growing;
mod hunt;
mod inventory;
mod lint;
mod logs;
mod moment;
mod networks;
#[cfg(feature = "chain")]
mod node;
mod open;
#[cfg(feature = "parquet")]
mod parquet;
mod past;
mod policy_tests;
mod prepared;
mod progress;
#[cfg(feature = "chain")]
mod queue;
mod race;
mod reader;
mod rule_tests;
mod run;
mod seam;
pub mod serve;
mod signs;
mod survey;
mod touched;
mod wallets;
#[cfg(feature = "chain")]
mod web;

pub use activities::{Seen, each_activity};
pub use blocks::Blocks;
pub use checks::{CheckEntries, SuppressionEntry};
pub use compare::{Comparison, compare};
pub use config::{
    CONFIG_FILE, Config, ConfigError, CutSettings, DeclaredVendor, NetworkKey, NetworkValue,
    Period, PeriodError, RuleSettings,
};
pub use content::{
    ContentFile, RuleReadError, RuleSet, built_in_catalogue, built_in_correlations,
    built_in_escalations, built_in_profiles, built_in_rules, read_rules, render_diagnostic,
};
pub use correlation_tests::test_correlations;
pub use evidence::{KeyReadError, Verified, read_digest_keys, verify_evidence};
pub use exceptions::{ExceptionEntry, exceptions_toml, parse_verdicts};
pub use files::{file_sha256, files_below};
pub use gathered::Gathered;
pub use hunt::{
    Chosen, HuntError, HuntRequest, HuntRules, HuntSink, HuntState, Hunted, Placeholders,
    RecordError, StateError, condition, hunt, read_placeholders, record_named,
};
pub use lint::lint_rules;
pub use moment::{MomentError, moment};
pub use networks::{
    FoundData, OPEN_SET, StoredContent, StoredData, UpdateError, default_network_folder, networks,
    stored_data, update_from_files, update_from_open_set,
};
#[cfg(feature = "chain")]
pub use node::{Heads, HttpProvider, Node, NodeError, SocketProvider};
pub use past::{Chronicle, Instant, chronicle, read_inventory_at, survey_at};
pub use policy_tests::{LineNote, PolicyTest, PolicyTests, test_policies};
/// Why a network is said to be what it is.
pub use portreeve_detect::Explanation;
/// How mature a rule is.
pub use portreeve_sigma::Status as RuleStatus;
/// Why a rule matches a record, or does not.
pub use portreeve_sigma::{Explained, explain};
pub use progress::{Progress, Silent};
#[cfg(feature = "chain")]
pub use queue::{HttpService, ServiceAddress, ServiceAddressError};
pub use race::{RaceError, RaceQuestion, Raced, race};
pub use rule_tests::{RuleTests, test_rules};
pub use run::{Lineages, NothingReadable, Request, RunError, gather, investigate, lineage};
pub use seam::Seam;
pub use signs::{Indicators, SignError, parse_indicators, parse_sign};
pub use survey::{Inventory, Knowledge, read_inventory, survey};
pub use touched::TouchError;
#[cfg(feature = "chain")]
pub use web::{Answer, Web, WebError};
