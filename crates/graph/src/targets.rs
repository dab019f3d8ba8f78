//! The targets of one step of the catalogue, sorted so that what answers alike is asked about
//! once: by account, by the policy of their own, by what tells them apart in a question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use portreeve_authz::aws::ResourcePolicyKind;
use portreeve_model::EntityKind;
use smallvec::SmallVec;

use crate::catalogue::PermissionTarget;
use crate::evaluate::{Evaluator, has_generated_suffix};
use crate::nodes::{NodeId, account_id};
use crate::outline::ActionSet;
use crate::plan::{Plan, Targets};
use crate::policies::PolicyId;
use crate::wildcard::head_and_rest;
use crate::world::principal_id;

/// Targets that differ in nothing but the rest of their ids after the head.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// What their ids share: all before the fifth colon.
    pub(crate) head: String,
    pub(crate) account: Option<String>,
    /// In the order of ids.
    pub(crate) nodes: Arc<[NodeId]>,
    /// Whether each is to be asked about by itself.
    pub(crate) single: bool,
    /// Whether nothing but a policy of their own that names the asker lets anyone in.
    needs_opening: bool,
}

/// All targets of one head in one account.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) head: String,
    /// In the order of ids.
    pub(crate) nodes: Vec<NodeId>,
    /// The text with which the rest of every id starts.
    pub(crate) shared: String,
    pub(crate) clusters: Vec<u32>,
}

/// The targets of one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetIndex {
    pub(crate) clusters: Vec<Cluster>,
    blocks: BTreeMap<Option<String>, Vec<Block>>,
    /// The cluster of each target, in the order of targets.
    cluster_of: Vec<(NodeId, u32)>,
    /// Clusters whose own policy names someone, by whom.
    opened_to: BTreeMap<String, Vec<u32>>,
    /// Clusters whose policies may let in others than those whom they seem to name.
    unclear: BTreeSet<u32>,
    /// Whether the step asks for nothing on its target.
    pub(crate) asks_nothing: bool,
}

/// What is the same of all targets of a cluster: account, head, what each itself says, whether each is asked
/// about by itself, tags that matter.
type Key<'e> = (
    Option<&'e str>,
    &'e str,
    SmallVec<[PolicyId; 1]>,
    bool,
    Vec<(&'e str, &'e str)>,
);

impl TargetIndex {
    /// Sorts targets. `tagged` are actions of which some statement looks at the resource's tags.
    pub(crate) fn of(
        evaluator: &Evaluator,
        plan: &Plan,
        targets: &Targets,
        tagged: &ActionSet,
    ) -> Self {
        let mut index = Self {
            asks_nothing: plan.target_needs().next().is_none(),
            ..Self::default()
        };
        let permissions: Vec<_> = plan
            .target_needs()
            .flat_map(|need| &need.any_of)
            .filter(|permission| !matches!(permission.on, PermissionTarget::Some(_)))
            .collect();
        let asked = evaluator.actions.set(
            permissions
                .iter()
                .map(|permission| permission.action.as_str()),
        );
        let driver = plan.target_needs().next();
        let driving = evaluator.actions.set(
            driver
                .iter()
                .flat_map(|need| &need.any_of)
                .map(|permission| permission.action.as_str()),
        );
        let service = |action: &str| action.split(':').next().unwrap_or_default().to_owned();
        let services: BTreeSet<String> = permissions
            .iter()
            .map(|permission| service(&permission.action))
            .collect();
        let driver_services: BTreeSet<String> = driver
            .iter()
            .flat_map(|need| &need.any_of)
            .map(|permission| service(&permission.action))
            .collect();
        let looks_at_tags = tagged.meets(&asked);

        let nodes = &evaluator.nodes;
        let mut found: HashMap<Key<'_>, Vec<NodeId>> = HashMap::new();
        let mut particular: HashMap<u32, bool> = HashMap::new();
        for &place in &targets.all {
            let node = nodes.get(place);
            let id = node.id.as_str();
            let own_service = match node.kind {
                EntityKind::Role => "sts",
                _ => id.split(':').nth(2).unwrap_or_default(),
            };
            let uses_own = services.contains(own_service);
            let own = evaluator.world.own.contains_key(&place) && uses_own;
            let said = evaluator.world.said_by(place).filter(|_| uses_own);
            let said: SmallVec<[PolicyId; 1]> = said.collect();
            let kind = evaluator.world.kind_of(nodes, place, uses_own);
            // What an answer says of a policy that was not seen, it says of this one target.
            let unseen = kind != ResourcePolicyKind::Ordinary && !own;
            let head = head_and_rest(id).map(|(head, _)| head);
            // The same text on two resources may speak of one of them only.
            let particular = said.iter().any(|&policy| {
                *particular.entry(policy).or_insert_with(|| {
                    let outline = evaluator.world.policies.outline_of(policy);
                    let grants = outline
                        .grants
                        .iter()
                        .flat_map(|grant| grant.resources.iter().chain(&grant.excepted));
                    let denials = outline.denials.iter().flat_map(|denial| &denial.resources);
                    !outline.plain || grants.chain(denials).any(|pattern| pattern != "*")
                })
            });
            let single = unseen || particular || head.is_none() || has_generated_suffix(node.kind);
            let tags = if looks_at_tags {
                let tags = node.tags.iter();
                tags.map(|(key, value)| (key.as_str(), value.as_str()))
                    .collect()
            } else {
                Vec::new()
            };
            let key = (
                node.account.as_deref(),
                head.unwrap_or_default(),
                said,
                single,
                tags,
            );
            found.entry(key).or_default().push(place);
        }
        let mut found: Vec<(Key<'_>, Vec<NodeId>)> = found.into_iter().collect();
        found.sort_unstable();
        let mut blocks: BTreeMap<(Option<String>, String), Vec<u32>> = BTreeMap::new();
        for ((account, head, said, single, _), list) in found {
            let (account, head) = (account.map(str::to_owned), head.to_owned());
            let cluster = index.clusters.len() as u32;
            let first = list[0];
            let own_service = match nodes.get(first).kind {
                EntityKind::Role => "sts",
                _ => nodes
                    .id(first)
                    .as_str()
                    .split(':')
                    .nth(2)
                    .unwrap_or_default(),
            };
            let bound = evaluator.world.kind_of(nodes, first, true) != ResourcePolicyKind::Ordinary
                && driver_services.len() == 1
                && driver_services.contains(own_service);
            let of = list.iter().map(|&place| (place, cluster));
            index.cluster_of.extend(of);
            for &policy in &said {
                index.note_openings(evaluator, cluster, policy, &driving);
            }
            if bound && !evaluator.world.own.contains_key(&first) {
                index.unclear.insert(cluster);
            }
            blocks
                .entry((account.clone(), head.clone()))
                .or_default()
                .push(cluster);
            index.clusters.push(Cluster {
                head,
                account,
                nodes: list.into(),
                single,
                needs_opening: bound,
            });
        }
        index.cluster_of.sort_unstable();
        for ((account, head), clusters) in blocks {
            let mut list: Vec<NodeId> = clusters
                .iter()
                .flat_map(|&cluster| index.clusters[cluster as usize].nodes.iter().copied())
                .collect();
            list.sort_unstable();
            let rest = |place: NodeId| rest_of(evaluator, place);
            let shared = match (list.first(), list.last()) {
                (Some(&first), Some(&last)) => shared_start(rest(first), rest(last)).to_owned(),
                _ => String::new(),
            };
            index.blocks.entry(account).or_default().push(Block {
                head,
                nodes: list,
                shared,
                clusters,
            });
        }
        index
    }

    fn note_openings(
        &mut self,
        evaluator: &Evaluator,
        cluster: u32,
        policy: PolicyId,
        driving: &ActionSet,
    ) {
        let outline = evaluator.world.policies.outline_of(policy);
        let mut names: BTreeSet<String> = BTreeSet::new();
        for grant in &outline.grants {
            if !grant.actions.meets(driving) {
                continue;
            }
            for principal in &grant.principals {
                let name = principal_id(principal);
                // A pattern, a unique id or a canonical id may be anyone's.
                if name != "*" && (!name.contains(':') || name.contains(['*', '?'])) {
                    self.unclear.insert(cluster);
                }
                names.insert(name);
            }
        }
        if !outline.plain {
            self.unclear.insert(cluster);
        }
        for name in names {
            self.opened_to.entry(name).or_default().push(cluster);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    pub(crate) fn cluster_of(&self, node: NodeId) -> Option<u32> {
        let place = self
            .cluster_of
            .binary_search_by_key(&node, |(node, _)| *node);
        place.ok().map(|place| self.cluster_of[place].1)
    }

    /// The blocks of an account, and those of no account.
    pub(crate) fn blocks(&self, account: Option<&str>) -> impl Iterator<Item = &Block> {
        let of = |account: Option<String>| self.blocks.get(&account).into_iter().flatten();
        let own = account.map(|account| of(Some(account.to_owned())));
        own.into_iter().flatten().chain(of(None))
    }

    /// The clusters of a block that may let in someone of an account whose policies allow it.
    pub(crate) fn enterable(&self, block: &Block, account: &str) -> Vec<u32> {
        let root = account_id(account);
        let by_root = self.opened_to(root.as_str());
        let open = self.opened_to("*");
        let whole = |cluster: u32| !self.clusters[cluster as usize].needs_opening;
        if block.clusters.len() <= 8 || block.clusters.iter().any(|&cluster| whole(cluster)) {
            return block
                .clusters
                .iter()
                .copied()
                .filter(|cluster| {
                    whole(*cluster)
                        || self.unclear.contains(cluster)
                        || by_root.binary_search(cluster).is_ok()
                        || open.binary_search(cluster).is_ok()
                })
                .collect();
        }
        // Where each is opened by its own policy alone, those that open are looked up.
        let named = by_root.iter().chain(open).chain(&self.unclear).copied();
        let in_block = |cluster: &u32| {
            let known = &self.clusters[*cluster as usize];
            known.head == block.head && block.clusters.binary_search(cluster).is_ok()
        };
        let found: BTreeSet<u32> = named.filter(in_block).collect();
        found.into_iter().collect()
    }

    /// The clusters whose own policies name someone, in order.
    pub(crate) fn opened_to(&self, name: &str) -> &[u32] {
        self.opened_to.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The rest of a node's id after its head.
pub(crate) fn rest_of(evaluator: &Evaluator, place: NodeId) -> &str {
    let id = evaluator.nodes.id(place).as_str();
    head_and_rest(id).map_or(id, |(_, rest)| rest)
}

/// The text with which both texts start.
fn shared_start<'t>(one: &'t str, other: &str) -> &'t str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
    let mut length = same.count();
    while !one.is_char_boundary(length) {
        length -= 1;
    }
    &one[..length]
}
