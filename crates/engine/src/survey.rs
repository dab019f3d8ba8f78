//! The inventory among some files, and the graph that is made of it.

use std::path::PathBuf;

use portreeve_graph::{Catalogue, Circumstances, Graph};
use portreeve_model::{DeadLetter, Estate, Input, InputKind};
use portreeve_telemetry::Recognition;

use crate::config::Config;
use crate::content::built_in_catalogue;
use crate::discover::{Found, discover};
use crate::inventory;
use crate::networks::{self, FoundData};
use crate::open::Opened;
use crate::progress::Progress;
use crate::run::{NothingReadable, RunError};
use crate::wallets::{self, WalletFiles, Wallets};

/// What the inventory says, with the graph that is made of it.
#[derive(Debug)]
pub struct Knowledge {
    /// Entities and relations.
    pub estate: Estate,
    /// Who can reach what.
    pub graph: Graph,
    /// The steps that the graph knows.
    pub catalogue: Catalogue,
    /// Data of networks, in order of the files' names.
    pub networks: Vec<FoundData>,
    /// What is known of wallets, where their policy is among the input.
    pub wallets: Option<Wallets>,
    /// Every file that was read.
    pub inputs: Vec<Input>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// A file that is not inventory, with what it was recognised as.
pub(crate) struct Rest {
    pub(crate) found: Found,
    pub(crate) opened: Option<Opened>,
    pub(crate) recognition: Option<Recognition>,
}

/// What the inventory says, for questions that need no graph.
#[derive(Debug)]
pub struct Inventory {
    /// Entities and relations.
    pub estate: Estate,
    /// Every file that was read.
    pub inputs: Vec<Input>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
}

/// Reads the inventory below the paths.
pub fn read_inventory(
    paths: &[PathBuf],
    skip: &[PathBuf],
    progress: &dyn Progress,
) -> Result<Inventory, RunError> {
    let Files {
        estate,
        inputs,
        dead_letters,
        rest,
        ..
    } = files(paths, skip, progress);
    if inventories(&inputs) == 0 {
        return Err(no_inventory(rest.len(), dead_letters));
    }
    Ok(Inventory {
        estate,
        inputs,
        dead_letters,
    })
}

/// Reads the inventory below the paths and builds the graph, for an intruder in these
/// circumstances.
pub fn survey(
    paths: &[PathBuf],
    config: &Config,
    skip: &[PathBuf],
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> Result<Knowledge, RunError> {
    let (knowledge, rest) = look(paths, config, skip, circumstances, progress);
    if inventories(&knowledge.inputs) == 0 {
        return Err(no_inventory(rest.len(), knowledge.dead_letters));
    }
    Ok(knowledge)
}

pub(crate) fn no_inventory(files: usize, dead_letters: Vec<DeadLetter>) -> RunError {
    RunError::NothingReadable(NothingReadable {
        files,
        inventory: 0,
        dead_letters,
        wanted: "inventory that is known (docs/inventory.md tells how to export it)",
    })
}

pub(crate) fn inventories(inputs: &[Input]) -> usize {
    inputs
        .iter()
        .filter(|input| input.kind == InputKind::Inventory)
        .count()
}

/// All files, those that are inventory read.
pub(crate) struct Files {
    pub(crate) estate: Estate,
    networks: Vec<FoundData>,
    wallets: WalletFiles,
    pub(crate) inputs: Vec<Input>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) rest: Vec<Rest>,
}

/// Tells all files, reads those that are inventory, and gives back the others.
pub(crate) fn files(paths: &[PathBuf], skip: &[PathBuf], progress: &dyn Progress) -> Files {
    let mut files = raw_files(paths, skip, progress);
    portreeve_estate::complete(&mut files.estate);
    files
}

/// The same, with an estate of which no conclusions are drawn yet.
pub(crate) fn raw_files(paths: &[PathBuf], skip: &[PathBuf], progress: &dyn Progress) -> Files {
    let (mut files, mut dead_letters) = discover(paths);
    // A folder is skipped with all that is below it.
    let skipped = |path: &PathBuf| skip.iter().any(|skip| path.starts_with(skip));
    files.retain(|found| found.path.as_ref().is_none_or(|path| !skipped(path)));
    progress.begin(
        "Looking at files",
        files.iter().map(|found| found.bytes).sum(),
    );
    let mut estate = Estate::default();
    let mut inputs = Vec::new();
    let mut networks = Vec::new();
    let mut wallets = WalletFiles::default();
    let mut rest = Vec::new();
    // Inventory that is told and not read yet. It is read before anything else is told of, so that all
    // stays in the order of files.
    let mut waiting = Vec::new();
    let read = |waiting: &mut Vec<_>, estate: &mut Estate| {
        inventory::read_all(std::mem::take(waiting), estate, progress)
    };
    for found in files {
        let bytes = found.bytes;
        let mut told = told(&found);
        let (is_log, is_inventory) = match &mut told {
            Ok((_, Some(_))) => (true, false),
            Ok((opened, None)) => {
                let format = portreeve_estate::recognise(opened.head());
                (false, format.is_some())
            }
            Err(_) => (false, false),
        };
        if !is_log && !is_inventory || waiting.len() == inventory::TOGETHER {
            let (read, dead) = read(&mut waiting, &mut estate);
            inputs.extend(read);
            dead_letters.extend(dead);
        }
        match told {
            Err(error) => dead_letters.push(DeadLetter {
                file: found.name.clone(),
                offset: 0,
                reason: format!("cannot be opened: {error}"),
            }),
            Ok((opened, _)) if is_inventory => {
                waiting.push((found, opened));
                continue;
            }
            Ok((mut opened, recognition)) => {
                if !is_log && networks::recognise(opened.head(), found.path.as_deref()).is_some() {
                    let (input, data, dead) = networks::read(&found, opened);
                    inputs.push(input);
                    dead_letters.extend(dead);
                    let path = found.path;
                    networks.extend(data.map(|data| FoundData { path, data }));
                } else if !is_log && let Some(kind) = wallets::recognise(opened.head()) {
                    let (input, dead) = wallets.read(found, opened, kind);
                    inputs.push(input);
                    dead_letters.extend(dead);
                } else {
                    // Standard input can be opened once only; of files too many would be open.
                    let opened = found.path.is_none().then_some(opened);
                    rest.push(Rest {
                        found,
                        opened,
                        recognition,
                    });
                }
            }
        }
        progress.advance(bytes);
    }
    let (read, dead) = read(&mut waiting, &mut estate);
    inputs.extend(read);
    dead_letters.extend(dead);
    portreeve_wallet::relations::relate(&mut estate, wallets.first_policy());
    Files {
        estate,
        networks,
        wallets,
        inputs,
        dead_letters,
        rest,
    }
}

/// Opens a file, and tells whether it is a log. Logs are opened again to be read: what is looked at of them
/// here is not hashed.
fn told(found: &Found) -> std::io::Result<(Opened, Option<Recognition>)> {
    let recognise = |opened: &mut Opened| {
        portreeve_telemetry::recognise(opened.first())
            .or_else(|| portreeve_telemetry::recognise(opened.head()))
    };
    let Some(path) = &found.path else {
        let mut opened = Opened::new(Box::new(std::io::stdin()))?;
        let recognition = recognise(&mut opened);
        return Ok((opened, recognition));
    };
    let mut opened = Opened::unhashed(path)?;
    let recognition = recognise(&mut opened);
    if recognition.is_none() {
        opened = Opened::file(path)?;
    }
    Ok((opened, recognition))
}

/// Reads all files, and builds the graph of what is inventory.
pub(crate) fn look(
    paths: &[PathBuf],
    config: &Config,
    skip: &[PathBuf],
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> (Knowledge, Vec<Rest>) {
    let Files {
        estate,
        networks,
        wallets,
        inputs,
        mut dead_letters,
        rest,
    } = files(paths, skip, progress);
    let (catalogue, mut notes) = built_in_catalogue();
    let wallets = wallets.judge(&mut dead_letters, &mut notes);
    if inventories(&inputs) > 0 {
        progress.begin("Building the attack graph", 0);
    }
    let graph = Graph::build_in(&estate, &catalogue, &config.jewels, circumstances);
    notes.extend(graph.notes().iter().cloned());
    (
        Knowledge {
            estate,
            graph,
            catalogue,
            networks,
            wallets,
            inputs,
            dead_letters,
            notes,
        },
        rest,
    )
}
