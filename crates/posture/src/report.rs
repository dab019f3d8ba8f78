//! What `check` finds, as reports show it.

use jiff::Timestamp;
use portreeve_graph::{AttackPath, Jewel};
use portreeve_model::{BlindSpot, EntityId, Input, Severity};
use serde::Serialize;

/// The posture of an estate.
#[derive(Clone, Debug, Serialize)]
pub struct Posture {
    /// Version of the program.
    pub version: &'static str,
    /// The moment for which ages are told, and at which suppressions must hold.
    pub as_of: Timestamp,
    /// What failed: those on an attack path first, then by score.
    pub findings: Vec<Failure>,
    /// Every check that ran.
    pub checks: Vec<CheckCounts>,
    /// What no check could judge.
    pub unknown: Vec<Unseen>,
    /// What the user accepts, and what became of it.
    pub suppressions: Vec<SuppressionUse>,
    /// The estate's crown jewels.
    pub jewels: Vec<Jewel>,
    /// What the inventory lacks.
    pub blind_spots: Vec<BlindSpot>,
    /// What was read.
    pub inputs: Vec<Input>,
    /// The whole in numbers.
    pub summary: Counts,
}

/// A check that failed for an entity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The check and the entity: the same for the same estate.
    pub id: String,
    /// The check.
    pub check: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// What is wrong here.
    pub reason: String,
    /// How much it matters.
    pub severity: Severity,
    /// For what.
    pub resource: EntityId,
    /// In which account.
    pub account: Option<String>,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Ids in this project's list of what matters.
    pub posture: &'static [&'static str],
    /// Sections of the CIS AWS Foundations Benchmark v3.0.0.
    pub cis: &'static [&'static str],
    /// Pages of AWS's documentation.
    pub references: &'static [&'static str],
    /// The order in which it wants a look: severity, by exposure, by path.
    pub score: f64,
    /// Whether the path begins outside the estate, or the thing itself is open to anyone.
    pub exposed: bool,
    /// The shortest attack path to a crown jewel that it lies on.
    pub path: Option<AttackPath>,
    /// The suppression that hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<String>,
}

impl Failure {
    /// Whether the user accepts it.
    pub fn is_suppressed(&self) -> bool {
        self.suppressed_by.is_some()
    }
}

/// What a check said, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckCounts {
    /// Its id.
    pub id: &'static str,
    /// What is wrong where it fails.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Ids in this project's list of what matters.
    pub posture: &'static [&'static str],
    /// Sections of the CIS AWS Foundations Benchmark v3.0.0.
    pub cis: &'static [&'static str],
    /// The numbers.
    #[serde(flatten)]
    pub counts: Counts,
}

/// How many entities passed, failed and could not be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As they should be.
    pub passed: usize,
    /// Not so, and not suppressed.
    pub failed: usize,
    /// Not so, and accepted.
    pub suppressed: usize,
    /// Not shown by the inventory.
    pub unknown: usize,
}

/// Something that a check could not judge: a blind spot, never a pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unseen {
    /// The check.
    pub check: &'static str,
    /// What is missing.
    pub missing: String,
    /// Of what.
    pub resources: Vec<EntityId>,
}

/// A suppression, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuppressionUse {
    /// Its name.
    pub id: String,
    /// What became of it.
    pub state: SuppressionState,
    /// How many failures it hides.
    pub hidden: usize,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// Where that was decided.
    pub ticket: String,
}

/// What became of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionState {
    /// It hides something.
    Active,
    /// It holds, and hides nothing.
    Unused,
    /// Its time is over: it hides nothing.
    Expired,
    /// It says no reason: it hides nothing.
    WithoutReason,
    /// It says no end: it hides nothing.
    WithoutExpiry,
    /// It would hide everything: it hides nothing.
    Boundless,
}

impl SuppressionState {
    /// What became of it, in words.
    pub fn title(self) -> &'static str {
        match self {
            SuppressionState::Active => "active",
            SuppressionState::Unused => "hides nothing: perhaps it can go",
            SuppressionState::Expired => "expired: hides nothing",
            SuppressionState::WithoutReason => "has no reason: hides nothing",
            SuppressionState::WithoutExpiry => "has no expiry: hides nothing",
            SuppressionState::Boundless => "would hide everything: hides nothing",
        }
    }

    /// Whether it wants a person's look.
    pub fn is_defect(self) -> bool {
        !matches!(self, SuppressionState::Active | SuppressionState::Unused)
    }
}
