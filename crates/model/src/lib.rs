//! The vocabulary of Portreeve: the types that every other crate speaks in.
//!
//! An estate is a set of [`Entity`]s (principals, credentials, resources) held together by
//! [`Relation`]s. What happens in it is an [`Activity`]; what is worth a person's look is a
//! [`Finding`], which always carries its [`Evidence`]. This crate does no I/O and uses no other
//! crate of the workspace.
//!
//! ```
//! use portreeve_model::{Severity, Technique};
//!
//! // ATT&CK v19 renamed the technique for disabling cloud logs; both ids mean the same thing.
//! let old = Technique::new("T1562.008").unwrap();
//! let new = Technique::new("T1685.002").unwrap();
//! assert!(old.is_same_as(&new));
//! assert!(Severity::Critical > Severity::High);
//! ```
//!
//! # Which native string is the id of what
//!
//! | provider | thing | id |
//! |---|---|---|
//! | AWS | account | `arn:aws:iam::ACCOUNT:root` |
//! | AWS | user, group, role, managed policy | its IAM ARN, path included |
//! | AWS | Identity Center user | `arn:aws:identitystore:::user/USER_ID` |
//! | AWS | Identity Center permission set | its ARN |
//! | AWS | person or workload behind an assumed role | the role is the principal; the session name is [`Actor::session`] |
//! | AWS | service | its principal name, `lambda.amazonaws.com` |
//! | AWS | web identity (OIDC) | `PROVIDER:SUB`, as `token.actions.githubusercontent.com:repo:org/app:ref:refs/heads/main` |
//! | AWS | SAML identity | `PROVIDER_ARN:NAME` |
//! | AWS | long-lived key, session | the access key id (`AKIA…`, `ASIA…`) |
//! | AWS | session without a key id in the log | session ARN, `@`, creation date |
//! | AWS | session of Identity Center's access portal | its `credentialId` |
//! | AWS | web identity's or SAML assertion's token | as the identity that it proves |
//! | AWS | what gives an instance, task or function its role's sessions | `ec2:INSTANCE_ID`, `ecs:TASK_ID`, `lambda:ACCOUNT:FUNCTION`, `codebuild:ACCOUNT:BUILD` |
//! | AWS | console password | `password:USER_ARN` |
//! | AWS | bucket; object | `arn:aws:s3:::BUCKET`; `arn:aws:s3:::BUCKET/KEY` (two resources) |
//! | AWS | key, secret, function, repository, … | its ARN |
//! | EVM chain | wallet: outside account, Safe, contract | `eip155:CHAIN:ADDRESS` (CAIP-10), the address with its EIP-55 checksum; chain 0 where the policy names none: a key signs for its address on every chain |
//! | AWS | organization root, unit, account in the tree | `r-…`, `ou-…`, `arn:aws:iam::ACCOUNT:root` |

mod activity;
mod effect;
mod entity;
mod estate;
mod finding;
mod input;
mod pipeline;
mod policy_change;
mod relation;
mod revision;
mod severity;
mod sort;
pub mod state;
mod technique;

pub use activity::{
    Activity, Actor, CredentialKind, CredentialRef, MintMethod, Minted, Origin, OriginKind,
    Outcome, PrincipalKind, Revoked,
};
pub use effect::{Effect, Held, Spot};
pub use entity::{Entity, EntityId, EntityKind};
pub use estate::Estate;
pub use finding::{Evidence, Finding, FindingSource};
pub use input::{BlindSpot, Coverage, CoverageCell, DeadLetter, Hole, Input, InputKind, Proof};
pub use jiff::Timestamp;
pub use pipeline::is_pipeline_issuer;
pub use policy_change::{PolicyChange, PolicyChangeKind};
pub use relation::{PolicyLayer, Relation};
pub use revision::Revision;
pub use severity::Severity;
pub use sort::sort;
pub use technique::{Tactic, Technique};
