//! Watching wallets over blocks.

mod bridges;
mod changes;
mod finding;
mod history;
mod report;
mod rule;
#[cfg(test)]
pub(crate) mod stage;
mod state;
#[cfg(test)]
mod tests;
mod watcher;

pub(crate) use bridges::Received;
pub(crate) use changes::{Changes, Execution, Outflow, Ruling, share};
pub use finding::{Remedy, WalletFinding};
pub(crate) use history::{Deployment, WINDOW};
pub use report::{Watch, WatchReport};
pub(crate) use rule::Scene;
pub use rule::{Rule, rules};
pub(crate) use state::{State, change_announced, executed_hash, percent};
pub use watcher::{Divergence, Notice, Observation, Observed, Watcher};
