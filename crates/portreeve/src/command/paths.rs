use std::io::Write;

use anyhow::Result;
use portreeve_engine::{RunError, survey};
use portreeve_graph::{AttackPath, Circumstances};
use portreeve_model::EntityId;
use portreeve_view::{json, terminal};

use super::settings;
use crate::Ending;
use crate::arguments::{Paths, PathsFormat};
use crate::output;
use crate::progress::Bar;

pub(crate) fn run(options: &Paths) -> Result<Ending> {
    let (config, skip) = settings(&options.input)?;
    let bar = Bar::default();
    let result = survey(
        &options.input.paths,
        &config,
        &skip,
        &Circumstances::default(),
        &bar,
    );
    bar.clear();
    let knowledge = match result {
        Ok(knowledge) => knowledge,
        Err(RunError::NothingReadable(error)) => {
            return Ok(super::investigate::no_input(&error));
        }
    };
    for letter in &knowledge.dead_letters {
        eprintln!(
            "portreeve: {}, byte {}: {}",
            letter.file, letter.offset, letter.reason
        );
    }
    for note in &knowledge.notes {
        eprintln!("portreeve: {note}");
    }
    let graph = &knowledge.graph;
    for name in [&options.from, &options.to].into_iter().flatten() {
        if graph.find(name).is_none() {
            eprintln!(
                "portreeve: nothing in the inventory is called `{name}`; give an ARN, a user or \
                 role name, or an access key id"
            );
            return Ok(Ending::Usage);
        }
    }
    let doors: Vec<EntityId> = graph.doors().iter().map(|door| door.id.clone()).collect();
    let paths: Vec<AttackPath> = match (&options.from, &options.to) {
        (Some(from), Some(to)) => graph.path(from, to).into_iter().collect(),
        (Some(from), None) => graph.paths_to_jewels(from),
        (None, _) => {
            let mut starts = doors.clone();
            starts.sort();
            starts.dedup();
            starts
                .iter()
                .flat_map(|door| graph.paths_to_jewels(door.as_str()))
                .collect()
        }
    };
    let mut out = std::io::stdout().lock();
    let jewels = graph.jewels();
    let blind_spots = &knowledge.estate.blind_spots;
    match options.format {
        PathsFormat::Json => json::paths(
            &json::Paths {
                paths: &paths,
                jewels: &jewels,
                doors: &doors,
                blind_spots,
            },
            &mut out,
        )?,
        PathsFormat::Terminal => {
            let layout = output::layout(output::colours(options.colour), false);
            let mut text = terminal::paths(&paths, &jewels, blind_spots, &layout);
            if let (Some(from), None) = (&options.from, &options.to) {
                text.push('\n');
                text.push_str(&terminal::blast_radius(
                    from,
                    &graph.blast_radius(from),
                    &layout,
                ));
            }
            out.write_all(text.as_bytes())?;
        }
    }
    Ok(Ending::Clean)
}
