//! The graph as GraphML, which Gephi, yEd, Cytoscape and NetworkX read.

use std::io;

use crate::network::{Network, places};

/// The attributes of nodes and edges: name, of what, type.
const KEYS: [(&str, &str, &str); 14] = [
    ("id", "node", "string"),
    ("label", "node", "string"),
    ("kind", "node", "string"),
    ("account", "node", "string"),
    ("inferred", "node", "boolean"),
    ("start", "node", "boolean"),
    ("jewel", "node", "string"),
    ("via", "edge", "string"),
    ("title", "edge", "string"),
    ("open", "edge", "boolean"),
    ("permissions", "edge", "string"),
    ("conditions", "edge", "string"),
    ("statements", "edge", "string"),
    ("besides", "edge", "string"),
];

/// Writes a network. Lists are texts with a space between their items; `jewel` is the kind of
/// crown jewel.
pub fn write(network: &Network<'_>, out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    )?;
    for (name, of, kind) in KEYS {
        writeln!(
            out,
            "  <key id=\"{of}-{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
        )?;
    }
    out.write_all(b"  <graph id=\"estate\" edgedefault=\"directed\">\n")?;
    for (place, node) in network.nodes.iter().enumerate() {
        writeln!(out, "    <node id=\"n{place}\">")?;
        let truth = |value: bool| if value { "true" } else { "false" };
        for (name, value) in [
            ("id", Some(node.id)),
            ("label", Some(node.label)),
            ("kind", Some(node.kind)),
            ("account", node.account),
            ("inferred", Some(truth(node.inferred))),
            ("start", Some(truth(node.start))),
            ("jewel", node.jewel.map(|jewel| jewel.kind.as_str())),
        ] {
            data(out, "node", name, value)?;
        }
        out.write_all(b"    </node>\n")?;
    }
    let places = places(network);
    for (number, edge) in network.edges.iter().enumerate() {
        let (Some(from), Some(to)) = (places.get(edge.from), places.get(edge.to)) else {
            continue;
        };
        writeln!(
            out,
            "    <edge id=\"e{number}\" source=\"n{from}\" target=\"n{to}\">"
        )?;
        let open = if edge.conditions.is_empty() {
            "true"
        } else {
            "false"
        };
        let list = |list: &[&str]| (!list.is_empty()).then(|| list.join(" "));
        data(out, "edge", "via", Some(edge.via))?;
        data(out, "edge", "title", Some(edge.title))?;
        data(out, "edge", "open", Some(open))?;
        for (name, values) in [
            ("permissions", &edge.permissions),
            ("conditions", &edge.conditions),
            ("statements", &edge.statements),
            ("besides", &edge.besides),
        ] {
            data(out, "edge", name, list(values).as_deref())?;
        }
        out.write_all(b"    </edge>\n")?;
    }
    out.write_all(b"  </graph>\n</graphml>\n")
}

fn data(out: &mut impl io::Write, of: &str, name: &str, value: Option<&str>) -> io::Result<()> {
    match value {
        None => Ok(()),
        Some(value) => writeln!(
            out,
            "      <data key=\"{of}-{name}\">{}</data>",
            escape(value)
        ),
    }
}

/// A text inside an element. What XML cannot hold is left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => out.push(other),
        }
    }
    out
}
