//! A hunt: rules over logs, and nothing else; close to the speed of reading the logs.
//!
//! ```text
//! files ─▶ pieces ─▶ first look ─▶ all that rules ask for ─▶ matches ─▶ in order ─▶ sink, counts
//!          (feed)    (every        (few records)             (scan)     (commit)
//!                     record)
//! ```
//!
//! A stream is cut into pieces where one record ends and the next begins ([`piece`]); where it is cut
//! depends on its bytes alone. Any thread scans any piece, and what comes of it is told in the order
//! of files and pieces: so neither the number of threads nor who was faster shows.

mod commit;
mod feed;
mod kind;
mod one;
mod order;
mod packed;
mod piece;
mod plain;
mod rules;
mod scan;
mod state;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portreeve_detect::hunt::{Head, Known, Match, RuleFigures, Tally};
use portreeve_model::{DeadLetter, Timestamp};
use portreeve_record::Fields;
use portreeve_sigma::Rule;
use portreeve_sigma::correlate::{Bounds, Plan};

use crate::progress::Progress;
use crate::run::NothingReadable;

pub use one::{RecordError, record_named};
pub use rules::{Chosen, HuntRules, Placeholders, condition, read_placeholders};
pub use state::{HuntState, StateError};

/// What to hunt for, and where.
#[derive(Debug)]
pub struct HuntRequest {
    /// Files and folders; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// The rules.
    pub rules: HuntRules,
    /// Values of placeholders.
    pub placeholders: Placeholders,
    /// Ask every rule about every record, whatever logs it is meant for.
    pub any_source: bool,
    /// Matches before it are left out, and those without a time.
    pub since: Option<Timestamp>,
    /// Matches at it or later are left out, and those without a time.
    pub until: Option<Timestamp>,
    /// Conditions that the record of a match has to fulfil too.
    pub wanted: Vec<Rule>,
    /// Only one of so many records is looked at, told by its place; 1 for all.
    pub sample: u64,
    /// How many threads; 0 for as many as there are processors.
    pub threads: usize,
    /// How much earlier than the latest one so far a match may be and still take part in correlations.
    pub lateness: Duration,
    /// Whether to measure each rule. It makes the hunt slower.
    pub measured: bool,
    /// How far hunts before this one came, where it goes on from there and others are to go on from
    /// it. A new one where there was none; without one the hunt is by itself.
    pub state: Option<HuntState>,
    /// Once it is set, what was begun is finished and the hunt ends; nothing is lost with a `state`.
    pub stop: Arc<AtomicBool>,
}

/// Takes matches, in the order of files and records; correlations follow at the end.
pub trait HuntSink {
    /// One match.
    fn found(&mut self, found: &Match, known: &Known) -> io::Result<()>;
}

/// What a hunt found, but for the matches themselves.
#[derive(Debug)]
pub struct Hunted {
    /// Rules and files.
    pub known: Known,
    /// Matches, counted.
    pub tally: Tally,
    /// How many records were read.
    pub records: u64,
    /// How many of them were matched by a rule.
    pub matched_records: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// What could not be read: the first of it.
    pub dead_letters: Vec<DeadLetter>,
    /// How much more could not be read.
    pub dead_omitted: u64,
    /// What the user should know.
    pub notes: Vec<String>,
    /// What each rule cost, where that was measured.
    pub figures: Vec<RuleFigures>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How far the hunt came, where that was asked for.
    pub state: Option<HuntState>,
    /// Whether it was stopped before the end of its input.
    pub stopped: bool,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// None of the paths holds JSON records.
    #[error("{0}")]
    NothingReadable(NothingReadable),
    /// The state does not fit to what is hunted for.
    #[error("the state cannot be taken up: {0}")]
    State(#[source] StateError),
    /// What was found cannot be written.
    #[error("what was found cannot be written")]
    Output(#[source] io::Error),
}

/// Hunts through everything below the paths.
pub fn hunt(
    request: &HuntRequest,
    sink: &mut (dyn HuntSink + Send),
    progress: &dyn Progress,
) -> Result<Hunted, HuntError> {
    let start = std::time::Instant::now();
    let (mut files, dead_letters) = crate::discover::discover(&request.paths);
    if files.is_empty() {
        return Err(HuntError::NothingReadable(NothingReadable {
            files: 0,
            inventory: 0,
            dead_letters,
            wanted: "a log of JSON records",
        }));
    }
    let rules = &request.rules;
    let heads: Vec<Head> = rules
        .rules
        .iter()
        .map(Head::from)
        .chain(rules.correlations.iter().map(Head::from))
        .collect();
    let kinds = kind::Kinds::new(request);
    progress.begin("Hunting", files.iter().map(|file| file.bytes).sum());
    let mut fields = Fields::default();
    let (plan, problems) = Plan::new(&rules.correlations, &rules.rules, &mut fields);
    let bounds = Bounds {
        lateness: i64::try_from(request.lateness.as_micros()).unwrap_or(i64::MAX / 4),
        ..Bounds::default()
    };
    if !plan.is_empty() {
        order::by_time(&mut files);
    }
    let mut notes = rules.notes.clone();
    let mut state = request.state.clone().unwrap_or_default();
    let keeps = request.state.is_some();
    let files = state.join(files, keeps, &mut notes);
    let known = Known {
        heads,
        files: files.iter().map(|file| file.name.clone()).collect(),
    };
    let commit = commit::Commit::new(known, Arc::new(plan), bounds, state, sink, progress)
        .map_err(HuntError::State)?;
    let count = files.len();
    let feed = feed::Feed::new(files, keeps, &request.stop);
    let threads = match request.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let measured = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let worker = || {
            let mut scanner = scan::Scanner::new(request, &kinds);
            feed.work(&mut scanner, &commit, progress);
            let mut measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
            measured.push(scanner.into_figures());
        };
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    let stopped = request.stop.load(Ordering::Relaxed) && !commit.is_over(count);
    let mut told = commit.finish(keeps, stopped).map_err(HuntError::Output)?;
    let mut all_dead = dead_letters;
    all_dead.append(&mut told.dead_letters);
    if told.foreign == count {
        return Err(HuntError::NothingReadable(NothingReadable {
            files: count,
            inventory: 0,
            dead_letters: all_dead,
            wanted: "a log of JSON records",
        }));
    }
    notes.extend(kinds.notes());
    notes.extend(problems.iter().map(ToString::to_string));
    notes.append(&mut told.notes);
    if told.foreign > 0 {
        notes.push(format!("{} files hold no JSON records", told.foreign));
    }
    let measured = measured
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let figures = if request.measured {
        kind::figures(&kinds, measured)
    } else {
        Vec::new()
    };
    Ok(Hunted {
        known: told.known,
        tally: told.tally,
        records: told.records,
        matched_records: told.matched_records,
        bytes: told.bytes,
        dead_letters: all_dead,
        dead_omitted: told.dead_omitted,
        notes,
        figures,
        seconds: start.elapsed().as_secs_f64(),
        state: keeps.then_some(told.state),
        stopped,
    })
}
