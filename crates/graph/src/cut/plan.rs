//! A plan of changes: what a person reviews, what a later `portreeve apply` makes one by one, and
//! what takes it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_model::{EntityId, Estate, PolicyLayer, Relation, Revision};
use serde::{Deserialize, Serialize};

use super::costs::ChangeKind;

/// The version of [`Plan`]'s form. It rises when a reader of an older form would go wrong.
pub const PLAN_VERSION: u32 = 1;

/// Changes to make, in this order. They are taken back in the opposite order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this form, [`PLAN_VERSION`]. Whoever knows another refuses the plan.
    pub version: u32,
    /// The changes. No two make an edit of the same document.
    pub changes: Vec<Change>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            version: PLAN_VERSION,
            changes: Vec::new(),
        }
    }
}

impl Plan {
    /// How an estate changes when the plan is carried out in it. What the estate has not, as a
    /// policy that a change replaces, changes nothing.
    pub fn revision(&self, estate: &Estate) -> Revision {
        let mut revision = Revision::default();
        // What is detached is not held in another text either.
        let mut detached: BTreeSet<(&EntityId, &str)> = BTreeSet::new();
        for change in &self.changes {
            if let Edit::Attachment {
                target,
                policy,
                attached: false,
                copies,
            } = &change.edit
            {
                detached.extend(
                    held_by(target, copies)
                        .iter()
                        .map(|id| (id, policy.as_str())),
                );
            }
        }
        for change in &self.changes {
            change.edit.revise(estate, &mut revision);
        }
        revision.come.retain(|relation| match relation {
            Relation::Policy {
                subject,
                layer: PolicyLayer::Identity,
                name,
                ..
            } => !detached.contains(&(subject, name.as_str())),
            _ => true,
        });
        revision
    }

    /// The plan that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Plan {
        let changes = self.changes.iter().rev();
        Plan {
            version: self.version,
            changes: changes
                .map(|change| Change {
                    edit: change.edit.inverse(),
                    ..change.clone()
                })
                .collect(),
        }
    }
}

/// One change: one call, or a few, to the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What tells it from the others of its plan.
    pub id: String,
    /// What kinds of changes it is made of, each once.
    pub kinds: Vec<ChangeKind>,
    /// What it does, in words, one line for each part.
    pub titles: Vec<String>,
    /// What it costs: the sum of its parts, by [`Costs`](super::Costs).
    pub cost: u32,
    /// The account in which it is made.
    pub account: Option<String>,
    /// What is changed.
    pub edit: Edit,
}

/// What a change changes, with what was before and what is after, so that it can be made, checked
/// and taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "edit")]
pub enum Edit {
    /// The text of a policy. Without a text there is no such policy.
    Document {
        /// Whose policy it is: the user, role or group of an inline policy; the resource; the role
        /// of a trust policy; the permission set; the account of a service control policy; for a
        /// managed policy the policy itself.
        target: EntityId,
        /// In what capacity it holds.
        layer: PolicyLayer,
        /// The inline policy's name, the managed policy's ARN, or what the inventory calls it.
        name: String,
        /// The JSON text before.
        before: Option<Arc<str>>,
        /// The JSON text after.
        after: Option<Arc<str>>,
        /// The roles of a permission set, which have what the set has.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        copies: Vec<EntityId>,
    },
    /// Whether a managed policy is attached to a user, role, group or permission set.
    Attachment {
        /// To whom.
        target: EntityId,
        /// The policy's ARN.
        policy: String,
        /// Whether it is attached after the change; before it was the opposite.
        attached: bool,
        /// The roles of a permission set, which have what the set has.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        copies: Vec<EntityId>,
    },
    /// Whether a user is in a group.
    Membership {
        /// The user.
        user: EntityId,
        /// The group.
        group: EntityId,
        /// Whether he is in it after the change; before it was the opposite.
        member: bool,
    },
    /// Whether an access key can be used.
    AccessKey {
        /// Whose it is.
        user: EntityId,
        /// The key's id.
        key: EntityId,
        /// Whether it is active after the change; before it was the opposite.
        active: bool,
    },
    /// Whether a workload runs as a role.
    WorkloadRole {
        /// The function, instance, task, project.
        workload: EntityId,
        /// The role.
        role: EntityId,
        /// Whether it runs as the role after the change; before it was the opposite.
        runs: bool,
    },
    /// Whether a person may sign in as the role of a permission set in one account.
    Assignment {
        /// The person or group of people that the set is assigned to.
        person: EntityId,
        /// The set's role in the account.
        role: EntityId,
        /// Whether it is assigned after the change; before it was the opposite.
        assigned: bool,
    },
}

impl Edit {
    /// The edit that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Edit {
        let mut back = self.clone();
        match &mut back {
            Edit::Document { before, after, .. } => std::mem::swap(before, after),
            Edit::Attachment { attached: then, .. }
            | Edit::Membership { member: then, .. }
            | Edit::AccessKey { active: then, .. }
            | Edit::WorkloadRole { runs: then, .. }
            | Edit::Assignment { assigned: then, .. } => *then = !*then,
        }
        back
    }

    /// Adds to a revision what the edit changes in an estate.
    fn revise(&self, estate: &Estate, revision: &mut Revision) {
        let mut when = |then: bool, relation: Relation| {
            let list = if then {
                &mut revision.come
            } else {
                &mut revision.gone
            };
            list.insert(relation);
        };
        match self {
            Edit::Document {
                target,
                layer,
                name,
                after,
                copies,
                ..
            } => revise_document(estate, (target, *layer, name, copies), after, revision),
            Edit::Attachment {
                target,
                policy,
                attached,
                copies,
            } => {
                let documents: BTreeSet<&Arc<str>> = policies(estate)
                    .filter(|(_, _, name, _)| *name == policy)
                    .map(|(.., document)| document)
                    .collect();
                for subject in held_by(target, copies) {
                    for document in &documents {
                        when(
                            *attached,
                            Relation::Policy {
                                subject: subject.clone(),
                                layer: PolicyLayer::Identity,
                                name: policy.clone(),
                                document: (*document).clone(),
                            },
                        );
                    }
                }
            }
            Edit::Membership {
                user,
                group,
                member,
            } => when(
                *member,
                Relation::MemberOf {
                    member: user.clone(),
                    group: group.clone(),
                },
            ),
            Edit::AccessKey { user, key, active } => when(
                *active,
                Relation::Proves {
                    credential: key.clone(),
                    principal: user.clone(),
                },
            ),
            Edit::WorkloadRole {
                workload,
                role,
                runs,
            } => when(
                *runs,
                Relation::RunsAs {
                    workload: workload.clone(),
                    principal: role.clone(),
                },
            ),
            Edit::Assignment {
                person,
                role,
                assigned,
            } => when(
                *assigned,
                Relation::SignsInAs {
                    person: person.clone(),
                    role: role.clone(),
                },
            ),
        }
    }

    /// What is edited.
    pub fn target(&self) -> &EntityId {
        match self {
            Edit::Document { target, .. } | Edit::Attachment { target, .. } => target,
            Edit::Membership { user, .. } => user,
            Edit::AccessKey { key, .. } => key,
            Edit::WorkloadRole { workload, .. } => workload,
            Edit::Assignment { person, .. } => person,
        }
    }
}

/// Who has what is attached to a target.
fn held_by<'p>(target: &'p EntityId, copies: &'p [EntityId]) -> &'p [EntityId] {
    match copies {
        [] => std::slice::from_ref(target),
        copies => copies,
    }
}

/// The policies of an estate: whose, in what capacity, name, text.
fn policies(estate: &Estate) -> impl Iterator<Item = (&EntityId, PolicyLayer, &String, &Arc<str>)> {
    estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::Policy {
                subject,
                layer,
                name,
                document,
            } => Some((subject, *layer, name, document)),
            _ => None,
        })
}

/// A text takes the place of what its holders have of that name.
fn revise_document(
    estate: &Estate,
    (target, layer, name, copies): (&EntityId, PolicyLayer, &String, &[EntityId]),
    after: &Option<Arc<str>>,
    revision: &mut Revision,
) {
    let is_managed = target.as_str() == name;
    let mut holders: BTreeSet<(&EntityId, PolicyLayer)> = BTreeSet::new();
    if !is_managed {
        holders.extend(
            held_by(target, copies)
                .iter()
                .map(|subject| (subject, layer)),
        );
    }
    for (subject, its_layer, its_name, document) in policies(estate) {
        let is_meant = its_name == name
            && match is_managed {
                true => matches!(its_layer, PolicyLayer::Identity | PolicyLayer::Boundary),
                false => holders.contains(&(subject, its_layer)),
            };
        if is_meant {
            holders.insert((subject, its_layer));
            revision.gone.insert(Relation::Policy {
                subject: subject.clone(),
                layer: its_layer,
                name: name.clone(),
                document: document.clone(),
            });
        }
    }
    for (subject, layer) in holders {
        revision
            .come
            .extend(after.iter().map(|document| Relation::Policy {
                subject: subject.clone(),
                layer,
                name: name.clone(),
                document: document.clone(),
            }));
    }
}
