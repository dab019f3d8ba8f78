//! Bytes to records: splits logs into records of any length, and fills in one lazy pass the
//! fields that rules and activities together ask for.
//!
//! This crate knows JSON and nothing of any log source.

mod field;

pub use field::{FieldId, Fields, Record, Value};
