//! Two states of an estate, read for a comparison: two inventories, or one and a Terraform plan.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use portreeve_estate::{Plan, complete};
use portreeve_graph::{Circumstances, Graph};
use portreeve_model::{BlindSpot, DeadLetter, Estate};

use crate::config::Config;
use crate::content::built_in_catalogue;
use crate::discover::discover;
use crate::inventory::LARGEST;
use crate::open::Opened;
use crate::progress::Progress;
use crate::run::RunError;
use crate::survey::{inventories, no_inventory, raw_files};

/// Two states of an estate.
#[derive(Debug)]
pub struct Comparison {
    /// The estate before.
    pub before: Estate,
    /// The estate after.
    pub after: Estate,
    /// The graph before.
    pub graph_before: Graph,
    /// The graph after.
    pub graph_after: Graph,
    /// What a plan leaves open until it is applied.
    pub unknown: Vec<BlindSpot>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Reads what was and what will be, and builds both graphs for an intruder in these circumstances.
/// Where `after` holds Terraform plans and nothing else, they are laid over what was; where `before`
/// is empty then, what was is what the plans say that Terraform knew.
pub fn compare(
    before: &[PathBuf],
    after: &[PathBuf],
    config: &Config,
    skip: &[PathBuf],
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> Result<Comparison, RunError> {
    let mut was = match before {
        [] => Estate::default(),
        paths => {
            let files = raw_files(paths, skip, progress);
            if inventories(&files.inputs) == 0 {
                return Err(no_inventory(files.rest.len(), files.dead_letters));
            }
            return with(
                files.estate,
                files.dead_letters,
                after,
                config,
                skip,
                circumstances,
                progress,
            );
        }
    };
    let mut dead_letters = Vec::new();
    let plans = plans(after, None, &mut dead_letters);
    if plans.is_empty() {
        return Err(no_inventory(0, dead_letters));
    }
    for plan in &plans {
        was.merge(plan.before().clone());
    }
    was.finish();
    Ok(planned(
        was,
        &plans,
        dead_letters,
        config,
        circumstances,
        progress,
    ))
}

fn with(
    was: Estate,
    mut dead_letters: Vec<DeadLetter>,
    after: &[PathBuf],
    config: &Config,
    skip: &[PathBuf],
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> Result<Comparison, RunError> {
    let plans = plans(after, only_account(&was).as_deref(), &mut dead_letters);
    if !plans.is_empty() {
        return Ok(planned(
            was,
            &plans,
            dead_letters,
            config,
            circumstances,
            progress,
        ));
    }
    let files = raw_files(after, skip, progress);
    if inventories(&files.inputs) == 0 {
        return Err(no_inventory(files.rest.len(), files.dead_letters));
    }
    dead_letters.extend(files.dead_letters);
    Ok(built(
        was,
        files.estate,
        Vec::new(),
        dead_letters,
        config,
        circumstances,
        progress,
    ))
}

/// The plans that paths are, where they are nothing else.
fn plans(
    paths: &[PathBuf],
    account: Option<&str>,
    dead_letters: &mut Vec<DeadLetter>,
) -> Vec<Plan> {
    let (files, _) = discover(paths);
    let mut plans = Vec::new();
    for found in files {
        // Standard input can be read once only: what stands there must be a plan.
        let opened = match &found.path {
            Some(path) => Opened::file(path),
            None => Opened::new(Box::new(std::io::stdin())),
        };
        let Ok(mut opened) = opened else {
            return Vec::new();
        };
        let mut bytes = Vec::new();
        let is_plan = Plan::is_one(opened.head());
        if !is_plan || (&mut opened).take(LARGEST).read_to_end(&mut bytes).is_err() {
            return Vec::new();
        }
        let Some((plan, letters)) = Plan::read(&found.name, &bytes, account) else {
            return Vec::new();
        };
        dead_letters.extend(letters);
        plans.push(plan);
    }
    plans
}

fn planned(
    was: Estate,
    plans: &[Plan],
    dead_letters: Vec<DeadLetter>,
    config: &Config,
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> Comparison {
    let mut will_be = was.clone();
    let mut unknown = Vec::new();
    for plan in plans {
        will_be.revise(&plan.revision(&will_be));
        unknown.extend_from_slice(plan.blind_spots());
    }
    will_be.blind_spots.extend_from_slice(&unknown);
    built(
        was,
        will_be,
        unknown,
        dead_letters,
        config,
        circumstances,
        progress,
    )
}

fn built(
    mut before: Estate,
    mut after: Estate,
    unknown: Vec<BlindSpot>,
    dead_letters: Vec<DeadLetter>,
    config: &Config,
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> Comparison {
    let (catalogue, mut notes) = built_in_catalogue();
    let graph = |estate: &mut Estate| {
        complete(estate);
        progress.begin("Building the attack graph", 0);
        Graph::build_in(estate, &catalogue, &config.jewels, circumstances)
    };
    let (graph_before, graph_after) = (graph(&mut before), graph(&mut after));
    notes.extend(graph_after.notes().iter().cloned());
    Comparison {
        before,
        after,
        graph_before,
        graph_after,
        unknown,
        dead_letters,
        notes,
    }
}

/// The account of an estate that has but one.
fn only_account(estate: &Estate) -> Option<String> {
    let accounts: BTreeSet<&str> = estate
        .entities()
        .filter(|entity| !entity.inferred)
        .filter_map(|entity| entity.account.as_deref())
        .collect();
    let only = accounts.first().filter(|_| accounts.len() == 1)?;
    Some((*only).to_owned())
}
