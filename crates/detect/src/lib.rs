//! Activities to findings: derived fields, signs, lineage, and the fold of what rules matched into
//! findings with their evidence.
//!
//! It works in two stages. [`StageOne`] looks at one record at a time, on any part of the logs in
//! any order, and fills a [`Batch`]. [`StageTwo`] owns all keys: it joins batches, orders
//! everything by event time, decides what needed history, and gives a [`Folded`] run.
//!
//! [`Lineage`] says which credential was made with which and how sure that is, [`Actors`] who is
//! behind each row across all of them.
//!
//! Telling stories is the next crate's job.
//!
//! ```
//! use portreeve_detect::{Settings, Stage, derived_field};
//!
//! // Rules may ask for what no record holds; the table says when it can be known.
//! assert_eq!(derived_field("portreeve.actor.kind").unwrap().stage, Stage::Snapshot);
//! assert_eq!(derived_field("portreeve.credential.moved").unwrap().stage, Stage::History);
//!
//! // Each branch of a repository is a new subject; what runs stays the same.
//! let subject = portreeve_detect::Subject::parse("repo:halyard/web:ref:refs/heads/fix/cache");
//! assert_eq!(subject.unwrap().name(), "halyard/web:branch");
//!
//! // The narrowest network that the user declares names the class of an address.
//! let settings = Settings {
//!     networks: [("198.51.100.0/24".parse().unwrap(), "corporate".to_owned())].into(),
//!     ..Settings::default()
//! };
//! assert_eq!(settings.network_class("198.51.100.7"), Some("corporate"));
//! ```

mod activities;
mod actors;
mod at_once;
pub mod behaviour;
mod by_row;
mod changes;
mod clients;
mod correlating;
mod coverage;
mod deployers;
mod derived;
mod exceptions;
mod findings;
mod groups;
mod history;
mod hours;
pub mod hunt;
mod lasting;
mod lineage;
mod logins;
mod networks;
mod people;
mod recent;
mod repeated;
mod runs;
mod sealing;
mod settings;
mod silences;
mod snapshot;
mod stage_one;
mod stage_two;
mod strings;
mod subject;
mod symbol_map;
mod usage;

pub use activities::{Activities, ActivityRow, Position, RowId};
pub use actors::{ActorId, Actors, Persona, PersonaId};
pub use at_once::AtOnce;
pub use clients::{
    Client, ClientKind, client_family, described_client, is_provider_family, is_specific_family,
};
pub use deployers::DEPLOY_DAYS;
pub use derived::{DERIVED_FIELDS, DerivedField, Stage, derived_field};
pub use exceptions::{Exception, mute};
pub use findings::{EVIDENCE_LIMIT, stable_id};
pub use lineage::{Certainty, CredentialFacts, Lineage, Link, Reason};
pub use networks::{
    DataOrigin, Explanation, Network, NetworkData, NetworkDataError, Networks, ProviderSign,
    Providers, RangeTable, TAIL, TableReader, is_callers_address,
};
pub use sealing::Sealing;
pub use settings::{
    DeclaredNetwork, NetworkDetail, Settings, Sign, SignKind, Vendor, matches_pattern,
};
pub use snapshot::Snapshot;
pub use stage_one::{Batch, Revocation, RevocationKind, StageOne};
pub use stage_two::{Folded, Known, StageTwo};
pub use strings::{Strings, Symbol};
pub use subject::Subject;
pub use usage::{PrincipalUsage, Usage};
