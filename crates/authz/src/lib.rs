//! "May P do A on R in context C?": allowed, denied, or depends on these keys.

mod answer;
pub mod aws;

pub use answer::{Answer, Atom, Decision, KeyClass, PolicyLayer, StatementRef};
