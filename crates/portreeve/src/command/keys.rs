use anyhow::Result;
use portreeve_engine::{Gathered, Request, RuleSet, RunError, gather};
use portreeve_graph::{Circumstances, Graph};
use portreeve_incident::{KeyQuestion, KeyRing};
use portreeve_model::Estate;
use portreeve_view::{html, json, terminal, text};

use super::can::say_unread;
use super::graph::surveyed;
use super::{investigate, settings};
use crate::Ending;
use crate::arguments::{AnswerFormat, Keys};
use crate::output;
use crate::progress::Bar;

/// Every credential, with what it opens.
pub(crate) fn run(options: &Keys) -> Result<Ending> {
    if options.history.is_empty() {
        let anyone = Circumstances::default();
        let knowledge = match surveyed(&options.inventory.input(), &anyone)? {
            Ok(knowledge) => knowledge,
            Err(ending) => return Ok(ending),
        };
        write(options, &knowledge.estate, &knowledge.graph, None)?;
        // The program ends soon, and giving back an estate in millions of pieces takes its time.
        std::mem::forget(knowledge);
        return Ok(Ending::Clean);
    }
    let gathered = match with_history(options)? {
        Ok(gathered) => gathered,
        Err(ending) => return Ok(ending),
    };
    write(
        options,
        gathered.estate(),
        gathered.graph(),
        Some(&gathered),
    )?;
    std::mem::forget(gathered);
    Ok(Ending::Clean)
}

/// Inventory and logs, read as an investigation reads them, without rules.
fn with_history(options: &Keys) -> Result<Result<Gathered, Ending>> {
    let mut input = options.inventory.input();
    input.paths.extend(options.history.iter().cloned());
    let (config, skip) = settings(&input)?;
    let bar = Bar::default();
    let result = gather(
        Request {
            paths: input.paths,
            rules: RuleSet::parse(&[], &config.rules),
            config,
            skip,
            signs: Vec::new(),
            threads: options.threads,
        },
        &bar,
    );
    bar.clear();
    Ok(match result {
        Ok(gathered) if gathered.estate().is_empty() => {
            say!(
                "portreeve: none of these files is inventory; docs/inventory.md tells how to export it"
            );
            Err(Ending::NoInput)
        }
        Ok(gathered) => {
            say_unread(gathered.dead_letters());
            for note in gathered.graph().notes() {
                say!("portreeve: {}", text::clean_lines(note));
            }
            Ok(gathered)
        }
        Err(RunError::NothingReadable(error)) => Err(investigate::no_input(&error)),
    })
}

fn write(
    options: &Keys,
    estate: &Estate,
    graph: &Graph,
    gathered: Option<&Gathered>,
) -> Result<()> {
    let usage = gathered.map(Gathered::usage);
    let question = KeyQuestion {
        masters: options.top,
        unused_days: options.unused_for,
        as_of: options.as_of,
    };
    let ring = KeyRing::of(estate, graph, usage.as_ref(), question);
    let keys = portreeve_view::keys::Keys {
        ring: &ring,
        top: options.top,
        blind_spots: &estate.blind_spots,
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => out.write_all(terminal::keys(&keys, layout).as_bytes())?,
            AnswerFormat::Json => json::answer(&keys, &mut out)?,
            AnswerFormat::Html => out.write_all(html::keys(&keys).as_bytes())?,
        }
        Ok(())
    })?;
    std::mem::forget(ring);
    Ok(())
}
