//! What a check is.

use portreeve_model::Severity;

use crate::scene::Scene;
use crate::verdicts::Verdicts;

/// A posture check: what it asks, why, how it is mended, how it judges, and what it is tested by.
#[derive(Debug)]
pub struct Check {
    /// Its id: `aws.root-mfa`.
    pub id: &'static str,
    /// What is wrong where it fails, in a few words.
    pub title: &'static str,
    /// Why that matters to an intruder.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// How much a failure matters, where the failure does not say otherwise.
    pub severity: Severity,
    /// Ids of this project's list of what matters to the intruder that it is built for: `A07`.
    pub posture: &'static [&'static str],
    /// Sections of the CIS AWS Foundations Benchmark, version 3.0.0.
    pub cis: &'static [&'static str],
    /// Pages of AWS's documentation that it follows.
    pub references: &'static [&'static str],
    /// Ids of the inventory formats that can show it: any of them will do.
    pub needs: &'static [&'static str],
    /// Numbers that the user may set.
    pub limits: &'static [Limit],
    /// Judges all that it is about.
    pub(crate) judge: fn(&Scene<'_>, &mut Verdicts<'_>),
    /// Inventories with what it says of them.
    pub examples: &'static [Example],
}

impl Check {
    /// What a check need not say.
    pub(crate) const DEFAULT: Check = Check {
        id: "",
        title: "",
        why: "",
        remedy: "",
        severity: Severity::Medium,
        posture: &[],
        cis: &[],
        references: &[],
        needs: &[],
        limits: &[],
        judge: |_, _| {},
        examples: &[],
    };
}

/// A number that a check hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name in `portreeve.toml`.
    pub name: &'static str,
    /// Where nothing else is said.
    pub default: i64,
    /// What it counts.
    pub meaning: &'static str,
}

/// What a check says of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// The inventory does not show it.
    Unknown,
}

/// An inventory, and what the check says of it.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What is said of some entity. Where that is not [`Verdict::Fail`], no entity fails.
    pub verdict: Verdict,
    /// The inventory, as the AWS command line prints it.
    pub inventory: &'static str,
}

/// An inventory in which the check fails.
pub(crate) const fn fails(inventory: &'static str) -> Example {
    Example {
        verdict: Verdict::Fail,
        inventory,
    }
}

/// An inventory in which something passes, and nothing fails.
pub(crate) const fn passes(inventory: &'static str) -> Example {
    Example {
        verdict: Verdict::Pass,
        inventory,
    }
}

/// An inventory that does not show it.
pub(crate) const fn unknown(inventory: &'static str) -> Example {
    Example {
        verdict: Verdict::Unknown,
        inventory,
    }
}
