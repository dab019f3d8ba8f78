//! What the user sets for checks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::checks::CHECKS;

/// What `portreeve.toml` says of checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Ids of checks that are switched off.
    pub disabled: BTreeSet<String>,
    /// Numbers by check and name, where they differ from the default.
    pub limits: BTreeMap<(String, String), i64>,
    /// Identity providers that the user knows of: ARNs, `*` matches any characters.
    pub identity_providers: Vec<String>,
    /// Accounts that are the user's own or a known vendor's, beside those of the inventory.
    pub trusted_accounts: BTreeSet<String>,
    /// Failures that the user accepts.
    pub suppressions: Vec<Suppression>,
}

impl Settings {
    /// The number of a check: as set, else its default, 0 where the check has none of that name.
    pub(crate) fn limit(&self, check: &str, name: &str) -> i64 {
        let set = self.limits.get(&(check.to_owned(), name.to_owned()));
        let default = || {
            let limits = CHECKS.iter().filter(|own| own.id == check);
            let mut limits = limits.flat_map(|own| own.limits);
            limits
                .find(|limit| limit.name == name)
                .map(|limit| limit.default)
        };
        set.copied().or_else(default).unwrap_or_default()
    }
}

/// A failure that the user accepts, for a reason and until a day. Without either it hides nothing.
/// A scope without entries does not narrow; `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Its name in reports.
    pub id: String,
    /// Ids of checks.
    pub checks: Vec<String>,
    /// Ids of entities, or their last part.
    pub resources: Vec<String>,
    /// Account numbers.
    pub accounts: Vec<String>,
    /// The moment at which it ends, where that is said.
    pub expires: Option<Timestamp>,
    /// Who answers for it.
    pub owner: String,
    /// Why it is accepted.
    pub reason: String,
    /// Where that was decided.
    pub ticket: String,
}
