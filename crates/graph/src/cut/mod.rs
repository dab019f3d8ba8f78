//! The cut: the cheapest changes of an estate that leave no attack path from somewhere to
//! something, proven by building the graph again with the changes made.
//!
//! A [`Question`] says from where to where; the [`Cut`] has a [`Plan`] that a person can review,
//! make and take back.

mod candidate;
mod costs;
mod document;
mod hitting;
mod holdings;
#[cfg(test)]
mod law;
mod making;
mod plan;
mod slice;
mod solve;

use std::collections::BTreeSet;

use portreeve_model::EntityId;
use serde::{Deserialize, Serialize};

use crate::path::AttackPath;
pub use costs::{ChangeKind, Costs};
pub use plan::{Change, Edit, PLAN_VERSION, Plan};
pub use solve::{EXACT_UP_TO, Question};

/// The changes that leave no path, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// From where.
    pub from: Vec<EntityId>,
    /// To where. Empty: to any crown jewel.
    pub to: Vec<EntityId>,
    /// The best path of each pair of start and end, as they were.
    pub before: Vec<AttackPath>,
    /// The steps that the changes were chosen for.
    pub breaks: BTreeSet<Broken>,
    /// The changes.
    pub plan: Plan,
    /// What they cost together.
    pub cost: u64,
    /// Whether the graph was built again with the changes made, and has no path.
    pub proven: bool,
    /// Whether every change is needed: without it a path is back.
    pub minimal: bool,
    /// Whether no other set of the candidates costs less.
    pub least_cost: LeastCost,
    /// What every cut of the candidates costs at least.
    pub bound: u64,
    /// How many candidate changes were weighed.
    pub candidates: usize,
    /// Among how many the least cost would have been proven.
    pub exact_up_to: usize,
    /// Paths that no change of the kinds that are known can cut.
    pub left: Vec<AttackPath>,
    /// What the reader should know of how the graph was built.
    pub notes: Vec<String>,
}

/// What is known of a cut's cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeastCost {
    /// No other set of the candidates costs less.
    Proven,
    /// Another set may cost less, though no less than [`Cut::bound`].
    Bound,
}

/// A step that a change breaks, by itself or together with others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Broken {
    /// Who took it.
    pub from: EntityId,
    /// Onto what.
    pub to: EntityId,
    /// Its escalation or relation.
    pub via: String,
}
