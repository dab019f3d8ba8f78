//! Edges that the inventory tells by itself, whatever policies say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::{EntityKind, Estate, Relation};

use super::{Builder, ROLE_OF_WORKLOAD, some_of};
use crate::catalogue::Origin;
use crate::doors::{self, Door};
use crate::evaluate::TrustedServices;
use crate::nodes::NodeId;
use crate::permit::Permit;

impl Builder {
    /// Edges that relations are by themselves.
    pub(super) fn relate(&mut self, estate: &Estate) {
        for relation in estate.relations() {
            let (from, to, via, title) = match relation {
                Relation::Proves {
                    credential,
                    principal,
                } => (credential, principal, "proves", "Use the credential"),
                Relation::RunsAs {
                    workload,
                    principal,
                } => (
                    workload,
                    principal,
                    "runs-as",
                    "Act as the role that the workload runs as",
                ),
                Relation::Pulls {
                    workload,
                    repository,
                } => (
                    repository,
                    workload,
                    "pulled-by",
                    "Be run by the workload that pulls the image",
                ),
                Relation::Serves {
                    distribution,
                    origin,
                } => (
                    distribution,
                    origin,
                    "serves",
                    "Decide what is served in the origin's place",
                ),
                Relation::SignsInAs { person, role } => (
                    person,
                    role,
                    "signs-in-as",
                    "Sign in through the permission set",
                ),
                Relation::Stores { store, credential } => (
                    store,
                    credential,
                    "stores",
                    "Take the credential that is kept there",
                ),
                _ => continue,
            };
            let nodes = &self.evaluator.nodes;
            if let (Some(from), Some(to)) = (nodes.find(from.as_str()), nodes.find(to.as_str()))
                && from != to
            {
                self.edges.relate(from, to, via, title);
            }
        }
    }

    /// A workload of a kind that has a role, whose role the inventory does not tell, may run as
    /// any role of its account that lets its service in.
    pub(super) fn guess_roles(&mut self) {
        let nodes = &self.evaluator.nodes;
        let told = self.edges.nodes_with("runs-as");
        let mut known = TrustedServices::default();
        let mut roles: BTreeMap<(&str, &str), Arc<[NodeId]>> = BTreeMap::new();
        let mut guesses: Vec<(NodeId, Arc<[NodeId]>)> = Vec::new();
        for (place, node) in nodes.iter() {
            let service = match node.kind {
                EntityKind::Function => "lambda.amazonaws.com",
                EntityKind::BuildProject => "codebuild.amazonaws.com",
                EntityKind::Application => "tasks.apprunner.amazonaws.com",
                EntityKind::LaunchTemplate => "ec2.amazonaws.com",
                _ => continue,
            };
            if node.inferred || told.binary_search(&place).is_ok() {
                continue;
            }
            let account = node.account.as_deref().unwrap_or_default();
            let found = roles.entry((account, service)).or_insert_with(|| {
                let services = &self.evaluator.world.places.trusted_services;
                let roles = services.keys().copied();
                roles
                    .filter(|&role| {
                        nodes.get(role).account == node.account
                            && self.evaluator.trusts_service(role, service, &mut known)
                    })
                    .collect()
            });
            if !found.is_empty() {
                guesses.push((place, found.clone()));
            }
        }
        let permit = Permit {
            conditions: BTreeSet::from([ROLE_OF_WORKLOAD.to_owned()]),
            ..Permit::default()
        };
        let mut roleless = BTreeSet::new();
        let title = "Act as the role that the workload runs as, if this is it";
        for (place, roles) in guesses {
            let detail = self.edges.detail("runs-as", title, &permit, false);
            self.edges.add_many(place, &roles, detail);
            roleless.insert(place);
        }
        if !roleless.is_empty() {
            let ids = roleless.iter().map(|&place| self.evaluator.nodes.id(place));
            self.notes.push(format!(
                "the inventory does not tell which role these run as: {}",
                some_of(ids)
            ));
        }
    }

    /// Edges from identities of identity providers; those from outside are doors.
    pub(super) fn federations(&mut self) {
        let plans: Vec<(Origin, String, String)> = self
            .evaluator
            .plans
            .iter()
            .filter(|plan| plan.escalation.from != Origin::Principal)
            .map(|plan| {
                let escalation = &plan.escalation;
                (
                    escalation.from,
                    escalation.id.clone(),
                    escalation.title.clone(),
                )
            })
            .collect();
        for (origin, via, title) in plans {
            for federation in doors::federations(&self.evaluator, origin) {
                let nodes = &self.evaluator.nodes;
                let Some(from) = nodes.find(&federation.identity) else {
                    continue;
                };
                if federation.is_door {
                    self.doors.insert(Door {
                        id: nodes.id(from).clone(),
                        to: nodes.id(federation.role).clone(),
                        reason: federation.reason.clone(),
                        conditions: federation.permit.conditions.iter().cloned().collect(),
                    });
                }
                let detail = self.edges.detail(&via, &title, &federation.permit, false);
                self.edges.add(from, federation.role, detail);
            }
        }
    }
}
