//! Activities to findings: derived fields, signs, lineage, and the fold of what rules matched into
//! findings with their evidence.
//!
//! It works in two stages. [`StageOne`] looks at one record at a time, on any part of the logs in
//! any order, and fills a [`Batch`]. [`StageTwo`] owns all keys: it joins batches, orders
//! everything by event time, decides what needed history, and gives a [`Folded`] run.
//!
//! Telling stories is the next crate's job.

mod activities;
mod derived;
mod lineage;
mod settings;
mod snapshot;
mod stage_one;
mod stage_two;
mod strings;

pub use activities::{Activities, ActivityRow, Position, RowId};
pub use derived::{DERIVED_FIELDS, DerivedField, DerivedValues, Stage, derived_field, set_derived};
pub use lineage::{CredentialFacts, Lineage, Link};
pub use settings::{Settings, Sign, SignKind};
pub use snapshot::Snapshot;
pub use stage_one::{Batch, StageOne};
pub use stage_two::{DEPLOY_DAYS, EVIDENCE_LIMIT, Folded, StageTwo, stable_id};
pub use strings::{Strings, Symbol};
