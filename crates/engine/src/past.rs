//! The estate as it was: the inventory below some paths with the changes in the logs beside it.

use std::path::PathBuf;

use portreeve_detect::{Folded, Settings, Snapshot, StageOne};
use portreeve_estate::history::{Change, Covered, History, Moment};
use portreeve_graph::{Circumstances, Graph};
use portreeve_model::{DeadLetter, Estate, Input, InputKind, Timestamp};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::Matcher;

use crate::config::Config;
use crate::content::built_in_catalogue;
use crate::logs::read_logs;
use crate::progress::Progress;
use crate::reader::LogReader;
use crate::run::{NothingReadable, RunError};
use crate::seam::InProcess;
use crate::survey::{Files, Inventory, Knowledge, files, inventories, no_inventory};

/// An instant that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The instant.
    pub at: Timestamp,
    /// When the inventory was made, where that is known.
    pub inventory: Option<Timestamp>,
}

/// An inventory, and what the logs beside it tell of its changes.
#[derive(Debug)]
pub struct Chronicle {
    /// The inventory as it was read, before conclusions.
    pub inventory: Estate,
    /// The changes, each event once, in order of time.
    pub changes: Vec<Change>,
    /// What the logs covered.
    pub covered: Covered,
    /// Every file that was read.
    pub inputs: Vec<Input>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
}

/// Reads the inventory below the paths, and the changes in the logs there.
pub fn chronicle(
    paths: &[PathBuf],
    skip: &[PathBuf],
    progress: &dyn Progress,
) -> Result<Chronicle, RunError> {
    let Files {
        estate,
        mut inputs,
        mut dead_letters,
        mut rest,
        ..
    } = files(paths, skip, progress);
    if inventories(&inputs) == 0 {
        return Err(no_inventory(rest.len(), dead_letters));
    }
    let seen = rest.len() + inputs.len();
    rest.retain(|file| file.recognition.is_some());
    if rest.is_empty() {
        return Err(RunError::NothingReadable(NothingReadable {
            files: seen,
            inventory: inventories(&inputs),
            dead_letters,
            wanted: "a log that is known (AWS CloudTrail in any of its forms), which the estate of \
                     another time is told from",
        }));
    }
    let sources = portreeve_telemetry::sources();
    let mut fields = Fields::default();
    let readers: Vec<_> = sources
        .iter()
        .map(|source| source.prepare(&mut fields))
        .collect();
    let (matcher, _) = Matcher::new(&[], &mut fields);
    let settings = Settings::default();
    let snapshot = Snapshot::new(&Estate::default(), settings, std::iter::empty());
    let extractor = Extractor::new(&fields);
    let seam = InProcess::default();
    progress.begin(
        "Reading logs",
        rest.iter().map(|file| file.found.bytes).sum(),
    );
    let read = read_logs(rest, 0, false, progress, || {
        sources
            .iter()
            .zip(&readers)
            .map(|(source, reader)| LogReader {
                source: *source,
                reader: &**reader,
                extractor: &extractor,
                stage: StageOne::new(&[], &matcher, &fields, &snapshot, &[]),
                seam: &seam,
                buffer: SlotBuffer::new(),
                batch: portreeve_detect::Batch::default(),
                room: Vec::new(),
            })
            .collect()
    });
    for (input, outcome) in read {
        dead_letters.extend(outcome.dead);
        inputs.push(input);
    }
    inputs.sort_by(|a, b| a.file.cmp(&b.file));
    dead_letters.sort();
    progress.begin("Replaying changes", 0);
    let folded = seam
        .into_stage_two()
        .finish(&[], &matcher, &fields, &snapshot, &[]);
    Ok(Chronicle {
        inventory: estate,
        changes: changes(&folded),
        covered: covered(&folded),
        inputs,
        dead_letters,
    })
}

/// What the activities changed, each event once.
fn changes(folded: &Folded) -> Vec<Change> {
    folded
        .effects
        .iter()
        .filter_map(|(row, effects)| {
            let row = folded.activities.get(*row);
            Some(Change {
                time: row.time()?,
                account: row.account().map(str::to_owned),
                event: row.event_id(),
                effects: effects.clone(),
            })
        })
        .collect()
}

/// When the logs tell of changes. Logs are handed over by the hour at the least, and what was an
/// hour before them or after them still counts: else an inventory that is made right before or after
/// would tell nothing.
fn covered(folded: &Folded) -> Covered {
    let hour = |time: Timestamp, hours: i64| {
        let second = (time.as_second().div_euclid(3_600) + hours) * 3_600;
        Timestamp::from_second(second).unwrap_or(time)
    };
    let first = folded.coverage.iter().filter_map(|it| it.first).min();
    let last = folded.coverage.iter().filter_map(|it| it.last).max();
    Covered {
        from: first.map_or_else(Timestamp::default, |first| hour(first, -1)),
        until: last.map_or_else(Timestamp::default, |last| hour(last, 2)),
        accounts: folded.silences.clone(),
    }
}

/// The inventory below the paths as it was at an instant.
pub fn read_inventory_at(
    paths: &[PathBuf],
    skip: &[PathBuf],
    instant: Instant,
    progress: &dyn Progress,
) -> Result<(Inventory, Moment), RunError> {
    let Chronicle {
        inventory,
        changes,
        covered,
        inputs,
        dead_letters,
    } = chronicle(paths, skip, progress)?;
    let moment = History::new(inventory, instant.inventory, changes, covered).at(instant.at);
    let inventory = Inventory {
        estate: moment.estate.clone(),
        inputs,
        dead_letters,
    };
    Ok((inventory, moment))
}

/// The graph of the inventory below the paths as it was at an instant, for an intruder in these
/// circumstances.
pub fn survey_at(
    paths: &[PathBuf],
    config: &Config,
    skip: &[PathBuf],
    circumstances: &Circumstances,
    instant: Instant,
    progress: &dyn Progress,
) -> Result<(Knowledge, Moment), RunError> {
    let (inventory, moment) = read_inventory_at(paths, skip, instant, progress)?;
    let (catalogue, mut notes) = built_in_catalogue();
    progress.begin("Building the attack graph", 0);
    let graph = Graph::build_in(&inventory.estate, &catalogue, &config.jewels, circumstances);
    notes.extend(graph.notes().iter().cloned());
    let mut inputs = inventory.inputs;
    inputs.retain(|input| input.kind != InputKind::Networks);
    let knowledge = Knowledge {
        estate: inventory.estate,
        graph,
        catalogue,
        networks: Vec::new(),
        wallets: None,
        inputs,
        dead_letters: inventory.dead_letters,
        notes,
    };
    Ok((knowledge, moment))
}
