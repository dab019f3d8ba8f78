//! The whole graph, node by node and edge by edge.

use super::Graph;
use super::told::ADMINISTERS;
use crate::edges::{Edge, Edges, Text};
use crate::export::{GraphEdge, GraphNode, NodeKind, word};
use crate::nodes::{NodeId, Nodes};

/// What a hub is called.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    id: String,
    label: String,
}

impl Hub {
    /// All hubs, in their order.
    pub(super) fn of(edges: &Edges, nodes: &Nodes) -> Vec<Self> {
        let hubs = (0..edges.hub_count() as u32).map(|place| {
            let targets = edges.hub(edges.nodes() + place).unwrap_or_default();
            let kind = targets.first().map(|&target| word(nodes.get(target).kind));
            Self {
                id: format!("hub:{place}"),
                label: format!("{} of kind {}", targets.len(), kind.unwrap_or("none")),
            }
        });
        hubs.collect()
    }
}

impl Graph {
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
}
