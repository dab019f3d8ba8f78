use serde::{Deserialize, Serialize};

use super::correlator::Account;
use super::item::{Items, Moment};
use super::table::SavedGroup;

/// What a correlator knew when it was saved, for any format that `serde` writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved {
    pub(crate) definition: u128,
    pub(crate) newest: Moment,
    pub(crate) account: Account,
    pub(crate) tables: Vec<SavedTable>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedTable {
    pub(crate) correlation: u32,
    pub(crate) waiting: Items,
    /// The one seen longest ago first.
    pub(crate) groups: Vec<SavedGroup>,
}

/// Why saved state cannot be taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Other correlations, or other rules for them: what was counted means something else now.
    #[error(
        "the correlations, or the rules that they look at, are not those that the state was saved under; begin anew without it"
    )]
    OtherRules,
    /// What was saved cannot have been saved by a correlator of this kind.
    #[error("the saved state of correlations is damaged; begin anew without it")]
    Damaged,
}
