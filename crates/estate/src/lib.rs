//! Inventory formats to the typed estate: what the AWS command line exports becomes entities and
//! relations.
//!
//! Each format is one file in `src/formats/` that declares how it is recognised by its content,
//! how it is read, the read-only command that exports it, and what cannot be seen without it.
//! Reading never fails as a whole: a broken element is a dead letter, and the good ones beside it
//! are used. [`complete`] then draws the conclusions that need all files and names what is missing.
//!
//! ```
//! use portreeve_model::Estate;
//!
//! let export = br#"{"RoleDetailList": [{
//!     "RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy",
//!     "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [],
//!     "AttachedManagedPolicies": [], "InstanceProfileList": []
//! }]}"#;
//! let format = portreeve_estate::recognise(export).unwrap();
//! assert_eq!(format.id(), "aws.account-authorization-details");
//!
//! let mut estate = Estate::default();
//! let unreadable = portreeve_estate::read("iam.json", export, &mut estate);
//! portreeve_estate::complete(&mut estate);
//! assert!(unreadable.is_empty());
//! assert!(estate.get("arn:aws:iam::111122223333:role/deploy").is_some());
//! ```
//!
//! # What a policy relation says
//!
//! A `Policy` relation with an empty document is a policy that is attached but whose text is in no
//! file: whoever evaluates must take it for unseen, not for empty. For managed policies and
//! organization policies `name` is the ARN.
//!
//! # Attributes that this crate sets itself
//!
//! | attribute | on | value |
//! |---|---|---|
//! | `Inventory:FORMAT` | account | `read` where a file of that format was read for it |
//! | `Inventory:FORMAT:REGION` | account | `read` where such a file was read for that region of it |
//! | `Policy` | bucket, key, secret, queue, topic, function, repository | `given`, `none` (known to have none), `unreadable`; absent where no file tells |
//! | `InstanceProfile` | instance | `given`, `none` (known to have none); absent where no file tells |
//! | `Assignment:ACCOUNT:ID` | permission set | `assigned`: that person or group has it in that account |
//! | `Aliases`, `Grants` | key | its aliases; its grants, as `PRINCIPAL: OPERATIONS` |
//! | `Role` | instance profile (kind `other`) | its role |
//! | `Images` | task definition | the images of its containers |

mod arn;
mod complete;
mod format;
mod formats;
pub mod history;
mod json;
mod listing;
mod managed;
mod object;
mod plan;
mod reader;

pub use complete::complete;
pub use format::{Format, formats, read, recognise};
pub use managed::managed_document;
pub use plan::Plan;
