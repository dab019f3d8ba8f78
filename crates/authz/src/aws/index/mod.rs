//! Many questions about one estate, answered from an index.
//!
//! [`evaluate`](super::evaluate) reads the policies anew for each question. An [`Index`] is built
//! once from the principals with their policies and the resources with theirs, and keeps what
//! questions have in common:
//!
//! * Policies are kept once for each content, principals once for each set of policies.
//! * For each action that is asked about, principals fall into *classes*: those of the same
//!   statements that speak of the action, and of the same values of the keys that these refer to.
//!   Resources fall into classes by their own side in the same way.
//! * Which resources a pattern covers is worked out once.
//!
//! An answer then hangs on the classes of principal and resource, on which of the class's patterns
//! cover the resource, and on how the resource's side names the principal; and on nothing else.
//! It is evaluated at the first such question and looked up at all others, so that it is the
//! answer of [`evaluate`](super::evaluate), by construction.
//!
//! ```
//! use portreeve_authz::Decision;
//! use portreeve_authz::aws::index::IndexBuilder;
//! use portreeve_authz::aws::{
//!     Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, ResourcePolicies,
//! };
//!
//! let readers = Document::parse(r#"{"Statement": {
//!     "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::ledger/*"}}"#)?;
//! let mut builder = IndexBuilder::new(Context::new(Absent::Unknown));
//! let anna = builder.principal(
//!     Caller::from_arn("arn:aws:iam::111122223333:user/anna").unwrap(),
//!     PrincipalPolicies {
//!         identity: vec![AttachedPolicy::new("readers", readers)],
//!         ..PrincipalPolicies::default()
//!     },
//! );
//! let ledger = builder.resource("arn:aws:s3:::ledger/q1", ResourcePolicies::default());
//! let get = builder.action("s3:GetObject");
//! let put = builder.action("s3:PutObject");
//!
//! let index = builder.build();
//! let mut asker = index.asker();
//! assert_eq!(asker.may(anna, get, ledger).decision, Decision::Allowed);
//! assert_eq!(asker.may(anna, put, ledger).decision, Decision::Denied);
//! assert_eq!(asker.who_can(get, ledger), [anna]);
//! assert_eq!(asker.what_can(anna), [(get, ledger)]);
//! # Ok::<(), portreeve_authz::aws::PolicyError>(())
//! ```

mod asker;
mod builder;
mod column;
mod patterns;
mod policies;
mod side;

pub use asker::Asker;
pub use builder::{Index, IndexBuilder};

/// A map whose order is never seen.
type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// A principal of an [`Index`], by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId(u32);

/// A resource of an [`Index`], by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u32);

/// An action of an [`Index`], by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(u32);

impl PrincipalId {
    /// Its place among the principals, from 0, in the order in which they were added.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ResourceId {
    /// Its place among the resources, from 0, in the order in which they were added.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ActionId {
    /// Its place among the actions, from 0, in the order in which they were first named.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A count as the 32 bits that ids have; what is past them never comes about in memory.
fn id(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
