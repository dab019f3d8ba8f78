//! The walk backwards: from one node, the best way to it from every other that reaches it.

use std::collections::{BTreeMap, BTreeSet};

use crate::edges::{Edges, Text};
use crate::nodes::NodeId;
use crate::search::{Bounds, Conditions, Last, Members, Sets, reach};

/// A grant that its own `by` can use, since it reaches one of the holders: a step to the account.
#[derive(Clone, Debug)]
pub(crate) struct UsableGrant {
    by: NodeId,
    /// What it takes from `by` to the account, the way to the holder with it.
    conditions: Conditions,
    steps: u32,
    /// The grant, by its place, and the holder's place on its list.
    pub(crate) grant: u32,
    pub(crate) holder: u32,
    /// What it takes to reach the holder.
    pub(crate) besides: Conditions,
}

/// The grants, by who can use them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usable {
    /// By the account that they lead to.
    to: BTreeMap<NodeId, Vec<UsableGrant>>,
    /// Grants that someone may use better, or alone, who reaches both ends on ways of his own.
    pub(crate) split: Vec<u32>,
}

impl Usable {
    pub(crate) fn of(edges: &Edges, members: &Members) -> Self {
        let mut usable = Self::default();
        let mut by_ends: BTreeMap<(NodeId, NodeId), Vec<u32>> = BTreeMap::new();
        for (place, grant) in edges.grants.iter().enumerate() {
            let ends = (grant.by, grant.edge.to);
            by_ends.entry(ends).or_default().push(place as u32);
        }
        for ((by, account), grants) in by_ends {
            let bounds = Bounds {
                until: Some(account),
                within: None,
            };
            let found = reach(by, edges, members, bounds);
            // Who reaches a holder on a way of his own may need fewer conditions than the giver.
            if !found.conditions(account).is_empty() || !found.is_reached(account) {
                usable.split.extend(grants);
            }
            match found.last(account) {
                Some(Last::Grant(grant, holder)) if edges.grants[grant as usize].by == by => {
                    let list = edges.holders(edges.grants[grant as usize].holders);
                    let who = list.get(holder as usize).map(|(who, _)| *who);
                    let besides = who.map_or(&[][..], |who| found.conditions(who));
                    usable.to.entry(account).or_default().push(UsableGrant {
                        by,
                        conditions: Conditions::from_slice(found.conditions(account)),
                        steps: found.cost(account).map_or(1, |(_, steps)| steps),
                        grant,
                        holder,
                        besides: Conditions::from_slice(besides),
                    });
                }
                // Another way is at least as good, or there is none.
                _ => {}
            }
        }
        usable
    }

    pub(crate) fn grant(&self, account: NodeId, place: u32) -> Option<&UsableGrant> {
        self.to.get(&account)?.get(place as usize)
    }
}

/// The next step on the way to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// None: it is the end.
    End,
    /// An edge, by its place, to a node.
    Edge(NodeId, u32),
    /// The account administers the node.
    Member(NodeId),
    /// A grant that leads to an account, by its place among the usable ones.
    Grant(NodeId, u32),
    /// A step that the caller knows, by its place.
    Known(u32),
}

#[derive(Clone, Copy, Debug)]
struct Label {
    set: u32,
    steps: u32,
    next: Next,
}

const UNREACHED: u32 = u32::MAX;

/// All that reach an end by edges and by grants that their own givers can use.
pub(crate) struct Reachers {
    labels: Vec<Label>,
    sets: Sets,
    /// In the order in which they were met, the nearest first.
    pub(crate) order: Vec<NodeId>,
}

/// A node from which the walk starts backwards: with what is needed from there on.
pub(crate) struct Start<'s> {
    pub(crate) node: NodeId,
    pub(crate) conditions: &'s [Text],
    pub(crate) steps: u32,
    pub(crate) next: Next,
}

impl Start<'_> {
    /// The end itself.
    pub(crate) fn at(node: NodeId) -> Self {
        Self {
            node,
            conditions: &[],
            steps: 0,
            next: Next::End,
        }
    }
}

/// Walks backwards from where the end is at hand. Cost: each edge that leads to the end is looked
/// at once.
pub(crate) fn reachers(
    starts: &[Start<'_>],
    edges: &Edges,
    members: &Members,
    usable: &Usable,
) -> Reachers {
    let nodes = edges.nodes() as usize;
    let unreached = Label {
        set: 0,
        steps: UNREACHED,
        next: Next::End,
    };
    let mut walk = Walk {
        found: Reachers {
            labels: vec![unreached; nodes],
            sets: Sets::new(),
            order: Vec::new(),
        },
        settled: vec![false; nodes],
        hubs: vec![false; edges.hub_count()],
        queue: BTreeMap::new(),
    };
    for start in starts {
        let set = walk.found.sets.with(0, start.conditions);
        walk.offer(start.node, set, start.steps, start.next);
    }
    while let Some((cost, mut places)) = walk.queue.pop_first() {
        places.sort_unstable();
        places.dedup();
        for node in places {
            walk.settle(node, cost, edges, members, usable);
        }
    }
    walk.found
}

struct Walk {
    found: Reachers,
    settled: Vec<bool>,
    hubs: Vec<bool>,
    queue: BTreeMap<(usize, u32), Vec<NodeId>>,
}

impl Walk {
    fn offer(&mut self, node: NodeId, set: u32, steps: u32, next: Next) {
        let at = node as usize;
        if self.settled[at] {
            return;
        }
        let cost = (self.found.sets.get(set).len(), steps);
        if self.found.cost(node).is_none_or(|known| cost < known) {
            self.found.labels[at] = Label { set, steps, next };
            self.queue.entry(cost).or_default().push(node);
        }
    }

    fn settle(
        &mut self,
        node: NodeId,
        cost: (usize, u32),
        edges: &Edges,
        members: &Members,
        usable: &Usable,
    ) {
        if self.found.cost(node) != Some(cost)
            || std::mem::replace(&mut self.settled[node as usize], true)
        {
            return;
        }
        self.found.order.push(node);
        let label = self.found.labels[node as usize];
        self.edges_to(node, node, label, edges);
        for &hub in edges.hubs_over(node) {
            if !std::mem::replace(&mut self.hubs[hub as usize], true) {
                self.edges_to(edges.nodes() + hub, node, label, edges);
            }
        }
        if let Some(account) = members.account_of(node) {
            let steps = label.steps.saturating_add(1);
            self.offer(account, label.set, steps, Next::Member(node));
        }
        for (place, grant) in usable.to.get(&node).into_iter().flatten().enumerate() {
            let set = self.found.sets.with(label.set, &grant.conditions);
            let steps = label.steps.saturating_add(grant.steps);
            self.offer(grant.by, set, steps, Next::Grant(node, place as u32));
        }
    }

    /// Offers all that lead to a node, or to a hub that covers it.
    fn edges_to(&mut self, place: NodeId, node: NodeId, label: Label, edges: &Edges) {
        for &(from, edge) in edges.back_to(place) {
            if self.settled[from as usize] {
                continue;
            }
            let more = &edges.detail(edges.edge(edge)).conditions;
            let set = self.found.sets.with(label.set, more);
            let steps = label.steps.saturating_add(1);
            self.offer(from, set, steps, Next::Edge(node, edge));
        }
    }
}

impl Reachers {
    /// How many conditions and steps it takes from a node.
    pub(crate) fn cost(&self, node: NodeId) -> Option<(usize, u32)> {
        let label = self.labels.get(node as usize)?;
        let conditions = self.sets.get(label.set).len();
        (label.steps != UNREACHED).then_some((conditions, label.steps))
    }

    /// The steps from a node on: from where each is taken.
    pub(crate) fn steps_from(&self, node: NodeId) -> Vec<(NodeId, Next)> {
        let mut steps = Vec::new();
        let mut at = node;
        while let Some(label) = self.labels.get(at as usize) {
            if label.steps == UNREACHED || label.next == Next::End {
                break;
            }
            steps.push((at, label.next));
            match label.next {
                Next::Edge(to, _) | Next::Member(to) | Next::Grant(to, _) => at = to,
                Next::End | Next::Known(_) => break,
            }
            // A way has no more steps than there are nodes.
            if steps.len() > self.labels.len() {
                break;
            }
        }
        steps
    }
}

/// All that may reach any of some nodes, were each end of a grant enough to use it. More than do.
pub(crate) fn may_reach(ends: &[NodeId], edges: &Edges, members: &Members) -> Vec<bool> {
    let mut grants_to: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (place, grant) in edges.grants.iter().enumerate() {
        grants_to.entry(grant.edge.to).or_default().push(place);
    }
    let mut found = vec![false; edges.nodes() as usize];
    let mut hubs = vec![false; edges.hub_count()];
    let mut lists = BTreeSet::new();
    let mut open: Vec<NodeId> = Vec::new();
    let meet = |node: NodeId, found: &mut Vec<bool>, open: &mut Vec<NodeId>| {
        if let Some(known) = found.get_mut(node as usize)
            && !std::mem::replace(known, true)
        {
            open.push(node);
        }
    };
    for &end in ends {
        meet(end, &mut found, &mut open);
    }
    while let Some(node) = open.pop() {
        for &(from, _) in edges.back_to(node) {
            meet(from, &mut found, &mut open);
        }
        for &hub in edges.hubs_over(node) {
            if !std::mem::replace(&mut hubs[hub as usize], true) {
                for &(from, _) in edges.back_to(edges.nodes() + hub) {
                    meet(from, &mut found, &mut open);
                }
            }
        }
        if let Some(account) = members.account_of(node) {
            meet(account, &mut found, &mut open);
        }
        for &place in grants_to.get(&node).into_iter().flatten() {
            let grant = &edges.grants[place];
            meet(grant.by, &mut found, &mut open);
            if lists.insert(grant.holders) {
                for &(holder, _) in edges.holders(grant.holders) {
                    meet(holder, &mut found, &mut open);
                }
            }
        }
    }
    found
}
