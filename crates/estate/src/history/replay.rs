//! An inventory changed spot by spot into the estate of another instant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::{Entity, EntityId, EntityKind, Estate, Held, PolicyLayer, Relation, Spot};

use super::shown::has_policy;
use super::spot_of;

/// The name of what may hold beside what is told.
const OTHER: &str = "other policies of that time, of which the logs do not tell";

/// The estate in the making.
pub(super) struct Replay<'h> {
    estate: Estate,
    relations: BTreeSet<Relation>,
    /// What the inventory shows, by spot: several where files of different days differ.
    shown: BTreeMap<Spot, Vec<Relation>>,
    accounts: &'h BTreeMap<EntityId, String>,
    dead: BTreeSet<EntityId>,
    /// Roles that the inventory does not show.
    roles: BTreeSet<EntityId>,
}

impl<'h> Replay<'h> {
    pub(super) fn new(inventory: &Estate, accounts: &'h BTreeMap<EntityId, String>) -> Self {
        let mut estate = inventory.clone();
        let relations: BTreeSet<Relation> = estate.take_relations().into_iter().collect();
        let mut shown: BTreeMap<Spot, Vec<Relation>> = BTreeMap::new();
        for relation in &relations {
            if let Some(spot) = spot_of(relation) {
                shown.entry(spot).or_default().push(relation.clone());
            }
        }
        Self {
            estate,
            relations,
            shown,
            accounts,
            dead: BTreeSet::new(),
            roles: BTreeSet::new(),
        }
    }

    /// Makes a spot hold something.
    pub(super) fn set(&mut self, spot: &Spot, held: &Held) {
        match spot {
            Spot::Entity { id, kind } => self.set_entity(id, *kind, held),
            Spot::Relation(relation) => self.set_relation(spot, relation, held),
            Spot::Document {
                subject,
                layer,
                name,
            } => self.set_document(spot, subject, *layer, name, held),
            Spot::Version { .. } => {}
            Spot::Boundary { subject } => {
                self.clear(spot);
                match held {
                    Held::Nothing => {}
                    Held::Text(arn) => self.attach(subject, PolicyLayer::Boundary, arn),
                    _ => {
                        let name = "permissions boundary of that time, which is not known";
                        self.attach(subject, PolicyLayer::Boundary, name);
                    }
                }
            }
            Spot::RunsAs { workload } => {
                self.relations.retain(|relation| {
                    !matches!(relation, Relation::RunsAs { workload: it, .. } if it == workload)
                });
                if let Held::Text(role) = held {
                    self.relations.insert(Relation::RunsAs {
                        workload: workload.clone(),
                        principal: EntityId::from(&**role),
                    });
                }
            }
            Spot::Tag { entity, key } => self.change(entity, held, |entity| {
                match held {
                    Held::Text(value) => {
                        entity.tags.insert(key.clone(), value.to_string());
                    }
                    _ => {
                        entity.tags.remove(key);
                    }
                };
            }),
            Spot::Attribute { entity, name } => self.change(entity, &Held::Nothing, |entity| {
                match held {
                    Held::Text(value) => {
                        entity.attributes.insert(name.clone(), value.to_string());
                    }
                    _ => {
                        entity.attributes.remove(name);
                    }
                };
            }),
        }
    }

    /// Users, roles, groups, accounts and resources with policies, those that are not there aside.
    pub(super) fn holders(&self) -> Vec<(EntityId, EntityKind)> {
        self.estate
            .entities()
            .filter(|entity| !self.dead.contains(&entity.id))
            .filter(|entity| {
                has_policy(entity.kind)
                    || matches!(
                        entity.kind,
                        EntityKind::User
                            | EntityKind::Role
                            | EntityKind::Group
                            | EntityKind::Account
                            | EntityKind::PermissionSet
                    )
            })
            .map(|entity| (entity.id.clone(), entity.kind))
            .collect()
    }

    /// Something may hold beside what is told.
    pub(super) fn other(&mut self, id: &EntityId, kind: EntityKind) {
        let layer = match kind {
            EntityKind::Account => PolicyLayer::ServiceControl,
            kind if has_policy(kind) => PolicyLayer::Resource,
            _ => PolicyLayer::Identity,
        };
        if layer == PolicyLayer::Resource {
            let is_own = |relation: &Relation| matches!(relation, Relation::Policy { subject, layer: PolicyLayer::Resource, .. } if subject == id);
            self.relations.retain(|relation| !is_own(relation));
        }
        self.attach(id, layer, OTHER);
    }

    /// The estate, before conclusions are drawn, and what is not there.
    pub(super) fn finish(mut self) -> (Estate, BTreeSet<EntityId>) {
        // Every role trusts somebody.
        for id in std::mem::take(&mut self.roles) {
            let is_trust = |relation: &Relation| matches!(relation, Relation::Policy { subject, layer: PolicyLayer::Trust, .. } if *subject == id);
            if !self.relations.iter().any(is_trust) {
                let name = "trust policy of that time, whose text the logs do not tell";
                self.attach(&id, PolicyLayer::Trust, name);
            }
        }
        // What proves somebody who is not there proves nobody.
        let mut gone = self.dead.clone();
        for relation in &self.relations {
            if let Relation::Proves {
                credential,
                principal,
            } = relation
                && self.dead.contains(principal)
            {
                gone.insert(credential.clone());
            }
        }
        for id in &gone {
            self.estate.remove(id);
        }
        for relation in self.relations {
            let lost = match &relation {
                Relation::MemberOf { member, group } => {
                    gone.contains(member) || gone.contains(group)
                }
                Relation::Policy { subject, .. } => gone.contains(subject),
                Relation::Proves {
                    credential,
                    principal,
                } => gone.contains(credential) || gone.contains(principal),
                Relation::RunsAs { workload, .. } | Relation::Pulls { workload, .. } => {
                    gone.contains(workload)
                }
                Relation::Contains { child, .. } => gone.contains(child),
                Relation::Serves { distribution, .. } => gone.contains(distribution),
                _ => false,
            };
            if !lost {
                self.estate.relate(relation);
            }
        }
        self.estate.finish();
        (self.estate, gone)
    }

    fn set_entity(&mut self, id: &EntityId, kind: EntityKind, held: &Held) {
        if *held == Held::Nothing {
            self.dead.insert(id.clone());
            return;
        }
        let is_certain = *held != Held::Unknown;
        let known = self.estate.get(id.as_str());
        if known.is_some_and(|known| known.inferred != is_certain) {
            return;
        }
        let mut entity = self.estate.remove(id).unwrap_or_else(|| {
            if kind == EntityKind::Role {
                self.roles.insert(id.clone());
            }
            let mut entity = Entity::new(id.clone(), kind);
            entity.account = entity.account.or_else(|| self.accounts.get(id).cloned());
            entity
        });
        entity.inferred = !is_certain;
        self.estate.add(entity);
    }

    fn change(&mut self, id: &EntityId, held: &Held, change: impl FnOnce(&mut Entity)) {
        if let Some(mut entity) = self.estate.remove(id) {
            change(&mut entity);
            // Whether a key that is not among its tags is absent is not known then.
            entity.inferred |= matches!(held, Held::Unknown | Held::Something);
            self.estate.add(entity);
        }
    }

    fn set_relation(&mut self, spot: &Spot, relation: &Relation, held: &Held) {
        match (held, relation) {
            (Held::Text(_), _) => {
                self.relations.insert(relation.clone());
            }
            (Held::Nothing, _) => {
                self.relations.remove(relation);
            }
            (
                _,
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    ..
                },
            ) => {
                self.clear(spot);
                self.relations.remove(relation);
                let name = EntityId::from(name.as_str());
                let name = format!("{}, if it was attached at that time", name.short_name());
                self.attach(subject, *layer, &name);
            }
            (_, Relation::MemberOf { member, group }) => {
                self.relations.remove(relation);
                let name = format!(
                    "policies of the group {}, if {} was in it at that time",
                    group.short_name(),
                    member.short_name()
                );
                self.attach(member, PolicyLayer::Identity, &name);
            }
            (_, Relation::Contains { child, .. }) => {
                self.attach(child, PolicyLayer::ServiceControl, OTHER);
            }
            _ => {}
        }
    }

    fn set_document(
        &mut self,
        spot: &Spot,
        subject: &EntityId,
        layer: PolicyLayer,
        name: &str,
        held: &Held,
    ) {
        let shown = self.clear(spot);
        let called = match (name, layer) {
            ("", PolicyLayer::Trust) => "trust policy",
            ("", _) => "resource policy",
            (name, _) => name,
        };
        let is_definition = name == subject.as_str();
        match held {
            Held::Nothing => {}
            Held::Text(document) => {
                // What the inventory calls it stays.
                let name = match shown.as_slice() {
                    [Relation::Policy { name, .. }] => name.clone(),
                    _ => called.to_owned(),
                };
                self.relations.insert(Relation::Policy {
                    subject: subject.clone(),
                    layer,
                    name,
                    document: document.clone(),
                });
            }
            // Without a definition whoever it is attached to has a policy without a text.
            _ if is_definition => {}
            _ => {
                let name = format!("{called} of that time, whose text the logs do not tell");
                self.attach(subject, layer, &name);
            }
        }
    }

    /// Takes away what the inventory shows of a spot.
    fn clear(&mut self, spot: &Spot) -> Vec<Relation> {
        let shown = self.shown.remove(spot).unwrap_or_default();
        for relation in &shown {
            self.relations.remove(relation);
        }
        shown
    }

    /// Attaches a policy, whose text is found by its ARN, or is not known.
    fn attach(&mut self, subject: &EntityId, layer: PolicyLayer, name: &str) {
        self.relations.insert(Relation::Policy {
            subject: subject.clone(),
            layer,
            name: name.to_owned(),
            document: Arc::from(""),
        });
    }
}
