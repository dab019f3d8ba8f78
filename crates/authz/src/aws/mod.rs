//! AWS IAM: policies of every layer, and the published logic that combines them.

mod access;
mod acl;
mod arn;
pub mod case;
mod condition;
mod document;
mod evaluate;
mod grant;
pub mod index;
mod json;
mod keys;
mod outcome;
mod pattern;
mod principal;
mod public;
mod question;
mod reader;
mod request;
mod session;
mod statement;

pub use access::{PublicAccessBlock, ResourceAccess};
pub use acl::{AclGrant, AclGrantee, AclPermission, read_acl};
pub use document::{Document, PolicyError, decode_document};
pub use evaluate::evaluate;
pub use grant::{GrantConstraint, GrantError, KmsGrant};
pub use request::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, ContextValue, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target,
};
pub use session::{Assumption, Session, SessionError};
