//! Findings and graph to incidents: one story for each intrusion, with what it touched, how far
//! it could still go, and what to do first.
//!
//! [`incidents`] joins the findings of a run: by the credential that was used, by the chain of
//! credentials that were minted from one another, by the actor where the same person's or
//! pipeline's credentials are used from strange addresses day after day, by an address or a client
//! that is strange to all who were seen with it, and by a sign that the user named. What many
//! have in common (an office's way out, a provider's service, a class of networks) joins nothing.
//!
//! [`trace`] follows credentials that the user asks for, whether or not anything was found on them.
//!
//! It is pure: the same input gives the same incidents, whatever the order of the records and
//! however the files were split.
//!
//! ```
//! use portreeve_detect::{Folded, Networks, Settings};
//! use portreeve_incident::{Context, incidents};
//!
//! let (folded, networks, settings) = (Folded::default(), Networks::default(), Settings::default());
//! let context = Context {
//!     folded: &folded,
//!     reach: None,
//!     networks: &networks,
//!     settings: &settings,
//!     profiles: &[],
//! };
//! assert!(incidents(&context).is_empty());
//! ```
//!
//! # From score to severity
//!
//! The score is the sum of its parts, at most 100. It gives a severity: critical from 70, high from
//! 45, medium from 25, low from 5. That severity is then kept within one step of the gravest
//! finding's, and never below the severity of a sign that the user named.

pub mod actor;
mod backtest;
mod behaviour;
mod build;
mod case;
mod chains;
pub mod containment;
mod credentials;
pub mod decide;
pub mod eviction;
mod evidence;
pub mod exceptions;
mod facts;
mod join;
mod keys;
mod lifetime;
mod names;
mod places;
pub mod race;
mod reach;
mod report;
mod response;
mod runners;
mod score;
pub mod sight;
mod standings;
mod story;
mod survey;
mod text;
mod totals;
pub mod touch;
mod touched;
mod trace;
mod wallets;
mod weigh;

pub use backtest::{Backtest, Noise, PrincipalMatches, backtest};
pub use build::{Context, incidents};
pub use evidence::{evidence_gaps, verified};
pub use keys::{KeyQuestion, KeyRing, OverPermissive};
pub use portreeve_detect::Certainty;
pub use reach::{Cuttable, Reach};
pub use report::{
    Chain, ChainedCredential, CredentialStory, ExceptionState, ExceptionUse, Incident, NetworkUse,
    Report, ResponseStep, ScorePart, Summary, TimelineEntry, TimelineRole, Touched,
};
pub use standings::{WalletStanding, standings};
pub use totals::Totals;
pub use trace::{Held, Minting, Trace, TracedCredential, Tree, trace};
pub use wallets::{Lead, OnChain, Tie, TieKind, WalletEvent, WalletStory, join_wallets};
