//! The graph as BloodHound loads it: OpenGraph JSON.
//!
//! A document is `metadata` and `graph`, with `nodes` (an `id`, one to three `kinds`, flat
//! `properties`) and `edges` (a `kind` of letters, digits and underscores, a `start` and an `end`
//! that name nodes by id). A node's first kind is what it is (`AWSRole`), the second says that it
//! is Portreeve's; crown jewels have `CrownJewel` as a third. An edge's kind is its escalation
//! (`StsAssumeRole`). Lists that hold nothing are left out.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::network::{Edge, Network, Node, pascal};
use crate::text;

/// The kind that all nodes share: BloodHound removes what came from one source by it.
const SOURCE: &str = "Portreeve";

#[derive(Serialize)]
struct Document<'n> {
    metadata: Metadata,
    graph: Graph<'n>,
}

#[derive(Serialize)]
struct Metadata {
    source_kind: &'static str,
}

#[derive(Serialize)]
struct Graph<'n> {
    nodes: Vec<NodeJson<'n>>,
    edges: Vec<EdgeJson<'n>>,
}

#[derive(Serialize)]
struct NodeJson<'n> {
    id: &'n str,
    kinds: Vec<String>,
    properties: NodeProperties<'n>,
}

#[derive(Serialize)]
struct NodeProperties<'n> {
    name: Cow<'n, str>,
    displayname: Cow<'n, str>,
    kind: &'n str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'n str>,
    inferred: bool,
    start: bool,
    jewel: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    jewel_kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jewel_reason: Option<&'n str>,
}

#[derive(Serialize)]
struct EdgeJson<'n> {
    kind: String,
    start: End<'n>,
    end: End<'n>,
    properties: EdgeProperties<'n>,
}

#[derive(Serialize)]
struct End<'n> {
    value: &'n str,
    match_by: &'static str,
}

#[derive(Serialize)]
struct EdgeProperties<'n> {
    escalation: &'n str,
    title: &'n str,
    open: bool,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    permissions: &'n [&'n str],
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    conditions: &'n [&'n str],
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    statements: &'n [&'n str],
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    besides: &'n [&'n str],
}

/// Writes a network.
pub fn write(network: &Network<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let document = Document {
        metadata: Metadata {
            source_kind: SOURCE,
        },
        graph: Graph {
            nodes: network.nodes.iter().map(node).collect(),
            edges: network.edges.iter().map(edge).collect(),
        },
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn node<'n>(node: &'n Node<'_>) -> NodeJson<'n> {
    let primary = match node.kind {
        // What is no resource of AWS keeps its own word.
        "hub" | "external" | "person" | "person-group" => pascal(node.kind),
        kind => format!("AWS{}", pascal(kind)),
    };
    let mut kinds = vec![primary, SOURCE.to_owned()];
    if node.jewel.is_some() {
        kinds.push("CrownJewel".to_owned());
    }
    NodeJson {
        id: node.id,
        kinds,
        properties: NodeProperties {
            name: text::clean(node.label),
            displayname: text::clean(node.label),
            kind: node.kind,
            account: node.account,
            inferred: node.inferred,
            start: node.start,
            jewel: node.jewel.is_some(),
            jewel_kind: node.jewel.map(|jewel| jewel.kind.as_str()),
            jewel_reason: node.jewel.map(|jewel| jewel.reason.as_str()),
        },
    }
}

fn edge<'n>(edge: &'n Edge<'_>) -> EdgeJson<'n> {
    let end = |value| End {
        value,
        match_by: "id",
    };
    EdgeJson {
        kind: pascal(edge.via),
        start: end(edge.from),
        end: end(edge.to),
        properties: EdgeProperties {
            escalation: edge.via,
            title: edge.title,
            open: edge.conditions.is_empty(),
            permissions: &edge.permissions,
            conditions: &edge.conditions,
            statements: &edge.statements,
            besides: &edge.besides,
        },
    }
}
