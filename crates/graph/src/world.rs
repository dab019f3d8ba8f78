//! The estate as authorisation sees it: every principal with its policies, every resource with
//! its own.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use portreeve_authz::aws::{
    AttachedPolicy, Caller, CallerKind, Document, PrincipalPolicies, ResourcePolicies,
    ResourcePolicyKind,
};
use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer, Relation};

use crate::nodes::{NodeId, Nodes, account_id};
use crate::outline::{ActionSet, Actions, Outline};

/// A policy that allows everything: what one who controls an account can give.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// One who can take steps.
#[derive(Clone, Debug)]
pub(crate) struct Taker {
    pub(crate) node: NodeId,
    pub(crate) caller: Caller,
    pub(crate) policies: PrincipalPolicies,
    /// Its identity policies, by their place in [`World::outlines`].
    pub(crate) outlines: Vec<usize>,
    /// The actions that those may allow.
    pub(crate) actions: ActionSet,
    pub(crate) account: String,
    pub(crate) kind: TakerKind,
    /// Whether any of its identity policies denies anything.
    pub(crate) denies: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakerKind {
    /// A user or role of the estate.
    Principal,
    /// A group, standing for one who joins it.
    Group,
    /// One who controls an account of the estate.
    Account,
    /// An identity of another organisation, or anyone.
    Outside,
}

/// A resource that a resource or trust policy opens to someone whom it names.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) resource: NodeId,
    pub(crate) actions: ActionSet,
}

/// All principals and resources with their policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) takers: Vec<Taker>,
    pub(crate) taker_of: HashMap<NodeId, usize>,
    pub(crate) outlines: Vec<Outline>,
    /// The policies of resources: bucket, key, role (its trust), …
    pub(crate) resources: HashMap<NodeId, ResourcePolicies>,
    /// What each named principal is let into by resources themselves.
    pub(crate) openings: HashMap<String, Vec<Opening>>,
    /// Services that each role's trust policy names.
    pub(crate) trusted_services: BTreeMap<NodeId, BTreeSet<String>>,
    /// Outlines of trust policies, for doors.
    pub(crate) trusts: BTreeMap<NodeId, Vec<usize>>,
    /// Members of groups, and principals to which a managed policy is attached.
    pub(crate) holders: BTreeMap<NodeId, BTreeSet<NodeId>>,
    pub(crate) management: BTreeSet<String>,
    pub(crate) everything: Option<AttachedPolicy>,
    pub(crate) notes: Vec<String>,
    /// Policies that are not in the inventory, or cannot be read, by name.
    pub(crate) unread: BTreeSet<EntityId>,
    rcps: HashMap<String, Vec<Vec<AttachedPolicy>>>,
}

/// The identities outside the estate that its trust and resource policies name, and the accounts
/// that are inside.
pub(crate) fn outside_identities(
    estate: &Estate,
    outlines: &[(&Relation, Outline)],
) -> BTreeSet<String> {
    let inside: BTreeSet<&str> = estate
        .entities()
        .filter(|entity| entity.kind != EntityKind::External && !entity.inferred)
        .filter_map(|entity| entity.account.as_deref())
        .collect();
    let mut found = BTreeSet::new();
    for (relation, outline) in outlines {
        let Relation::Policy {
            layer: PolicyLayer::Trust | PolicyLayer::Resource,
            ..
        } = relation
        else {
            continue;
        };
        for principal in outline.grants.iter().flat_map(|grant| &grant.principals) {
            let id = principal_id(principal);
            let foreign = match EntityId::from(id.as_str()).aws_account() {
                Some(account) => !inside.contains(account),
                None => id == "*",
            };
            if foreign {
                found.insert(id);
            }
        }
    }
    found
}

/// A principal as a policy names it, by its id: account numbers become the account's ARN.
fn principal_id(named: &str) -> String {
    if named.len() == 12 && named.bytes().all(|byte| byte.is_ascii_digit()) {
        account_id(named).to_string()
    } else if let Some((account, role)) = session_role(named) {
        format!("session:{account}:{role}")
    } else {
        named.to_owned()
    }
}

/// The account and the role name of a session's ARN.
pub(crate) fn session_role(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (service, account) = (parts.nth(2)?, parts.nth(1)?);
    let session = parts.next()?.strip_prefix("assumed-role/")?;
    let role = session.split('/').next()?;
    (service == "sts" && !role.is_empty()).then_some((account, role))
}

/// Documents by their text: a managed policy is read once, however many it is attached to.
#[derive(Default)]
pub(crate) struct Documents<'e> {
    read: HashMap<&'e str, (Arc<Document>, usize)>,
}

impl<'e> Documents<'e> {
    fn read(
        &mut self,
        text: &'e str,
        outlines: &mut Vec<Outline>,
        actions: &Actions,
    ) -> (Arc<Document>, usize) {
        if let Some((document, outline)) = self.read.get(text) {
            return (document.clone(), *outline);
        }
        let document = if text.trim().is_empty() {
            Document::unseen("the policy's text is not in the inventory")
        } else {
            Document::parse_lenient(text)
        };
        let document = Arc::new(document);
        let outline = outlines.len();
        outlines.push(Outline::of(text, actions));
        self.read.insert(text, (document.clone(), outline));
        (document, outline)
    }
}

impl World {
    /// Puts every policy in its place.
    pub(crate) fn of(estate: &Estate, nodes: &Nodes, actions: &Actions) -> Self {
        let mut world = World::default();
        let mut documents = Documents::default();
        let mut identity: BTreeMap<NodeId, Vec<(AttachedPolicy, usize)>> = BTreeMap::new();
        let mut boundaries: BTreeMap<NodeId, AttachedPolicy> = BTreeMap::new();
        let mut scps: HashMap<NodeId, Vec<AttachedPolicy>> = HashMap::new();
        let mut rcps: HashMap<NodeId, Vec<AttachedPolicy>> = HashMap::new();
        let mut own: BTreeMap<NodeId, (AttachedPolicy, usize)> = BTreeMap::new();
        let mut groups: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
        let mut parents: HashMap<NodeId, NodeId> = HashMap::new();

        for relation in estate.relations() {
            match relation {
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    document,
                } => {
                    let Some(subject) = nodes.find(subject.as_str()) else {
                        continue;
                    };
                    let (document, outline) =
                        documents.read(document, &mut world.outlines, actions);
                    if !world.outlines[outline].readable {
                        world.unread.insert(name.as_str().into());
                    }
                    let policy = AttachedPolicy::new(name.clone(), document);
                    match layer {
                        PolicyLayer::Identity => {
                            if let Some(managed) = nodes.find(name) {
                                world.holders.entry(managed).or_default().insert(subject);
                            }
                            identity.entry(subject).or_default().push((policy, outline));
                        }
                        PolicyLayer::Boundary => {
                            boundaries.insert(subject, policy);
                        }
                        PolicyLayer::Resource | PolicyLayer::Trust => match own.entry(subject) {
                            Entry::Vacant(place) => {
                                place.insert((policy, outline));
                            }
                            Entry::Occupied(_) => world.notes.push(format!(
                                "{} has more than one policy of its own; the first counts",
                                nodes.id(subject)
                            )),
                        },
                        PolicyLayer::ServiceControl => {
                            scps.entry(subject).or_default().push(policy)
                        }
                        PolicyLayer::ResourceControl => {
                            rcps.entry(subject).or_default().push(policy)
                        }
                        PolicyLayer::Session => {}
                    }
                }
                Relation::MemberOf { member, group } => {
                    if let (Some(member), Some(group)) =
                        (nodes.find(member.as_str()), nodes.find(group.as_str()))
                    {
                        groups.entry(member).or_default().insert(group);
                        world.holders.entry(group).or_default().insert(member);
                    }
                }
                Relation::Contains { parent, child } => {
                    if let (Some(parent), Some(child)) =
                        (nodes.find(parent.as_str()), nodes.find(child.as_str()))
                    {
                        parents.insert(child, parent);
                    }
                }
                Relation::ManagementAccount { account } => {
                    world
                        .management
                        .extend(account.aws_account().map(str::to_owned));
                }
                _ => {}
            }
        }

        let chain = |account: &str, of: &HashMap<NodeId, Vec<AttachedPolicy>>| {
            levels(nodes, account, &parents, of)
        };
        world.add_resources(nodes, own, |account| chain(account, &rcps));
        world.widen_holders_by_groups(nodes);
        world.everything = Some(AttachedPolicy::new(
            "every permission",
            Document::parse_lenient(EVERYTHING),
        ));

        let mut scp_chains: HashMap<String, Vec<Vec<AttachedPolicy>>> = HashMap::new();
        let policies_of =
            |world: &World,
             node: NodeId,
             chains: &mut HashMap<String, Vec<Vec<AttachedPolicy>>>| {
                let account = nodes.get(node).account.clone().unwrap_or_default();
                let scps = chains
                    .entry(account.clone())
                    .or_insert_with(|| chain(&account, &scps))
                    .clone();
                PrincipalPolicies {
                    scps,
                    exempt_from_scp: world.management.contains(&account),
                    ..PrincipalPolicies::default()
                }
            };

        let mut takers = Vec::new();
        for (place, node) in nodes.iter() {
            let account = node.account.clone().unwrap_or_default();
            let mut policies = policies_of(&world, place, &mut scp_chains);
            let everything = world.everything.clone();
            let (kind, caller) = match node.kind {
                EntityKind::User | EntityKind::Role => {
                    let kind = if node.kind == EntityKind::User {
                        CallerKind::User
                    } else {
                        CallerKind::Role
                    };
                    (TakerKind::Principal, Caller::new(kind, node.id.as_str()))
                }
                EntityKind::Group => {
                    let stand_in = format!("arn:aws:iam::{account}:user/{}", node.id.short_name());
                    (TakerKind::Group, Caller::new(CallerKind::User, stand_in))
                }
                EntityKind::Account => {
                    let stand_in = format!("arn:aws:iam::{account}:user/administrator");
                    policies.identity.extend(everything);
                    (TakerKind::Account, Caller::new(CallerKind::User, stand_in))
                }
                EntityKind::External => {
                    let Some(caller) = outside_caller(node.id.as_str()) else {
                        continue;
                    };
                    policies = PrincipalPolicies::default();
                    if caller.kind != CallerKind::Anonymous {
                        policies.identity.extend(everything);
                    }
                    (TakerKind::Outside, caller)
                }
                _ => continue,
            };
            let mut caller = caller;
            caller.tags = node.tags.clone();
            // An inventory entry lists all tags of a principal, none where it has none.
            caller.all_tags_known = kind == TakerKind::Principal && !node.inferred;
            let mut outlines = Vec::new();
            if matches!(kind, TakerKind::Principal | TakerKind::Group) {
                let through_groups = groups.get(&place).into_iter().flatten();
                for subject in std::iter::once(&place).chain(through_groups) {
                    for (policy, outline) in identity.get(subject).into_iter().flatten() {
                        policies.identity.push(policy.clone());
                        outlines.push(*outline);
                    }
                }
                policies.boundary = boundaries.get(&place).cloned();
            }
            outlines.sort_unstable();
            outlines.dedup();
            let mut actions = ActionSet::default();
            for &outline in &outlines {
                actions.extend(&world.outlines[outline].actions);
            }
            takers.push(Taker {
                node: place,
                caller,
                policies,
                denies: outlines.iter().any(|&place| world.outlines[place].denies),
                outlines,
                actions,
                account,
                kind,
            });
        }
        for (place, taker) in takers.iter().enumerate() {
            world.taker_of.insert(taker.node, place);
        }
        world.takers = takers;
        world
    }

    fn add_resources(
        &mut self,
        nodes: &Nodes,
        own: BTreeMap<NodeId, (AttachedPolicy, usize)>,
        mut rcps_of: impl FnMut(&str) -> Vec<Vec<AttachedPolicy>>,
    ) {
        let mut rcps: HashMap<String, Vec<Vec<AttachedPolicy>>> = HashMap::new();
        for (place, node) in nodes.iter() {
            if let Some(account) = &node.account
                && !rcps.contains_key(account)
            {
                rcps.insert(account.clone(), rcps_of(account));
            }
            let Some((policy, outline)) = own.get(&place) else {
                continue;
            };
            let kind = match node.kind {
                EntityKind::Role => ResourcePolicyKind::RoleTrust,
                EntityKind::Key => ResourcePolicyKind::KmsKey,
                _ => ResourcePolicyKind::Ordinary,
            };
            self.resources.insert(
                place,
                ResourcePolicies {
                    policy: Some(policy.clone()),
                    kind,
                    account: node.account.clone(),
                    rcps: node
                        .account
                        .as_ref()
                        .and_then(|account| rcps.get(account))
                        .cloned()
                        .unwrap_or_default(),
                },
            );
            if node.kind == EntityKind::Role {
                self.trusts.entry(place).or_default().push(*outline);
            }
            for grant in &self.outlines[*outline].grants {
                for principal in &grant.principals {
                    self.openings
                        .entry(principal_id(principal))
                        .or_default()
                        .push(Opening {
                            resource: place,
                            actions: grant.actions.clone(),
                        });
                }
                if node.kind == EntityKind::Role && !grant.services.is_empty() {
                    self.trusted_services
                        .entry(place)
                        .or_default()
                        .extend(grant.services.iter().cloned());
                }
            }
        }
        self.rcps = rcps;
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

    /// The policies on a resource's side, also of one that has none of its own.
    pub(crate) fn resource(
        &self,
        nodes: &Nodes,
        place: NodeId,
        uses_own: bool,
    ) -> ResourcePolicies {
        if uses_own && let Some(own) = self.resources.get(&place) {
            return own.clone();
        }
        let node = nodes.get(place);
        let kind = match node.kind {
            EntityKind::Role if uses_own => ResourcePolicyKind::RoleTrust,
            EntityKind::Key if uses_own => ResourcePolicyKind::KmsKey,
            _ => ResourcePolicyKind::Ordinary,
        };
        ResourcePolicies {
            policy: None,
            kind,
            account: node.account.clone(),
            rcps: node
                .account
                .as_ref()
                .and_then(|account| self.rcps.get(account))
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// The names by which resource policies may let a taker in.
    pub(crate) fn names_of(&self, nodes: &Nodes, taker: &Taker) -> Vec<String> {
        let id = nodes.id(taker.node);
        let mut names = vec![id.to_string()];
        match taker.kind {
            TakerKind::Outside => return names,
            TakerKind::Account => {}
            _ => names.push(account_id(&taker.account).to_string()),
        }
        if nodes.get(taker.node).kind == EntityKind::Role {
            names.push(format!("session:{}:{}", taker.account, id.short_name()));
        }
        names.push("*".to_owned());
        names
    }
}

/// An identity outside, as one who asks. For a whole account it is anyone of that account.
fn outside_caller(id: &str) -> Option<Caller> {
    if id == "*" {
        return Some(Caller::new(CallerKind::Anonymous, "*"));
    }
    match Caller::from_arn(id) {
        Some(caller) if caller.kind == CallerKind::Root => Some(Caller::new(
            CallerKind::User,
            format!("arn:aws:iam::{}:user/anyone", caller.account),
        )),
        Some(caller) if caller.kind != CallerKind::Federated => Some(caller),
        _ => None,
    }
}

/// The policies of the organization's levels that an account is in, from the root down.
fn levels(
    nodes: &Nodes,
    account: &str,
    parents: &HashMap<NodeId, NodeId>,
    of: &HashMap<NodeId, Vec<AttachedPolicy>>,
) -> Vec<Vec<AttachedPolicy>> {
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
