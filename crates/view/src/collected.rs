//! A collection of inventory, for the others to lay out.

use serde::Serialize;

/// What a collection read, and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Whether every planned part was read, were it in part.
    pub finished: bool,
    /// Why it ended early, where it did.
    pub stopped: Option<String>,
    /// The folder that it was written to.
    pub folder: String,
    /// Who collected.
    pub caller: String,
    /// The accounts that were entered, and how many regions of each.
    pub accounts: Vec<(String, usize)>,
    /// Accounts that could not be entered, and why.
    pub unreachable: Vec<(String, String)>,
    /// How many calls were made, retries not counted.
    pub calls: u64,
    /// How far each surface was read, by its id.
    pub surfaces: Vec<SurfaceRead>,
    /// Calls that were refused or failed.
    pub refused: Vec<RefusedCall>,
}

/// How far one surface was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SurfaceRead {
    /// Its id.
    pub id: String,
    /// What it reads, in a few words.
    pub title: String,
    /// Parts that were read whole: one an account, or one an account and region.
    pub whole: usize,
    /// Parts of which something was not seen.
    pub partly: usize,
    /// Parts that an earlier run had read already; they count as whole too.
    pub kept: usize,
}

/// A kind of call that was refused or failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RefusedCall {
    /// The action, `kms:ListKeys`.
    pub action: String,
    /// The service's word for why.
    pub code: String,
    /// What the service said, once.
    pub message: String,
    /// How many calls it was.
    pub count: u64,
    /// In which accounts and regions.
    pub places: Vec<String>,
}

impl Collected {
    /// Parts that were read, whole or partly.
    pub fn parts(&self) -> usize {
        let parts = self.surfaces.iter();
        parts.map(|surface| surface.whole + surface.partly).sum()
    }

    /// The collection in one line.
    pub fn headline(&self) -> String {
        let lacks = !self.refused.is_empty() || !self.unreachable.is_empty();
        match (self.finished, lacks) {
            (false, _) => "The collection did not end".to_owned(),
            (true, true) => "Collected, with blind spots".to_owned(),
            (true, false) => "Collected whole".to_owned(),
        }
    }
}
