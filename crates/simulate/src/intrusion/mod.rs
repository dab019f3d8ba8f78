//! The intrusion: scenarios are declared as data, and played on the stage that the background has
//! set.

mod play;
mod scenario;

pub(crate) use play::play;
pub(crate) use scenario::{Scenario, names};
