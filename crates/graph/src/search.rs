//! The walk: from one node, the cheapest way to every other. Fewest conditions first, then fewest
//! steps; ties fall to the lower id.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::edges::{Edge, Edges, Text};
use crate::nodes::NodeId;

/// How a node was reached.
#[derive(Clone, Debug)]
struct Label {
    /// Conditions of the whole way, sorted, without repeats.
    conditions: Vec<Text>,
    steps: u32,
    /// The last step; none at the start.
    last: Option<(NodeId, Edge)>,
}

impl Label {
    fn cost(&self) -> (usize, u32) {
        (self.conditions.len(), self.steps)
    }
}

/// All that is reached from a start.
pub(crate) struct Reach {
    start: NodeId,
    labels: Vec<Option<Label>>,
    /// Nodes in the order in which they were reached, the start first.
    pub(crate) order: Vec<NodeId>,
}

/// What every node of an account is reached from.
pub(crate) struct Administers<'g> {
    pub(crate) members: &'g BTreeMap<NodeId, Vec<NodeId>>,
    pub(crate) via: Text,
    pub(crate) title: Text,
}

/// Walks from `start` as far as the edges lead.
pub(crate) fn reach(
    start: NodeId,
    nodes: usize,
    edges: &Edges,
    accounts: &Administers<'_>,
) -> Reach {
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
            conditions: Vec::new(),
            steps: 0,
            last: None,
        },
    );
    while let Some(Reverse((_, _, node))) = walk.queue.pop() {
        if std::mem::replace(&mut walk.settled[node as usize], true) {
            continue;
        }
        walk.reach.order.push(node);
        let Some(label) = walk.reach.labels[node as usize].clone() else {
            continue;
        };
        for edge in edges.of(node) {
            walk.step(node, &label, edge, &[], 0);
        }
        if let Some(members) = accounts.members.get(&node) {
            for &member in members {
                let edge = Edge {
                    to: member,
                    via: accounts.via,
                    title: accounts.title,
                    permissions: Box::default(),
                    conditions: Box::default(),
                    statements: Box::default(),
                };
                walk.step(node, &label, &edge, &[], 0);
            }
        }
        // One who acts as both ends of a grant has all that the grant gives.
        for grant in edges.grants_of(node) {
            let other = if grant.by == node {
                grant.holder
            } else {
                grant.by
            };
            if other != node && !walk.settled[other as usize] {
                continue;
            }
            let (Some(by), Some(holder)) = (
                walk.reach.labels[grant.by as usize].clone(),
                walk.reach.labels[grant.holder as usize].clone(),
            ) else {
                continue;
            };
            let more = holder.steps.saturating_sub(by.steps);
            walk.step(grant.by, &by, &grant.edge, &holder.conditions, more);
        }
    }
    walk.reach
}

struct Walk {
    reach: Reach,
    settled: Vec<bool>,
    queue: BinaryHeap<Reverse<(usize, u32, NodeId)>>,
}

impl Walk {
    fn offer(&mut self, node: NodeId, label: Label) {
        let better = self.reach.labels[node as usize]
            .as_ref()
            .is_none_or(|known| label.cost() < known.cost());
        if better && !self.settled[node as usize] {
            let (conditions, steps) = label.cost();
            self.queue.push(Reverse((conditions, steps, node)));
            self.reach.labels[node as usize] = Some(label);
        }
    }

    fn step(&mut self, from: NodeId, label: &Label, edge: &Edge, besides: &[Text], more: u32) {
        if self.settled[edge.to as usize] {
            return;
        }
        let mut conditions = label.conditions.clone();
        conditions.extend_from_slice(&edge.conditions);
        conditions.extend_from_slice(besides);
        conditions.sort_unstable();
        conditions.dedup();
        let mut edge = edge.clone();
        if !besides.is_empty() {
            let mut own = edge.conditions.to_vec();
            own.extend_from_slice(besides);
            own.sort_unstable();
            own.dedup();
            edge.conditions = own.into();
        }
        let to = edge.to;
        self.offer(
            to,
            Label {
                conditions,
                steps: label.steps.saturating_add(1).saturating_add(more),
                last: Some((from, edge)),
            },
        );
    }
}

impl Reach {
    /// The steps to a node, if it is reached. The start is reached without a step.
    pub(crate) fn steps_to(&self, node: NodeId) -> Option<Vec<(NodeId, &Edge)>> {
        let mut steps = Vec::new();
        let mut at = node;
        while at != self.start {
            let (from, edge) = self.labels[at as usize].as_ref()?.last.as_ref()?;
            steps.push((*from, edge));
            at = *from;
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

    /// Conditions and steps that it takes to reach a node.
    pub(crate) fn conditions(&self, node: NodeId) -> &[Text] {
        match self.labels.get(node as usize) {
            Some(Some(label)) => &label.conditions,
            _ => &[],
        }
    }

    pub(crate) fn cost(&self, node: NodeId) -> Option<(usize, u32)> {
        self.labels.get(node as usize)?.as_ref().map(Label::cost)
    }
}
