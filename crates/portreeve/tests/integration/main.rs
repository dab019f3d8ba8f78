//! The program, run as its users run it: each command, the watch, the API and what stands around them.
//!
//! All in one test integration, so that what waits for a server or a single thread runs beside what
//! computes. `cargo test -p portreeve --test integration hunt::` runs those of one file.
#![allow(clippy::print_stdout, clippy::print_stderr, unreachable_pub)]

#[cfg(feature = "chain")]
mod anvil;
mod api;
#[cfg(feature = "aws")]
mod apply;
#[cfg(feature = "parquet")]
mod archive;
mod at;
mod bad_input;
mod bundle;
mod case;
#[path = "../../../evidence/tests/chain/mod.rs"]
mod chain;
mod changes;
mod check;
#[cfg(feature = "aws")]
mod collect;
mod common;
mod correlations;
mod coverage;
mod cut;
mod decisions;
mod diff;
mod drained;
mod eviction;
mod evidence;
mod exceptions;
mod hunt;
mod hunt_hostile;
mod hunt_state;
mod investigate;
mod joined_wallets;
mod keys;
mod lineage;
mod many;
mod marks;
#[cfg(feature = "aws")]
mod moto;
mod networks;
#[cfg(any(feature = "aws", feature = "notify"))]
mod outside;
mod past;
mod policy_test;
#[cfg(feature = "chain")]
mod queue;
mod race;
mod recorded;
mod roads;
mod rule_tools;
mod serve;
mod simulated;
#[cfg(feature = "chain")]
mod simulated_chain;
mod stix;
#[path = "../../../detect/src/networks/test_database.rs"]
mod test_database;
#[cfg(feature = "chain")]
mod theft;
mod touched;
mod wallet;
mod wallet_edges;
