//! A graph, or a part of one, for other tools: nodes and edges.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_graph::{AttackPath, Graph, Jewel, NodeKind};
use serde::Serialize;

/// Nodes and edges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network<'a> {
    /// The nodes, each once.
    pub nodes: Vec<Node<'a>>,
    /// The edges. Both ends of each are among the nodes.
    pub edges: Vec<Edge<'a>>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is, in kebab-case: `role`, `bucket`, `hub`.
    pub kind: &'a str,
    /// What a reader calls it.
    pub label: &'a str,
    /// The account that it is in, where that is known.
    pub account: Option<&'a str>,
    /// Whether it is known only because a policy names it.
    pub inferred: bool,
    /// Whether the question starts here.
    pub start: bool,
    /// Why it is a crown jewel, if it is one.
    pub jewel: Option<&'a Jewel>,
}

/// An edge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge<'a> {
    /// Where it leads from.
    pub from: &'a str,
    /// Where it leads to.
    pub to: &'a str,
    /// The id of the escalation or of the plain relation that makes it.
    pub via: &'a str,
    /// The step in words.
    pub title: &'a str,
    /// The permissions that it uses.
    pub permissions: Vec<&'a str>,
    /// The condition keys that must hold; none where it is open now.
    pub conditions: Vec<&'a str>,
    /// The statements that allow it.
    pub statements: Vec<&'a str>,
    /// Whom one must be able to act as besides, any one of them.
    pub besides: Vec<&'a str>,
}

impl<'a> Network<'a> {
    /// A whole graph.
    pub fn whole(graph: &'a Graph) -> Self {
        Self {
            nodes: graph.nodes().map(|node| of_node(&node, false)).collect(),
            edges: edges(graph).collect(),
        }
    }

    /// What paths pass, each step once.
    pub fn of_paths(graph: &'a Graph, paths: &'a [AttackPath]) -> Self {
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        let starts: BTreeSet<&str> = paths.iter().map(|path| path.from.as_str()).collect();
        let mut edges: BTreeSet<Edge<'a>> = BTreeSet::new();
        for path in paths {
            ids.extend([path.from.as_str(), path.to.as_str()]);
            for step in &path.steps {
                ids.extend([step.from.as_str(), step.to.as_str()]);
                let texts = |list: &'a [String]| list.iter().map(String::as_str).collect();
                edges.insert(Edge {
                    from: step.from.as_str(),
                    to: step.to.as_str(),
                    via: &step.via,
                    title: &step.title,
                    permissions: texts(&step.permissions),
                    conditions: texts(&step.conditions),
                    statements: texts(&step.statements),
                    besides: Vec::new(),
                });
            }
        }
        Self {
            nodes: some_nodes(graph, &ids, &starts),
            edges: edges.into_iter().collect(),
        }
    }

    /// What paths pass, and every edge of the graph among some ids besides: the starts, and what
    /// they reach.
    pub fn around(
        graph: &'a Graph,
        paths: &'a [AttackPath],
        starts: &BTreeSet<&str>,
        ids: &BTreeSet<&str>,
    ) -> Self {
        let mut network = Self::of_paths(graph, paths);
        let mut all: BTreeSet<&str> = network.nodes.iter().map(|node| node.id).collect();
        all.extend(starts);
        all.extend(ids);
        let known: BTreeSet<Edge<'a>> = std::mem::take(&mut network.edges).into_iter().collect();
        // Hubs stand between those who are asked about.
        let hubs: BTreeSet<&str> = graph
            .nodes()
            .filter(|node| node.kind == NodeKind::Hub)
            .map(|node| node.id)
            .collect();
        let within = |id: &str| all.contains(id) || hubs.contains(id);
        let more: Vec<Edge<'a>> = edges(graph)
            .filter(|edge| within(edge.from) && within(edge.to))
            .collect();
        let used: BTreeSet<&str> = more
            .iter()
            .filter(|edge| all.contains(edge.from))
            .map(|edge| edge.to)
            .collect();
        let kept = |id: &str| all.contains(id) || used.contains(id);
        let mut edges = known;
        let mut ids = all.clone();
        for edge in more {
            if kept(edge.from) && kept(edge.to) {
                ids.extend([edge.from, edge.to]);
                edges.insert(edge);
            }
        }
        Self {
            nodes: some_nodes(graph, &ids, starts),
            edges: edges.into_iter().collect(),
        }
    }

    /// The nodes to which no edge leads, other than the starts.
    pub fn unreached(&self) -> Vec<&'a str> {
        let reached: BTreeSet<&str> = self.edges.iter().map(|edge| edge.to).collect();
        self.nodes
            .iter()
            .filter(|node| !node.start && !reached.contains(node.id))
            .map(|node| node.id)
            .collect()
    }
}

fn edges(graph: &Graph) -> impl Iterator<Item = Edge<'_>> {
    graph.edges().map(|edge| Edge {
        from: edge.from,
        to: edge.to,
        via: edge.via,
        title: edge.title,
        permissions: edge.permissions,
        conditions: edge.conditions,
        statements: edge.statements,
        besides: edge.besides,
    })
}

fn of_node<'a>(node: &portreeve_graph::GraphNode<'a>, start: bool) -> Node<'a> {
    Node {
        id: node.id,
        kind: node.kind.as_str(),
        label: node.label,
        account: node.account,
        inferred: node.inferred,
        start,
        jewel: node.jewel,
    }
}

fn some_nodes<'a>(
    graph: &'a Graph,
    ids: &BTreeSet<&str>,
    starts: &BTreeSet<&str>,
) -> Vec<Node<'a>> {
    graph
        .nodes()
        .filter(|node| ids.contains(node.id))
        .map(|node| of_node(&node, starts.contains(node.id)))
        .collect()
}

/// A kebab-case word as one that formats of other tools take: `sts-assume-role` becomes
/// `StsAssumeRole`. Of letters, digits and nothing else.
pub(crate) fn pascal(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut up = true;
    for character in word.chars() {
        if !character.is_ascii_alphanumeric() {
            up = true;
        } else if std::mem::take(&mut up) {
            out.push(character.to_ascii_uppercase());
        } else {
            out.push(character);
        }
    }
    if out.is_empty() {
        "Edge".to_owned()
    } else {
        out
    }
}

/// The places of nodes by their ids, for formats that name nodes by number.
pub(crate) fn places<'a>(network: &Network<'a>) -> BTreeMap<&'a str, usize> {
    let nodes = network.nodes.iter().enumerate();
    nodes.map(|(place, node)| (node.id, place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_of_letters_and_digits() {
        assert_eq!(pascal("sts-assume-role"), "StsAssumeRole");
        assert_eq!(pascal("ec2-run-instances"), "Ec2RunInstances");
        assert_eq!(pascal("runs as\u{1b}[2J"), "RunsAs2J");
        assert_eq!(pascal("é"), "Edge");
    }
}
