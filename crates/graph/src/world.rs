//! The estate as authorisation sees it: every principal with its policies, every resource with
//! its own.

mod make;
mod outside;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use portreeve_authz::aws::{
    AttachedPolicy, Caller, CallerKind, PrincipalPolicies, ResourceAccess, ResourcePolicies,
    ResourcePolicyKind,
};
use portreeve_model::{EntityId, EntityKind};
use serde::{Deserialize, Serialize};

use crate::nodes::{NodeId, Nodes, account_id};
use crate::outline::ActionSet;
use crate::policies::{Policies, PolicyId};

use outside::outside_caller;
pub(crate) use outside::{outside_identities, principal_id, session_role};

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

impl World {
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
