//! AWS IAM.

mod document;
mod evaluate;
mod request;

pub use document::{Document, PolicyError};
pub use evaluate::evaluate;
pub use request::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, ContextValue, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target,
};
