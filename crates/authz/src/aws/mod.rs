//! AWS IAM: policies of every layer, and the published logic that combines them.

mod arn;
pub mod case;
mod condition;
mod document;
mod evaluate;
mod json;
mod keys;
mod outcome;
mod pattern;
mod principal;
mod question;
mod reader;
mod request;
mod statement;

pub use document::{Document, PolicyError, decode_document};
pub use evaluate::evaluate;
pub use request::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, ContextValue, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target,
};
