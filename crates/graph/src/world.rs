//! The estate as authorisation sees it: every principal with its policies, every resource with
//! its own.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use portreeve_authz::aws::{
    AttachedPolicy, Caller, CallerKind, Document, KmsGrant, PrincipalPolicies, ResourceAccess,
    ResourcePolicies, ResourcePolicyKind,
};
use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer, Relation};
use serde::{Deserialize, Serialize};

use crate::nodes::{NodeId, Nodes, account_id};
use crate::outline::ActionSet;
use crate::policies::{Policies, PolicyId};

/// A policy that allows everything: what one who controls an account can give.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// One who can take steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Taker {
    pub(crate) node: NodeId,
    pub(crate) kind: TakerKind,
    pub(crate) account: String,
    /// Its identity policies and its groups', those that matter, in the order of relations.
    pub(crate) identity: Box<[PolicyId]>,
    pub(crate) boundary: Option<PolicyId>,
    /// The actions that its identity policies may allow.
    pub(crate) actions: ActionSet,
    /// Whether any of its identity policies denies anything.
    pub(crate) denies: bool,
}

/// A taker with all that authorisation asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) caller: Caller,
    pub(crate) policies: PrincipalPolicies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// A grant on a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct HeldGrant {
    /// The policy that says the same.
    policy: PolicyId,
    /// The account that made it.
    issuing_account: Option<String>,
}

/// The policies of an organization's levels, from the root down.
type Levels = Vec<Vec<PolicyId>>;

/// All principals and resources with their policies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) policies: Policies,
    pub(crate) takers: Vec<Taker>,
    /// The policy of each resource that has one: bucket, key, role (its trust), …
    pub(crate) own: BTreeMap<NodeId, PolicyId>,
    /// What opens a key beside its policy.
    grants: BTreeMap<NodeId, Vec<HeldGrant>>,
    /// Members of groups, and principals to which a managed policy is attached.
    pub(crate) holders: BTreeMap<NodeId, BTreeSet<NodeId>>,
    pub(crate) management: BTreeSet<String>,
    scps: BTreeMap<String, Levels>,
    rcps: BTreeMap<String, Levels>,
    #[serde(skip)]
    pub(crate) places: Places,
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
    /// Policies that are not in the inventory, or cannot be read, by name.
    #[serde(skip)]
    pub(crate) unread: BTreeSet<EntityId>,
}

/// Whether policies of resources name someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    No,
    /// Only those of its own account do.
    AtHome,
    Abroad,
}

/// What follows from the rest of the world, for finding things in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The taker of each node, by its place; [`u32::MAX`] for none.
    taker_of: Vec<u32>,
    /// What each named principal is let into by resources themselves.
    openings: HashMap<String, Vec<Opening>>,
    /// What each account's root is let into in other accounts.
    foreign: HashMap<String, Vec<Opening>>,
    /// Whether a resource's policy names each node itself, or leaves it out by name.
    named: Vec<Named>,
    /// Services that each role's trust policy names.
    pub(crate) trusted_services: BTreeMap<NodeId, BTreeSet<String>>,
    everything: Option<AttachedPolicy>,
    /// The grants of each key that has some, compiled.
    access: BTreeMap<NodeId, ResourceAccess>,
}

/// The identities outside the estate that its trust and resource policies name.
pub(crate) fn outside_identities(
    estate: &Estate,
    policies: &Policies,
    held: &[Option<PolicyId>],
) -> BTreeSet<String> {
    let inside: BTreeSet<&str> = estate
        .entities()
        .filter(|entity| entity.kind != EntityKind::External && !entity.inferred)
        .filter_map(|entity| entity.account.as_deref())
        .collect();
    let mut found = BTreeSet::new();
    for (relation, policy) in estate.relations().iter().zip(held) {
        let (
            Relation::Policy {
                layer: PolicyLayer::Trust | PolicyLayer::Resource | PolicyLayer::Grant,
                ..
            },
            Some(policy),
        ) = (relation, policy)
        else {
            continue;
        };
        for grant in &policies.outline_of(*policy).grants {
            for principal in &grant.principals {
                let id = principal_id(principal);
                let foreign = match account_in(&id) {
                    Some(account) => !inside.contains(account),
                    None => id == "*",
                };
                if foreign {
                    found.insert(id);
                }
            }
            for (provider, subject) in crate::doors::subjects(grant) {
                found.insert(crate::doors::identity(&provider, &subject));
            }
        }
    }
    found
}

/// The account number in an ARN.
fn account_in(id: &str) -> Option<&str> {
    let account = id.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// A principal as a policy names it, by its id: account numbers become the account's ARN.
pub(crate) fn principal_id(named: &str) -> String {
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

    /// Works out what follows from the rest.
    pub(crate) fn find_places(&mut self, nodes: &Nodes) {
        let mut places = Places {
            everything: Some(AttachedPolicy::new(
                "every permission",
                Document::parse_lenient(EVERYTHING),
            )),
            taker_of: vec![u32::MAX; nodes.len()],
            ..Places::default()
        };
        for (place, taker) in self.takers.iter().enumerate() {
            places.taker_of[taker.node as usize] = place as u32;
        }
        // Who is named, with the one account where that is so; none for several.
        let mut named: HashMap<String, Option<Option<&str>>> = HashMap::default();
        for (place, policy) in self.of_resources() {
            let node = nodes.get(place);
            let outline = self.policies.outline_of(policy);
            let account = Some(node.account.as_deref());
            for name in &outline.names {
                let known = named.entry(principal_id(name)).or_insert(account);
                if *known != account {
                    *known = None;
                }
            }
            for grant in &outline.grants {
                for principal in &grant.principals {
                    let opening = Opening {
                        resource: place,
                        actions: grant.actions.clone(),
                    };
                    let name = principal_id(principal);
                    if name.ends_with(":root") && account_in(&name) != node.account.as_deref() {
                        let foreign = places.foreign.entry(name.clone()).or_default();
                        foreign.push(opening.clone());
                    }
                    places.openings.entry(name).or_default().push(opening);
                }
                if node.kind == EntityKind::Role && !grant.services.is_empty() {
                    places
                        .trusted_services
                        .entry(place)
                        .or_default()
                        .extend(grant.services.iter().cloned());
                }
            }
        }
        let by_session = named.keys().any(|name| name.starts_with("session:"));
        for (_, node) in nodes.iter() {
            let session = || {
                let account = node.account.as_deref().unwrap_or_default();
                named.get(&format!("session:{account}:{}", node.id.short_name()))
            };
            let by_id = named.get(node.id.as_str());
            let by_session = by_session.then(session).flatten();
            let abroad = |by: Option<&Option<Option<&str>>>| {
                by.is_some_and(|by| *by != Some(node.account.as_deref()))
            };
            places.named.push(match (by_id, by_session) {
                (None, None) => Named::No,
                (id, session) if abroad(id) || abroad(session) => Named::Abroad,
                _ => Named::AtHome,
            });
        }
        for (&place, grants) in &self.grants {
            let compiled = grants.iter().map(|grant| {
                let policy = self.policies.attached(grant.policy);
                (policy, grant.issuing_account.clone())
            });
            places
                .access
                .insert(place, ResourceAccess::of_grants(compiled));
        }
        self.places = places;
    }

    /// Every policy of a resource itself, and every grant beside one.
    pub(crate) fn of_resources(&self) -> impl Iterator<Item = (NodeId, PolicyId)> {
        let own = self.own.iter().map(|(&place, &policy)| (place, policy));
        let grants = self.grants.iter().flat_map(|(&place, grants)| {
            let policies = grants.iter().map(|grant| grant.policy);
            policies.map(move |policy| (place, policy))
        });
        own.chain(grants)
    }

    /// Whether grants stand beside a resource's policy.
    pub(crate) fn has_grants(&self, place: NodeId) -> bool {
        self.grants.contains_key(&place)
    }

    /// What a resource itself says of who may use it: its policy, and the grants beside it.
    pub(crate) fn said_by(&self, place: NodeId) -> impl Iterator<Item = PolicyId> {
        let grants = self.grants.get(&place).into_iter().flatten();
        let own = self.own.get(&place).copied();
        own.into_iter().chain(grants.map(|grant| grant.policy))
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

    /// A policy that allows everything.
    pub(crate) fn everything(&self) -> Option<AttachedPolicy> {
        self.places.everything.clone()
    }

    pub(crate) fn taker(&self, node: NodeId) -> Option<&Taker> {
        let place = *self.places.taker_of.get(node as usize)?;
        self.takers.get(place as usize)
    }

    /// A taker as one who asks.
    pub(crate) fn asker(&self, nodes: &Nodes, taker: &Taker) -> Asker {
        self.asker_with(nodes, taker, &taker.identity)
    }

    /// The same with only some of the identity policies.
    pub(crate) fn asker_with(&self, nodes: &Nodes, taker: &Taker, identity: &[PolicyId]) -> Asker {
        let node = nodes.get(taker.node);
        let account = &taker.account;
        let mut policies = PrincipalPolicies::default();
        if taker.kind != TakerKind::Outside {
            policies.scps = self.attached(self.scps.get(account));
            policies.exempt_from_scp = self.management.contains(account);
        }
        policies.identity = identity
            .iter()
            .map(|&policy| self.policies.attached(policy))
            .collect();
        policies.boundary = taker.boundary.map(|policy| self.policies.attached(policy));
        let mut caller = match taker.kind {
            TakerKind::Principal if node.kind == EntityKind::User => {
                Caller::new(CallerKind::User, node.id.as_str())
            }
            TakerKind::Principal => Caller::new(CallerKind::Role, node.id.as_str()),
            TakerKind::Group => Caller::new(
                CallerKind::User,
                format!("arn:aws:iam::{account}:user/{}", node.id.short_name()),
            ),
            TakerKind::Account => {
                policies.identity.extend(self.everything());
                Caller::new(
                    CallerKind::User,
                    format!("arn:aws:iam::{account}:user/administrator"),
                )
            }
            TakerKind::Outside => {
                let caller = outside_caller(node.id.as_str())
                    .unwrap_or_else(|| Caller::new(CallerKind::Anonymous, "*"));
                if caller.kind != CallerKind::Anonymous {
                    policies.identity.extend(self.everything());
                }
                caller
            }
        };
        caller.tags = node.tags.clone();
        // An inventory entry lists all tags of a principal, none where it has none.
        caller.all_tags_known = taker.kind == TakerKind::Principal && !node.inferred;
        Asker { caller, policies }
    }

    fn attached(&self, levels: Option<&Levels>) -> Vec<Vec<AttachedPolicy>> {
        let level = |level: &Vec<PolicyId>| {
            let policies = level.iter();
            policies
                .map(|&policy| self.policies.attached(policy))
                .collect()
        };
        levels.into_iter().flatten().map(level).collect()
    }

    /// Whether a resource's policy names a taker itself, or leaves it out by name.
    pub(crate) fn is_named(&self, taker: &Taker) -> bool {
        let named = self.places.named.get(taker.node as usize);
        named.is_some_and(|named| *named != Named::No)
    }

    /// Whether a policy of a resource of another account names a taker itself.
    pub(crate) fn is_named_abroad(&self, taker: &Taker) -> bool {
        self.places.named.get(taker.node as usize) == Some(&Named::Abroad)
    }

    /// Whether resources of other accounts let in an account's root, or anyone.
    pub(crate) fn is_open_abroad(&self, nodes: &Nodes, account: &str) -> bool {
        let root = account_id(account);
        let away =
            |opening: &Opening| nodes.get(opening.resource).account.as_deref() != Some(account);
        self.places.foreign.contains_key(root.as_str()) || self.open_to_anyone().iter().any(away)
    }

    /// The policies of the organization that bound anyone's use of resources.
    pub(crate) fn all_rcps(&self) -> impl Iterator<Item = PolicyId> {
        self.rcps.values().flatten().flatten().copied()
    }

    /// The policies of the organization that bound a taker.
    pub(crate) fn scps_of(&self, taker: &Taker) -> impl Iterator<Item = PolicyId> {
        let levels = match taker.kind {
            TakerKind::Outside => None,
            _ => self.scps.get(&taker.account),
        };
        levels.into_iter().flatten().flatten().copied()
    }

    /// How a resource's own policy combines with the asker's.
    pub(crate) fn kind_of(
        &self,
        nodes: &Nodes,
        place: NodeId,
        uses_own: bool,
    ) -> ResourcePolicyKind {
        match nodes.get(place).kind {
            EntityKind::Role if uses_own => ResourcePolicyKind::RoleTrust,
            EntityKind::Key if uses_own => ResourcePolicyKind::KmsKey,
            _ => ResourcePolicyKind::Ordinary,
        }
    }

    /// The policies on a resource's side, also of one that has none of its own.
    pub(crate) fn resource(
        &self,
        nodes: &Nodes,
        place: NodeId,
        uses_own: bool,
    ) -> ResourcePolicies {
        let node = nodes.get(place);
        let own = self.own.get(&place).filter(|_| uses_own);
        ResourcePolicies {
            policy: own.map(|&policy| self.policies.attached(policy)),
            kind: self.kind_of(nodes, place, uses_own),
            account: node.account.clone(),
            access: match self.places.access.get(&place) {
                Some(access) if uses_own => access.clone(),
                _ => ResourceAccess::default(),
            },
            rcps: self.attached(
                node.account
                    .as_ref()
                    .and_then(|account| self.rcps.get(account)),
            ),
        }
    }

    /// What resources open to everybody.
    pub(crate) fn open_to_anyone(&self) -> &[Opening] {
        self.places.openings.get("*").map_or(&[], Vec::as_slice)
    }

    /// What resources themselves open to a taker by name. At home the account's root only hands
    /// the question to the taker's own policies, and opens nothing.
    pub(crate) fn openings(&self, nodes: &Nodes, taker: &Taker) -> Vec<&Opening> {
        let mut found = Vec::new();
        let own_root = account_id(&taker.account);
        for name in self.names_of(nodes, taker) {
            let by_root = name == own_root.as_str() && taker.kind != TakerKind::Outside;
            let index = if by_root {
                &self.places.foreign
            } else {
                &self.places.openings
            };
            for opening in index.get(&name).into_iter().flatten() {
                let account = nodes.get(opening.resource).account.as_deref();
                let home = account == Some(taker.account.as_str());
                if !(home && (by_root || taker.kind == TakerKind::Account)) {
                    found.push(opening);
                }
            }
        }
        found
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

    /// Whether a loaded world refers to nothing that is not there.
    pub(crate) fn is_sound(&self, nodes: usize) -> bool {
        let node = |place: NodeId| (place as usize) < nodes;
        let policy = |policy: PolicyId| (policy as usize) < self.policies.len();
        let levels = self.scps.values().chain(self.rcps.values());
        self.policies.is_sound()
            && levels.flatten().flatten().all(|&place| policy(place))
            && self
                .own
                .iter()
                .all(|(&place, &own)| node(place) && policy(own))
            && self.grants.iter().all(|(&place, grants)| {
                node(place) && grants.iter().all(|grant| policy(grant.policy))
            })
            && self.takers.iter().all(|taker| {
                node(taker.node)
                    && taker
                        .identity
                        .iter()
                        .chain(&taker.boundary)
                        .all(|&place| policy(place))
            })
            && self
                .holders
                .iter()
                .all(|(&place, holders)| node(place) && holders.iter().all(|&holder| node(holder)))
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
