//! Speaks to live AWS accounts: reads them into inventory files, with read-only calls, and makes the
//! changes of a plan that its user was shown.
//!
//! [`collect`] never changes anything; [`apply`] changes what a plan says, and nothing else.
//!
//! The files have the shapes in which the AWS command line prints: `portreeve-estate` reads them as it
//! reads the command line's. What could not be read is named in them.
//!
//! # Why there are no crates of services here
//!
//! Calls are made by the AWS SDK for Rust: its configuration and credentials (profiles, IAM Identity
//! Center, processes, web identity, instance roles, assumed roles), its signing, its retry with
//! back-off and clock correction, its HTTP client. The SDK's crates of single services are not used,
//! for two reasons. Their outputs are Rust types that cannot be written as JSON again, so that each
//! member that a reader or a check wants would have to be mapped by hand, and any other would be
//! lost; here what a service says is kept as it said it. And they are large: `docs/collect.md` has the
//! build times. In their place stand AWS's own service models (`models/`), cut down to the operations
//! that are called, and two small pure modules that write requests and read answers by them.
//!
//! # To add …
//!
//! | to add | write |
//! |---|---|
//! | a surface | `src/surfaces/<name>.rs`, and its operations in `models/prune.py`, which is then run |

pub mod apply;
pub mod bucket;
mod caller;
mod client;
mod endpoint;
mod folder;
mod model;
mod policy;
mod request;
mod response;
mod run;
mod surface;
mod xml;

pub use caller::Unseen;
pub use client::{Access, CallError};
pub use folder::{FolderError, MANIFEST, Part, Place};
pub use policy::{ROLE, policy};
pub use run::{
    Accounts, CollectError, Collection, Options, Progress, Summary, Unreachable, collect, surfaces,
};
