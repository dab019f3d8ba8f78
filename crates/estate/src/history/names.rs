//! Ids as records tell them to ids as the estate has them.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{Effect, EntityId, Estate, PolicyLayer, Relation, Spot};

use crate::arn;

/// Calls name a user or role without its path, a secret without its random ending, an
/// organization's policy by its short id.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: BTreeSet<EntityId>,
    by_name: BTreeMap<String, EntityId>,
}

impl Names {
    /// The names of what the inventory holds, and of what changes make.
    pub(super) fn new<'e>(estate: &Estate, effects: impl Iterator<Item = &'e Effect>) -> Self {
        let mut names = Self::default();
        for entity in estate.entities().filter(|entity| !entity.inferred) {
            names.add(&entity.id);
        }
        for relation in estate.relations() {
            if let Relation::Policy { subject, name, .. } = relation {
                names.add(subject);
                names.add(&EntityId::from(name.as_str()));
            }
        }
        for effect in effects {
            if matches!(effect.spot, Spot::Entity { .. } | Spot::Document { .. }) {
                names.add(effect.spot.subject());
            }
        }
        names
    }

    fn add(&mut self, id: &EntityId) {
        self.known.insert(id.clone());
        if let Some(name) = name(id.as_str())
            && name != id.as_str()
        {
            // The longer id tells the path.
            let known = self.by_name.entry(name).or_insert_with(|| id.clone());
            if id.as_str().len() > known.as_str().len() {
                *known = id.clone();
            }
        }
    }

    /// The id that is meant.
    pub(super) fn id(&self, id: &EntityId) -> EntityId {
        let meant = self.by_name.get(id.as_str());
        match meant {
            Some(meant) => meant.clone(),
            None => id.clone(),
        }
    }

    fn text(&self, id: &str) -> String {
        self.by_name
            .get(id)
            .map_or_else(|| id.to_owned(), ToString::to_string)
    }

    /// The spot that is meant.
    pub(super) fn spot(&self, spot: &Spot) -> Spot {
        match spot.clone() {
            Spot::Entity { id, kind } => Spot::Entity {
                id: self.id(&id),
                kind,
            },
            Spot::Document {
                subject,
                layer,
                name,
            } => {
                let is_own = name == subject.as_str();
                let subject = self.id(&subject);
                Spot::Document {
                    layer: organization_layer(subject.as_str()).unwrap_or(layer),
                    name: if is_own { subject.to_string() } else { name },
                    subject,
                }
            }
            Spot::Version { policy, version } => Spot::Version {
                policy: self.id(&policy),
                version,
            },
            Spot::Boundary { subject } => Spot::Boundary {
                subject: self.id(&subject),
            },
            Spot::RunsAs { workload } => Spot::RunsAs {
                workload: self.id(&workload),
            },
            Spot::Tag { entity, key } => Spot::Tag {
                entity: self.id(&entity),
                key,
            },
            Spot::Attribute { entity, name } => Spot::Attribute {
                entity: self.id(&entity),
                name,
            },
            Spot::Relation(Relation::Policy {
                subject,
                layer,
                name,
                document,
            }) => {
                let name = self.text(&name);
                Spot::Relation(Relation::Policy {
                    subject: self.id(&subject),
                    layer: organization_layer(&name).unwrap_or(layer),
                    name,
                    document,
                })
            }
            Spot::Relation(Relation::MemberOf { member, group }) => {
                Spot::Relation(Relation::MemberOf {
                    member: self.id(&member),
                    group: self.id(&group),
                })
            }
            Spot::Relation(Relation::Proves {
                credential,
                principal,
            }) => {
                let principal = self.id(&principal);
                Spot::Relation(Relation::Proves {
                    credential,
                    principal,
                })
            }
            other => other,
        }
    }
}

/// The layer that the ARN of an organization's policy tells.
fn organization_layer(policy: &str) -> Option<PolicyLayer> {
    if policy.contains("/service_control_policy/") {
        Some(PolicyLayer::ServiceControl)
    } else if policy.contains("/resource_control_policy/") {
        Some(PolicyLayer::ResourceControl)
    } else {
        None
    }
}

/// How a call names what has this id.
fn name(id: &str) -> Option<String> {
    let [partition, service, region, account, resource] = arn::parts(id)?;
    match service {
        "iam" => {
            let (kind, path) = resource.split_once('/')?;
            let name = path.rsplit('/').next()?;
            Some(format!("arn:{partition}:iam::{account}:{kind}/{name}"))
        }
        "secretsmanager" => {
            let (name, ending) = resource.rsplit_once('-')?;
            (ending.len() == 6)
                .then(|| format!("arn:{partition}:{service}:{region}:{account}:{name}"))
        }
        "organizations" => Some(resource.rsplit('/').next()?.to_owned()),
        _ => None,
    }
}
