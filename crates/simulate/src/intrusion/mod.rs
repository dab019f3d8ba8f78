//! The intrusion: scenarios are declared as data, and played on the stage that the background has
//! set.

mod play;
mod scenario;

pub(crate) use play::{begins, play};
pub(crate) use scenario::{ChainDeed, Scenario, names};
