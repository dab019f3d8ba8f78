use std::collections::BTreeSet;

use anyhow::Result;
use portreeve_engine::{Knowledge, Request, RuleSet, RuleSettings, RunError, gather};
use portreeve_graph::cut::{Cut, Question};
use portreeve_graph::{Circumstances, Graph};
use portreeve_incident::containment::{Calls, Replayed, replay, typed};
use portreeve_model::EntityId;
use portreeve_view::cut::CutAnswer;
use portreeve_view::{html, json, terminal};

use super::can::{say_unread, usage};
use super::graph::{meant, surveyed};
use super::settings;
use super::words::{self, circumstances, is_long_term_key};
use crate::Ending;
use crate::arguments::{self, AnswerFormat, Input};
use crate::output;
use crate::progress::Bar;

/// The cheapest changes that leave no path.
pub(crate) fn run(options: &arguments::Cut) -> Result<Ending> {
    let by_keys =
        !options.from.is_empty() && options.from.iter().all(|name| is_long_term_key(name));
    let given = match circumstances(&options.requests, false, by_keys) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let input = options.inventory.input();
    let knowledge = match surveyed(&input, &given)? {
        Ok(knowledge) => knowledge,
        Err(ending) => return Ok(ending),
    };
    let (from, to) = match ends(options, &knowledge.graph) {
        Ok(ends) => ends,
        Err(ending) => return Ok(ending),
    };
    let (config, _) = settings(&input)?;
    let bar = Bar::default();
    portreeve_engine::Progress::begin(&bar, "Searching for the cut", 0);
    let cut = Question {
        estate: &knowledge.estate,
        catalogue: &knowledge.catalogue,
        declared: &config.jewels,
        circumstances: &given,
        from,
        to,
        costs: &config.cut.costs,
        exact_up_to: options.exact_up_to,
    }
    .cut();
    bar.clear();
    let history = match past(options, &knowledge, &given, &cut)? {
        Ok(history) => history,
        Err(ending) => return Ok(ending),
    };
    if let Some(path) = &options.plan {
        output::to_file(path, |mut file| Ok(json::answer(&cut.plan, &mut file)?))?;
    }
    let typed = typed(&cut.plan);
    let jewels = knowledge.graph.jewels();
    let answer = CutAnswer {
        cut: &cut,
        typed: &typed,
        history: history.as_ref(),
        given: &words::given(&options.requests),
        jewels: &jewels,
        blind_spots: &knowledge.estate.blind_spots,
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => out.write_all(terminal::cut(&answer, layout).as_bytes())?,
            AnswerFormat::Json => json::answer(&answer, &mut out)?,
            AnswerFormat::Html => out.write_all(html::cut(&answer).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}

/// From where, and to where.
fn ends(options: &arguments::Cut, graph: &Graph) -> Result<(Vec<EntityId>, Vec<EntityId>), Ending> {
    let named = |names: &[String]| -> Result<Vec<EntityId>, Ending> {
        let ids: Result<BTreeSet<EntityId>, Ending> =
            names.iter().map(|name| meant(graph, name)).collect();
        ids.map(|ids| ids.into_iter().collect())
    };
    let mut from = named(&options.from)?;
    if from.is_empty() {
        let doors: BTreeSet<&EntityId> = graph.doors().iter().map(|door| &door.id).collect();
        from = doors.into_iter().cloned().collect();
    }
    Ok((from, named(&options.to)?))
}

/// What the past says of the plan, where it is asked.
fn past(
    options: &arguments::Cut,
    knowledge: &Knowledge,
    given: &Circumstances,
    cut: &Cut,
) -> Result<Result<Option<Replayed>, Ending>> {
    if options.history.is_empty() {
        return Ok(Ok(None));
    }
    let (config, skip) = settings(&Input {
        paths: options.history.clone(),
        config: options.inventory.config.clone(),
    })?;
    let declared = settings(&options.inventory.input())?.0.jewels;
    let bar = Bar::default();
    let request = Request {
        paths: options.history.clone(),
        config,
        skip,
        // The past is told by what happened, not by what any rule makes of it.
        rules: RuleSet::parse(&[], &RuleSettings::default()),
        signs: Vec::new(),
        threads: 0,
    };
    let gathered = gather(request, &bar);
    bar.clear();
    let gathered = match gathered {
        Ok(gathered) => gathered,
        Err(RunError::NothingReadable(error)) => {
            return Ok(Err(super::investigate::no_input(&error)));
        }
    };
    say_unread(gathered.dead_letters());
    let estate = knowledge
        .estate
        .revised(&cut.plan.revision(&knowledge.estate));
    let after = Graph::build_in(&estate, &knowledge.catalogue, &declared, given);
    Ok(Ok(Some(replay(&Calls {
        estate: &knowledge.estate,
        graph: &knowledge.graph,
        plan: &cut.plan,
        after: &after,
        activities: gathered.activities(),
        left_out: &BTreeSet::new(),
    }))))
}
