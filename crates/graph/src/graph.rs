use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{EntityId, EntityKind, Estate};

use crate::ask::Circumstances;
use crate::build;
use crate::catalogue::{Catalogue, Yields};
use crate::doors::Door;
use crate::edges::{Edge, Edges, Text};
use crate::evaluate::{Evaluator, Permit, Plan};
use crate::export::{GraphEdge, GraphNode, NodeKind, Reached};
use crate::jewels::DeclaredJewel;
use crate::names::Names;
use crate::nodes::NodeId;
use crate::path::{AttackPath, BlastRadius, Jewel, PathStep};
use crate::search::{Last, Reach, reach};
use crate::world::TakerKind;

/// The attack graph of an estate.
///
/// It is built once and then asked. All answers are in an order of their own, whatever the order
/// of the inventory.
#[derive(Clone, Debug)]
pub struct Graph {
    evaluator: Evaluator,
    edges: Edges,
    members: BTreeMap<NodeId, Vec<NodeId>>,
    jewels: BTreeMap<NodeId, Jewel>,
    doors: Vec<Door>,
    names: Names,
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
        members: BTreeMap<NodeId, Vec<NodeId>>,
        jewels: BTreeMap<NodeId, Jewel>,
        doors: Vec<Door>,
        notes: Vec<String>,
    ) -> Self {
        let names = Names::of(&evaluator.nodes);
        Self {
            evaluator,
            edges,
            members,
            jewels,
            doors,
            names,
            notes,
        }
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
                    .map(|edge| self.edges.texts.get(edge.via))
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
        let own = self.edges.of(place).iter();
        let grants = self
            .edges
            .grants_of(place)
            .filter(|grant| grant.by == place)
            .map(|grant| &grant.edge);
        own.chain(grants)
            .map(|edge| self.path_step(place, edge))
            .collect()
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
        let reach = self.reach(start);
        if reach.is_reached(end) {
            return self.path_in(&reach, start, end);
        }
        let (last, step) = self.leaf_step(&reach, end)?;
        let mut path = self.path_in(&reach, start, last)?;
        path.steps.push(step);
        Some(self.whole(start, end, path.steps))
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
            .filter(|&place| place != start && self.members.contains_key(&place))
            .min_by_key(|&place| (reach.cost(place), place))?;
        self.path_in(&reach, start, best)
    }

    /// All that an entity reaches.
    pub fn blast_radius(&self, from: &str) -> BlastRadius {
        let Some(start) = self.place(from) else {
            return BlastRadius::default();
        };
        let reach = self.reach(start);
        let mut reached: BTreeSet<NodeId> = reach.order.iter().copied().collect();
        reached.extend(self.leaves_of(&reach));
        reached.remove(&start);
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
        let nodes = &self.evaluator.nodes;
        let mut found = Vec::new();
        for &place in reach.order.iter().filter(|&&place| place != start) {
            let Some((_, hops)) = reach.cost(place) else {
                continue;
            };
            let node = nodes.get(place);
            let mut conditions = self.words(reach.conditions(place));
            conditions.sort_unstable();
            found.push(Reached {
                id: node.id.clone(),
                kind: node.kind,
                hops,
                conditions,
                is_jewel: self.jewels.contains_key(&place),
            });
        }
        for place in self.leaves_of(&reach) {
            let Some((last, step)) = self.leaf_step(&reach, place) else {
                continue;
            };
            let hops = reach.cost(last).map_or(1, |(_, steps)| steps + 1);
            let mut conditions = self.words(reach.conditions(last));
            conditions.extend(step.conditions);
            conditions.sort_unstable();
            conditions.dedup();
            found.push(Reached {
                id: nodes.id(place).clone(),
                kind: nodes.get(place).kind,
                hops,
                conditions,
                is_jewel: false,
            });
        }
        found.sort_by(|a, b| {
            (a.hops, a.conditions.len(), &a.id).cmp(&(b.hops, b.conditions.len(), &b.id))
        });
        found
    }

    /// Who reaches an entity: one best path from each user, role, person and identity from outside
    /// that can get to it, the easiest first (fewest conditions, then fewest steps, then by id).
    pub fn reachers(&self, to: &str) -> Vec<AttackPath> {
        let Some(end) = self.place(to) else {
            return Vec::new();
        };
        let nodes = &self.evaluator.nodes;
        let mut paths: Vec<AttackPath> = nodes
            .iter()
            .filter(|(place, node)| *place != end && node.kind.is_principal())
            .filter_map(|(_, node)| self.path(node.id.as_str(), nodes.id(end).as_str()))
            .collect();
        paths.sort_by(|a, b| {
            (a.conditions.len(), a.steps.len(), &a.from).cmp(&(
                b.conditions.len(),
                b.steps.len(),
                &b.from,
            ))
        });
        paths
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
        self.evaluator.nodes.iter().map(|(place, node)| GraphNode {
            id: node.id.as_str(),
            kind: NodeKind::Entity(node.kind),
            label: node.id.short_name(),
            account: node.account.as_deref(),
            inferred: node.inferred,
            jewel: self.jewels.get(&place),
        })
    }

    /// Every edge that is kept, in an order of its own. To what leads nowhere there is none: such
    /// steps are found when someone asks ([`Graph::reached_from`], [`Graph::path`]).
    pub fn edges(&self) -> impl Iterator<Item = GraphEdge<'_>> {
        let nodes = &self.evaluator.nodes;
        let own = nodes.iter().flat_map(move |(place, _)| {
            let edges = self.edges.of(place).iter();
            edges.map(move |edge| self.graph_edge(place, edge, None))
        });
        let grants = self
            .edges
            .grants
            .iter()
            .map(|grant| self.graph_edge(grant.by, &grant.edge, Some(grant.holder)));
        let members = self.members.iter().flat_map(move |(&account, members)| {
            members.iter().map(move |&member| GraphEdge {
                from: nodes.id(account).as_str(),
                to: nodes.id(member).as_str(),
                via: "administers",
                title: "Take it as the account's administrator",
                permissions: Vec::new(),
                conditions: Vec::new(),
                statements: Vec::new(),
                besides: Vec::new(),
            })
        });
        own.chain(grants).chain(members)
    }

    fn graph_edge<'g>(
        &'g self,
        from: NodeId,
        edge: &'g Edge,
        besides: Option<NodeId>,
    ) -> GraphEdge<'g> {
        let nodes = &self.evaluator.nodes;
        let texts = &self.edges.texts;
        let words = |list: &'g [Text]| list.iter().map(|&text| texts.get(text)).collect();
        GraphEdge {
            from: nodes.id(from).as_str(),
            to: nodes.id(edge.to).as_str(),
            via: texts.get(edge.via),
            title: texts.get(edge.title),
            permissions: words(&edge.permissions),
            conditions: words(&edge.conditions),
            statements: words(&edge.statements),
            besides: besides
                .into_iter()
                .map(|holder| nodes.id(holder).as_str())
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
            for plan in &self.evaluator.plans {
                let fits = plan.core.contains(target) || plan.leaves.contains(target);
                if plan.escalation.yields != Yields::Target
                    || !fits
                    || !self.evaluator.may_hold(taker, plan)
                {
                    continue;
                }
                if let Some(permit) = self.evaluator.step(taker, plan, target) {
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

    fn reach(&self, start: NodeId) -> Reach<'_> {
        let nodes = self.evaluator.nodes.len();
        reach(start, nodes, &self.edges, &self.members)
    }

    /// The best last step onto a leaf from what was reached.
    fn leaf_step(&self, reach: &Reach<'_>, leaf: NodeId) -> Option<(NodeId, PathStep)> {
        let mut best: Option<((usize, u32, bool), NodeId, PathStep)> = None;
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
            let Some(&taker) = self.evaluator.world.taker_of.get(&place) else {
                continue;
            };
            let taker = &self.evaluator.world.takers[taker];
            for plan in &self.evaluator.plans {
                if !plan.leaves.contains(leaf) || !self.evaluator.may_hold(taker, plan) {
                    continue;
                }
                if taker.kind == TakerKind::Account {
                    continue;
                }
                let Some(permit) = self.evaluator.step(taker, plan, leaf) else {
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

    /// Leaves onto which someone reached can take a step.
    fn leaves_of(&self, reach: &Reach<'_>) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::new();
        for place in &reach.order {
            let Some(&taker) = self.evaluator.world.taker_of.get(place) else {
                continue;
            };
            let taker = &self.evaluator.world.takers[taker];
            if taker.kind == TakerKind::Account {
                continue;
            }
            let openings = self.evaluator.openings(taker);
            // With the account everything in it is reached already.
            let account = self.evaluator.nodes.account_node(*place);
            let elsewhere = account.is_some_and(|account| reach.is_reached(account));
            if elsewhere && openings.is_empty() {
                continue;
            }
            for plan in &self.evaluator.plans {
                if plan.leaves.all.is_empty() || !self.evaluator.may_hold(taker, plan) {
                    continue;
                }
                let candidates =
                    self.evaluator
                        .candidates(taker, plan, &plan.leaves, &openings, elsewhere);
                for leaf in candidates {
                    if !found.contains(&leaf)
                        && !reach.is_reached(leaf)
                        && self.evaluator.step(taker, plan, leaf).is_some()
                    {
                        found.insert(leaf);
                    }
                }
            }
        }
        found
    }

    fn path_in(&self, reach: &Reach<'_>, start: NodeId, end: NodeId) -> Option<AttackPath> {
        let steps = reach
            .steps_to(end)?
            .into_iter()
            .map(|(last, to)| self.step_taken(last, to))
            .collect();
        Some(self.whole(start, end, steps))
    }

    fn whole(&self, start: NodeId, end: NodeId, steps: Vec<PathStep>) -> AttackPath {
        let conditions: BTreeSet<String> = steps
            .iter()
            .flat_map(|step| step.conditions.iter().cloned())
            .collect();
        AttackPath {
            from: self.evaluator.nodes.id(start).clone(),
            to: self.evaluator.nodes.id(end).clone(),
            conditions: conditions.into_iter().collect(),
            steps,
        }
    }

    fn step_taken(&self, last: &Last<'_>, to: NodeId) -> PathStep {
        let Some(edge) = last.edge else {
            let nodes = &self.evaluator.nodes;
            return PathStep {
                from: nodes.id(last.from).clone(),
                to: nodes.id(to).clone(),
                via: "administers".to_owned(),
                title: "Take it as the account's administrator".to_owned(),
                permissions: Vec::new(),
                conditions: Vec::new(),
                statements: Vec::new(),
            };
        };
        let mut step = self.path_step(last.from, edge);
        step.conditions.extend(self.words(&last.besides));
        step.conditions.sort_unstable();
        step.conditions.dedup();
        step
    }

    fn path_step(&self, from: NodeId, edge: &Edge) -> PathStep {
        let nodes = &self.evaluator.nodes;
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(edge.to).clone(),
            via: self.edges.texts.get(edge.via).to_owned(),
            title: self.edges.texts.get(edge.title).to_owned(),
            permissions: self.words(&edge.permissions),
            conditions: self.words(&edge.conditions),
            statements: self.words(&edge.statements),
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
