use std::io::Write;

use anyhow::Result;
use portreeve_engine::{Knowledge, RunError, survey, survey_at};
use portreeve_graph::{Circumstances, Graph};
use portreeve_model::EntityId;
use portreeve_view::network::Network;
use portreeve_view::{dot, graphml, json, opengraph, text};

use super::at::{Then, instant};
use super::can::{say_unread, usage};
use super::settings;
use super::words::circumstances;
use crate::Ending;
use crate::arguments::{At, Colour, Input, NetworkFormat, Place, WholeGraph};
use crate::output;
use crate::progress::Bar;

/// The whole graph for other tools.
pub(crate) fn run(options: &WholeGraph) -> Result<Ending> {
    let given = match circumstances(&options.requests, false, false) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let read = surveyed_at(&options.inventory.input(), &given, &options.at)?;
    let (knowledge, _) = match read {
        Ok(read) => read,
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

/// The graph of an inventory, or how the command ends without one. Notes go to
/// standard error.
pub(super) fn surveyed(
    input: &Input,
    circumstances: &Circumstances,
) -> Result<Result<Knowledge, Ending>> {
    let read = surveyed_at(input, circumstances, &At::default())?;
    Ok(read.map(|(knowledge, _)| knowledge))
}

/// The same at an instant where one is asked about.
pub(super) fn surveyed_at(
    input: &Input,
    circumstances: &Circumstances,
    at: &At,
) -> Result<Result<(Knowledge, Option<Then>), Ending>> {
    let (config, skip) = settings(input)?;
    let bar = Bar::default();
    let (paths, skip) = (&input.paths, &skip);
    let result = match instant(at) {
        Some(instant) => survey_at(paths, &config, skip, circumstances, instant, &bar)
            .map(|(knowledge, moment)| (knowledge, Some(Then::of(moment)))),
        None => {
            survey(paths, &config, skip, circumstances, &bar).map(|knowledge| (knowledge, None))
        }
    };
    bar.clear();
    Ok(match result {
        Ok((knowledge, then)) => {
            say_unread(&knowledge.dead_letters);
            for note in &knowledge.notes {
                say!("portreeve: {}", text::clean_lines(note));
            }
            Ok((knowledge, then))
        }
        Err(RunError::NothingReadable(error)) => Err(super::investigate::no_input(&error)),
    })
}

/// What a name means in the graph at an instant, or how the command ends where it means nothing then.
pub(super) fn meant_at(
    knowledge: &Knowledge,
    then: Option<&Then>,
    name: &str,
) -> Result<EntityId, Ending> {
    if let Some(missing) = then.and_then(|then| then.missing(&knowledge.estate, name)) {
        return Err(usage(&missing));
    }
    meant(&knowledge.graph, name)
}

/// What a name means in the graph, or how the command ends where it means nothing. Where it may mean
/// several things, that is told.
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
        say!("portreeve: {}", text::clean_lines(&note));
    }
    Ok(first.clone())
}
