//! The graph as DOT, which Graphviz draws.

use std::io;

use crate::network::{Network, places};
use crate::text;

/// Writes a network: starts as boxes with a heavy line, crown jewels as double ones, edges that
/// hang on a condition dashed.
pub fn write(network: &Network<'_>, out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(
        b"digraph estate {\n  rankdir=LR;\n  node [shape=box, style=rounded, \
        fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    )?;
    for (place, node) in network.nodes.iter().enumerate() {
        let second = match node.jewel {
            Some(jewel) => jewel.kind.title(),
            None => node.kind,
        };
        let more = match (node.start, node.jewel.is_some()) {
            (true, _) => ", penwidth=2",
            (false, true) => ", peripheries=2",
            (false, false) => "",
        };
        writeln!(
            out,
            "  n{place} [label=\"{}\\n{}\", tooltip=\"{}\"{more}];",
            escape(node.label),
            escape(second),
            escape(node.id)
        )?;
    }
    let places = places(network);
    for edge in &network.edges {
        let (Some(from), Some(to)) = (places.get(edge.from), places.get(edge.to)) else {
            continue;
        };
        let (condition, style) = match edge.conditions.as_slice() {
            [] => (String::new(), ""),
            keys => (
                format!("\\nif {}", escape(&keys.join(", "))),
                ", style=dashed",
            ),
        };
        writeln!(
            out,
            "  n{from} -> n{to} [label=\"{}{condition}\", tooltip=\"{}\"{style}];",
            escape(edge.via),
            escape(edge.title)
        )?;
    }
    out.write_all(b"}\n")
}

/// A text between quotation marks.
fn escape(text: &str) -> String {
    let clean = text::clean(text);
    clean.replace('\\', "\\\\").replace('"', "\\\"")
}
