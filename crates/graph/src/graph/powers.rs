//! What every node opens, all at once.

use foldhash::HashMap;
use portreeve_model::EntityId;

use super::Graph;
use crate::edges::Edge;
use crate::keys::{Key, Power};
use crate::nodes::NodeId;
use crate::path::PathStep;
use crate::power::Reachability;

/// What every node of a graph opens.
pub(crate) struct Powers<'g> {
    graph: &'g Graph,
    /// By steps that are open now, and by all steps: how many accounts and jewels each component
    /// reaches.
    open: (Reachability, [Vec<u32>; 2]),
    all: (Reachability, [Vec<u32>; 2]),
}

/// The nodes that are reached from the same components, by these.
pub(crate) type Counted = HashMap<Vec<u32>, usize>;

impl Powers<'_> {
    /// What a node opens; nothing where there is none of this id.
    pub(crate) fn of(&self, id: &str) -> Power {
        let Some(node) = self.graph.evaluator.nodes.find(id) else {
            return Power::default();
        };
        let is_account = u32::from(self.graph.members.is_account(node));
        let is_jewel = u32::from(self.graph.jewels.contains_key(&node));
        let count = |(all, [accounts, jewels]): &(Reachability, [Vec<u32>; 2])| {
            let component = all.component(node) as usize;
            // Nobody is said to open himself.
            (
                accounts[component] - is_account,
                jewels[component] - is_jewel,
            )
        };
        let ((open_accounts, open_jewels), (accounts, jewels)) =
            (count(&self.open), count(&self.all));
        Power {
            open_accounts,
            open_jewels,
            accounts,
            jewels,
        }
    }

    /// How many entities a key reaches. What `known` holds is not counted again.
    pub(crate) fn reached(
        &self,
        key: &Key,
        known: &mut Counted,
        walked: &mut usize,
    ) -> Option<usize> {
        let graph = self.graph;
        let node = graph.evaluator.nodes.find(key.id.as_str())?;
        let component = self.all.0.component(node);
        // One who only leads on to others reaches what they reach.
        let edges = graph.edges.of(node);
        let only_leads = graph.evaluator.world.taker(node).is_none()
            && graph.edges.grants_by(node).is_empty()
            && graph.edges.lists_of(node).is_empty()
            && edges.iter().all(|edge| edge.to < graph.edges.nodes());
        let mut others: Vec<u32> = match only_leads {
            true => edges
                .iter()
                .map(|edge| self.all.0.component(edge.to))
                .collect(),
            false => vec![component],
        };
        others.sort_unstable();
        others.dedup();
        let is_among = others.contains(&component);
        let (start, own) = match (others.as_slice(), edges.first()) {
            ([_], Some(edge)) if only_leads => (edge.to, 0),
            _ => (node, usize::from(!is_among)),
        };
        let count = *known.entry(others).or_insert_with(|| {
            let (count, far) = graph.count_from(start);
            *walked += far;
            count - own
        });
        // Itself does not count.
        Some(count - usize::from(is_among))
    }
}

impl Graph {
    /// The account that an entity is in, by id.
    pub(crate) fn account_of(&self, id: &str) -> Option<EntityId> {
        let nodes = &self.evaluator.nodes;
        let account = nodes.account_node(nodes.find(id)?)?;
        Some(nodes.id(account).clone())
    }

    /// Whether a step between crown jewels and what leads to them can be taken here, by any means
    /// and under no more conditions.
    pub(crate) fn has_step(&self, step: &PathStep) -> bool {
        let nodes = &self.evaluator.nodes;
        let ends = nodes
            .find(step.from.as_str())
            .zip(nodes.find(step.to.as_str()));
        let Some((from, to)) = ends else {
            return false;
        };
        if self.members.account_of(to) == Some(from) {
            return true;
        }
        let is_no_harder = |edge: &Edge| {
            let conditions = self.words(&self.edges.detail(edge).conditions);
            conditions.iter().all(|key| step.conditions.contains(key))
        };
        let own = self.edges.of(from).iter().filter(|edge| {
            edge.to == to || self.edges.hub(edge.to).is_some_and(|hub| hub.contains(&to))
        });
        let grants = self.edges.grants_by(from).iter();
        let grants = grants.map(|&grant| &self.edges.grants[grant as usize].edge);
        own.chain(grants.filter(|edge| edge.to == to))
            .any(is_no_harder)
    }

    /// What every node opens.
    pub(crate) fn powers(&self) -> Powers<'_> {
        let accounts: Vec<NodeId> = self.members.iter().map(|(account, _)| account).collect();
        let jewels: Vec<NodeId> = self.jewels.keys().copied().collect();
        let count = |only_open: bool| {
            let all = Reachability::of(&self.edges, &self.members, only_open);
            let counts = [all.count(&accounts), all.count(&jewels)];
            (all, counts)
        };
        Powers {
            graph: self,
            open: count(true),
            all: count(false),
        }
    }

    /// How many entities a node reaches, itself among them, and how far one has to look for them.
    fn count_from(&self, start: NodeId) -> (usize, usize) {
        let reach = self.reach(start);
        let leaves = self.leaves_of(&reach).found;
        let more = leaves.keys().filter(|&&leaf| !reach.is_reached(leaf));
        let count = reach.order.len() + more.count();
        // A walk has room for all nodes, whether it gets to them or not.
        (count, count + self.evaluator.nodes.len() / 64)
    }
}
