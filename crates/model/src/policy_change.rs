use std::borrow::Cow;

use crate::PolicyLayer;

/// A change of who may do what, that an activity made: what it does depends on everything else
/// that holds, so that only the graph can tell what it opens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyChange<'r> {
    /// Whom or what it is about: the principal, resource, role, group or managed policy.
    pub subject: Cow<'r, str>,
    /// What was done to it.
    pub kind: PolicyChangeKind<'r>,
}

/// What a [`PolicyChange`] does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyChangeKind<'r> {
    /// A document holds, in place of one of the same layer and name.
    Put {
        /// In what capacity it holds.
        layer: PolicyLayer,
        /// The inline policy's name; empty where a subject has but one.
        name: Cow<'r, str>,
        /// The JSON text.
        document: Cow<'r, str>,
    },
    /// A statement holds beside the policy that the subject has.
    Add {
        /// In what capacity it holds.
        layer: PolicyLayer,
        /// The JSON text of a policy with that statement alone.
        document: Cow<'r, str>,
    },
    /// A managed policy is attached.
    Attach {
        /// Its ARN.
        policy: Cow<'r, str>,
    },
    /// The subject is a managed policy, of which another text holds now.
    Version {
        /// The JSON text.
        document: Cow<'r, str>,
    },
    /// The subject joins a group.
    Join {
        /// The group.
        group: Cow<'r, str>,
    },
    /// The subject has no permissions boundary any more.
    RemoveBoundary,
}

impl PolicyChange<'_> {
    /// The same, apart from the record that it was read from.
    pub fn into_owned(self) -> PolicyChange<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        PolicyChange {
            subject: own(self.subject),
            kind: match self.kind {
                PolicyChangeKind::Put {
                    layer,
                    name,
                    document,
                } => PolicyChangeKind::Put {
                    layer,
                    name: own(name),
                    document: own(document),
                },
                PolicyChangeKind::Add { layer, document } => PolicyChangeKind::Add {
                    layer,
                    document: own(document),
                },
                PolicyChangeKind::Attach { policy } => PolicyChangeKind::Attach {
                    policy: own(policy),
                },
                PolicyChangeKind::Version { document } => PolicyChangeKind::Version {
                    document: own(document),
                },
                PolicyChangeKind::Join { group } => PolicyChangeKind::Join { group: own(group) },
                PolicyChangeKind::RemoveBoundary => PolicyChangeKind::RemoveBoundary,
            },
        }
    }
}
