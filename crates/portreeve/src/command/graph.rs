use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use portreeve_engine::{Knowledge, RunError, survey};
use portreeve_graph::{Circumstances, Graph};
use portreeve_model::EntityId;
use portreeve_view::network::Network;
use portreeve_view::{dot, graphml, json, opengraph, text};

use super::can::{say_unread, usage};
use super::settings;
use super::words::circumstances;
use crate::Ending;
use crate::arguments::{Colour, Input, NetworkFormat, Place, WholeGraph};
use crate::output;
use crate::progress::Bar;

/// The whole graph for other tools.
pub(crate) fn run(options: &WholeGraph) -> Result<Ending> {
    let given = match circumstances(&options.requests, false, false) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let knowledge = match surveyed(options.paths.clone(), options.config.clone(), &given)? {
        Ok(knowledge) => knowledge,
        Err(ending) => return Ok(ending),
    };
    let network = Network::whole(&knowledge.graph);
    let place = Place {
        output: options.output.clone(),
        colour: Colour::Never,
    };
    output::answer(&place, true, |_, out| write(&network, options.format, out))?;
    Ok(Ending::Clean)
}

/// Writes a part of the graph.
pub(super) fn write(
    network: &Network<'_>,
    format: NetworkFormat,
    mut out: &mut dyn Write,
) -> Result<()> {
    match format {
        NetworkFormat::Opengraph => opengraph::write(network, &mut out)?,
        NetworkFormat::Graphml => graphml::write(network, &mut out)?,
        NetworkFormat::Dot => dot::write(network, &mut out)?,
        NetworkFormat::Json => json::answer(network, &mut out)?,
    }
    Ok(())
}

/// The graph of the inventory below some paths, or how the command ends without one. Notes go to
/// standard error.
pub(super) fn surveyed(
    mut paths: Vec<PathBuf>,
    config: Option<PathBuf>,
    circumstances: &Circumstances,
) -> Result<Result<Knowledge, Ending>> {
    if paths.is_empty() {
        paths.push(PathBuf::from("."));
    }
    let input = Input { paths, config };
    let (config, skip) = settings(&input)?;
    let bar = Bar::default();
    let result = survey(&input.paths, &config, &skip, circumstances, &bar);
    bar.clear();
    Ok(match result {
        Ok(knowledge) => {
            say_unread(&knowledge.dead_letters);
            for note in &knowledge.notes {
                eprintln!("portreeve: {}", text::clean_lines(note));
            }
            Ok(knowledge)
        }
        Err(RunError::NothingReadable(error)) => Err(super::investigate::no_input(&error)),
    })
}

/// What a name means in the graph, or how the command ends where it means nothing. Where it may
/// mean several things, that is told.
pub(super) fn meant(graph: &Graph, name: &str) -> Result<EntityId, Ending> {
    let found = graph.lookup(name);
    let Some(first) = found.first() else {
        return Err(usage(&format!(
            "nothing in the inventory is called `{name}`; give an ARN, a user or role name, or an \
             access key id"
        )));
    };
    // A second factor or a policy of the same name is not meant.
    let resource = |id: &EntityId| id.as_str().splitn(6, ':').nth(5).map(str::to_owned);
    let others: Vec<&str> = found
        .iter()
        .skip(1)
        .filter(|id| resource(id) == resource(first))
        .map(EntityId::as_str)
        .collect();
    if !others.is_empty() {
        let shown = others.get(..3).unwrap_or(&others).join(", ");
        let more = match others.len().saturating_sub(3) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let note = format!("`{name}` is taken for {first}; it may also mean {shown}{more}");
        eprintln!("portreeve: {}", text::clean_lines(&note));
    }
    Ok(first.clone())
}
