use anyhow::Result;
use portreeve_graph::AttackPath;
use portreeve_model::EntityId;
use portreeve_view::json::WithInstant;
use portreeve_view::network::Network;
use portreeve_view::roads::Roads;
use portreeve_view::{html, json, terminal};

use super::at::Then;
use super::can::usage;
use super::graph::{meant_at, surveyed_at, write};
use super::words::{self, circumstances, is_long_term_key};
use crate::Ending;
use crate::arguments::{GraphFormat, NetworkFormat, Paths};
use crate::output;

/// How many principals are named of those who reach a jewel; `--to` names all.
const NAMED: usize = 25;

/// Ways to crown jewels, or to what is named.
pub(crate) fn run(options: &Paths) -> Result<Ending> {
    let by_keys =
        !options.from.is_empty() && options.from.iter().all(|name| is_long_term_key(name));
    let given = match circumstances(&options.requests, false, by_keys) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let read = surveyed_at(&options.inventory.input(), &given, &options.at)?;
    let (knowledge, then) = match read {
        Ok(read) => read,
        Err(ending) => return Ok(ending),
    };
    let graph = &knowledge.graph;
    let mut starts: Vec<EntityId> = Vec::new();
    for name in &options.from {
        match meant_at(&knowledge, then.as_ref(), name) {
            Ok(id) => starts.push(id),
            Err(ending) => return Ok(ending),
        }
    }
    let target = match options
        .to
        .as_deref()
        .map(|name| meant_at(&knowledge, then.as_ref(), name))
    {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(ending)) => return Ok(ending),
    };
    let everything = starts.is_empty() && target.is_none();
    let mut paths: Vec<AttackPath> = match &target {
        None if everything => graph.paths_from_doors(),
        None => starts
            .iter()
            .flat_map(|start| graph.paths_to_jewels(start.as_str()))
            .collect(),
        Some(to) if starts.is_empty() => graph.reachers(to.as_str()),
        Some(to) => starts
            .iter()
            .filter_map(|start| graph.path(start.as_str(), to.as_str()))
            .collect(),
    };
    graph.rank(&mut paths);
    let reach = if everything {
        graph.reach_of_jewels(NAMED)
    } else {
        Vec::new()
    };
    let jewels = graph.jewels();
    let mut given = words::given(&options.requests);
    given.extend(then.as_ref().map(Then::words));
    let at = then.as_ref().map(Then::json);
    let roads = Roads {
        given: &given,
        paths: &paths,
        jewels: &jewels,
        doors: graph.doors(),
        reach: &reach,
        blind_spots: &knowledge.estate.blind_spots,
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        let network = || Network::of_paths(graph, &paths);
        match options.format {
            GraphFormat::Terminal => {
                // Doors are no part of the answer to who gets where from here.
                let shown = Roads {
                    doors: if everything { roads.doors } else { &[] },
                    ..roads
                };
                out.write_all(terminal::paths(&shown, layout).as_bytes())?;
            }
            GraphFormat::Json => json::answer(&WithInstant { answer: roads, at }, &mut out)?,
            GraphFormat::Html => out.write_all(html::paths(&roads).as_bytes())?,
            GraphFormat::Opengraph => write(&network(), NetworkFormat::Opengraph, out)?,
            GraphFormat::Graphml => write(&network(), NetworkFormat::Graphml, out)?,
            GraphFormat::Dot => write(&network(), NetworkFormat::Dot, out)?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
