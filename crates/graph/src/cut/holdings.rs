//! What an estate holds, by whom it is held: where a change would be made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer, Relation};

use super::document::statements;

/// What roles that Identity Center made of a permission set begin with, in the account.
const RESERVED: &str = "AWSReservedSSO_";

/// What Identity Center calls a set's own policy in the roles that it makes.
const SET_POLICY: &str = "AwsSSOInlinePolicy";

/// A policy as it is held.
#[derive(Clone, Debug)]
pub(super) struct Held<'e> {
    pub(super) layer: PolicyLayer,
    pub(super) name: &'e str,
    pub(super) document: &'e Arc<str>,
}

impl Held<'_> {
    /// The relation that says that someone or something has it.
    pub(super) fn relation(&self, subject: &EntityId) -> Relation {
        Relation::Policy {
            subject: subject.clone(),
            layer: self.layer,
            name: self.name.to_owned(),
            document: self.document.clone(),
        }
    }

    /// Whether it is a managed policy: those are named by their ARN.
    pub(super) fn is_managed(&self) -> bool {
        self.layer == PolicyLayer::Identity && is_managed(self.name)
    }

    /// Whether any of its statements denies: to take it away could open what it denies.
    pub(super) fn denies(&self) -> bool {
        let allows = |effect| effect == Some("Allow");
        statements(self.document)
            .iter()
            .any(|statement| !allows(statement.get("Effect").and_then(|effect| effect.as_str())))
    }
}

/// Whether a policy's name is a managed policy's ARN.
pub(super) fn is_managed(name: &str) -> bool {
    name.starts_with("arn:") && name.contains(":policy/")
}

/// Who may edit a principal's own policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Editing {
    /// Its account may.
    Own,
    /// It is a role that Identity Center made of a permission set: only there, and then for all
    /// roles of the set.
    Set(PermissionSet),
    /// Nobody may: a service's own role, or one that no inventory shows.
    Nobody,
}

/// A permission set with the roles that are made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PermissionSet {
    /// The set where the inventory has it, else the first of its roles.
    pub(super) id: EntityId,
    pub(super) name: String,
    pub(super) roles: Vec<EntityId>,
}

impl PermissionSet {
    /// What its own policy is called in its roles.
    pub(super) const POLICY: &'static str = SET_POLICY;
}

/// Everything that a change may be about.
pub(super) struct Holdings<'e> {
    pub(super) estate: &'e Estate,
    policies: BTreeMap<&'e str, Vec<Held<'e>>>,
    groups: BTreeMap<&'e str, BTreeSet<&'e EntityId>>,
    relations: BTreeSet<&'e Relation>,
    sets: BTreeMap<String, PermissionSet>,
    management: BTreeSet<&'e str>,
    /// Accounts that are in an organization, by number.
    members: BTreeSet<&'e str>,
}

impl<'e> Holdings<'e> {
    pub(super) fn of(estate: &'e Estate) -> Self {
        let mut holdings = Self {
            estate,
            policies: BTreeMap::new(),
            groups: BTreeMap::new(),
            relations: BTreeSet::new(),
            sets: sets(estate),
            management: BTreeSet::new(),
            members: BTreeSet::new(),
        };
        for relation in estate.relations() {
            match relation {
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    document,
                } => {
                    let held = holdings.policies.entry(subject.as_str()).or_default();
                    held.push(Held {
                        layer: *layer,
                        name,
                        document,
                    });
                }
                Relation::MemberOf { member, group } => {
                    let groups = holdings.groups.entry(member.as_str()).or_default();
                    groups.insert(group);
                }
                Relation::ManagementAccount { account } => {
                    holdings.management.extend(account.aws_account());
                }
                Relation::Contains { parent, child } => {
                    let kind = estate.get(parent.as_str()).map(|parent| parent.kind);
                    if matches!(
                        kind,
                        Some(EntityKind::Organization | EntityKind::OrganizationalUnit)
                    ) {
                        holdings.members.extend(child.aws_account());
                    }
                }
                Relation::Proves { .. } | Relation::RunsAs { .. } | Relation::SignsInAs { .. } => {
                    holdings.relations.insert(relation);
                }
                _ => {}
            }
        }
        holdings
    }

    /// The policies of someone or something, of one layer.
    pub(super) fn policies(&self, of: &str, layer: PolicyLayer) -> impl Iterator<Item = &Held<'e>> {
        let held = self.policies.get(of).into_iter().flatten();
        held.filter(move |held| held.layer == layer)
    }

    /// The text of one policy.
    pub(super) fn document(&self, of: &str, layer: PolicyLayer, name: &str) -> Option<&Arc<str>> {
        let mut held = self.policies(of, layer);
        held.find(|held| held.name == name)
            .map(|held| held.document)
    }

    /// The groups of a user.
    pub(super) fn groups(&self, user: &str) -> impl Iterator<Item = &'e EntityId> {
        self.groups.get(user).into_iter().flatten().copied()
    }

    /// Whether a key proves someone, a workload runs as a role, a person signs in as one.
    pub(super) fn has(&self, relation: &Relation) -> bool {
        self.relations.contains(relation)
    }

    /// Who may edit a principal's own policies.
    pub(super) fn editing(&self, principal: &EntityId) -> Editing {
        let known = self.estate.get(principal.as_str());
        let Some(entity) = known.filter(|entity| !entity.inferred) else {
            return Editing::Nobody;
        };
        let is_edited = matches!(
            entity.kind,
            EntityKind::User | EntityKind::Role | EntityKind::Group
        );
        if !is_edited || principal.as_str().contains(":role/aws-service-role/") {
            return Editing::Nobody;
        }
        match set_of(principal) {
            Some(set) => match self.sets.get(set) {
                Some(set) => Editing::Set(set.clone()),
                None => Editing::Nobody,
            },
            None => Editing::Own,
        }
    }

    /// Whether a service control policy binds what an account's principals do: it is in an
    /// organization, and not its management account.
    pub(super) fn is_bound(&self, account: &str) -> bool {
        self.members.contains(account) && !self.management.contains(account)
    }
}

/// The name of the permission set that a role was made of.
fn set_of(role: &EntityId) -> Option<&str> {
    let name = role.short_name().strip_prefix(RESERVED)?;
    name.rsplit_once('_').map(|(set, _)| set)
}

fn sets(estate: &Estate) -> BTreeMap<String, PermissionSet> {
    let mut sets: BTreeMap<String, PermissionSet> = BTreeMap::new();
    for entity in estate.entities() {
        if entity.kind == EntityKind::Role
            && !entity.inferred
            && let Some(name) = set_of(&entity.id)
        {
            let set = sets
                .entry(name.to_owned())
                .or_insert_with(|| PermissionSet {
                    id: entity.id.clone(),
                    name: name.to_owned(),
                    roles: Vec::new(),
                });
            set.roles.push(entity.id.clone());
        }
    }
    for entity in estate.entities() {
        if entity.kind == EntityKind::PermissionSet
            && let Some(set) = entity
                .attributes
                .get("Name")
                .and_then(|name| sets.get_mut(name))
        {
            set.id = entity.id.clone();
        }
    }
    sets
}
