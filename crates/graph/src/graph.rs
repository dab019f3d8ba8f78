use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use portreeve_model::{EntityId, EntityKind, Estate};

use crate::ask::Circumstances;
use crate::build;
use crate::catalogue::{Catalogue, Yields};
use crate::doors::Door;
use crate::edges::{Edge, Edges, LocalTexts, Text};
use crate::evaluate::{Evaluator, Permit, Plan, Targets};
use crate::export::{GraphEdge, GraphNode, NodeKind, Reached, word};
use crate::jewels::DeclaredJewel;
use crate::leaves::{Finder, Leaves};
use crate::names::Names;
use crate::naming::{Naming, PolicyHolders};
use crate::nodes::NodeId;
use crate::path::{AttackPath, BlastRadius, Jewel, PathStep};
use crate::reverse::{Next, Reachers, Start, Usable, may_reach, reachers};
use crate::saved::{self, Inputs, LoadError, SaveError};
use crate::search::{Bounds, Last, Members, Reach, reach};
use crate::world::TakerKind;

/// The step from an account to what is in it.
const ADMINISTERS: &str = "Take it as the account's administrator";

/// A last step that has no edge: its plan, and what it uses and needs.
type LastStep<'g> = (&'g Plan, Arc<Permit>);

/// A path with all that it hangs on.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) path: AttackPath,
    /// Its steps, and those to the other ends of the grants that it uses.
    pub(crate) steps: Vec<PathStep>,
    /// Every node on them, and what grants are on.
    pub(crate) nodes: BTreeSet<NodeId>,
}

/// What a hub is called.
#[derive(Clone, Debug)]
struct Hub {
    id: String,
    label: String,
}

/// The attack graph of an estate.
///
/// It is built once and then asked. All answers are in an order of their own, whatever the order
/// of the inventory.
#[derive(Clone, Debug)]
pub struct Graph {
    evaluator: Evaluator,
    edges: Edges,
    members: Members,
    jewels: BTreeMap<NodeId, Jewel>,
    doors: Vec<Door>,
    names: Names,
    hubs: Vec<Hub>,
    usable: OnceLock<Usable>,
    holders: OnceLock<PolicyHolders>,
    notes: Vec<String>,
}

impl Graph {
    /// Builds the graph of an estate with the steps of a catalogue. `declared` are crown jewels
    /// that the user names, beside those that are found.
    pub fn build(estate: &Estate, catalogue: &Catalogue, declared: &[DeclaredJewel]) -> Self {
        build::graph(estate, catalogue, declared, &Circumstances::default())
    }

    /// The same for an intruder of whose requests more is known: that his session has no second
    /// factor, say, or from where they come. Only steps that are open then are in it.
    pub fn build_in(
        estate: &Estate,
        catalogue: &Catalogue,
        declared: &[DeclaredJewel],
        circumstances: &Circumstances,
    ) -> Self {
        build::graph(estate, catalogue, declared, circumstances)
    }

    pub(crate) fn new(
        evaluator: Evaluator,
        edges: Edges,
        jewels: BTreeMap<NodeId, Jewel>,
        doors: Vec<Door>,
        notes: Vec<String>,
    ) -> Self {
        let names = Names::of(&evaluator.nodes);
        let nodes = &evaluator.nodes;
        let held = nodes
            .iter()
            .filter(|(_, node)| !matches!(node.kind, EntityKind::External | EntityKind::Account));
        let pairs = held.filter_map(|(place, _)| Some((nodes.account_node(place)?, place)));
        let members = Members::of(nodes.len(), pairs);
        let hubs = (0..edges.hub_count() as u32).map(|place| {
            let targets = edges.hub(edges.nodes() + place).unwrap_or_default();
            let kind = targets.first().map(|&target| word(nodes.get(target).kind));
            Hub {
                id: format!("hub:{place}"),
                label: format!("{} of kind {}", targets.len(), kind.unwrap_or("none")),
            }
        });
        let hubs = hubs.collect();
        Self {
            evaluator,
            edges,
            members,
            jewels,
            doors,
            names,
            hubs,
            usable: OnceLock::new(),
            holders: OnceLock::new(),
            notes,
        }
    }

    /// Writes the graph, so that [`Graph::load`] can bring it back. `inputs` are what it was built
    /// of.
    pub fn save(&self, inputs: &Inputs, writer: impl Write) -> Result<(), SaveError> {
        let parts = saved::Parts {
            evaluator: &self.evaluator,
            edges: &self.edges,
            jewels: &self.jewels,
            doors: &self.doors,
            notes: &self.notes,
        };
        saved::save(&parts, inputs, writer)
    }

    /// Reads a graph that [`Graph::save`] wrote. One that was built of other inputs is stale, and
    /// refused.
    pub fn load(inputs: &Inputs, reader: impl Read) -> Result<Self, LoadError> {
        saved::load(inputs, reader)
    }

    /// The crown jewels, by id.
    pub fn jewels(&self) -> Vec<Jewel> {
        self.jewels.values().cloned().collect()
    }

    /// The jewel with this id.
    pub fn jewel(&self, id: &str) -> Option<&Jewel> {
        self.jewels.get(&self.evaluator.nodes.find(id)?)
    }

    /// Where someone from outside can come in.
    pub fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// What the user should know of how the graph was built.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How many nodes and edges there are. Edges to what leads nowhere are not kept, and not
    /// counted.
    pub fn size(&self) -> (usize, usize) {
        (self.evaluator.nodes.len(), self.edges.count())
    }

    /// The ids of all nodes, in order.
    pub fn entities(&self) -> impl Iterator<Item = &EntityId> {
        self.evaluator.nodes.iter().map(|(_, node)| &node.id)
    }

    /// What a name may mean, the likeliest first: an id; the ARN of a session of a role; an access
    /// key id; an ARN without its path; the name of a user or role; a web identity, which means
    /// the trusted pattern that covers it.
    pub fn lookup(&self, name: &str) -> Vec<EntityId> {
        self.names
            .find(&self.evaluator.nodes, name)
            .into_iter()
            .map(|place| self.evaluator.nodes.id(place).clone())
            .collect()
    }

    /// The likeliest meaning of a name, as [`Graph::lookup`] tells it.
    pub fn find(&self, name: &str) -> Option<EntityId> {
        let place = self.place(name)?;
        Some(self.evaluator.nodes.id(place).clone())
    }

    /// Every principal that may do everything in its account.
    pub fn administrators(&self) -> Vec<EntityId> {
        self.jewels
            .iter()
            .filter(|(place, _)| {
                let edges = self.edges.of(**place).iter();
                edges
                    .map(|edge| self.edges.texts.get(self.edges.detail(edge).via))
                    .any(|via| via == "administrator")
            })
            .map(|(_, jewel)| jewel.id.clone())
            .collect()
    }

    /// The steps that lead away from an entity, to what leads on or is a jewel.
    pub fn steps_from(&self, name: &str) -> Vec<PathStep> {
        let Some(place) = self.place(name) else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        for edge in self.edges.of(place) {
            let targets = self.edges.hub(edge.to);
            let targets = targets.unwrap_or(std::slice::from_ref(&edge.to));
            let others = targets.iter().filter(|&&target| target != place);
            steps.extend(others.map(|&target| self.path_step(place, target, edge)));
        }
        for &grant in self.edges.grants_by(place) {
            let edge = &self.edges.grants[grant as usize].edge;
            for holder in 0..self
                .edges
                .holders(self.edges.grants[grant as usize].holders)
                .len()
            {
                let mut step = self.path_step(place, edge.to, edge);
                step.title = self.title_of(grant, holder as u32);
                steps.push(step);
            }
        }
        steps
    }

    /// The best path from one entity to each crown jewel that it reaches: fewest conditions, then
    /// fewest steps. The easiest jewels come first.
    pub fn paths_to_jewels(&self, from: &str) -> Vec<AttackPath> {
        let Some(start) = self.place(from) else {
            return Vec::new();
        };
        let reach = self.reach(start);
        let mut paths: Vec<((usize, u32), NodeId)> = self
            .jewels
            .keys()
            .filter(|&&jewel| jewel != start)
            .filter_map(|&jewel| Some((reach.cost(jewel)?, jewel)))
            .collect();
        paths.sort_unstable();
        paths
            .into_iter()
            .filter_map(|(_, jewel)| self.path_in(&reach, start, jewel))
            .collect()
    }

    /// The best path between two entities, of any kind; names are looked up as
    /// [`Graph::lookup`] does. From an entity to itself it has no steps.
    pub fn path(&self, from: &str, to: &str) -> Option<AttackPath> {
        let start = self.place(from)?;
        let end = self.place(to)?;
        self.path_between(start, end)
    }

    fn path_between(&self, start: NodeId, end: NodeId) -> Option<AttackPath> {
        let bounds = Bounds {
            until: Some(end),
            within: None,
        };
        let reach = reach(start, &self.edges, &self.members, bounds);
        if reach.is_reached(end) {
            return self.path_in(&reach, start, end);
        }
        let (last, step) = self.leaf_step(&reach, end)?;
        let mut path = self.path_in(&reach, start, last)?;
        path.steps.push(step);
        Some(self.whole(start, end, path.steps))
    }

    /// The best path from an entity to each of some ends, with all that it hangs on. Ends that are
    /// not reached are left out; so is the entity itself.
    pub(crate) fn walks(&self, from: &str, ends: &[EntityId]) -> Vec<Walk> {
        let Some(start) = self.place(from) else {
            return Vec::new();
        };
        let places: Vec<NodeId> = ends
            .iter()
            .filter_map(|end| self.place(end.as_str()))
            .filter(|&end| end != start)
            .collect();
        let bounds = Bounds {
            until: places.first().copied().filter(|_| places.len() == 1),
            within: None,
        };
        let reach = reach(start, &self.edges, &self.members, bounds);
        let walk = |end: NodeId| {
            let (goal, last) = match reach.is_reached(end) {
                true => (end, None),
                false => {
                    let (before, step) = self.leaf_step(&reach, end)?;
                    (before, Some(step))
                }
            };
            let mut path = self.path_in(&reach, start, goal)?;
            path.steps.extend(last.clone());
            let path = self.whole(start, end, path.steps);
            let mut walk = Walk {
                nodes: BTreeSet::from([start, end]),
                steps: Vec::new(),
                path,
            };
            self.support(&reach, goal, &mut walk);
            walk.steps.extend(last);
            Some(walk)
        };
        places.into_iter().filter_map(walk).collect()
    }

    /// Adds the steps that a node is reached by, those to the other ends of grants among them.
    fn support(&self, reach: &Reach, node: NodeId, walk: &mut Walk) {
        let mut asked = vec![node];
        let mut seen = BTreeSet::new();
        while let Some(node) = asked.pop() {
            if !seen.insert(node) {
                continue;
            }
            for (last, to) in reach.steps_to(node, &self.edges).into_iter().flatten() {
                walk.nodes.insert(to);
                if let Last::Grant(place, holder) = last {
                    let holders = &self.edges.grants[place as usize].holders;
                    if let Some(&(who, target)) = self.edges.holders(*holders).get(holder as usize)
                    {
                        walk.nodes.extend([who, target]);
                        asked.push(who);
                    }
                }
                walk.steps.extend(self.step_taken(reach, last, to));
            }
        }
    }

    /// The ids of some nodes.
    pub(crate) fn ids_of(&self, nodes: &BTreeSet<NodeId>) -> BTreeSet<EntityId> {
        let ids = nodes.iter().map(|&node| self.evaluator.nodes.id(node));
        ids.cloned().collect()
    }

    /// The best path from an entity to the control of an account, or to a principal that may do
    /// everything in its account: what makes one an administrator.
    pub fn path_to_administrator(&self, from: &str) -> Option<AttackPath> {
        let start = self.place(from)?;
        let reach = self.reach(start);
        let best = reach
            .order
            .iter()
            .copied()
            .filter(|&place| place != start && self.members.is_account(place))
            .min_by_key(|&place| (reach.cost(place), place))?;
        self.path_in(&reach, start, best)
    }

    /// All that an entity reaches.
    pub fn blast_radius(&self, from: &str) -> BlastRadius {
        let Some(start) = self.place(from) else {
            return BlastRadius::default();
        };
        let reach = self.reach(start);
        let mut reached = reach.order.clone();
        reached.extend(self.leaves_of(&reach).found.into_keys());
        reached.retain(|&place| place != start);
        reached.sort_unstable();
        reached.dedup();
        let nodes = &self.evaluator.nodes;
        let mut radius = BlastRadius::default();
        for place in reached {
            let node = nodes.get(place);
            // To read a web origin is not to hold it: only what the graph leads to counts.
            if self.jewels.contains_key(&place) && reach.is_reached(place) {
                radius.jewels.push(node.id.clone());
            }
            if node.kind.is_principal() {
                radius.principals.push(node.id.clone());
            } else {
                radius.resources.push(node.id.clone());
            }
        }
        radius
    }

    /// All that an entity reaches, by hop: fewest conditions first, then fewest steps, then by id.
    /// The same set as [`Graph::blast_radius`].
    pub fn reached_from(&self, from: &str) -> Vec<Reached> {
        let Some(start) = self.place(from) else {
            return Vec::new();
        };
        let reach = self.reach(start);
        let leaves = self.leaves_of(&reach);
        let of_leaf = |last: NodeId, permit: u32| {
            let mut conditions = self.words(reach.conditions(last));
            let more = leaves.conditions.get(permit as usize);
            conditions.extend(more.into_iter().flatten().cloned());
            conditions.sort_unstable();
            conditions.dedup();
            conditions
        };
        // Places are in the order of ids, so that no id is compared.
        let mut found: Vec<(u32, usize, NodeId, Option<Vec<String>>)> = Vec::new();
        for &place in reach.order.iter().filter(|&&place| place != start) {
            if let Some((conditions, hops)) = reach.cost(place) {
                found.push((hops, conditions, place, None));
            }
        }
        for (&place, &(last, permit)) in &leaves.found {
            let hops = reach.cost(last).map_or(1, |(_, steps)| steps + 1);
            let conditions = of_leaf(last, permit);
            found.push((hops, conditions.len(), place, Some(conditions)));
        }
        found.sort_unstable();
        let nodes = &self.evaluator.nodes;
        let found = found
            .into_iter()
            .map(|(hops, _, place, conditions)| Reached {
                id: nodes.id(place).clone(),
                kind: nodes.get(place).kind,
                hops,
                is_jewel: conditions.is_none() && self.jewels.contains_key(&place),
                conditions: conditions.unwrap_or_else(|| {
                    let mut words = self.words(reach.conditions(place));
                    words.sort_unstable();
                    words
                }),
            });
        found.collect()
    }

    /// Who reaches an entity: one best path from each user, role, person and identity from outside
    /// that can get to it, the easiest first (fewest conditions, then fewest steps, then by id).
    pub fn reachers(&self, to: &str) -> Vec<AttackPath> {
        let Some(end) = self.place(to) else {
            return Vec::new();
        };
        let paths = self.paths_to(end).into_iter();
        let mut paths: Vec<AttackPath> = paths.map(|(_, path)| path).collect();
        paths.sort_by(|a, b| {
            (a.conditions.len(), a.steps.len(), &a.from).cmp(&(
                b.conditions.len(),
                b.steps.len(),
                &b.from,
            ))
        });
        paths
    }

    /// One best path from every principal that reaches an end.
    fn paths_to(&self, end: NodeId) -> Vec<(NodeId, AttackPath)> {
        let usable = self.usable();
        let back = |starts: &[Start<'_>]| reachers(starts, &self.edges, &self.members, usable);
        let principal = |place: NodeId| self.evaluator.nodes.get(place).kind.is_principal();
        let mut paths = BTreeMap::new();
        let found = back(&[Start::at(end)]);
        for &from in found.order.iter().filter(|&&from| from != end) {
            if principal(from) {
                paths.insert(from, self.path_back(&found, from, end, &[]));
            }
        }
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
            for &from in to_leaf.order.iter().filter(|&&from| from != end) {
                if found.cost(from).is_none() && principal(from) {
                    paths.insert(from, self.path_back(&to_leaf, from, end, &leaf));
                }
            }
            ends.extend(leaf.iter().map(|(taker, _)| *taker));
        }
        // Who reaches both ends of a grant on ways of his own is not seen by a walk backwards.
        for from in self.by_grants(&ends) {
            let is_open = found
                .cost(from)
                .is_some_and(|(conditions, _)| conditions == 0);
            if from == end || is_open || !principal(from) {
                continue;
            }
            if let Some(path) = self.path_between(from, end) {
                let cost = |path: &AttackPath| (path.conditions.len(), path.steps.len());
                let known = paths.get(&from).filter(|_| found.cost(from).is_some());
                if known.is_none_or(|known| cost(&path) < cost(known)) {
                    paths.insert(from, path);
                }
            }
        }
        paths.into_iter().collect()
    }

    /// The path of a walk backwards; `leaf` are the last steps that it knows.
    fn path_back(
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
                Some(self.catalogue_step(*taker, end, plan, (**permit).clone()))
            }
            Next::Edge(to, edge) => Some(self.path_step(from, to, self.edges.edge(edge))),
            Next::Member(to) => Some(self.administers(from, to)),
            Next::Grant(to, place) => {
                let used = self.usable().grant(to, place)?;
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
        let split = &self.usable().split;
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
        let spoken = Naming::of(&self.evaluator, &plans, leaf);
        for plan in plans {
            let mut only = Targets::default();
            only.push(nodes, leaf);
            let naming = spoken.policies(&self.evaluator, plan);
            let opens = world.own.get(&leaf).is_some_and(|&own| {
                let grants = &world.policies.outline_of(own).grants;
                grants.iter().any(|grant| !grant.principals.is_empty())
            });
            let mut known = self.evaluator.alike(plan, leaf, &naming);
            let by_anyone = opens || plan.target_needs().next().is_none();
            let takers = match by_anyone {
                true => (0..world.takers.len()).collect(),
                false => self.holders().of_any(&naming),
            };
            for taker in takers.into_iter().map(|place| &world.takers[place]) {
                if taker.kind == TakerKind::Account || !self.evaluator.may_hold(taker, plan) {
                    continue;
                }
                let by_policy = taker
                    .identity
                    .iter()
                    .any(|policy| naming.binary_search(policy).is_ok());
                if !by_policy || opens {
                    let openings = world.openings(nodes, taker);
                    let found = self
                        .evaluator
                        .candidates(taker, plan, &only, &openings, false);
                    if found.is_empty() {
                        continue;
                    }
                }
                let permit = known.permit(taker, || {
                    let asker = world.asker(nodes, taker);
                    self.evaluator.step(taker, &asker, plan, leaf)
                });
                let Some(permit) = permit else {
                    continue;
                };
                match found.get(&taker.node) {
                    Some((_, known)) if known.conditions.len() <= permit.conditions.len() => {}
                    _ => {
                        found.insert(taker.node, (plan, permit));
                    }
                }
            }
        }
        found.into_iter().collect()
    }

    /// The identities outside the estate that belong to a third party: by its account number, by
    /// the host of its issuer (`token.actions.githubusercontent.com`), or by any id that
    /// [`Graph::lookup`] knows. In order.
    pub fn third_party(&self, name: &str) -> Vec<EntityId> {
        let nodes = &self.evaluator.nodes;
        let outside = |node: &crate::nodes::Node| node.kind == EntityKind::External;
        let mut found: BTreeSet<EntityId> = nodes
            .iter()
            .filter(|(_, node)| outside(node))
            .map(|(_, node)| &node.id)
            .filter(|id| {
                id.aws_account() == Some(name)
                    || id
                        .as_str()
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with(':'))
            })
            .cloned()
            .collect();
        if found.is_empty() {
            let named = self.names.find(nodes, name).into_iter();
            found.extend(
                named
                    .filter(|&place| outside(nodes.get(place)))
                    .map(|place| nodes.id(place).clone()),
            );
        }
        found.into_iter().collect()
    }

    /// Every node, entities in the order of their ids, then hubs.
    pub fn nodes(&self) -> impl Iterator<Item = GraphNode<'_>> {
        let entities = self.evaluator.nodes.iter().map(|(place, node)| GraphNode {
            id: node.id.as_str(),
            kind: NodeKind::Entity(node.kind),
            label: node.id.short_name(),
            account: node.account.as_deref(),
            inferred: node.inferred,
            jewel: self.jewels.get(&place),
        });
        entities.chain(self.hubs.iter().map(|hub| GraphNode {
            id: &hub.id,
            kind: NodeKind::Hub,
            label: &hub.label,
            account: None,
            inferred: false,
            jewel: None,
        }))
    }

    /// Every edge that is kept, in an order of its own. To what leads nowhere there is none: such
    /// steps are found when someone asks ([`Graph::reached_from`], [`Graph::path`]).
    pub fn edges(&self) -> impl Iterator<Item = GraphEdge<'_>> {
        let nodes = &self.evaluator.nodes;
        let own = nodes.iter().flat_map(move |(place, _)| {
            let edges = self.edges.of(place).iter();
            edges.map(move |edge| self.graph_edge(place, edge, None))
        });
        let grants = self.edges.grants.iter();
        let grants =
            grants.map(|grant| self.graph_edge(grant.by, &grant.edge, Some(grant.holders)));
        let plain = |from, to, via, title| GraphEdge {
            from,
            to,
            via,
            title,
            permissions: Vec::new(),
            conditions: Vec::new(),
            statements: Vec::new(),
            besides: Vec::new(),
        };
        let members = self.members.iter().flat_map(move |(account, members)| {
            members.iter().map(move |&member| {
                let (from, to) = (nodes.id(account).as_str(), nodes.id(member).as_str());
                plain(from, to, "administers", ADMINISTERS)
            })
        });
        let covered = self.hubs.iter().enumerate().flat_map(move |(place, hub)| {
            let targets = self.edges.hub(self.edges.nodes() + place as u32);
            targets.into_iter().flatten().map(move |&target| {
                plain(
                    &hub.id,
                    nodes.id(target).as_str(),
                    "covers",
                    "Any one of many",
                )
            })
        });
        own.chain(grants).chain(members).chain(covered)
    }

    fn graph_edge<'g>(
        &'g self,
        from: NodeId,
        edge: &'g Edge,
        holders: Option<u32>,
    ) -> GraphEdge<'g> {
        let nodes = &self.evaluator.nodes;
        let texts = &self.edges.texts;
        let detail = self.edges.detail(edge);
        let words = |list: &'g [Text]| list.iter().map(|&text| texts.get(text)).collect();
        let holders = holders.map_or(&[][..], |list| self.edges.holders(list));
        let hub = edge.to.checked_sub(self.edges.nodes());
        GraphEdge {
            from: nodes.id(from).as_str(),
            to: match hub.and_then(|hub| self.hubs.get(hub as usize)) {
                Some(hub) => &hub.id,
                None => nodes.id(edge.to).as_str(),
            },
            via: texts.get(detail.via),
            title: texts.get(detail.title),
            permissions: words(&detail.permissions),
            conditions: words(&detail.conditions),
            statements: words(&detail.statements),
            besides: holders
                .iter()
                .map(|(holder, _)| nodes.id(*holder).as_str())
                .collect(),
        }
    }

    /// Who may take a step straight onto a resource otherwise than by reading it: for a web
    /// origin who may write it, for an image repository who may push. Administrators of the
    /// account, who may do everything, are among them.
    pub fn writers(&self, resource: &str) -> Vec<PathStep> {
        let Some(target) = self.place(resource) else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        for taker in &self.evaluator.world.takers {
            if taker.kind != TakerKind::Principal {
                continue;
            }
            let mut asker = None;
            for plan in &self.evaluator.plans {
                let fits = plan.core.contains(target) || plan.leaves.contains(target);
                if plan.escalation.yields != Yields::Target
                    || !fits
                    || !self.evaluator.may_hold(taker, plan)
                {
                    continue;
                }
                let asker = asker.get_or_insert_with(|| {
                    self.evaluator.world.asker(&self.evaluator.nodes, taker)
                });
                if let Some(permit) = self.evaluator.step(taker, asker, plan, target) {
                    steps.push(self.catalogue_step(taker.node, target, plan, permit));
                }
            }
        }
        steps
    }

    fn place(&self, name: &str) -> Option<NodeId> {
        self.names
            .find(&self.evaluator.nodes, name)
            .into_iter()
            .next()
    }

    /// The grants by who can use them, worked out when first asked for.
    fn usable(&self) -> &Usable {
        self.usable
            .get_or_init(|| Usable::of(&self.edges, &self.members))
    }

    /// Who holds each policy, worked out when first asked for.
    fn holders(&self) -> &PolicyHolders {
        self.holders
            .get_or_init(|| PolicyHolders::of(&self.evaluator.world))
    }

    fn reach(&self, start: NodeId) -> Reach {
        reach(start, &self.edges, &self.members, Bounds::default())
    }

    /// The best last step onto a leaf from what was reached.
    fn leaf_step(&self, reach: &Reach, leaf: NodeId) -> Option<(NodeId, PathStep)> {
        let mut best: Option<((usize, u32, bool), NodeId, PathStep)> = None;
        let nodes = &self.evaluator.nodes;
        let mut only = Targets::default();
        only.push(nodes, leaf);
        let plans = self.evaluator.plans.iter();
        let plans: Vec<&Plan> = plans.filter(|plan| plan.leaves.contains(leaf)).collect();
        if plans.is_empty() {
            return None;
        }
        for &place in &reach.order {
            let Some(cost) = reach.cost(place) else {
                continue;
            };
            if best
                .as_ref()
                .is_some_and(|(known, _, _)| *known <= (cost.0, cost.1 + 1, false))
            {
                break;
            }
            let taker = self.evaluator.world.taker(place);
            let Some(taker) = taker.filter(|taker| taker.kind != TakerKind::Account) else {
                continue;
            };
            let mut asked = None;
            for &plan in &plans {
                if !self.evaluator.may_hold(taker, plan) {
                    continue;
                }
                let (asker, openings) = asked.get_or_insert_with(|| {
                    let world = &self.evaluator.world;
                    (None, world.openings(nodes, taker))
                });
                let candidates = self
                    .evaluator
                    .candidates(taker, plan, &only, openings, false);
                if candidates.is_empty() {
                    continue;
                }
                let asker = asker.get_or_insert_with(|| self.evaluator.world.asker(nodes, taker));
                let Some(permit) = self.evaluator.step(taker, asker, plan, leaf) else {
                    continue;
                };
                let so_far: BTreeSet<&str> = reach
                    .conditions(place)
                    .iter()
                    .map(|&text| self.edges.texts.get(text))
                    .collect();
                let new = permit
                    .conditions
                    .iter()
                    .filter(|key| !so_far.contains(key.as_str()))
                    .count();
                // Of two ways alike, reading is the plainer.
                let writes = plan.escalation.yields != Yields::Read;
                let whole = (cost.0 + new, cost.1 + 1, writes);
                if best.as_ref().is_none_or(|(known, _, _)| whole < *known) {
                    best = Some((whole, place, self.catalogue_step(place, leaf, plan, permit)));
                }
            }
        }
        best.map(|(_, place, step)| (place, step))
    }

    /// Leaves onto which someone reached can take a step, with how the first of them does.
    fn leaves_of(&self, reach: &Reach) -> Leaves {
        Finder::new(&self.evaluator, reach).find(&self.members)
    }

    fn path_in(&self, reach: &Reach, start: NodeId, end: NodeId) -> Option<AttackPath> {
        let steps = reach
            .steps_to(end, &self.edges)?
            .into_iter()
            .filter_map(|(last, to)| self.step_taken(reach, last, to))
            .collect();
        Some(self.whole(start, end, steps))
    }

    fn whole(&self, start: NodeId, end: NodeId, steps: Vec<PathStep>) -> AttackPath {
        let conditions = steps.iter().flat_map(|step| step.conditions.iter());
        let conditions: BTreeSet<String> = conditions.cloned().collect();
        AttackPath {
            from: self.evaluator.nodes.id(start).clone(),
            to: self.evaluator.nodes.id(end).clone(),
            conditions: conditions.into_iter().collect(),
            steps,
        }
    }

    fn step_taken(&self, reach: &Reach, last: Last, to: NodeId) -> Option<PathStep> {
        match last {
            Last::Start => None,
            Last::Member(from) => Some(self.administers(from, to)),
            Last::Edge(from, edge) => Some(self.path_step(from, to, self.edges.edge(edge))),
            Last::Grant(place, holder) => {
                let grant = self.edges.grants.get(place as usize)?;
                let (who, _) = *self.edges.holders(grant.holders).get(holder as usize)?;
                let mut step = self.path_step(grant.by, to, &grant.edge);
                step.title = self.title_of(place, holder);
                step.conditions.extend(self.words(reach.conditions(who)));
                step.conditions.sort_unstable();
                step.conditions.dedup();
                Some(step)
            }
        }
    }

    /// The title of a grant's step for one of its holders: where there are several, the detail
    /// leaves out what it is taken on.
    fn title_of(&self, place: u32, holder: u32) -> String {
        let grant = &self.edges.grants[place as usize];
        let title = self.edges.texts.get(self.edges.detail(&grant.edge).title);
        match self.edges.holders(grant.holders) {
            several if several.len() > 1 => {
                let target = several.get(holder as usize).map(|(_, target)| *target);
                let name = target.map(|target| self.evaluator.nodes.id(target).short_name());
                format!("{title} ({})", name.unwrap_or_default())
            }
            _ => title.to_owned(),
        }
    }

    fn administers(&self, from: NodeId, to: NodeId) -> PathStep {
        let nodes = &self.evaluator.nodes;
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(to).clone(),
            via: "administers".to_owned(),
            title: ADMINISTERS.to_owned(),
            permissions: Vec::new(),
            conditions: Vec::new(),
            statements: Vec::new(),
        }
    }

    fn path_step(&self, from: NodeId, to: NodeId, edge: &Edge) -> PathStep {
        let nodes = &self.evaluator.nodes;
        let detail = self.edges.detail(edge);
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(to).clone(),
            via: self.edges.texts.get(detail.via).to_owned(),
            title: self.edges.texts.get(detail.title).to_owned(),
            permissions: self.words(&detail.permissions),
            conditions: self.words(&detail.conditions),
            statements: self.words(&detail.statements),
        }
    }

    fn catalogue_step(&self, from: NodeId, to: NodeId, plan: &Plan, permit: Permit) -> PathStep {
        let nodes = &self.evaluator.nodes;
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(to).clone(),
            via: plan.escalation.id.clone(),
            title: plan.escalation.title.clone(),
            permissions: permit.permissions,
            conditions: permit.conditions.into_iter().collect(),
            statements: permit.statements,
        }
    }

    fn words(&self, texts: &[Text]) -> Vec<String> {
        let words = texts.iter().map(|&text| self.edges.texts.get(text));
        words.map(str::to_owned).collect()
    }
}
