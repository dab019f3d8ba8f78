//! The walk: from one node, the cheapest way to every other. Fewest conditions first, then fewest
//! steps; ties fall to the lower id.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use smallvec::SmallVec;

use crate::edges::{Edge, Edges, Text};
use crate::nodes::NodeId;

/// How a node was reached.
#[derive(Clone, Debug)]
struct Label<'g> {
    /// Conditions of the whole way, sorted, without repeats.
    conditions: Conditions,
    steps: u32,
    /// The last step; none at the start.
    last: Option<Last<'g>>,
}

type Conditions = SmallVec<[Text; 4]>;

/// The last step onto a node.
#[derive(Clone, Debug)]
pub(crate) struct Last<'g> {
    pub(crate) from: NodeId,
    /// The edge; none where an account is administered.
    pub(crate) edge: Option<&'g Edge>,
    /// What the step needs besides the edge's own conditions.
    pub(crate) besides: Conditions,
}

impl Label<'_> {
    fn cost(&self) -> (usize, u32) {
        (self.conditions.len(), self.steps)
    }
}

/// All that is reached from a start.
pub(crate) struct Reach<'g> {
    start: NodeId,
    labels: Vec<Option<Label<'g>>>,
    /// Nodes in the order in which they were reached, the start first.
    pub(crate) order: Vec<NodeId>,
}

/// Walks from `start` as far as the edges lead. What controls an account leads to its `members`.
pub(crate) fn reach<'g>(
    start: NodeId,
    nodes: usize,
    edges: &'g Edges,
    members: &BTreeMap<NodeId, Vec<NodeId>>,
) -> Reach<'g> {
    let mut walk = Walk {
        reach: Reach {
            start,
            labels: vec![None; nodes],
            order: Vec::new(),
        },
        settled: vec![false; nodes],
        queue: BinaryHeap::new(),
    };
    walk.offer(
        start,
        Label {
            conditions: Conditions::new(),
            steps: 0,
            last: None,
        },
    );
    while let Some(Reverse((_, _, node))) = walk.queue.pop() {
        if std::mem::replace(&mut walk.settled[node as usize], true) {
            continue;
        }
        walk.reach.order.push(node);
        let Some(label) = &walk.reach.labels[node as usize] else {
            continue;
        };
        let (conditions, steps) = (label.conditions.clone(), label.steps);
        for edge in edges.of(node) {
            walk.step((node, &conditions, steps), edge.to, Some(edge), &[], 0);
        }
        for &member in members.get(&node).into_iter().flatten() {
            walk.step((node, &conditions, steps), member, None, &[], 0);
        }
        // One who acts as both ends of a grant has all that the grant gives.
        for grant in edges.grants_of(node) {
            let other = if grant.by == node {
                grant.holder
            } else {
                grant.by
            };
            if walk.settled[grant.edge.to as usize] || !walk.settled[other as usize] {
                continue;
            }
            let (Some(by), Some(holder)) = (
                &walk.reach.labels[grant.by as usize],
                &walk.reach.labels[grant.holder as usize],
            ) else {
                continue;
            };
            let more = holder.steps.saturating_sub(by.steps);
            let (so_far, steps) = (by.conditions.clone(), by.steps);
            let besides = holder.conditions.clone();
            walk.step(
                (grant.by, &so_far, steps),
                grant.edge.to,
                Some(&grant.edge),
                &besides,
                more,
            );
        }
    }
    walk.reach
}

struct Walk<'g> {
    reach: Reach<'g>,
    settled: Vec<bool>,
    queue: BinaryHeap<Reverse<(usize, u32, NodeId)>>,
}

impl<'g> Walk<'g> {
    fn offer(&mut self, node: NodeId, label: Label<'g>) {
        let better = self.reach.labels[node as usize]
            .as_ref()
            .is_none_or(|known| label.cost() < known.cost());
        if better && !self.settled[node as usize] {
            let (conditions, steps) = label.cost();
            self.queue.push(Reverse((conditions, steps, node)));
            self.reach.labels[node as usize] = Some(label);
        }
    }

    fn step(
        &mut self,
        (from, so_far, steps): (NodeId, &Conditions, u32),
        to: NodeId,
        edge: Option<&'g Edge>,
        besides: &[Text],
        more: u32,
    ) {
        if self.settled[to as usize] {
            return;
        }
        let mut conditions = so_far.clone();
        let own: &[Text] = edge.map_or(&[], |edge| &edge.conditions);
        if !own.is_empty() || !besides.is_empty() {
            conditions.extend_from_slice(own);
            conditions.extend_from_slice(besides);
            conditions.sort_unstable();
            conditions.dedup();
        }
        self.offer(
            to,
            Label {
                conditions,
                steps: steps.saturating_add(1).saturating_add(more),
                last: Some(Last {
                    from,
                    edge,
                    besides: Conditions::from_slice(besides),
                }),
            },
        );
    }
}

impl<'g> Reach<'g> {
    /// The steps to a node with where each ends, if it is reached. The start is reached without a
    /// step.
    pub(crate) fn steps_to(&self, node: NodeId) -> Option<Vec<(&Last<'g>, NodeId)>> {
        let mut steps = Vec::new();
        let mut at = node;
        while at != self.start {
            let last = self.labels[at as usize].as_ref()?.last.as_ref()?;
            steps.push((last, at));
            at = last.from;
            // A way has no more steps than there are nodes.
            if steps.len() > self.labels.len() {
                return None;
            }
        }
        steps.reverse();
        Some(steps)
    }

    pub(crate) fn is_reached(&self, node: NodeId) -> bool {
        self.labels
            .get(node as usize)
            .is_some_and(|label| label.is_some())
    }

    /// The conditions that it takes to reach a node.
    pub(crate) fn conditions(&self, node: NodeId) -> &[Text] {
        match self.labels.get(node as usize) {
            Some(Some(label)) => &label.conditions,
            _ => &[],
        }
    }

    /// How many conditions and steps it takes to reach a node.
    pub(crate) fn cost(&self, node: NodeId) -> Option<(usize, u32)> {
        self.labels.get(node as usize)?.as_ref().map(Label::cost)
    }
}
