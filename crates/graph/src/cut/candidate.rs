//! The changes that could break a step: real edits of what the estate holds.
//!
//! Each of them only takes power away: a statement that allows goes or shrinks, a policy without
//! denials is detached, a statement that denies comes. What is reached after some changes is
//! therefore reached after fewer of them, and that is all that the search for the cheapest set
//! builds on.

mod identity;
mod resource;

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{EntityId, EntityKind, PolicyLayer, Relation};
use serde_json::{Map, Value};

use super::costs::ChangeKind;
use super::document::{StatementEdit, texts};
use super::holdings::Holdings;
use crate::catalogue::{Catalogue, Permission, PermissionTarget, Yields};
use crate::evaluate::has_generated_suffix;
use crate::path::PathStep;

/// The name of the policy that holds what a cut denies.
pub(super) const DENY_POLICY: &str = "PortreeveCut";

/// One edit of the estate, the smallest that a cut is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Of a policy's text.
    Statement { at: Place, edit: StatementEdit },
    /// A managed policy is detached from a principal, or a permission set with its roles.
    Detach {
        target: EntityId,
        policy: String,
        copies: Vec<EntityId>,
    },
    /// A grant on a key is revoked.
    Revoke { key: EntityId, grant: String },
    /// A user leaves a group.
    Leave { user: EntityId, group: EntityId },
    /// A key is deactivated.
    Deactivate { key: EntityId, user: EntityId },
    /// A workload no longer runs as a role.
    TakeRole { workload: EntityId, role: EntityId },
    /// A person no longer signs in as a role.
    Unassign { person: EntityId, role: EntityId },
}

/// Where a policy is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// What it is a policy of; for a managed policy the policy itself.
    pub(super) target: EntityId,
    pub(super) layer: PolicyLayer,
    pub(super) name: String,
    /// Whose text it is in the estate: the same but for managed policies and permission sets.
    pub(super) subjects: Vec<EntityId>,
}

/// A change that a cut may be made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) part: Part,
    pub(super) kind: ChangeKind,
    pub(super) title: String,
    /// Ids of the estate whose powers it may lessen.
    pub(super) touches: BTreeSet<EntityId>,
}

/// Finds candidates.
pub(super) struct Candidates<'e> {
    holdings: &'e Holdings<'e>,
    catalogue: &'e Catalogue,
    holders: BTreeMap<&'e str, Vec<EntityId>>,
    /// Whether a request is known to carry no second factor, so that to ask for one stops it.
    lacks_mfa: bool,
}

/// What a step uses: one action, on what.
struct Use<'s> {
    action: &'s str,
    /// The resource, where it is known which; else any.
    on: Option<Vec<String>>,
}

impl<'e> Candidates<'e> {
    pub(super) fn new(
        holdings: &'e Holdings<'e>,
        catalogue: &'e Catalogue,
        lacks_mfa: bool,
    ) -> Self {
        let mut holders: BTreeMap<&str, Vec<EntityId>> = BTreeMap::new();
        for relation in holdings.estate.relations() {
            if let Relation::Policy {
                subject,
                layer: PolicyLayer::Identity | PolicyLayer::Boundary,
                name,
                ..
            } = relation
                && super::holdings::is_managed(name)
            {
                holders.entry(name).or_default().push(subject.clone());
            }
        }
        Self {
            holdings,
            catalogue,
            holders,
            lacks_mfa,
        }
    }

    /// The changes that may break a step.
    pub(super) fn of_step(&self, step: &PathStep, found: &mut BTreeSet<Candidate>) {
        match step.via.as_str() {
            "proves" => self.of_key(&step.from, &step.to, found),
            "stores" => self.of_stored(&step.to, found),
            "runs-as" => self.of_workload(step, found),
            "signs-in-as" => self.of_person(step, found),
            "administers" | "pulled-by" | "serves" | "signs-for" | "owner-of" => {}
            "administrator" => self.of_administrator(&step.from, found),
            via => {
                let escalation = self.catalogue.get(via);
                let needs = escalation.into_iter().flat_map(|known| &known.needs);
                let permissions: Vec<&Permission> = needs.flat_map(|need| &need.any_of).collect();
                let on_target = escalation.is_none_or(|escalation| {
                    matches!(escalation.yields, Yields::Target | Yields::Read)
                });
                for action in &step.permissions {
                    let permission = permissions.iter().find(|known| known.action == *action);
                    let on = permission
                        .filter(|_| on_target)
                        .and_then(|known| self.resources(&known.on, &step.to));
                    let used = Use { action, on };
                    self.of_taker(&step.from, &used, found);
                    self.of_resource(&step.from, &step.to, &used, found);
                    self.of_grants(&step.from, &step.to, &used, found);
                }
            }
        }
    }

    fn resources(&self, on: &PermissionTarget, target: &EntityId) -> Option<Vec<String>> {
        let id = target.to_string();
        match on {
            PermissionTarget::Some(_) => None,
            PermissionTarget::InTarget => Some(vec![format!("{id}/*")]),
            PermissionTarget::Target => {
                let kind = self.holdings.estate.get(&id).map(|target| target.kind);
                let inside = format!("{id}/*");
                Some(match kind.is_some_and(has_generated_suffix) {
                    true => vec![id, inside],
                    false => vec![id],
                })
            }
        }
    }

    fn of_key(&self, key: &EntityId, user: &EntityId, found: &mut BTreeSet<Candidate>) {
        let entity = self.holdings.estate.get(key.as_str());
        let relation = Relation::Proves {
            credential: key.clone(),
            principal: user.clone(),
        };
        let is_key = entity.is_some_and(|key| key.kind == EntityKind::AccessKey);
        if is_key && self.holdings.has(&relation) {
            found.insert(Candidate {
                title: format!("Deactivate access key {key} of {}", user.short_name()),
                kind: ChangeKind::DeactivateKey,
                touches: BTreeSet::from([key.clone(), user.clone()]),
                part: Part::Deactivate {
                    key: key.clone(),
                    user: user.clone(),
                },
            });
        }
    }

    /// A key that lies in a store: to deactivate it makes the store worthless.
    fn of_stored(&self, credential: &EntityId, found: &mut BTreeSet<Candidate>) {
        for relation in self.holdings.estate.relations() {
            if let Relation::Proves {
                credential: key,
                principal,
            } = relation
                && key == credential
            {
                self.of_key(key, principal, found);
            }
        }
    }

    fn of_workload(&self, step: &PathStep, found: &mut BTreeSet<Candidate>) {
        let (workload, role) = (step.from.clone(), step.to.clone());
        let relation = Relation::RunsAs {
            workload: workload.clone(),
            principal: role.clone(),
        };
        if self.holdings.has(&relation) {
            found.insert(Candidate {
                title: format!(
                    "Take the role {} off {}",
                    role.short_name(),
                    workload.short_name()
                ),
                kind: ChangeKind::TakeRole,
                touches: BTreeSet::from([workload.clone(), role.clone()]),
                part: Part::TakeRole { workload, role },
            });
        }
    }

    fn of_person(&self, step: &PathStep, found: &mut BTreeSet<Candidate>) {
        let (person, role) = (step.from.clone(), step.to.clone());
        let name = self.holdings.estate.get(person.as_str());
        let name = name.and_then(|person| person.attributes.get("UserName"));
        let name = name.map_or(person.short_name(), String::as_str);
        found.insert(Candidate {
            title: format!(
                "Take the assignment of {} in {} from {name}",
                role.short_name(),
                role.aws_account().unwrap_or_default()
            ),
            kind: ChangeKind::RemoveAssignment,
            touches: BTreeSet::from([person.clone(), role.clone()]),
            part: Part::Unassign { person, role },
        });
    }

    /// What makes an administrator: any statement whose loss could end it.
    fn of_administrator(&self, taker: &EntityId, found: &mut BTreeSet<Candidate>) {
        let is_wide = |statement: &Map<String, Value>| {
            statement.contains_key("NotAction")
                || texts(statement.get("Action"))
                    .iter()
                    .any(|action| action.contains('*'))
        };
        self.of_identity(taker, &is_wide, None, found);
    }
}
