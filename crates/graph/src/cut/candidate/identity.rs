//! Changes of what a principal holds by its own policies and its groups, and of what may be denied to it.

use std::collections::BTreeSet;

use portreeve_model::{EntityId, EntityKind, PolicyLayer};
use serde_json::{Map, Value};

use super::super::costs::ChangeKind;
use super::super::document::{Denial, StatementEdit, statements, texts};
use super::super::holdings::{Editing, Held, PermissionSet};
use super::super::naming::{covers_action, is_allow, statement_name};
use super::{Candidate, Candidates, DENY_POLICY, Part, Place, Use};
use crate::nodes::account_id;
use crate::wildcard::matches_any_case;

impl Candidates<'_> {
    /// What a taker's own policies and groups allow, and what could be denied to it.
    pub(super) fn of_taker(
        &self,
        taker: &EntityId,
        used: &Use<'_>,
        found: &mut BTreeSet<Candidate>,
    ) {
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
    pub(super) fn of_identity(
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
