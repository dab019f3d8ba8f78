//! What each of many nodes opens, in numbers, worked out for all of them at once.
//!
//! Nodes that lead to one another open the same, so the graph is folded into its strongly connected
//! components (Tarjan 1972), which come out with what they lead to before them; sets of marks, as bits,
//! are then handed up from each to what leads to it. A grant takes two things, its giver and one of
//! its holders: both are marks too, and who has both gains an edge, until nobody gains one.
//!
//! Cost: nodes and edges, once for each [`BITS`] marks.

use foldhash::HashMap;

use crate::edges::Edges;
use crate::nodes::NodeId;
use crate::search::Members;

/// How many marks go together through the graph.
const BITS: usize = 256;
const WORDS: usize = BITS / 64;

type Bits = [u64; WORDS];

/// How many grants go through the graph together: each has up to three marks.
const GRANTS: usize = BITS / 3;

/// How many of some nodes are reached from each component.
pub(crate) struct Reachability {
    component: Vec<u32>,
    graph: Adjacency,
    /// The nodes of each component, one component after another.
    order: Vec<u32>,
    starts: Vec<u32>,
}

/// Where each place leads, nodes before hubs.
struct Adjacency {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Adjacency {
    fn of(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.ends[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The edges that count, and more of them.
    fn new(edges: &Edges, members: &Members, counts: &[bool], more: &[(u32, NodeId)]) -> Self {
        let places = edges.nodes() as usize + edges.hub_count();
        let mut starts = Vec::with_capacity(places + 1);
        let mut ends = Vec::new();
        let mut more = more.iter().peekable();
        for place in 0..places as u32 {
            starts.push(ends.len() as u32);
            if place < edges.nodes() {
                let own = edges.of(place).iter();
                let own = own.filter(|edge| counts[edge.detail as usize]);
                ends.extend(own.map(|edge| edge.to));
                ends.extend_from_slice(members.in_account(place));
            } else {
                ends.extend_from_slice(edges.hub(place).unwrap_or_default());
            }
            while let Some((_, to)) = more.next_if(|(from, _)| *from == place) {
                ends.push(*to);
            }
        }
        starts.push(ends.len() as u32);
        Self { starts, ends }
    }
}

impl Reachability {
    /// Over all steps, or only over those that are open now.
    pub(crate) fn of(edges: &Edges, members: &Members, only_open: bool) -> Self {
        let counts: Vec<bool> = edges
            .details()
            .map(|detail| !only_open || detail.conditions.is_empty())
            .collect();
        let mut gained: Vec<(u32, NodeId)> = Vec::new();
        loop {
            let reachability = Self::folded(Adjacency::new(edges, members, &counts, &gained));
            let more = reachability.gained(edges, &counts);
            if more.is_empty() {
                return reachability;
            }
            gained.extend(more);
            gained.sort_unstable();
        }
    }

    fn folded(graph: Adjacency) -> Self {
        let (component, count) = components(&graph);
        let mut starts = vec![0u32; count + 1];
        for &own in &component {
            starts[own as usize + 1] += 1;
        }
        for place in 0..count {
            starts[place + 1] += starts[place];
        }
        let mut next = starts.clone();
        let mut order = vec![0; component.len()];
        for (place, &own) in component.iter().enumerate() {
            order[next[own as usize] as usize] = place as u32;
            next[own as usize] += 1;
        }
        Self {
            component,
            graph,
            order,
            starts,
        }
    }

    fn places(&self, component: usize) -> &[u32] {
        &self.order[self.starts[component] as usize..self.starts[component + 1] as usize]
    }

    /// The component of a node: those of one reach the same.
    pub(crate) fn component(&self, node: NodeId) -> u32 {
        self.component[node as usize]
    }

    /// Hands marks up; `more` may add to those of a component that has all that it leads to.
    fn hand_up(&self, own: &[(u32, u32)], mut more: impl FnMut(usize, &mut Bits)) -> Vec<Bits> {
        let count = self.starts.len() - 1;
        let mut bits = vec![[0; WORDS]; count];
        for &(place, mark) in own {
            let bits = &mut bits[self.component[place as usize] as usize];
            bits[mark as usize / 64] |= 1 << (mark % 64);
        }
        for component in 0..count {
            let mut all = bits[component];
            for &place in self.places(component) {
                for &to in self.graph.of(place) {
                    let to = bits[self.component[to as usize] as usize];
                    all.iter_mut().zip(to).for_each(|(all, to)| *all |= to);
                }
            }
            more(component, &mut all);
            bits[component] = all;
        }
        bits
    }

    /// How many of some nodes each component reaches, those in it among them.
    pub(crate) fn count(&self, nodes: &[NodeId]) -> Vec<u32> {
        let mut counts = vec![0; self.starts.len() - 1];
        for part in nodes.chunks(BITS) {
            let own: Vec<(u32, u32)> = part.iter().copied().zip(0..).collect();
            let bits = self.hand_up(&own, |_, _| {});
            for (count, bits) in counts.iter_mut().zip(bits) {
                *count += bits.iter().map(|word| word.count_ones()).sum::<u32>();
            }
        }
        counts
    }

    /// Edges that grants come to: from who acts as both ends of one to where it leads. Of those who
    /// lead to such a one nothing is said.
    fn gained(&self, edges: &Edges, counts: &[bool]) -> Vec<(u32, NodeId)> {
        let mut found = Vec::new();
        let grants: Vec<_> = edges
            .grants
            .iter()
            .filter(|grant| counts[grant.edge.detail as usize])
            .collect();
        for part in grants.chunks(GRANTS) {
            let mut marks = Marks::default();
            let needs: Vec<[u32; 3]> = part
                .iter()
                .map(|grant| {
                    let own = (grant.by, grant.by);
                    let holders = edges.holders(grant.holders);
                    // A giver does not count as a holder of himself.
                    let himself = holders.contains(&own).then_some(grant.by);
                    let by = marks.put(Mark::Node(grant.by), [grant.by]);
                    let to = marks.put(Mark::Node(grant.edge.to), [grant.edge.to]);
                    let list = Mark::Holders(grant.holders, himself);
                    let holders = holders.iter().filter(|holder| **holder != own);
                    let holds = marks.put(list, holders.map(|(holder, _)| *holder));
                    [by, holds, to]
                })
                .collect();
            self.hand_up(&marks.own, |component, bits| {
                let has = |bits: &Bits, mark: u32| bits[mark as usize / 64] >> (mark % 64) & 1 == 1;
                for (&[by, holds, to], grant) in needs.iter().zip(part) {
                    if has(bits, by) && has(bits, holds) && !has(bits, to) {
                        bits[to as usize / 64] |= 1 << (to % 64);
                        let places = self.places(component);
                        found.extend(places.first().map(|&place| (place, grant.edge.to)));
                    }
                }
            });
        }
        found
    }
}

/// What is looked for on the way.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Mark {
    Node(NodeId),
    /// Anyone on a list of holders, but for one.
    Holders(u32, Option<NodeId>),
}

#[derive(Default)]
struct Marks {
    known: HashMap<Mark, u32>,
    /// Which place has which mark.
    own: Vec<(u32, u32)>,
}

impl Marks {
    fn put(&mut self, mark: Mark, nodes: impl IntoIterator<Item = NodeId>) -> u32 {
        if let Some(&known) = self.known.get(&mark) {
            return known;
        }
        let place = self.known.len() as u32;
        self.known.insert(mark, place);
        self.own.extend(nodes.into_iter().map(|node| (node, place)));
        place
    }
}

/// The strongly connected component of each place, and how many there are. A component has a higher
/// number than all that it leads to.
fn components(graph: &Adjacency) -> (Vec<u32>, usize) {
    const NONE: u32 = u32::MAX;
    let places = graph.len();
    let mut component = vec![NONE; places];
    let mut met = vec![NONE; places];
    let mut low = vec![0; places];
    let mut stack = Vec::new();
    // The way that leads to where the walk is: a place, and how many of its edges are done.
    let mut way: Vec<(u32, u32)> = Vec::new();
    let (mut next, mut count) = (0, 0);
    for start in 0..places as u32 {
        if met[start as usize] != NONE {
            continue;
        }
        way.push((start, 0));
        while let Some((place, done)) = way.last_mut() {
            let at = *place as usize;
            if *done == 0 {
                (met[at], low[at]) = (next, next);
                next += 1;
                stack.push(*place);
            }
            let edge = graph.of(*place).get(*done as usize).copied();
            *done += 1;
            if let Some(to) = edge {
                if met[to as usize] == NONE {
                    way.push((to, 0));
                } else if component[to as usize] == NONE {
                    low[at] = low[at].min(met[to as usize]);
                }
                continue;
            }
            if low[at] == met[at] {
                while let Some(member) = stack.pop() {
                    component[member as usize] = count;
                    if member as usize == at {
                        break;
                    }
                }
                count += 1;
            }
            way.pop();
            if let Some((before, _)) = way.last() {
                let before = *before as usize;
                low[before] = low[before].min(low[at]);
            }
        }
    }
    (component, count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_come_after_what_they_lead_to() {
        // 0 ⇄ 1 → 2 → 3 ⇄ 4, and 5 by itself.
        let graph = Adjacency {
            starts: vec![0, 1, 3, 4, 5, 6, 6],
            ends: vec![1, 0, 2, 3, 4, 3],
        };
        let (component, count) = components(&graph);
        assert_eq!(count, 4);
        assert_eq!(component[0], component[1]);
        assert_eq!(component[3], component[4]);
        assert!(component[1] > component[2] && component[2] > component[3]);
        let reachability = Reachability::folded(graph);
        let counts = reachability.count(&[2, 3, 5]);
        let of = |node| counts[reachability.component(node) as usize];
        assert_eq!((of(0), of(2), of(4), of(5)), (2, 2, 1, 1));
    }
}
