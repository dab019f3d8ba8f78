use std::sync::Arc;

use crate::{EntityId, EntityKind, PolicyLayer, Relation};

/// What an activity made of one spot of the estate: what its record tells of the spot before the
/// activity, and after it.
///
/// An activity that makes or deletes an entity settles all spots of that entity at once: what a
/// new one was not given it has not, and of a deleted one nothing is left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// What is changed.
    pub spot: Spot,
    /// What must have been there for the call to succeed.
    pub before: Held,
    /// What is there from then on.
    pub after: Held,
}

/// A place in the estate that holds one thing at a time. Ids are as far as a record tells them: a
/// role's path, or an organization policy's ARN, may be missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Whether an entity is there.
    Entity {
        /// Its id.
        id: EntityId,
        /// What it is.
        kind: EntityKind,
    },
    /// Whether a relation holds. An attached policy is a [`Relation::Policy`] without a text.
    Relation(Relation),
    /// The text of a policy that the subject holds itself; of a managed policy, which is its own
    /// subject, the text of its default version.
    Document {
        /// What it is attached to, or the managed policy.
        subject: EntityId,
        /// In what capacity.
        layer: PolicyLayer,
        /// Its name; empty where a subject has but one in this capacity.
        name: String,
    },
    /// The one text of a version of a managed policy, which never changes.
    Version {
        /// The managed policy.
        policy: EntityId,
        /// `v3`.
        version: String,
    },
    /// The ARN of the policy that bounds a principal.
    Boundary {
        /// The principal.
        subject: EntityId,
    },
    /// The ARN of the one role that a workload acts as.
    RunsAs {
        /// The workload.
        workload: EntityId,
    },
    /// The value of a tag.
    Tag {
        /// What is tagged.
        entity: EntityId,
        /// The tag's key.
        key: String,
    },
    /// The value of an attribute.
    Attribute {
        /// What has it.
        entity: EntityId,
        /// Its name.
        name: String,
    },
}

impl Spot {
    /// The entity that it is a spot of: when that is deleted, nothing is left here.
    pub fn subject(&self) -> &EntityId {
        match self {
            Spot::Entity { id, .. } => id,
            Spot::Relation(relation) => subject_of(relation),
            Spot::Document { subject, .. } | Spot::Boundary { subject } => subject,
            Spot::Version { policy, .. } => policy,
            Spot::RunsAs { workload } => workload,
            Spot::Tag { entity, .. } | Spot::Attribute { entity, .. } => entity,
        }
    }
}

/// The entity with which a relation goes.
fn subject_of(relation: &Relation) -> &EntityId {
    match relation {
        Relation::Contains { child, .. } => child,
        Relation::ManagementAccount { account } => account,
        Relation::MemberOf { member, .. } => member,
        Relation::Policy { subject, .. } => subject,
        Relation::Proves { credential, .. } => credential,
        Relation::RunsAs { workload, .. } | Relation::Pulls { workload, .. } => workload,
        Relation::Serves { distribution, .. } => distribution,
        Relation::SignsInAs { person, .. } => person,
        Relation::Stores { store, .. } => store,
        Relation::SignsFor { signer, .. } => signer,
        Relation::OwnerOf { owner, .. } => owner,
        Relation::Kind { principal, .. } => principal,
    }
}

/// What a spot holds, as far as is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Nothing.
    Nothing,
    /// This text: a document, an ARN, a value; empty where being there is all there is to it.
    Text(Arc<str>),
    /// Something; what it says is not told.
    Something,
    /// The text of this version of the managed policy.
    Version(Arc<str>),
    /// The policy that was there, with this statement beside its others; its `Sid` is new.
    With(Arc<str>),
    /// The policy that was there, without the statement of this `Sid`.
    Without(Arc<str>),
    /// Not told.
    Unknown,
}

impl Held {
    /// A mere presence.
    pub fn there() -> Self {
        Held::Text(Arc::from(""))
    }

    /// A text, or something where it is not told.
    pub fn told(text: Option<impl Into<Arc<str>>>) -> Self {
        text.map_or(Held::Something, |text| Held::Text(text.into()))
    }
}
