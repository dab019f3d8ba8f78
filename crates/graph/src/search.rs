//! The walk: from one node, the cheapest way to every other. Fewest conditions first, then fewest
//! steps; ties fall to the lower id.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};
use smallvec::SmallVec;

use crate::edges::{Edge, Edges, Text};
use crate::nodes::NodeId;

pub(crate) type Conditions = SmallVec<[Text; 4]>;

/// A set of conditions, by its place in [`Sets`].
type SetId = u32;

/// Sets of conditions, each kept once. The first is empty.
#[derive(Clone, Debug)]
pub(crate) struct Sets {
    list: Vec<Conditions>,
    places: HashMap<Conditions, SetId>,
}

impl Sets {
    pub(crate) fn new() -> Self {
        Self {
            list: vec![Conditions::new()],
            places: HashMap::new(),
        }
    }

    pub(crate) fn get(&self, set: SetId) -> &[Text] {
        &self.list[set as usize]
    }

    /// A set with more conditions.
    pub(crate) fn with(&mut self, set: SetId, more: &[Text]) -> SetId {
        if more.is_empty() {
            return set;
        }
        let mut union = self.list[set as usize].clone();
        union.extend_from_slice(more);
        union.sort_unstable();
        union.dedup();
        if union.len() == self.list[set as usize].len() {
            return set;
        }
        if let Some(&known) = self.places.get(&union) {
            return known;
        }
        let place = self.list.len() as SetId;
        self.list.push(union.clone());
        self.places.insert(union, place);
        place
    }
}

/// Which accounts lead to what: an account to all that is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    of: BTreeMap<NodeId, Vec<NodeId>>,
    account: Vec<NodeId>,
}

/// Stands for no node.
const NOBODY: NodeId = NodeId::MAX;

impl Members {
    /// `pairs` are accounts with what is in them, in order.
    pub(crate) fn of(nodes: usize, pairs: impl Iterator<Item = (NodeId, NodeId)>) -> Self {
        let mut members = Self {
            of: BTreeMap::new(),
            account: vec![NOBODY; nodes],
        };
        for (account, member) in pairs {
            members.of.entry(account).or_default().push(member);
            members.account[member as usize] = account;
        }
        members
    }

    pub(crate) fn in_account(&self, account: NodeId) -> &[NodeId] {
        self.of.get(&account).map_or(&[], Vec::as_slice)
    }

    /// The account that leads to a node.
    pub(crate) fn account_of(&self, node: NodeId) -> Option<NodeId> {
        let account = *self.account.get(node as usize)?;
        (account != NOBODY).then_some(account)
    }

    /// Whether a node leads to what is in it.
    pub(crate) fn is_account(&self, node: NodeId) -> bool {
        self.of.contains_key(&node)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &[NodeId])> {
        self.of
            .iter()
            .map(|(&account, members)| (account, members.as_slice()))
    }
}

/// The last step onto a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// None: it is the start.
    Start,
    /// An edge of a node, by the edge's place.
    Edge(NodeId, u32),
    /// The account administers it.
    Member(NodeId),
    /// A grant, by its place, with the place of the holder who uses it on his list.
    Grant(u32, u32),
    /// A quorum, by its place, with that of its owners who was met last.
    Quorum(u32, NodeId),
}

/// How a node was reached.
#[derive(Clone, Copy, Debug)]
struct Label {
    set: SetId,
    steps: u32,
    last: Last,
}

/// In how many steps nothing is reached.
const UNREACHED: u32 = u32::MAX;

/// All that is reached from one or more starts.
pub(crate) struct Reach {
    labels: Vec<Label>,
    sets: Sets,
    /// Nodes in the order in which they were reached, starts first.
    pub(crate) order: Vec<NodeId>,
}

/// How far a walk goes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bounds<'b> {
    /// It stops when this node is reached for good.
    pub(crate) until: Option<NodeId>,
    /// It keeps to these nodes.
    pub(crate) within: Option<&'b [bool]>,
}

/// Walks from `start` as far as the edges lead. What controls an account leads to its members.
///
/// The walk keeps one way to each node, the best that it sees, so that of two ways with as many
/// conditions it may keep one that shares fewer of them with what comes later.
pub(crate) fn reach(start: NodeId, edges: &Edges, members: &Members, bounds: Bounds<'_>) -> Reach {
    reach_from(&[start], edges, members, bounds)
}

/// The same from whichever of several starts is nearest.
pub(crate) fn reach_from(
    starts: &[NodeId],
    edges: &Edges,
    members: &Members,
    bounds: Bounds<'_>,
) -> Reach {
    let places = edges.nodes() as usize + edges.hub_count();
    let mut walk = Walk {
        edges,
        reach: Reach {
            labels: vec![
                Label {
                    set: 0,
                    steps: UNREACHED,
                    last: Last::Start
                };
                places
            ],
            sets: Sets::new(),
            order: Vec::new(),
        },
        settled: vec![false; places],
        queue: BTreeMap::new(),
        held: HashMap::new(),
        met: HashMap::new(),
        bounds,
    };
    for &start in starts {
        walk.offer(start, 0, 0, Last::Start);
    }
    while let Some((cost, mut places)) = walk.queue.pop_first() {
        // Hubs first: what they cover costs as much as they do.
        let hubs = places.extract_if(.., |place| *place >= edges.nodes());
        let mut hubs: Vec<NodeId> = hubs.collect();
        hubs.sort_unstable();
        for hub in hubs {
            walk.expand_hub(hub);
        }
        places.extend(walk.queue.remove(&cost).into_iter().flatten());
        places.sort_unstable();
        places.dedup();
        for node in places {
            if walk.settle(node, cost, members) {
                return walk.reach;
            }
        }
    }
    walk.reach
}

struct Walk<'w> {
    edges: &'w Edges,
    reach: Reach,
    settled: Vec<bool>,
    queue: BTreeMap<(usize, u32), Vec<NodeId>>,
    /// For each list of holders, by its place, the first two of them who are reached: a giver does
    /// not count as a holder of himself on a list.
    held: HashMap<u32, SmallVec<[u32; 2]>>,
    /// For each quorum, by its place, those of its owners who are reached.
    met: HashMap<u32, SmallVec<[NodeId; 4]>>,
    bounds: Bounds<'w>,
}

impl Walk<'_> {
    fn offer(&mut self, place: NodeId, set: SetId, steps: u32, last: Last) {
        let at = place as usize;
        if self.settled[at] {
            return;
        }
        if let Some(within) = self.bounds.within
            && within.get(at) == Some(&false)
        {
            return;
        }
        let known = &mut self.reach.labels[at];
        let cost = (self.reach.sets.list[set as usize].len(), steps);
        let better = known.steps == UNREACHED
            || cost < (self.reach.sets.list[known.set as usize].len(), known.steps);
        if better {
            *known = Label { set, steps, last };
            self.queue.entry(cost).or_default().push(place);
        }
    }

    /// Offers many that cost alike: what an account holds may be nearly all there is.
    fn offer_all(&mut self, places: &[NodeId], set: SetId, steps: u32, last: Last) {
        let cost = (self.reach.sets.list[set as usize].len(), steps);
        let mut queued = self.queue.remove(&cost).unwrap_or_default();
        for &place in places {
            let at = place as usize;
            let is_out = |within: &[bool]| within.get(at) == Some(&false);
            if self.settled[at] || self.bounds.within.is_some_and(is_out) {
                continue;
            }
            let known = &mut self.reach.labels[at];
            let better = known.steps == UNREACHED
                || cost < (self.reach.sets.list[known.set as usize].len(), known.steps);
            if better {
                *known = Label { set, steps, last };
                queued.push(place);
            }
        }
        if !queued.is_empty() {
            self.queue.insert(cost, queued);
        }
    }

    fn expand_hub(&mut self, hub: NodeId) {
        if std::mem::replace(&mut self.settled[hub as usize], true) {
            return;
        }
        let label = self.reach.labels[hub as usize];
        let edges = self.edges;
        for &target in edges.hub(hub).unwrap_or_default() {
            self.offer(target, label.set, label.steps, label.last);
        }
    }

    /// Goes on from a node; whether the walk ends here.
    fn settle(&mut self, node: NodeId, cost: (usize, u32), members: &Members) -> bool {
        let label = self.reach.labels[node as usize];
        // A cheaper way may have been found since it was put in the queue.
        if self.reach.cost(node) != Some(cost)
            || std::mem::replace(&mut self.settled[node as usize], true)
        {
            return false;
        }
        self.reach.order.push(node);
        if self.bounds.until == Some(node) {
            return true;
        }
        let steps = label.steps.saturating_add(1);
        let edges = self.edges;
        for place in edges.range_of(node) {
            let edge = edges.edge(place);
            if self.settled[edge.to as usize] {
                continue;
            }
            let set = self.with(label.set, edge);
            self.offer(edge.to, set, steps, Last::Edge(node, place));
        }
        match self.bounds.until.filter(|_| members.is_account(node)) {
            // Of what is in the account only the end and what leads to it matter.
            Some(end) if members.account_of(end) == Some(node) => {
                self.offer(end, label.set, steps, Last::Member(node));
            }
            _ => {
                self.offer_all(
                    members.in_account(node),
                    label.set,
                    steps,
                    Last::Member(node),
                );
            }
        }
        for &quorum in edges.quorums_of(node) {
            self.join_quorum(quorum, node);
        }
        if edges.grants.is_empty() {
            return false;
        }
        // One who acts as both ends of a grant has all that the grant gives.
        for &list in edges.lists_of(node) {
            let held = self.held.entry(list).or_default();
            if held.len() == 2 {
                continue;
            }
            let holders = edges.holders(list);
            let place = holders.partition_point(|(holder, _)| *holder < node) as u32;
            held.push(place);
            for &grant in edges.grants_to(list) {
                if self.settled[edges.grants[grant as usize].by as usize] {
                    self.offer_grant(grant, place);
                }
            }
        }
        for &grant in edges.grants_by(node) {
            let held = self.held.get(&edges.grants[grant as usize].holders);
            for place in held.cloned().into_iter().flatten() {
                self.offer_grant(grant, place);
            }
        }
        false
    }

    /// One who acts as as many owners of a Safe as must sign has the Safe.
    fn join_quorum(&mut self, place: u32, node: NodeId) {
        let quorum = &self.edges.quorums[place as usize];
        let met = self.met.entry(place).or_default();
        met.push(node);
        if met.len() != quorum.needed as usize {
            return;
        }
        let (mut set, mut steps) = (0, 0);
        for owner in met.clone() {
            let label = self.reach.labels[owner as usize];
            let more = self.reach.sets.list[label.set as usize].clone();
            set = self.reach.sets.with(set, &more);
            steps = steps.max(label.steps);
        }
        let set = self.with(set, &quorum.edge);
        let last = Last::Quorum(place, node);
        self.offer(quorum.edge.to, set, steps.saturating_add(1), last);
    }

    fn offer_grant(&mut self, place: u32, holder: u32) {
        let edges = self.edges;
        let grant = &edges.grants[place as usize];
        let Some(&(who, target)) = edges.holders(grant.holders).get(holder as usize) else {
            return;
        };
        if target == grant.by {
            return;
        }
        let by = self.reach.labels[grant.by as usize];
        let held = self.reach.labels[who as usize];
        let set = self.with(by.set, &grant.edge);
        let besides = self.reach.sets.list[held.set as usize].clone();
        let set = self.reach.sets.with(set, &besides);
        let steps = by.steps.max(held.steps).saturating_add(1);
        self.offer(grant.edge.to, set, steps, Last::Grant(place, holder));
    }

    fn with(&mut self, set: SetId, edge: &Edge) -> SetId {
        self.reach
            .sets
            .with(set, &self.edges.detail(edge).conditions)
    }
}

impl Reach {
    /// The steps to a node with where each ends, if it is reached. A start is reached without a
    /// step.
    pub(crate) fn steps_to(&self, node: NodeId, edges: &Edges) -> Option<Vec<(Last, NodeId)>> {
        let mut steps = Vec::new();
        let mut at = node;
        loop {
            let last = self.last(at)?;
            let from = match last {
                Last::Start => break,
                Last::Edge(from, _) | Last::Member(from) | Last::Quorum(_, from) => from,
                Last::Grant(grant, _) => edges.grants[grant as usize].by,
            };
            steps.push((last, at));
            at = from;
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
            .is_some_and(|label| label.steps != UNREACHED)
    }

    /// The last step onto a node that is reached.
    pub(crate) fn last(&self, node: NodeId) -> Option<Last> {
        let label = self.labels.get(node as usize)?;
        (label.steps != UNREACHED).then_some(label.last)
    }

    /// The conditions that it takes to reach a node.
    pub(crate) fn conditions(&self, node: NodeId) -> &[Text] {
        match self.labels.get(node as usize) {
            Some(label) => self.sets.get(label.set),
            None => &[],
        }
    }

    /// How many conditions and steps it takes to reach a node.
    pub(crate) fn cost(&self, node: NodeId) -> Option<(usize, u32)> {
        let label = self.labels.get(node as usize)?;
        let conditions = self.sets.get(label.set).len();
        (label.steps != UNREACHED).then_some((conditions, label.steps))
    }
}
