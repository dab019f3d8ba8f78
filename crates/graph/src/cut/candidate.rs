//! The changes that could break a step: real edits of what the estate holds.
//!
//! Each of them only takes power away: a statement that allows goes or shrinks, a policy without
//! denials is detached, a statement that denies comes. What is reached after some changes is
//! therefore reached after fewer of them, and that is all that the search for the cheapest set
//! builds on.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_authz::aws::KmsGrant;
use portreeve_model::{EntityId, EntityKind, PolicyLayer, Relation};
use serde_json::{Map, Value};

use super::costs::ChangeKind;
use super::document::{Denial, StatementEdit, principals, statements, texts};
use super::holdings::{Editing, Held, Holdings, PermissionSet};
use super::naming::{covers_action, is_allow, names_of, names_principal, statement_name};
use crate::catalogue::{Catalogue, Permission, PermissionTarget, Yields};
use crate::evaluate::has_generated_suffix;
use crate::nodes::account_id;
use crate::path::PathStep;
use crate::wildcard::matches_any_case;

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

    /// What a taker's own policies and groups allow, and what could be denied to it.
    fn of_taker(&self, taker: &EntityId, used: &Use<'_>, found: &mut BTreeSet<Candidate>) {
        let covers = |statement: &Map<String, Value>| covers_action(statement, used.action);
        self.of_identity(taker, &covers, Some(used.action), found);
        let editing = self.holdings.editing(taker);
        if editing != Editing::Nobody {
            let kinds = match editing {
                Editing::Set(_) => [ChangeKind::DenyPermissionSet; 2],
                _ => [ChangeKind::Deny, ChangeKind::DenyEverywhere],
            };
            let at = own_policy(taker, &editing);
            let mut deny = |kind: ChangeKind, resources: Vec<String>| {
                let what = match resources.as_slice() {
                    [all] if all == "*" => "on everything".to_owned(),
                    some => format!("on {}", some.join(", ")),
                };
                let who = match &editing {
                    Editing::Set(set) => format!("all who hold permission set {}", set.name),
                    _ => taker.full_name().to_owned(),
                };
                found.insert(Candidate {
                    title: format!("Deny {} {what} to {who}", used.action),
                    kind,
                    touches: at.subjects.iter().cloned().collect(),
                    part: Part::Statement {
                        at: at.clone(),
                        edit: StatementEdit::Deny(Denial {
                            action: used.action.to_owned(),
                            resources,
                            principal: None,
                        }),
                    },
                });
            };
            if let Some(resources) = &used.on {
                deny(kinds[0], resources.clone());
            }
            deny(kinds[1], vec!["*".to_owned()]);
        }
        self.by_organization(taker, used, found);
    }

    fn by_organization(&self, taker: &EntityId, used: &Use<'_>, found: &mut BTreeSet<Candidate>) {
        let Some(entity) = self.holdings.estate.get(taker.as_str()) else {
            return;
        };
        let Some(account) = entity.account.as_deref() else {
            return;
        };
        let is_principal = matches!(entity.kind, EntityKind::User | EntityKind::Role);
        if !is_principal
            || taker.as_str().contains(":role/aws-service-role/")
            || !self.holdings.is_bound(account)
        {
            return;
        }
        let place = account_id(account);
        found.insert(Candidate {
            title: format!(
                "Deny {} to {} by a service control policy on account {account}",
                used.action,
                taker.full_name()
            ),
            kind: ChangeKind::DenyByOrganization,
            touches: BTreeSet::from([taker.clone()]),
            part: Part::Statement {
                at: Place {
                    target: place.clone(),
                    layer: PolicyLayer::ServiceControl,
                    name: DENY_POLICY.to_owned(),
                    subjects: vec![place],
                },
                edit: StatementEdit::Deny(Denial {
                    action: used.action.to_owned(),
                    resources: vec!["*".to_owned()],
                    principal: Some(taker.to_string()),
                }),
            },
        });
    }

    /// What a taker holds by its own policies and its groups, as far as it bears on a step.
    fn of_identity(
        &self,
        taker: &EntityId,
        bears: &dyn Fn(&Map<String, Value>) -> bool,
        action: Option<&str>,
        found: &mut BTreeSet<Candidate>,
    ) {
        let groups: Vec<&EntityId> = self.holdings.groups(taker.as_str()).collect();
        for subject in std::iter::once(taker).chain(groups) {
            let mut any = false;
            for held in self
                .holdings
                .policies(subject.as_str(), PolicyLayer::Identity)
            {
                let list = statements(held.document);
                let allowing: Vec<(usize, &Map<String, Value>)> = list
                    .iter()
                    .enumerate()
                    .filter(|(_, statement)| is_allow(statement) && bears(statement))
                    .collect();
                if allowing.is_empty() {
                    continue;
                }
                any = true;
                self.of_policy(subject, held, &allowing, list.len(), action, found);
            }
            let denies = || {
                let mut held = self
                    .holdings
                    .policies(subject.as_str(), PolicyLayer::Identity);
                held.any(Held::denies)
            };
            if any && subject != taker && !denies() {
                found.insert(Candidate {
                    title: format!(
                        "Take {} out of group {}",
                        taker.full_name(),
                        subject.full_name()
                    ),
                    kind: ChangeKind::LeaveGroup,
                    touches: BTreeSet::from([taker.clone()]),
                    part: Part::Leave {
                        user: taker.clone(),
                        group: subject.clone(),
                    },
                });
            }
        }
    }

    /// The edits of one policy of a principal or group.
    fn of_policy(
        &self,
        subject: &EntityId,
        held: &Held<'_>,
        allowing: &[(usize, &Map<String, Value>)],
        statements: usize,
        action: Option<&str>,
        found: &mut BTreeSet<Candidate>,
    ) {
        let editing = self.holdings.editing(subject);
        if editing == Editing::Nobody {
            return;
        }
        let policy = EntityId::from(held.name);
        if held.is_managed() && !held.denies() {
            let (target, copies, who) = match &editing {
                Editing::Set(set) => (
                    set.id.clone(),
                    set.roles.clone(),
                    format!("permission set {}", set.name),
                ),
                _ => (subject.clone(), Vec::new(), subject.full_name().to_owned()),
            };
            let touched = match copies.is_empty() {
                true => vec![subject.clone()],
                false => copies.clone(),
            };
            found.insert(Candidate {
                title: format!("Detach the policy {} from {who}", policy.short_name()),
                kind: ChangeKind::Detach,
                touches: touched.into_iter().collect(),
                part: Part::Detach {
                    target,
                    policy: held.name.to_owned(),
                    copies,
                },
            });
        }
        let (at, kinds, whose) = match (held.is_managed(), &editing) {
            // Only the account that made a managed policy edits it; AWS's own nobody does.
            (true, _) => {
                if policy.aws_account().is_none() {
                    return;
                }
                let at = Place {
                    target: policy.clone(),
                    layer: PolicyLayer::Identity,
                    name: held.name.to_owned(),
                    subjects: self.holders.get(held.name).cloned().unwrap_or_default(),
                };
                let kinds = [ChangeKind::NarrowManaged, ChangeKind::RemoveManaged];
                (
                    at,
                    kinds,
                    format!("the managed policy {}", policy.short_name()),
                )
            }
            (false, Editing::Set(set)) => {
                if held.name != PermissionSet::POLICY {
                    return;
                }
                let kinds = [
                    ChangeKind::NarrowPermissionSet,
                    ChangeKind::RemovePermissionSet,
                ];
                let whose = format!("the policy of permission set {}", set.name);
                (own_policy(subject, &editing), kinds, whose)
            }
            (false, _) => {
                let at = Place {
                    target: subject.clone(),
                    layer: PolicyLayer::Identity,
                    name: held.name.to_owned(),
                    subjects: vec![subject.clone()],
                };
                let kinds = [ChangeKind::NarrowInline, ChangeKind::RemoveInline];
                let whose = format!("policy {} of {}", held.name, subject.full_name());
                (at, kinds, whose)
            }
        };
        let touches: BTreeSet<EntityId> = at.subjects.iter().cloned().collect();
        let mut add = |kind, title: String, edit| {
            found.insert(Candidate {
                title,
                kind,
                touches: touches.clone(),
                part: Part::Statement {
                    at: at.clone(),
                    edit,
                },
            });
        };
        for &(place, statement) in allowing {
            let named = statement_name(place, statement, statements);
            let written = texts(statement.get("Action"));
            let covering =
                |pattern: &&str| action.is_some_and(|action| matches_any_case(pattern, action));
            for pattern in written.iter().copied().filter(covering) {
                // To take out everything that a statement allows is to take it out.
                let only = written.len() == 1;
                if only && pattern.contains('*') {
                    continue;
                }
                add(
                    kinds[0],
                    format!("Take {pattern} out of {named} of {whose}"),
                    StatementEdit::TakeAction {
                        statement: place,
                        pattern: pattern.to_owned(),
                    },
                );
            }
            if let Some(action) = action.filter(|_| statement.contains_key("NotAction")) {
                add(
                    kinds[0],
                    format!("Except {action} from what {named} of {whose} allows"),
                    StatementEdit::ExceptAction {
                        statement: place,
                        action: action.to_owned(),
                    },
                );
            }
            add(
                kinds[1],
                format!("Take {named} out of {whose}"),
                StatementEdit::Remove { statement: place },
            );
        }
    }

    /// What the policy of a resource, or the trust policy of a role, allows a taker.
    fn of_resource(
        &self,
        taker: &EntityId,
        target: &EntityId,
        used: &Use<'_>,
        found: &mut BTreeSet<Candidate>,
    ) {
        let known = self.holdings.estate.get(target.as_str());
        let Some(entity) = known.filter(|target| !target.inferred) else {
            return;
        };
        let (layer, kind, whose) = match entity.kind {
            EntityKind::Role => (
                PolicyLayer::Trust,
                ChangeKind::NarrowTrust,
                format!("the trust policy of {}", target.full_name()),
            ),
            _ => (
                PolicyLayer::Resource,
                ChangeKind::NarrowResource,
                format!("the policy of {}", target.full_name()),
            ),
        };
        // Roles of Identity Center and of services are trusted as those decide.
        if entity.kind == EntityKind::Role && self.holdings.editing(target) != Editing::Own {
            return;
        }
        let names = names_of(taker);
        for held in self.holdings.policies(target.as_str(), layer) {
            let list = statements(held.document);
            for (place, statement) in list.iter().enumerate() {
                if !is_allow(statement) || !covers_action(statement, used.action) {
                    continue;
                }
                let named = statement_name(place, statement, list.len());
                let at = Place {
                    target: target.clone(),
                    layer,
                    name: held.name.to_owned(),
                    subjects: vec![target.clone()],
                };
                let mut add = |kind, title, edit| {
                    found.insert(Candidate {
                        title,
                        kind,
                        touches: BTreeSet::from([target.clone()]),
                        part: Part::Statement {
                            at: at.clone(),
                            edit,
                        },
                    });
                };
                let mut is_meant = false;
                for (of, principal) in principals(statement) {
                    let own = entity.account.as_deref().unwrap_or_default();
                    let is_own_root = principal == own || *principal == *account_id(own).as_str();
                    // Without its account a key can never be edited again.
                    if entity.kind == EntityKind::Key && is_own_root {
                        continue;
                    }
                    if !names_principal(&names, of, principal) {
                        continue;
                    }
                    is_meant = true;
                    add(
                        kind,
                        format!("Take {principal} out of {named} of {whose}"),
                        StatementEdit::TakePrincipal {
                            statement: place,
                            kind: of.to_owned(),
                            principal: principal.to_owned(),
                        },
                    );
                }
                if is_meant && self.lacks_mfa && layer == PolicyLayer::Trust {
                    add(
                        ChangeKind::RequireCondition,
                        format!("Ask for a second factor in {named} of {whose}"),
                        StatementEdit::RequireMfa { statement: place },
                    );
                }
            }
        }
    }

    /// The grants on a key that let a taker in.
    fn of_grants(
        &self,
        taker: &EntityId,
        key: &EntityId,
        used: &Use<'_>,
        found: &mut BTreeSet<Candidate>,
    ) {
        let names = names_of(taker);
        for held in self.holdings.policies(key.as_str(), PolicyLayer::Grant) {
            let policy = KmsGrant::from_json(held.document).and_then(|grant| grant.as_policy());
            let list = policy.map(|policy| statements(&policy)).unwrap_or_default();
            let lets_in = list.iter().any(|statement| {
                covers_action(statement, used.action)
                    && principals(statement)
                        .into_iter()
                        .any(|(of, principal)| names_principal(&names, of, principal))
            });
            if lets_in {
                found.insert(Candidate {
                    title: format!("Revoke {} on {}", held.name, key.full_name()),
                    kind: ChangeKind::RevokeGrant,
                    touches: BTreeSet::from([key.clone()]),
                    part: Part::Revoke {
                        key: key.clone(),
                        grant: held.name.to_owned(),
                    },
                });
            }
        }
    }
}

/// The policy of its own that what is denied to a principal goes into.
fn own_policy(principal: &EntityId, editing: &Editing) -> Place {
    match editing {
        Editing::Set(set) => Place {
            target: set.id.clone(),
            layer: PolicyLayer::Identity,
            name: PermissionSet::POLICY.to_owned(),
            subjects: set.roles.clone(),
        },
        _ => Place {
            target: principal.clone(),
            layer: PolicyLayer::Identity,
            name: DENY_POLICY.to_owned(),
            subjects: vec![principal.clone()],
        },
    }
}
