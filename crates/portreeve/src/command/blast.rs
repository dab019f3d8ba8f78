use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use portreeve_graph::AttackPath;
use portreeve_model::EntityId;
use portreeve_view::json::WithInstant;
use portreeve_view::network::Network;
use portreeve_view::roads::Loss;
use portreeve_view::{html, json, terminal};

use super::at::Then;
use super::can::usage;
use super::graph::{meant_at, surveyed_at, write};
use super::words::{self, circumstances, is_long_term_key, names_and_paths};
use crate::Ending;
use crate::arguments::{Blast, GraphFormat, Input, NetworkFormat};
use crate::output;

/// Onto how many things that lead nowhere the step is looked up, for other tools.
const LOOKED_UP: usize = 500;

/// What the loss of all that is named would cost.
pub(crate) fn run(options: &Blast) -> Result<Ending> {
    let (names, paths) = names_and_paths(&options.words, &options.inventory, 1);
    if names.is_empty() {
        return Ok(usage(
            "nothing is named that is lost; give users, roles, keys or `vendor:ACCOUNT` beside \
             the inventory",
        ));
    }
    let by_keys = names.iter().all(|name| is_long_term_key(name));
    let given = match circumstances(&options.requests, false, by_keys) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let input = Input::or_here(paths, options.inventory.config.clone());
    let (knowledge, then) = match surveyed_at(&input, &given, &options.at)? {
        Ok(read) => read,
        Err(ending) => return Ok(ending),
    };
    let graph = &knowledge.graph;
    let mut starts: BTreeSet<EntityId> = BTreeSet::new();
    for name in &names {
        match name.strip_prefix("vendor:") {
            Some(vendor) => {
                let found = graph.vendor(vendor);
                if found.is_empty() {
                    return Ok(usage(&format!(
                        "no trust or policy of the inventory lets in a third party called \
                         `{vendor}`; give an account number, the host of an identity provider, or \
                         a name in its identities"
                    )));
                }
                starts.extend(found);
            }
            None => match meant_at(&knowledge, then.as_ref(), name) {
                Ok(id) => {
                    starts.insert(id);
                }
                Err(ending) => return Ok(ending),
            },
        }
    }
    let starts: Vec<EntityId> = starts.into_iter().collect();
    let blast = graph.blast(&starts);
    let jewels = graph.jewels();
    let mut given = words::given(&options.requests);
    given.extend(then.as_ref().map(Then::words));
    let at = then.as_ref().map(Then::json);
    let loss = Loss {
        asked: &names,
        given: &given,
        blast: &blast,
        jewels: &jewels,
        blind_spots: &knowledge.estate.blind_spots,
    };
    // Onto what leads nowhere there are no edges in the graph: those steps are looked up.
    let reached: BTreeMap<&str, &str> = blast
        .reached()
        .map(|entry| (entry.id.as_str(), entry.from.as_str()))
        .collect();
    let ids: BTreeSet<&str> = reached.keys().copied().collect();
    let lost: BTreeSet<&str> = starts.iter().map(EntityId::as_str).collect();
    let more: Vec<AttackPath> = match options.format {
        GraphFormat::Terminal | GraphFormat::Json | GraphFormat::Html => Vec::new(),
        _ => Network::around(graph, &blast.paths, &lost, &ids)
            .unreached()
            .into_iter()
            .take(LOOKED_UP)
            .filter_map(|id| graph.path(reached.get(id)?, id))
            .chain(blast.paths.iter().cloned())
            .collect(),
    };
    let network = || Network::around(graph, &more, &lost, &ids);
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            GraphFormat::Terminal => out.write_all(terminal::loss(&loss, layout).as_bytes())?,
            GraphFormat::Json => json::answer(&WithInstant { answer: &loss, at }, &mut out)?,
            GraphFormat::Html => out.write_all(html::loss(&loss).as_bytes())?,
            GraphFormat::Opengraph => write(&network(), NetworkFormat::Opengraph, out)?,
            GraphFormat::Graphml => write(&network(), NetworkFormat::Graphml, out)?,
            GraphFormat::Dot => write(&network(), NetworkFormat::Dot, out)?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
