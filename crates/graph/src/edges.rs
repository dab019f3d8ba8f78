//! The edges of the graph: what each step gains, with what allows it. What many edges share is
//! kept once, and edges that lead to the same many targets lead to one hub instead.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use serde::{Deserialize, Serialize};

use crate::nodes::NodeId;
use crate::permit::Permit;

/// A text that many edges share.
pub(crate) type Text = u32;

/// What an edge says, by its place.
pub(crate) type DetailId = u32;

/// From how many targets on a step leads to a hub.
pub(crate) const HUB_FROM: usize = if cfg!(test) { 2 } else { 8 };

/// Texts, each kept once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    list: Vec<String>,
    places: HashMap<String, Text>,
}

impl Texts {
    pub(crate) fn put(&mut self, text: &str) -> Text {
        if let Some(&place) = self.places.get(text) {
            return place;
        }
        let place = self.list.len() as Text;
        self.list.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }

    pub(crate) fn find(&self, text: &str) -> Option<Text> {
        self.places.get(text).copied()
    }

    pub(crate) fn get(&self, text: Text) -> &str {
        &self.list[text as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// Texts of the graph, and others that one query meets.
pub(crate) struct LocalTexts<'t> {
    texts: &'t Texts,
    more: Texts,
}

impl<'t> LocalTexts<'t> {
    pub(crate) fn new(texts: &'t Texts) -> Self {
        Self {
            texts,
            more: Texts::default(),
        }
    }

    /// The place of a text; of one that the graph lacks a place after all of its own.
    pub(crate) fn of(&mut self, text: &str) -> Text {
        let own = self.texts.find(text);
        own.unwrap_or_else(|| self.texts.len() as Text + self.more.put(text))
    }
}

impl Serialize for Texts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<String>::deserialize(deserializer)?;
        let places = list.iter().cloned().zip(0..).collect();
        Ok(Self { list, places })
    }
}

/// What an edge says besides where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Detail {
    /// Whether the step changes someone's permissions: of two ways alike, one that does not is
    /// the plainer.
    pub(crate) changes_access: bool,
    pub(crate) via: Text,
    pub(crate) title: Text,
    pub(crate) permissions: Box<[Text]>,
    /// Sorted by their text.
    pub(crate) conditions: Box<[Text]>,
    pub(crate) statements: Box<[Text]>,
}

/// Where an edge leads, and what it says. A place from the number of nodes on is a hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) to: NodeId,
    pub(crate) detail: DetailId,
}

/// That `by` can give any of some holders every permission: it gains one who acts as both.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) by: NodeId,
    /// Who gets the permissions, by the place of their list.
    pub(crate) holders: u32,
    /// The step to the account.
    pub(crate) edge: Edge,
}

/// That some of the owners of a Safe together sign for it: one who acts as so many of them needs no
/// others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Quorum {
    /// In order, each once.
    pub(crate) owners: Vec<NodeId>,
    /// How many must sign; two at least.
    pub(crate) needed: u32,
    /// The step to the Safe, for each of them.
    pub(crate) edge: Edge,
}

/// Someone who holds something, and what he holds that is changed for his good: himself, a group,
/// a policy.
pub(crate) type Holder = (NodeId, NodeId);

/// All edges, once the graph is built.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Edges {
    pub(crate) texts: Texts,
    details: Vec<Detail>,
    nodes: u32,
    /// Where the edges of each node start; those of the next start where they end.
    starts: Vec<u32>,
    edges: Vec<Edge>,
    hubs: Vec<Arc<[NodeId]>>,
    pub(crate) grants: Vec<Grant>,
    holders: Vec<Vec<Holder>>,
    pub(crate) quorums: Vec<Quorum>,
    #[serde(skip)]
    places: Places,
}

/// What follows from the edges, for finding them from their other end.
#[derive(Clone, Debug, Default)]
struct Places {
    /// The edges that lead to each node and each hub: from where, and which.
    back_starts: Vec<u32>,
    back: Vec<(NodeId, u32)>,
    /// The hubs that cover each node.
    covering_starts: Vec<u32>,
    covering: Vec<u32>,
    grants_by: HashMap<NodeId, Vec<u32>>,
    grants_of_holders: Vec<Vec<u32>>,
    lists_of: HashMap<NodeId, Vec<u32>>,
    quorums_of: HashMap<NodeId, Vec<u32>>,
}

impl Edges {
    pub(crate) fn detail(&self, edge: &Edge) -> &Detail {
        &self.details[edge.detail as usize]
    }

    /// All details, in the order of their places.
    pub(crate) fn details(&self) -> impl Iterator<Item = &Detail> {
        self.details.iter()
    }

    pub(crate) fn edge(&self, place: u32) -> &Edge {
        &self.edges[place as usize]
    }

    /// How many nodes there are; places from here on are hubs.
    pub(crate) fn nodes(&self) -> u32 {
        self.nodes
    }

    pub(crate) fn hub_count(&self) -> usize {
        self.hubs.len()
    }

    /// The targets of a hub, in order.
    pub(crate) fn hub(&self, place: NodeId) -> Option<&[NodeId]> {
        let hub = place.checked_sub(self.nodes)?;
        self.hubs.get(hub as usize).map(|targets| &**targets)
    }

    /// The places of the edges of a node.
    pub(crate) fn range_of(&self, node: NodeId) -> std::ops::Range<u32> {
        let node = node as usize;
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }

    /// The edges of a node, the plainest first.
    pub(crate) fn of(&self, node: NodeId) -> &[Edge] {
        let range = self.range_of(node);
        &self.edges[range.start as usize..range.end as usize]
    }

    /// The edges that lead to a node or hub: from where, and which.
    pub(crate) fn back_to(&self, place: NodeId) -> &[(NodeId, u32)] {
        slice_of(&self.places.back_starts, &self.places.back, place)
    }

    /// The hubs that cover a node.
    pub(crate) fn hubs_over(&self, node: NodeId) -> &[u32] {
        slice_of(&self.places.covering_starts, &self.places.covering, node)
    }

    pub(crate) fn grants_by(&self, node: NodeId) -> &[u32] {
        self.places.grants_by.get(&node).map_or(&[], Vec::as_slice)
    }

    /// The grants to anyone of a list of holders.
    pub(crate) fn grants_to(&self, holders: u32) -> &[u32] {
        let list = self.places.grants_of_holders.get(holders as usize);
        list.map_or(&[], Vec::as_slice)
    }

    /// The lists of holders that someone is on.
    pub(crate) fn lists_of(&self, node: NodeId) -> &[u32] {
        self.places.lists_of.get(&node).map_or(&[], Vec::as_slice)
    }

    /// The quorums that someone is one of.
    pub(crate) fn quorums_of(&self, node: NodeId) -> &[u32] {
        self.places.quorums_of.get(&node).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn holders(&self, list: u32) -> &[Holder] {
        self.holders.get(list as usize).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn count(&self) -> usize {
        self.edges.len()
    }

    /// Works out what follows from the rest.
    pub(crate) fn find_places(&mut self) {
        let nodes = self.nodes as usize;
        let ends = self.edges.iter().map(|edge| edge.to as usize);
        let mut places = Places::default();
        let from = |place: usize| -> NodeId {
            // The last start that is not beyond it.
            self.starts
                .partition_point(|&start| start as usize <= place) as NodeId
                - 1
        };
        (places.back_starts, places.back) = sorted_in(nodes + self.hubs.len(), ends, |place| {
            (from(place), place as u32)
        });
        let mut pairs = Vec::new();
        for (hub, targets) in self.hubs.iter().enumerate() {
            pairs.extend(targets.iter().map(|&target| (target as usize, hub as u32)));
        }
        (places.covering_starts, places.covering) =
            sorted_in(nodes, pairs.iter().map(|pair| pair.0), |place| {
                pairs[place].1
            });
        places.grants_of_holders = vec![Vec::new(); self.holders.len()];
        for (place, grant) in self.grants.iter().enumerate() {
            places
                .grants_by
                .entry(grant.by)
                .or_default()
                .push(place as u32);
            places.grants_of_holders[grant.holders as usize].push(place as u32);
        }
        for (list, holders) in self.holders.iter().enumerate() {
            for (holder, _) in holders {
                let lists = places.lists_of.entry(*holder).or_default();
                if lists.last() != Some(&(list as u32)) {
                    lists.push(list as u32);
                }
            }
        }
        for (place, quorum) in self.quorums.iter().enumerate() {
            for owner in &quorum.owners {
                let quorums = places.quorums_of.entry(*owner).or_default();
                quorums.push(place as u32);
            }
        }
        self.places = places;
    }

    /// Whether loaded edges refer to nothing that is not there.
    pub(crate) fn is_sound(&self, nodes: usize) -> bool {
        let text = |text: &Text| (*text as usize) < self.texts.len();
        let node = |place: &NodeId| (*place as usize) < nodes;
        let edge = |edge: &Edge| {
            (edge.to as usize) < nodes + self.hubs.len()
                && (edge.detail as usize) < self.details.len()
        };
        self.nodes as usize == nodes
            && self.starts.len() == nodes + 1
            && self.starts.first() == Some(&0)
            && self.starts.is_sorted()
            && self.starts.last().copied() == u32::try_from(self.edges.len()).ok()
            && self.details.iter().all(|detail| {
                let lists = [&detail.permissions, &detail.conditions, &detail.statements];
                text(&detail.via)
                    && text(&detail.title)
                    && lists.into_iter().all(|list| list.iter().all(text))
            })
            && self.edges.iter().all(edge)
            && self.hubs.iter().all(|hub| hub.iter().all(node))
            && self.grants.iter().all(|grant| {
                node(&grant.by)
                    && node(&grant.edge.to)
                    && edge(&grant.edge)
                    && (grant.holders as usize) < self.holders.len()
            })
            && self.holders.iter().all(|list| {
                list.iter()
                    .all(|(holder, target)| node(holder) && node(target))
            })
            && self.quorums.iter().all(|quorum| {
                quorum.owners.iter().all(node)
                    && quorum.owners.is_sorted_by(|one, other| one < other)
                    && quorum.needed > 1
                    && node(&quorum.edge.to)
                    && edge(&quorum.edge)
            })
    }
}

fn slice_of<'l, T>(starts: &[u32], list: &'l [T], place: NodeId) -> &'l [T] {
    let place = place as usize;
    match (starts.get(place), starts.get(place + 1)) {
        (Some(&start), Some(&end)) => &list[start as usize..end as usize],
        _ => &[],
    }
}

/// Sorts places by a key below `count`, in order within a key: where each key starts, and what
/// `make` makes of the places.
fn sorted_in<T: Clone + Default>(
    count: usize,
    keys: impl Iterator<Item = usize> + Clone,
    make: impl Fn(usize) -> T,
) -> (Vec<u32>, Vec<T>) {
    let mut starts = vec![0u32; count + 1];
    let mut total = 0;
    for key in keys.clone() {
        starts[key + 1] += 1;
        total += 1;
    }
    for place in 0..count {
        starts[place + 1] += starts[place];
    }
    let mut next = starts.clone();
    let mut list = vec![T::default(); total];
    for (place, key) in keys.enumerate() {
        list[next[key] as usize] = make(place);
        next[key] += 1;
    }
    (starts, list)
}

/// Collects edges.
#[derive(Debug, Default)]
pub(crate) struct EdgeBuilder {
    texts: Texts,
    details: Vec<Detail>,
    known: HashMap<Detail, DetailId>,
    nodes: u32,
    /// From where each edge leads.
    edges: Vec<(NodeId, Edge)>,
    leading: Vec<bool>,
    hubs: Vec<Arc<[NodeId]>>,
    hub_of: HashMap<Arc<[NodeId]>, u32>,
    grants: Vec<Grant>,
    holders: Vec<Vec<Holder>>,
    list_of: HashMap<Vec<Holder>, u32>,
    quorums: Vec<Quorum>,
}

impl EdgeBuilder {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            nodes: nodes as u32,
            leading: vec![false; nodes],
            hub_of: HashMap::new(),
            ..Self::default()
        }
    }

    pub(crate) fn detail(
        &mut self,
        via: &str,
        title: &str,
        permit: &Permit,
        changes_access: bool,
    ) -> DetailId {
        let texts = &mut self.texts;
        let detail = Detail {
            changes_access,
            via: texts.put(via),
            title: texts.put(title),
            permissions: permit.permissions.iter().map(|t| texts.put(t)).collect(),
            conditions: permit.conditions.iter().map(|t| texts.put(t)).collect(),
            statements: permit.statements.iter().map(|t| texts.put(t)).collect(),
        };
        if let Some(&place) = self.known.get(&detail) {
            return place;
        }
        let place = self.details.len() as DetailId;
        self.details.push(detail.clone());
        self.known.insert(detail, place);
        place
    }

    pub(crate) fn add(&mut self, from: NodeId, to: NodeId, detail: DetailId) {
        self.leading[from as usize] = true;
        self.edges.push((from, Edge { to, detail }));
    }

    /// Adds an edge to each of many, or one to their hub.
    pub(crate) fn add_many(&mut self, from: NodeId, to: &Arc<[NodeId]>, detail: DetailId) {
        if to.len() < HUB_FROM {
            for &to in to.iter().filter(|&&to| to != from) {
                self.add(from, to, detail);
            }
            return;
        }
        let hub = match self.hub_of.get(to) {
            Some(&hub) => hub,
            None => {
                let hub = self.hubs.len() as u32;
                self.hubs.push(to.clone());
                self.hub_of.insert(to.clone(), hub);
                hub
            }
        };
        self.add(from, self.nodes + hub, detail);
    }

    /// An edge that no permission makes.
    pub(crate) fn relate(&mut self, from: NodeId, to: NodeId, via: &str, title: &str) {
        let detail = self.detail(via, title, &Permit::default(), false);
        self.add(from, to, detail);
    }

    pub(crate) fn grant(
        &mut self,
        by: NodeId,
        holders: Vec<Holder>,
        account: NodeId,
        detail: DetailId,
    ) {
        let list = match self.list_of.get(&holders) {
            Some(&list) => list,
            None => {
                let list = self.holders.len() as u32;
                self.holders.push(holders.clone());
                self.list_of.insert(holders, list);
                list
            }
        };
        self.grants.push(Grant {
            by,
            holders: list,
            edge: Edge {
                to: account,
                detail,
            },
        });
    }

    /// `owners` are in order, each once.
    pub(crate) fn quorum(
        &mut self,
        owners: Vec<NodeId>,
        needed: u32,
        to: NodeId,
        detail: DetailId,
    ) {
        self.quorums.push(Quorum {
            owners,
            needed,
            edge: Edge { to, detail },
        });
    }

    /// Whether any edge leads away from a node.
    pub(crate) fn leads_on(&self, node: NodeId) -> bool {
        self.leading[node as usize]
    }

    /// Whether an edge of this name leads away from a node.
    pub(crate) fn nodes_with(&self, via: &str) -> Vec<NodeId> {
        let Some(via) = self.texts.find(via) else {
            return Vec::new();
        };
        let edges = self.edges.iter();
        let named = edges.filter(|(_, edge)| self.details[edge.detail as usize].via == via);
        let mut found: Vec<NodeId> = named.map(|(from, _)| *from).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Puts the edges in an order of their own: for each node the plainest first.
    pub(crate) fn finish(mut self) -> Edges {
        let texts = &self.texts;
        let details = &self.details;
        let words = |list: &[Text]| list.iter().map(|&t| texts.get(t)).collect::<Vec<_>>();
        // How plain each detail is, worked out once.
        let mut order: Vec<DetailId> = (0..details.len() as u32).collect();
        order.sort_by(|&left, &right| {
            let (left, right) = (&details[left as usize], &details[right as usize]);
            left.conditions
                .len()
                .cmp(&right.conditions.len())
                .then_with(|| left.changes_access.cmp(&right.changes_access))
                .then_with(|| left.permissions.len().cmp(&right.permissions.len()))
                .then_with(|| texts.get(left.via).cmp(texts.get(right.via)))
                .then_with(|| words(&left.conditions).cmp(&words(&right.conditions)))
                .then_with(|| words(&left.permissions).cmp(&words(&right.permissions)))
                .then_with(|| words(&left.statements).cmp(&words(&right.statements)))
                .then_with(|| texts.get(left.title).cmp(texts.get(right.title)))
        });
        let mut rank = vec![0u32; details.len()];
        for (place, &detail) in order.iter().enumerate() {
            rank[detail as usize] = place as u32;
        }
        self.edges
            .sort_unstable_by_key(|(from, edge)| (*from, rank[edge.detail as usize], edge.to));
        self.edges.dedup();
        let mut starts = vec![0u32; self.nodes as usize + 1];
        for (from, _) in &self.edges {
            starts[*from as usize + 1] += 1;
        }
        for node in 0..self.nodes as usize {
            starts[node + 1] += starts[node];
        }
        let mut edges = Edges {
            texts: self.texts,
            details: self.details,
            nodes: self.nodes,
            starts,
            edges: self.edges.into_iter().map(|(_, edge)| edge).collect(),
            hubs: self.hubs,
            grants: self.grants,
            holders: self.holders,
            quorums: self.quorums,
            places: Places::default(),
        };
        edges.find_places();
        edges
    }
}
