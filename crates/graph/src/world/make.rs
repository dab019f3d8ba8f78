//! From an estate to what authorisation sees of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use portreeve_authz::aws::KmsGrant;
use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};

use super::outside::outside_caller;
use super::{HeldGrant, Levels, Taker, TakerKind, World};
use crate::nodes::{NodeId, Nodes, account_id};
use crate::outline::ActionSet;
use crate::policies::{Policies, PolicyId};

/// The policies of an estate, by what they are attached to.
#[derive(Default)]
struct Attached {
    identity: BTreeMap<NodeId, Vec<PolicyId>>,
    boundaries: BTreeMap<NodeId, PolicyId>,
    scps: BTreeMap<NodeId, Vec<PolicyId>>,
    rcps: BTreeMap<NodeId, Vec<PolicyId>>,
    groups: BTreeMap<NodeId, BTreeSet<NodeId>>,
    parents: BTreeMap<NodeId, NodeId>,
}

impl World {
    /// Puts every policy in its place. `held` tells which policy each relation holds.
    pub(crate) fn of(
        estate: &Estate,
        nodes: &Nodes,
        policies: Policies,
        held: &[Option<PolicyId>],
    ) -> Self {
        let mut world = World {
            policies,
            ..World::default()
        };
        let attached = world.attach(estate, nodes, held);
        world.widen_holders_by_groups(nodes);
        world.add_levels(nodes, &attached);
        world.add_takers(nodes, &attached);
        world.forget_what_nobody_asks();
        world.find_places(nodes);
        world
    }

    fn attach(&mut self, estate: &Estate, nodes: &Nodes, held: &[Option<PolicyId>]) -> Attached {
        let mut attached = Attached::default();
        for (relation, policy) in estate.relations().iter().zip(held) {
            match relation {
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    document,
                } => {
                    let (Some(subject), Some(policy)) = (nodes.find(subject.as_str()), *policy)
                    else {
                        continue;
                    };
                    if !self.policies.outline_of(policy).readable {
                        self.unread.insert(name.as_str().into());
                    }
                    match layer {
                        PolicyLayer::Identity => {
                            if let Some(managed) = nodes.find(name) {
                                self.holders.entry(managed).or_default().insert(subject);
                            }
                            attached.identity.entry(subject).or_default().push(policy);
                        }
                        PolicyLayer::Boundary => {
                            attached.boundaries.insert(subject, policy);
                        }
                        PolicyLayer::Resource | PolicyLayer::Trust => {
                            match self.own.entry(subject) {
                                Entry::Vacant(place) => {
                                    place.insert(policy);
                                }
                                Entry::Occupied(_) => self.notes.push(format!(
                                    "{} has more than one policy of its own; the first counts",
                                    nodes.id(subject)
                                )),
                            }
                        }
                        PolicyLayer::Grant => {
                            // One that cannot be read was noted, and opens nothing.
                            if let Ok(grant) = KmsGrant::from_json(document)
                                && self.policies.outline_of(policy).readable
                            {
                                self.grants.entry(subject).or_default().push(HeldGrant {
                                    policy,
                                    issuing_account: grant.issuing_account,
                                });
                            }
                        }
                        PolicyLayer::ServiceControl => {
                            attached.scps.entry(subject).or_default().push(policy);
                        }
                        PolicyLayer::ResourceControl => {
                            attached.rcps.entry(subject).or_default().push(policy);
                        }
                        PolicyLayer::Session => {}
                    }
                }
                Relation::MemberOf { member, group } => {
                    if let (Some(member), Some(group)) =
                        (nodes.find(member.as_str()), nodes.find(group.as_str()))
                    {
                        attached.groups.entry(member).or_default().insert(group);
                        self.holders.entry(group).or_default().insert(member);
                    }
                }
                Relation::Contains { parent, child } => {
                    if let (Some(parent), Some(child)) =
                        (nodes.find(parent.as_str()), nodes.find(child.as_str()))
                    {
                        attached.parents.insert(child, parent);
                    }
                }
                Relation::ManagementAccount { account } => {
                    self.management
                        .extend(account.aws_account().map(str::to_owned));
                }
                _ => {}
            }
        }
        attached
    }

    fn add_levels(&mut self, nodes: &Nodes, attached: &Attached) {
        let accounts: BTreeSet<&str> = nodes
            .iter()
            .filter_map(|(_, node)| node.account.as_deref())
            .collect();
        for account in accounts {
            let add = |of: &BTreeMap<NodeId, Vec<PolicyId>>| {
                levels(nodes, account, &attached.parents, of)
            };
            let (scps, rcps) = (add(&attached.scps), add(&attached.rcps));
            if !scps.is_empty() {
                self.scps.insert(account.to_owned(), scps);
            }
            if !rcps.is_empty() {
                self.rcps.insert(account.to_owned(), rcps);
            }
        }
    }

    fn add_takers(&mut self, nodes: &Nodes, attached: &Attached) {
        for (place, node) in nodes.iter() {
            let kind = match node.kind {
                EntityKind::User | EntityKind::Role => TakerKind::Principal,
                EntityKind::Group => TakerKind::Group,
                EntityKind::Account => TakerKind::Account,
                EntityKind::External if outside_caller(node.id.as_str()).is_some() => {
                    TakerKind::Outside
                }
                _ => continue,
            };
            let mut taker = Taker {
                node: place,
                kind,
                account: node.account.clone().unwrap_or_default(),
                identity: Box::new([]),
                boundary: None,
                actions: ActionSet::default(),
                denies: false,
            };
            if matches!(kind, TakerKind::Principal | TakerKind::Group) {
                let through_groups = attached.groups.get(&place).into_iter().flatten();
                let mut identity = Vec::new();
                for subject in std::iter::once(&place).chain(through_groups) {
                    let held = attached.identity.get(subject).into_iter().flatten();
                    identity.extend(held.filter(|&&policy| self.policies.matters(policy)));
                }
                for &policy in &identity {
                    let outline = self.policies.outline_of(policy);
                    taker.actions.extend(&outline.actions);
                    taker.denies |= outline.denies;
                }
                taker.identity = identity.into();
                taker.boundary = attached.boundaries.get(&place).copied();
            }
            self.takers.push(taker);
        }
    }

    fn forget_what_nobody_asks(&mut self) {
        let mut used = vec![false; self.policies.len()];
        let levels = self.scps.values().chain(self.rcps.values());
        let of_takers = self.takers.iter();
        let policies = levels
            .flatten()
            .flatten()
            .chain(self.own.values())
            .chain(self.grants.values().flatten().map(|grant| &grant.policy))
            .chain(of_takers.flat_map(|taker| taker.identity.iter().chain(&taker.boundary)));
        for &policy in policies {
            used[policy as usize] = true;
        }
        self.policies.keep(|policy| used[policy as usize]);
    }

    /// Who holds a group holds the policies attached to it.
    fn widen_holders_by_groups(&mut self, nodes: &Nodes) {
        let mut wider = Vec::new();
        for (policy, holders) in &self.holders {
            for group in holders {
                if nodes.get(*group).kind == EntityKind::Group
                    && let Some(members) = self.holders.get(group)
                {
                    wider.extend(members.iter().map(|member| (*policy, *member)));
                }
            }
        }
        for (policy, member) in wider {
            self.holders.entry(policy).or_default().insert(member);
        }
    }
}

/// The policies of the organization's levels that an account is in, from the root down.
fn levels(
    nodes: &Nodes,
    account: &str,
    parents: &BTreeMap<NodeId, NodeId>,
    of: &BTreeMap<NodeId, Vec<PolicyId>>,
) -> Levels {
    let mut chain = Vec::new();
    let mut seen = BTreeSet::new();
    let mut at = nodes.find(account_id(account).as_str());
    while let Some(node) = at {
        // A file may claim that two units contain each other.
        if !seen.insert(node) {
            break;
        }
        chain.extend(of.get(&node).cloned());
        at = parents.get(&node).copied();
    }
    chain.reverse();
    chain
}
