//! The page that signers trust: what was built, what is served, and who changed it.

mod compare;
mod statement;
mod writes;

pub use compare::{BundleFinding, BundleReport, Served, compare};
pub use statement::{Statement, StatementError, Subject, is_content_hashed};
pub use writes::{Trace, Write};
