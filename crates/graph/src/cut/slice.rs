//! A part of an estate that is small enough to be built anew for each question: some nodes with
//! all that decides what they may do to one another.
//!
//! Whoever reaches something in the part reaches it in the whole: every policy that bears on its
//! nodes is in it, those that deny too. Ways over other nodes are not in it.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation};

/// An estate's relations, by what they are about.
pub(super) struct Slicer<'e> {
    estate: &'e Estate,
    about: BTreeMap<&'e EntityId, Vec<&'e Relation>>,
    /// What every part has: accounts, and the organization above them.
    frame: Vec<&'e Relation>,
    places: Vec<&'e Entity>,
}

/// A part of an estate.
pub(super) struct Slice {
    pub(super) estate: Estate,
    /// Those whose policies are in it.
    pub(super) subjects: BTreeSet<EntityId>,
}

impl<'e> Slicer<'e> {
    pub(super) fn of(estate: &'e Estate) -> Self {
        let mut slicer = Self {
            estate,
            about: BTreeMap::new(),
            frame: Vec::new(),
            places: estate
                .entities()
                .filter(|entity| is_place(entity))
                .collect(),
        };
        for relation in estate.relations() {
            let about: [Option<&EntityId>; 2] = match relation {
                Relation::Contains { child, .. } => {
                    if slicer.is_frame(child) {
                        slicer.frame.push(relation);
                    }
                    continue;
                }
                Relation::ManagementAccount { .. } => {
                    slicer.frame.push(relation);
                    continue;
                }
                Relation::Policy {
                    subject,
                    layer: PolicyLayer::ServiceControl | PolicyLayer::ResourceControl,
                    ..
                } if slicer.is_frame(subject) => {
                    slicer.frame.push(relation);
                    continue;
                }
                Relation::Policy { subject, .. } => [Some(subject), None],
                Relation::MemberOf { member, .. } => [Some(member), None],
                Relation::Proves {
                    credential: one,
                    principal: other,
                }
                | Relation::RunsAs {
                    workload: one,
                    principal: other,
                }
                | Relation::Pulls {
                    workload: one,
                    repository: other,
                }
                | Relation::Serves {
                    distribution: one,
                    origin: other,
                }
                | Relation::SignsInAs {
                    person: one,
                    role: other,
                }
                | Relation::Stores {
                    store: one,
                    credential: other,
                }
                | Relation::SignsFor {
                    signer: one,
                    wallet: other,
                }
                | Relation::OwnerOf {
                    owner: one,
                    wallet: other,
                    ..
                } => [Some(one), Some(other)],
                Relation::Kind { .. } => continue,
            };
            for id in about.into_iter().flatten() {
                slicer.about.entry(id).or_default().push(relation);
            }
        }
        slicer
    }

    /// Whether something is in every part: an account, or what accounts are in.
    pub(super) fn is_frame(&self, id: &EntityId) -> bool {
        self.estate.get(id.as_str()).is_some_and(is_place)
    }

    /// The part with these nodes.
    pub(super) fn slice(&self, nodes: &BTreeSet<EntityId>) -> Slice {
        let mut subjects = nodes.clone();
        // A step onto an account may be taken by joining a group of its administrators.
        let groups = self.estate.entities();
        let groups = groups.filter(|entity| entity.kind == EntityKind::Group);
        subjects.extend(groups.map(|group| group.id.clone()));
        for id in nodes {
            for relation in self.about.get(id).into_iter().flatten() {
                if let Relation::MemberOf { group, .. } = relation {
                    subjects.insert(group.clone());
                }
            }
        }
        let mut ids: BTreeSet<&EntityId> = subjects.iter().collect();
        let mut part = Estate::default();
        for id in &subjects {
            for &relation in self.about.get(id).into_iter().flatten() {
                match relation {
                    // Without its role a workload would be taken to run as any.
                    Relation::RunsAs { principal, .. } => {
                        ids.insert(principal);
                    }
                    // A policy that is a thing of its own may be edited: that is a step too.
                    Relation::Policy { name, .. } => {
                        let edited = self.estate.get(name).map(|policy| &policy.id);
                        ids.extend(edited);
                    }
                    Relation::MemberOf { .. } => {}
                    // What serves a bucket, or runs an image, makes it what it is.
                    Relation::Serves { distribution, .. } => {
                        ids.insert(distribution);
                    }
                    Relation::Pulls { workload, .. } => {
                        ids.insert(workload);
                    }
                    Relation::Proves {
                        credential: one,
                        principal: other,
                    }
                    | Relation::SignsInAs {
                        person: one,
                        role: other,
                    }
                    | Relation::Stores {
                        store: one,
                        credential: other,
                    }
                    | Relation::SignsFor {
                        signer: one,
                        wallet: other,
                    }
                    | Relation::OwnerOf {
                        owner: one,
                        wallet: other,
                        ..
                    } if !(subjects.contains(one) && subjects.contains(other)) => continue,
                    _ => {}
                }
                part.relate(relation.clone());
            }
        }
        for &relation in &self.frame {
            part.relate(relation.clone());
        }
        let named = ids
            .into_iter()
            .filter_map(|id| self.estate.get(id.as_str()));
        for entity in named.chain(self.places.iter().copied()) {
            part.add(entity.clone());
        }
        part.finish();
        Slice {
            estate: part,
            subjects,
        }
    }
}

/// Whether it is an account, or what accounts are in.
fn is_place(entity: &Entity) -> bool {
    matches!(
        entity.kind,
        EntityKind::Account | EntityKind::Organization | EntityKind::OrganizationalUnit
    )
}
