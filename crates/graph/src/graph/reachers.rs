//! Who reaches an entity.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Graph;
use crate::edges::{LocalTexts, Text};
use crate::naming::Naming;
use crate::nodes::NodeId;
use crate::parallel::{in_parallel, threads};
use crate::path::AttackPath;
use crate::permit::Permit;
use crate::plan::{Plan, Targets};
use crate::reverse::{Next, Reachers, Start, may_reach, reachers};
use crate::world::TakerKind;

/// How many paths are worth handing to a thread.
const A_SHARE: usize = 256;

/// How many who may take a step are worth a thread.
const A_PART: usize = 512;

/// A last step that has no edge: its plan, and what it uses and needs.
type LastStep<'g> = (&'g Plan, Arc<Permit>);

impl Graph {
    /// Who reaches an entity: one best path from each user, role, person and identity from outside
    /// that can get to it, the easiest first (fewest conditions, then fewest steps, then by id).
    pub fn reachers(&self, to: &str) -> Vec<AttackPath> {
        let Some(end) = self.place(to) else {
            return Vec::new();
        };
        let mut paths = self.paths_to(end);
        // Places are in the order of ids, so that no id is compared.
        paths.sort_by_key(|(from, path)| (path.conditions.len(), path.steps.len(), *from));
        paths.into_iter().map(|(_, path)| path).collect()
    }

    /// One best path from every principal that reaches an end, in no order.
    fn paths_to(&self, end: NodeId) -> Vec<(NodeId, AttackPath)> {
        let usable = &self.usable;
        let back = |starts: &[Start<'_>]| reachers(starts, &self.edges, &self.members, usable);
        let principal = |place: NodeId| self.evaluator.nodes.get(place).kind.is_principal();
        let found = back(&[Start::at(end)]);
        let from = found.order.iter().copied();
        let from: Vec<NodeId> = from
            .filter(|&from| from != end && principal(from))
            .collect();
        let mut paths = in_parallel(&from, A_SHARE, |&from| {
            (from, self.path_back(&found, from, end, &[]))
        });
        // What leads nowhere has no edges: whoever takes the last step is a start of its own.
        let leaf = self.steps_onto_leaf(end);
        let mut ends = vec![end];
        if !leaf.is_empty() {
            let mut keys = LocalTexts::new(&self.edges.texts);
            let conditions: Vec<Vec<Text>> = leaf
                .iter()
                .map(|(_, (_, permit))| {
                    let conditions = permit.conditions.iter();
                    conditions.map(|key| keys.of(key)).collect()
                })
                .collect();
            let starts = leaf.iter().zip(&conditions).zip(0..);
            let starts: Vec<Start<'_>> = starts
                .map(|(((taker, _), conditions), place)| Start {
                    node: *taker,
                    conditions,
                    steps: 1,
                    next: Next::Known(place),
                })
                .collect();
            let to_leaf = back(&starts);
            // Who reaches it as an administrator may do so with fewer conditions by such a step.
            let is_easier = |from: NodeId| {
                let conditions =
                    |walk: &Reachers| walk.cost(from).map(|(conditions, _)| conditions);
                let by_step = conditions(&to_leaf);
                conditions(&found).is_none_or(|known| by_step.is_some_and(|fewer| fewer < known))
            };
            let from = to_leaf.order.iter().copied();
            let from: Vec<NodeId> = from
                .filter(|&from| from != end && principal(from) && is_easier(from))
                .collect();
            paths.retain(|(from, _)| !is_easier(*from));
            paths.extend(in_parallel(&from, A_SHARE, |&from| {
                (from, self.path_back(&to_leaf, from, end, &leaf))
            }));
            ends.extend(leaf.iter().map(|(taker, _)| *taker));
        }
        // Who reaches both ends of a grant on ways of his own is not seen by a walk backwards, nor who
        // reaches several owners of a Safe.
        let mut several: BTreeSet<NodeId> = self.by_grants(&ends).into_iter().collect();
        several.extend(self.by_quorums(&ends));
        if several.is_empty() {
            return paths;
        }
        let mut paths: BTreeMap<NodeId, AttackPath> = paths.into_iter().collect();
        for from in several {
            let is_open = found
                .cost(from)
                .is_some_and(|(conditions, _)| conditions == 0);
            if from == end || is_open || !principal(from) {
                continue;
            }
            if let Some(path) = self.path_between(from, end) {
                let cost = |path: &AttackPath| (path.conditions.len(), path.steps.len());
                let known = paths.get(&from);
                if known.is_none_or(|known| cost(&path) < cost(known)) {
                    paths.insert(from, path);
                }
            }
        }
        paths.into_iter().collect()
    }

    /// The path of a walk backwards; `leaf` are the last steps that it knows.
    pub(super) fn path_back(
        &self,
        found: &Reachers,
        from: NodeId,
        end: NodeId,
        leaf: &[(NodeId, LastStep<'_>)],
    ) -> AttackPath {
        let steps = found.steps_from(from).into_iter();
        let steps = steps.filter_map(|(from, next)| match next {
            Next::End => None,
            Next::Known(place) => {
                let (taker, (plan, permit)) = leaf.get(place as usize)?;
                Some(self.catalogue_step(*taker, end, plan, permit))
            }
            Next::Edge(to, edge) => Some(self.path_step(from, to, self.edges.edge(edge))),
            Next::Member(to) => Some(self.administers(from, to)),
            Next::Grant(to, place) => {
                let used = self.usable.grant(to, place)?;
                let edge = &self.edges.grants.get(used.grant as usize)?.edge;
                let mut step = self.path_step(from, to, edge);
                step.title = self.title_of(used.grant, used.holder);
                step.conditions.extend(self.words(&used.besides));
                step.conditions.sort_unstable();
                step.conditions.dedup();
                Some(step)
            }
        });
        self.whole(from, end, steps.collect())
    }

    /// Those who may reach both ends of some split grant that leads on to any of some ends.
    fn by_grants(&self, ends: &[NodeId]) -> Vec<NodeId> {
        let split = &self.usable.split;
        if split.is_empty() {
            return Vec::new();
        }
        let near = may_reach(ends, &self.edges, &self.members);
        let mut by = Vec::new();
        let mut holders = Vec::new();
        let grants = split
            .iter()
            .map(|&place| &self.edges.grants[place as usize]);
        for grant in grants {
            if near[grant.edge.to as usize] {
                by.push(grant.by);
                let list = self.edges.holders(grant.holders).iter();
                holders.extend(list.map(|(holder, _)| *holder));
            }
        }
        if by.is_empty() {
            return Vec::new();
        }
        let by = may_reach(&by, &self.edges, &self.members);
        let holders = may_reach(&holders, &self.edges, &self.members);
        let both = by.into_iter().zip(holders).enumerate();
        both.filter(|(_, (by, holder))| *by && *holder)
            .map(|(place, _)| place as NodeId)
            .collect()
    }

    /// Those who may reach as many owners of a Safe as must sign, where it leads on to any of some ends.
    fn by_quorums(&self, ends: &[NodeId]) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::new();
        if self.edges.quorums.is_empty() {
            return found;
        }
        let near = may_reach(ends, &self.edges, &self.members);
        let quorums = self.edges.quorums.iter();
        for quorum in quorums.filter(|quorum| near[quorum.edge.to as usize]) {
            let mut counts = vec![0; near.len()];
            for &owner in &quorum.owners {
                let reaching = may_reach(&[owner], &self.edges, &self.members);
                for (count, reaches) in counts.iter_mut().zip(reaching) {
                    *count += u32::from(reaches);
                }
            }
            let counts = counts.into_iter().zip(0..);
            let enough = counts.filter(|(count, _)| *count >= quorum.needed);
            found.extend(enough.map(|(_, place)| place));
        }
        found
    }

    /// The steps onto a node that leads nowhere, which have no edges: by whom, and how.
    fn steps_onto_leaf(&self, leaf: NodeId) -> Vec<(NodeId, LastStep<'_>)> {
        let mut found: BTreeMap<NodeId, LastStep<'_>> = BTreeMap::new();
        let world = &self.evaluator.world;
        let nodes = &self.evaluator.nodes;
        let plans = self.evaluator.plans.iter();
        let plans: Vec<&Plan> = plans.filter(|plan| plan.leaves.contains(leaf)).collect();
        if plans.is_empty() {
            return Vec::new();
        }
        let spoken = Naming::of(&self.evaluator, &self.patterns, &plans, leaf);
        for plan in plans {
            let mut only = Targets::default();
            only.push(nodes, leaf);
            let naming = spoken.policies(&self.evaluator, plan);
            let opens = world.said_by(leaf).any(|policy| {
                let grants = &world.policies.outline_of(policy).grants;
                grants.iter().any(|grant| !grant.principals.is_empty())
            });
            let mut named = vec![false; world.policies.len()];
            for &policy in &naming {
                named[policy as usize] = true;
            }
            let holders = &self.holders;
            let by_anyone = opens || plan.target_needs().next().is_none();
            let takers = match by_anyone {
                true => (0..world.takers.len()).collect(),
                false => holders.of_any(&naming),
            };
            let permits_of = |takers: &&[usize]| {
                let mut known = self.evaluator.alike(plan, leaf, &named, &holders.denying);
                let mut permits = Vec::new();
                for taker in takers.iter().map(|&place| &world.takers[place]) {
                    if taker.kind == TakerKind::Account || !self.evaluator.may_hold(taker, plan) {
                        continue;
                    }
                    let by_policy = taker.identity.iter().any(|&policy| named[policy as usize]);
                    if !by_policy || opens {
                        let openings = world.openings(nodes, taker);
                        let found = self
                            .evaluator
                            .candidates(taker, plan, &only, &openings, false);
                        if found.is_empty() {
                            continue;
                        }
                    }
                    permits.extend(known.permit(taker).map(|permit| (taker.node, permit)));
                }
                permits
            };
            // Each part learns anew who are alike.
            let parts: Vec<&[usize]> = takers
                .chunks(takers.len().div_ceil(threads()).max(A_PART))
                .collect();
            let permits = in_parallel(&parts, 1, permits_of);
            for (taker, permit) in permits.into_iter().flatten() {
                match found.get(&taker) {
                    Some((_, known)) if known.conditions.len() <= permit.conditions.len() => {}
                    _ => {
                        found.insert(taker, (plan, permit));
                    }
                }
            }
        }
        found.into_iter().collect()
    }
}
