use std::collections::BTreeSet;

use anyhow::Result;
use portreeve_model::EntityId;
use portreeve_view::network::Network;
use portreeve_view::roads::Loss;
use portreeve_view::{html, json, terminal};

use super::can::usage;
use super::graph::{meant, surveyed, write};
use super::words::{circumstances, is_long_term_key, names_and_paths};
use crate::Ending;
use crate::arguments::{Blast, GraphFormat, NetworkFormat};
use crate::output;

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
    let knowledge = match surveyed(paths, options.inventory.config.clone(), &given)? {
        Ok(knowledge) => knowledge,
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
            None => match meant(graph, name) {
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
    let loss = Loss {
        asked: &names,
        blast: &blast,
        jewels: &jewels,
        blind_spots: &knowledge.estate.blind_spots,
    };
    let network = || {
        let mut ids: BTreeSet<&str> = blast.reached().map(|entry| entry.id.as_str()).collect();
        ids.extend(starts.iter().map(EntityId::as_str));
        Network::around(graph, &blast.paths, &ids)
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            GraphFormat::Terminal => out.write_all(terminal::loss(&loss, layout).as_bytes())?,
            GraphFormat::Json => json::answer(&loss, &mut out)?,
            GraphFormat::Html => out.write_all(html::loss(&loss).as_bytes())?,
            GraphFormat::Opengraph => write(&network(), NetworkFormat::Opengraph, out)?,
            GraphFormat::Graphml => write(&network(), NetworkFormat::Graphml, out)?,
            GraphFormat::Dot => write(&network(), NetworkFormat::Dot, out)?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
