mod arrivals;
mod listed;
mod powers;
mod reachers;
mod through;
mod told;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use portreeve_model::{EntityId, EntityKind, Estate};

use crate::ask::Circumstances;
use crate::build;
use crate::catalogue::{Catalogue, Yields};
use crate::doors::Door;
use crate::edges::Edges;
use crate::evaluate::Evaluator;
use crate::jewels::DeclaredJewel;
use crate::leaves::{Finder, Leaves};
use crate::names::Names;
use crate::naming::{PatternIndex, PolicyHolders};
use crate::nodes::NodeId;
use crate::outline::ActionSet;
use crate::parallel::both;
use crate::path::{AttackPath, Jewel, PathStep};
use crate::plan::{Plan, Targets};
use crate::reverse::Usable;
use crate::saved::{self, Inputs, LoadError, SaveError};
use crate::search::{Bounds, Members, Reach, reach};
use crate::world::TakerKind;

use listed::Hub;

pub(crate) use arrivals::Arrival;
pub(crate) use walk::Walk;

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
    /// The grants by who can use them.
    usable: Usable,
    holders: PolicyHolders,
    patterns: PatternIndex,
    /// The actions of which some statement looks at the resource's tags.
    tagged: ActionSet,
    notes: Vec<String>,
}

/// A way to an end.
struct Way {
    path: AttackPath,
    /// The last node that the walk reached: the end, or who takes the last step.
    walked_to: NodeId,
    /// The step onto an end that leads nowhere, and so has no edge.
    last: Option<PathStep>,
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
        let nodes = &evaluator.nodes;
        // The first question would wait for them otherwise.
        let of_policies = || {
            let holders = PolicyHolders::of(&evaluator.world);
            let patterns = PatternIndex::of(&evaluator);
            (holders, patterns, evaluator.tagged_actions())
        };
        let of_nodes = || {
            let names = Names::of(nodes);
            let held = nodes.iter().filter(|(_, node)| {
                !matches!(node.kind, EntityKind::External | EntityKind::Account)
            });
            let pairs = held.filter_map(|(place, _)| Some((nodes.account_node(place)?, place)));
            let members = Members::of(nodes.len(), pairs);
            let usable = Usable::of(&edges, &members);
            (names, members, usable)
        };
        let ((holders, patterns, tagged), (names, members, usable)) =
            both(nodes.len(), of_policies, of_nodes);
        patterns.compile(&evaluator);
        let hubs = Hub::of(&edges, nodes);
        Self {
            evaluator,
            edges,
            members,
            jewels,
            doors,
            names,
            hubs,
            usable,
            holders,
            patterns,
            tagged,
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
    /// key id; an ARN without its path; the name of a user, role or person; a key's alias; a web
    /// identity, which means the trusted pattern that covers it.
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
        self.ways_to_jewels(&self.reach(start), start)
    }

    fn ways_to_jewels(&self, reach: &Reach, start: NodeId) -> Vec<AttackPath> {
        let mut paths: Vec<((usize, u32), NodeId)> = self
            .jewels
            .keys()
            .filter(|&&jewel| jewel != start)
            .filter_map(|&jewel| Some((reach.cost(jewel)?, jewel)))
            .collect();
        paths.sort_unstable();
        paths
            .into_iter()
            .filter_map(|(_, jewel)| self.path_in(reach, start, jewel))
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
        self.way(&reach, start, end).map(|way| way.path)
    }

    /// The best way to an end that a walk found: with the fewest conditions, then the fewest steps.
    fn way(&self, reach: &Reach, start: NodeId, end: NodeId) -> Option<Way> {
        let reached = reach
            .is_reached(end)
            .then(|| self.path_in(reach, start, end));
        let reached = reached.flatten().map(|path| Way {
            path,
            walked_to: end,
            last: None,
        });
        let is_open = |way: &Way| way.path.conditions.is_empty();
        if reached.as_ref().is_some_and(is_open) {
            return reached;
        }
        // What an account's administrator has may be had with fewer conditions by a step onto it alone.
        let stepped = self.leaf_step(reach, end).and_then(|(before, step)| {
            let mut path = self.path_in(reach, start, before)?;
            path.steps.push(step.clone());
            Some(Way {
                path: self.whole(start, end, path.steps),
                walked_to: before,
                last: Some(step),
            })
        });
        let ways = [stepped, reached].into_iter().flatten();
        ways.min_by_key(|way| (way.path.conditions.len(), way.path.steps.len()))
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
                    steps.push(self.catalogue_step(taker.node, target, plan, &permit));
                }
            }
        }
        steps
    }

    /// What is at a place.
    pub(crate) fn named(&self, place: NodeId) -> (&EntityId, EntityKind) {
        let node = self.evaluator.nodes.get(place);
        (&node.id, node.kind)
    }

    pub(crate) fn place(&self, name: &str) -> Option<NodeId> {
        self.names
            .find(&self.evaluator.nodes, name)
            .into_iter()
            .next()
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
                    best = Some((
                        whole,
                        place,
                        self.catalogue_step(place, leaf, plan, &permit),
                    ));
                }
            }
        }
        best.map(|(_, place, step)| (place, step))
    }

    /// Leaves onto which someone reached can take a step, with how the first of them does.
    fn leaves_of(&self, reach: &Reach) -> Leaves {
        Finder::new(&self.evaluator, &self.tagged, reach).find(&self.members)
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
}
