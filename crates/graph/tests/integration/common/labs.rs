//! Real, labelled estates.

use std::fs;

use portreeve_graph::{AttackPath, Catalogue, Graph};
use portreeve_model::Estate;
use serde_json::Value;

/// One scored row with its estate.
pub(crate) struct Lab {
    pub(crate) id: String,
    pub(crate) start: String,
    pub(crate) estate: Estate,
    pub(crate) graph: Graph,
    /// What of the estate could not be read.
    pub(crate) unread: usize,
    /// The path that the label asks for, if there is one.
    pub(crate) path: Option<AttackPath>,
}

/// Every scored row; `None` where the data is not at hand.
pub(crate) fn scored(catalogue: &Catalogue) -> Option<impl Iterator<Item = Lab> + '_> {
    let folder = super::shared_data("pathfinding_labs")?;
    let index = fs::read_to_string(folder.join("index.ndjson")).expect("the index");
    let rows: Vec<Value> = index
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row"))
        .filter(|row: &Value| row["scored"] == true)
        .collect();
    Some(rows.into_iter().map(move |row| {
        let start = row["start"].as_str().expect("a start");
        let file = row["gaad"].as_str().expect("an estate");
        let bytes = fs::read(folder.join("estates").join(file)).expect("the estate");
        let mut estate = Estate::default();
        let unread = portreeve_estate::read(file, &bytes, &mut estate).len();
        portreeve_estate::complete(&mut estate);
        estate.finish();
        let graph = Graph::build(&estate, catalogue, &[]);
        Lab {
            id: row["id"].as_str().expect("an id").to_owned(),
            start: start.to_owned(),
            unread,
            path: labelled_path(&graph, &row, start),
            graph,
            estate,
        }
    }))
}

fn texts<'v>(row: &'v Value, key: &str) -> Vec<&'v str> {
    let list = row[key].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// The path that the label asks for: to a bucket that it names, or to an administrator that it
/// names, be it the start itself.
fn labelled_path(graph: &Graph, row: &Value, start: &str) -> Option<AttackPath> {
    let principals = texts(row, "principals");
    if row["target"] == "to-bucket" {
        // Some rows leave the random end of a bucket's name open, or give the name alone.
        let named = principals.iter().rev().filter_map(|name| {
            let name = name.strip_prefix("arn:aws:s3:::").unwrap_or(name);
            (!name.starts_with("arn:") && !name.contains("{attacker")).then_some(name)
        });
        let mut candidates: Vec<String> = named
            .flat_map(|name| {
                let open = name.split('{').next().unwrap_or(name).to_owned();
                let exact = format!("arn:aws:s3:::{name}");
                graph
                    .entities()
                    .map(|id| id.as_str().to_owned())
                    .filter(move |id| {
                        *id == exact
                            || (open.len() < exact.len() - 13
                                && id.starts_with(&format!("arn:aws:s3:::{open}")))
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        if candidates.is_empty() {
            // The label names no bucket: the one that the estate's policies name is meant.
            candidates = graph
                .entities()
                .map(|id| id.as_str().to_owned())
                .filter(|id| id.starts_with("arn:aws:s3:::") && !id.contains('*'))
                .collect();
        }
        return candidates.iter().find_map(|to| graph.path(start, to));
    }
    let administrators = graph.administrators();
    let target = principals
        .iter()
        .rev()
        .filter(|id| **id != start)
        .find(|id| administrators.iter().any(|known| known.as_str() == **id));
    match target {
        Some(target) => graph.path(start, target),
        None => graph.path_to_administrator(start),
    }
}
