//! The attack graph: who can reach what, over which permissions and trusts, under which
//! conditions. Built from relations and authorisation alone; knows no file format.

mod path;

pub use path::{AttackPath, BlastRadius, Jewel, JewelKind, PathStep};
