use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use portreeve_detect::Exception;
use portreeve_engine::{
    Config, ContentFile, Progress as _, Request, RuleSet, RunError, Silent, exceptions_toml,
    gather, investigate, parse_verdicts,
};
use portreeve_incident::exceptions::{Hidden, hidden, suggestions, transposed, uses};
use portreeve_incident::{ExceptionUse, Report};
use portreeve_model::Severity;
use portreeve_simulate::{Intrusion, Plan, SimulateError, intrusions};
use portreeve_view::{json, terminal};
use serde::Serialize;

use super::{rule_files, settings, simulate};
use crate::Ending;
use crate::arguments::{Exceptions, ExceptionsTask, Input, PathsFormat};
use crate::output;
use crate::progress::Bar;

/// The days and records of a simulation: as few as tell each intrusion as a longer one does.
const DAYS: u32 = 36;
const RECORDS: usize = 12_000;

pub(crate) fn run(options: &Exceptions) -> Result<Ending> {
    if let Some(ExceptionsTask::Suggest { verdicts, report }) = &options.task {
        return suggest(verdicts, report);
    }
    let (config, skip) = settings(&Input {
        paths: options.paths.clone(),
        config: options.config.clone(),
    })?;
    let exceptions = config.exceptions.clone();
    let files = rule_files(&options.rules)?;
    let used = if options.paths.is_empty() {
        // Nothing but the clock tells what is in force where there are no logs.
        uses(&exceptions, &[], &[], &[], Some(jiff::Timestamp::now()))
    } else {
        let bar = Bar::default();
        let result = investigate(
            Request {
                paths: options.paths.clone(),
                rules: RuleSet::parse(&files, &config.rules),
                config,
                skip,
                signs: Vec::new(),
                threads: 0,
            },
            &bar,
        );
        bar.clear();
        match result {
            Ok(report) => report.exceptions,
            Err(RunError::NothingReadable(error)) => {
                return Ok(super::investigate::no_input(&error));
            }
        }
    };
    let trials = if options.test {
        Some(try_all(options, &exceptions)?)
    } else {
        None
    };
    let hides = trials
        .iter()
        .flatten()
        .any(|trial| !(trial.as_written.is_empty() && trial.as_if_of_the_victim.is_empty()));
    show(options, &used, trials.as_deref())?;
    Ok(if hides {
        Ending::Findings
    } else {
        Ending::Clean
    })
}

/// What one exception would have hidden of the simulated intrusions.
#[derive(Debug, Serialize)]
struct Trial {
    /// The exception.
    id: String,
    /// How many incidents of high or above there were without it.
    incidents: usize,
    /// Those that it hides as it is written.
    as_written: Vec<HiddenIn>,
    /// Those that it hides if its names were the intruder's: what it would do to an intrusion that
    /// begins with the one it is for.
    as_if_of_the_victim: Vec<HiddenIn>,
}

#[derive(Debug, Serialize)]
struct HiddenIn {
    intrusion: String,
    seed: u64,
    #[serde(flatten)]
    hidden: Hidden,
}

/// Simulates each intrusion and tells its incidents with each of the exceptions in turn.
fn try_all(options: &Exceptions, exceptions: &[Exception]) -> Result<Vec<Trial>> {
    let mut trials: Vec<Trial> = exceptions
        .iter()
        .map(|exception| Trial {
            id: exception.id.clone(),
            incidents: 0,
            as_written: Vec::new(),
            as_if_of_the_victim: Vec::new(),
        })
        .collect();
    if exceptions.is_empty() {
        return Ok(trials);
    }
    let files = rule_files(&options.rules)?;
    let simulations: Vec<Simulation> = intrusions()
        .into_iter()
        .flat_map(|intrusion| {
            (1..=options.seeds).map(move |seed| Simulation {
                intrusion: intrusion.clone(),
                seed,
            })
        })
        .collect();
    let bar = Bar::default();
    bar.begin_pieces("Simulating intrusions", simulations.len());
    let outcomes = side_by_side(&simulations, |simulation| {
        let outcome = simulation.try_each(&files, exceptions);
        bar.advance(1);
        outcome
    });
    bar.clear();
    for outcome in outcomes {
        for (trial, found) in trials.iter_mut().zip(outcome?) {
            trial.incidents += found.incidents;
            trial.as_written.extend(found.as_written);
            trial.as_if_of_the_victim.extend(found.as_if_of_the_victim);
        }
    }
    Ok(trials)
}

/// The answer to each question, in their order, by as many threads as there are processors.
fn side_by_side<Q: Sync, A: Send>(questions: &[Q], answer: impl Fn(&Q) -> A + Sync) -> Vec<A> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let one = || {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let question = questions.get(place)?;
        Some((place, answer(question)))
    };
    let work = || -> Vec<(usize, A)> { std::iter::from_fn(one).collect() };
    let mut answers: Vec<(usize, A)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| match worker.join() {
                Ok(answers) => answers,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    answers.sort_unstable_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// One simulated intrusion.
struct Simulation {
    intrusion: String,
    seed: u64,
}

impl Simulation {
    /// What each of the exceptions hides of it.
    fn try_each(&self, rules: &[ContentFile], exceptions: &[Exception]) -> Result<Vec<Found>> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let halyard = folder.path().join("halyard");
        write(self.seed, self.intrusion.parse()?, &halyard)?;
        let (config, path) = Config::find(std::slice::from_ref(&halyard))?;
        let mut gathered = gather(
            Request {
                paths: vec![halyard],
                rules: RuleSet::parse(rules, &config.rules),
                config,
                skip: path.into_iter().collect(),
                signs: Vec::new(),
                // The others are at work on other simulations.
                threads: 1,
            },
            &Silent,
        )?;
        let (without, _) = gathered.incidents(&[]);
        let incidents = without
            .iter()
            .filter(|incident| incident.severity >= Severity::High)
            .count();
        let mut hides = |exception: &Exception| -> Vec<HiddenIn> {
            let (with, muted) = gathered.incidents(std::slice::from_ref(exception));
            if muted.iter().all(|count| *count == 0) {
                return Vec::new();
            }
            hidden(&without, &with)
                .into_iter()
                .map(|hidden| HiddenIn {
                    intrusion: self.intrusion.clone(),
                    seed: self.seed,
                    hidden,
                })
                .collect()
        };
        Ok(exceptions
            .iter()
            .map(|exception| Found {
                incidents,
                as_written: hides(exception),
                as_if_of_the_victim: hides(&transposed(exception)),
            })
            .collect())
    }
}

/// What one exception hides of one simulated intrusion.
struct Found {
    incidents: usize,
    as_written: Vec<HiddenIn>,
    as_if_of_the_victim: Vec<HiddenIn>,
}

/// Writes a simulation, as large as its intrusion asks for.
fn write(seed: u64, intrusion: Intrusion, folder: &Path) -> Result<()> {
    let mut plan = Plan {
        seed,
        days: DAYS,
        intrusion,
        max_records: RECORDS,
        ..Plan::default()
    };
    // The plan is refused at most once for its days and once for its records.
    for _ in 0..2 {
        let error = match simulate::write(&plan, folder, None) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match error.downcast_ref::<SimulateError>() {
            Some(SimulateError::TooFewDays { needed, .. }) => plan.days = *needed,
            Some(SimulateError::TooFewRecords { needed, .. }) => plan.max_records = *needed,
            _ => return Err(error),
        }
    }
    simulate::write(&plan, folder, None).map(drop)
}

#[derive(Serialize)]
struct Answer<'a> {
    exceptions: &'a [ExceptionUse],
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<&'a [Trial]>,
}

fn show(options: &Exceptions, used: &[ExceptionUse], trials: Option<&[Trial]>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if options.format == PathsFormat::Json {
        let answer = Answer {
            exceptions: used,
            test: trials,
        };
        return Ok(json::answer(&answer, &mut out)?);
    }
    if used.is_empty() {
        writeln!(out, "There are no exceptions.")?;
        return Ok(());
    }
    let layout = output::layout(false, true);
    out.write_all(terminal::exceptions(used, &layout).as_bytes())?;
    let Some(trials) = trials else { return Ok(()) };
    let rows: Vec<Vec<String>> = trials
        .iter()
        .map(|trial| {
            let told = |hidden: &[HiddenIn]| match hidden.first() {
                None => "hides none".to_owned(),
                Some(first) => format!(
                    "HIDES {} of {} (as {}, seed {}: {} to {})",
                    hidden.len(),
                    trial.incidents,
                    first.intrusion,
                    first.seed,
                    first.hidden.before,
                    first.hidden.after
                ),
            };
            vec![
                trial.id.clone(),
                told(&trial.as_written),
                told(&trial.as_if_of_the_victim),
            ]
        })
        .collect();
    writeln!(out, "\nTested on simulated intrusions:")?;
    let headers = ["exception", "as written", "if its names were the victim's"];
    out.write_all(terminal::table(&headers, &rows, &layout).as_bytes())?;
    Ok(())
}

/// Prints what verdicts suggest, for a person to copy.
fn suggest(verdicts: &Path, report: &Path) -> Result<Ending> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let verdicts = parse_verdicts(verdicts, &read(verdicts)?)?;
    let parsed: Report = serde_json::from_str(&read(report)?).with_context(|| {
        format!(
            "{} is not a report that `investigate --format json` wrote",
            report.display()
        )
    })?;
    let (suggested, notes) = suggestions(&parsed, &verdicts);
    for note in &notes {
        say!("portreeve: {}", portreeve_view::text::clean(note));
    }
    let mut out = std::io::stdout().lock();
    if suggested.is_empty() {
        writeln!(out, "# These verdicts suggest no exception.")?;
        return Ok(Ending::Clean);
    }
    writeln!(
        out,
        "# Suggested by verdicts; nothing is applied. Copy into portreeve.toml what you agree with,\n\
         # and try it with `portreeve exceptions --test`.\n"
    )?;
    out.write_all(exceptions_toml(&suggested).as_bytes())?;
    Ok(Ending::Clean)
}
