use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use portreeve_detect::behaviour::Correlations;
use portreeve_detect::{
    Activities, Exception, Folded, Networks, Settings, Sign, Snapshot, StageOne, Usage,
};
use portreeve_evidence::Verification;
use portreeve_graph::{Catalogue, Changes, Circumstances, Graph, Jewel};
use portreeve_incident::actor::Profile;
use portreeve_incident::exceptions::uses;
use portreeve_incident::sight::{Surveyed, sight};
use portreeve_incident::{Certainty, Cuttable, Incident, Report, Summary, Trace};
use portreeve_model::{DeadLetter, Estate, Input, InputKind};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::Matcher;
use portreeve_telemetry::Recognition;

use crate::config::Config;
use crate::content::{RuleSet, built_in_catalogue, built_in_profiles, is_for};
use crate::discover::{Found, discover};
use crate::evidence;
use crate::inventory;
use crate::networks::{self, FoundData};
use crate::open::Opened;
use crate::progress::Progress;
use crate::reader::{FileOutcome, LogReader};
use crate::seam::InProcess;

/// How many dead letters a report keeps; the rest are counted.
const DEAD_LETTERS: usize = 1_000;

/// What to investigate, and how.
#[derive(Debug)]
pub struct Request {
    /// Files and folders; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// What the user declares.
    pub config: Config,
    /// Files that are not input, as the configuration that lies beside it.
    pub skip: Vec<PathBuf>,
    /// The rules.
    pub rules: RuleSet,
    /// Signs to start from.
    pub signs: Vec<Sign>,
    /// How many threads read logs; 0 for as many as there are processors.
    pub threads: usize,
}

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// None of the paths holds anything that is known.
    #[error("{0}")]
    NothingReadable(NothingReadable),
}

/// What was looked at in vain.
#[derive(Debug)]
pub struct NothingReadable {
    /// How many files there were.
    pub files: usize,
    /// How many of them were inventory.
    pub inventory: usize,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// What was being looked for: logs, or inventory.
    pub wanted: &'static str,
}

impl std::fmt::Display for NothingReadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            files,
            inventory,
            dead_letters,
            wanted,
        } = self;
        match (files, inventory) {
            (0, _) => write!(formatter, "no file found; expected {wanted}")?,
            (_, 0) => write!(formatter, "none of {files} files is {wanted}")?,
            _ => write!(
                formatter,
                "none of {files} files is {wanted} ({inventory} are inventory)"
            )?,
        }
        for letter in dead_letters.iter().take(5) {
            write!(
                formatter,
                "\n  {}, byte {}: {}",
                letter.file, letter.offset, letter.reason
            )?;
        }
        Ok(())
    }
}

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
        mut estate,
        inputs,
        dead_letters,
        rest,
        ..
    } = files(paths, skip, progress);
    portreeve_estate::complete(&mut estate);
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
    files.retain(|found| found.path.as_ref().is_none_or(|path| !skip.contains(path)));
    progress.begin(
        "Looking at files",
        files.iter().map(|found| found.bytes).sum(),
    );
    let mut estate = Estate::default();
    let mut inputs = Vec::new();
    let mut networks = Vec::new();
    let mut rest = Vec::new();
    for found in files {
        let bytes = found.bytes;
        let opened = match &found.path {
            Some(path) => Opened::file(path),
            None => Opened::new(Box::new(std::io::stdin())),
        };
        match opened {
            Err(error) => dead_letters.push(DeadLetter {
                file: found.name.clone(),
                offset: 0,
                reason: format!("cannot be opened: {error}"),
            }),
            Ok(mut opened) => {
                let recognition = portreeve_telemetry::recognise(opened.first())
                    .or_else(|| portreeve_telemetry::recognise(opened.head()));
                let is_log = recognition.is_some();
                if !is_log && portreeve_estate::recognise(opened.head()).is_some() {
                    let (input, dead) = inventory::read(&found, opened, &mut estate);
                    inputs.push(input);
                    dead_letters.extend(dead);
                } else if !is_log
                    && networks::recognise(opened.head(), found.path.as_deref()).is_some()
                {
                    let (input, data, dead) = networks::read(&found, opened);
                    inputs.push(input);
                    dead_letters.extend(dead);
                    let path = found.path;
                    networks.extend(data.map(|data| FoundData { path, data }));
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
    Files {
        estate,
        networks,
        inputs,
        dead_letters,
        rest,
    }
}

/// Reads all files, and builds the graph of what is inventory.
fn look(
    paths: &[PathBuf],
    config: &Config,
    skip: &[PathBuf],
    circumstances: &Circumstances,
    progress: &dyn Progress,
) -> (Knowledge, Vec<Rest>) {
    let Files {
        mut estate,
        networks,
        inputs,
        dead_letters,
        rest,
    } = files(paths, skip, progress);
    portreeve_estate::complete(&mut estate);
    let (catalogue, mut notes) = built_in_catalogue();
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
            inputs,
            dead_letters,
            notes,
        },
        rest,
    )
}

/// The main job: everything below the paths, to a report.
pub fn investigate(request: Request, progress: &dyn Progress) -> Result<Report, RunError> {
    let mut gathered = gather(request, progress)?;
    progress.begin("Telling incidents", 0);
    Ok(gathered.take_report())
}

/// All that was read and found, before incidents are told of it.
#[derive(Debug)]
pub struct Gathered {
    config: Config,
    pub(crate) estate: Arc<Estate>,
    pub(crate) graph: Arc<Graph>,
    catalogue: Arc<Catalogue>,
    pub(crate) networks: Arc<Networks>,
    jewels: Vec<Jewel>,
    pub(crate) settings: Settings,
    profiles: Vec<Profile>,
    pub(crate) folded: Folded,
    rules_sha256: String,
    /// Names of the rules' files, without folders and ending, by the rules' ids.
    rule_files: BTreeMap<String, String>,
    /// How many rules and correlations are in use.
    rules: u64,
    inputs: Vec<Input>,
    dead_letters: Vec<DeadLetter>,
    dead_letters_omitted: u64,
    pub(crate) verification: Option<Verification>,
    notes: Vec<String>,
    summary: Summary,
    start: Instant,
}

/// What `lineage` tells: the trees of the credentials that were asked for.
#[derive(Debug)]
pub struct Lineages {
    /// The trees.
    pub trace: Trace,
    /// How many records were read, duplicates too.
    pub records: u64,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Follows the credentials that an id, an ARN or a name means, along links as sure as asked for at
/// least.
pub fn lineage(
    request: Request,
    asked: &str,
    at_least: Certainty,
    progress: &dyn Progress,
) -> Result<Lineages, RunError> {
    let Gathered {
        networks,
        folded,
        dead_letters,
        notes,
        summary,
        ..
    } = gather(request, progress)?;
    Ok(Lineages {
        trace: portreeve_incident::trace(&folded, &networks, asked, at_least),
        records: summary.records,
        dead_letters,
        notes,
    })
}

/// Reads everything below the paths, matches the rules, and folds what was found.
pub fn gather(request: Request, progress: &dyn Progress) -> Result<Gathered, RunError> {
    let start = Instant::now();
    let Request {
        paths,
        config,
        skip,
        rules,
        signs,
        threads,
    } = request;
    let anyone = Circumstances::default();
    let (knowledge, rest) = look(&paths, &config, &skip, &anyone, progress);
    let Knowledge {
        estate,
        graph,
        catalogue,
        networks: found_networks,
        mut inputs,
        mut dead_letters,
        mut notes,
    } = knowledge;
    let logs = rest
        .iter()
        .filter(|file| file.recognition.is_some())
        .count();
    if logs == 0 {
        return Err(RunError::NothingReadable(NothingReadable {
            files: rest.len() + inputs.len(),
            inventory: inventories(&inputs),
            dead_letters,
            wanted: "a log that is known (AWS CloudTrail in any of its forms)",
        }));
    }

    let digests = evidence::collect(&rest, &config.digest_keys);
    let hash_content = !digests.is_empty();
    dead_letters.extend(digests.dead_letters.iter().cloned());
    let sources = portreeve_telemetry::sources();
    let mut fields = Fields::default();
    let readers: Vec<_> = sources
        .iter()
        .map(|source| source.prepare(&mut fields))
        .collect();
    let (mut matcher, problems) = Matcher::new(&rules.rules, &mut fields);
    notes.extend(
        rules
            .diagnostics
            .iter()
            .chain(&problems)
            .map(ToString::to_string),
    );
    let rule_files = rules
        .rules
        .iter()
        .filter_map(|rule| {
            let stem = Path::new(&*rule.file).file_stem()?;
            Some((rule.id.clone()?, stem.to_string_lossy().into_owned()))
        })
        .chain(rules.correlations.iter().filter_map(|correlation| {
            let stem = Path::new(&*correlation.file).file_stem()?;
            Some((correlation.id.clone()?, stem.to_string_lossy().into_owned()))
        }))
        .collect();
    let in_use = rules
        .rules
        .iter()
        .filter(|rule| !rules.is_part(rule))
        .count();
    let in_use = (in_use + rules.correlations.len()) as u64;
    let (correlations, problems) = Correlations::new(
        rules.correlations,
        &rules.rules,
        &rules.left_out,
        &mut fields,
    );
    notes.extend(problems.iter().map(ToString::to_string));
    matcher.leave_out(|rule| correlations.is_merged(rule));
    let settings = config.settings();
    let gathered = networks::gather(&config, found_networks);
    inputs.extend(gathered.inputs);
    dead_letters.extend(gathered.dead_letters);
    let networks = Arc::new(Networks::new(&settings, gathered.data));
    notes.push(networks::note(&networks, &settings));
    let jewels = graph.jewels();
    let (estate, graph) = (Arc::new(estate), Arc::new(graph));
    let catalogue = Arc::new(catalogue);
    let snapshot = Snapshot::new(
        &estate,
        settings.clone(),
        jewels
            .iter()
            .map(|jewel| (jewel.id.as_str(), jewel.kind.as_str())),
    )
    .with_changes(Changes::new(
        estate.clone(),
        graph.clone(),
        catalogue.clone(),
        config.jewels.clone(),
    ))
    .with_networks(networks.clone());
    let extractor = Extractor::new(&fields);

    progress.begin(
        "Reading logs",
        rest.iter().map(|file| file.found.bytes).sum(),
    );
    let seam = InProcess::default();
    let read = read_logs(rest, threads, hash_content, progress, || {
        sources
            .iter()
            .zip(&readers)
            .map(|(source, reader)| LogReader {
                source: *source,
                reader: &**reader,
                extractor: &extractor,
                stage: StageOne::new(&rules.rules, &matcher, &fields, &snapshot, &signs)
                    .for_correlations(&correlations)
                    .limited_to(&rules.rules, |rule| is_for(rule, *source)),
                seam: &seam,
                buffer: SlotBuffer::new(),
                batch: portreeve_detect::Batch::default(),
            })
            .collect()
    });

    let mut summary = Summary::default();
    let mut dead_letters_omitted = 0;
    let mut hashed = Vec::new();
    for (input, outcome) in read {
        hashed.push(evidence::log_file(&input, outcome.content));
        summary.records += outcome.records;
        summary.bytes += outcome.bytes;
        dead_letters.extend(outcome.dead);
        dead_letters_omitted += outcome.dead_omitted;
        inputs.push(input);
    }
    inputs.sort_by(|a, b| a.file.cmp(&b.file));
    let verification = digests.verify(&hashed, &mut inputs, &mut notes);
    dead_letters.sort();
    dead_letters_omitted += dead_letters.len().saturating_sub(DEAD_LETTERS) as u64;
    dead_letters.truncate(DEAD_LETTERS);

    progress.begin("Following credentials", 0);
    let folded = seam
        .into_stage_two()
        .with_correlations(correlations, config.known_good.map(|period| period.0))
        .finish(&rules.rules, &matcher, &fields, &snapshot, &signs);
    notes.extend(deploy_note(&config, &folded.inferred_deployers));
    notes.extend(known_good_note(&config));
    notes.extend(folded.behaviour.notes());
    notes.extend(unrecognised_note(&inputs));
    if folded.changes_not_judged > 0 {
        notes.push(format!(
            "{} changes of policies, trusts and memberships were not judged by what they open, since there are many in a large estate; the first were.",
            folded.changes_not_judged
        ));
    }

    let (profiles, errors) = built_in_profiles();
    notes.extend(errors);
    Ok(Gathered {
        config,
        estate,
        graph,
        catalogue,
        networks,
        jewels,
        settings,
        profiles,
        folded,
        rules_sha256: rules.sha256,
        rule_files,
        rules: in_use,
        inputs,
        dead_letters,
        dead_letters_omitted,
        verification,
        notes,
        summary,
        start,
    })
}

impl Gathered {
    /// Everything that happened, in order of time.
    pub fn activities(&self) -> &Activities {
        &self.folded.activities
    }

    /// What the inventory says.
    pub fn estate(&self) -> &Estate {
        &self.estate
    }

    /// The graph of the estate.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Who used what, and when last.
    pub fn usage(&self) -> Usage {
        Usage::of(&self.folded.activities)
    }

    /// What could not be read.
    pub fn dead_letters(&self) -> &[DeadLetter] {
        &self.dead_letters
    }

    /// The exceptions that the settings declare.
    pub fn exceptions(&self) -> &[Exception] {
        &self.settings.exceptions
    }

    /// The incidents, with these exceptions and no others; and how many findings each muted.
    pub fn incidents(&mut self, exceptions: &[Exception]) -> (Vec<Incident>, Vec<u64>) {
        let muted = portreeve_detect::mute(&mut self.folded, exceptions, &self.rule_files);
        let cuttable = Cuttable {
            estate: &self.estate,
            graph: &self.graph,
            catalogue: &self.catalogue,
            declared: &self.config.jewels,
            costs: &self.config.cut.costs,
        };
        let incidents = portreeve_incident::incidents(&portreeve_incident::Context {
            folded: &self.folded,
            reach: Some(&cuttable),
            networks: &self.networks,
            settings: &self.settings,
            profiles: &self.profiles,
        });
        (incidents, muted)
    }

    /// The graph and the estate that it is of.
    pub(crate) fn into_graph(self) -> (Arc<Graph>, Arc<Estate>) {
        (self.graph, self.estate)
    }

    /// What the user should know of what was read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The report. It takes out what it holds of what was gathered: there is one report of a run.
    pub fn take_report(&mut self) -> Report {
        let exceptions = self.settings.exceptions.clone();
        let (mut incidents, muted) = self.incidents(&exceptions);
        let verification = self.verification.take();
        if let Some(verification) = &verification {
            portreeve_incident::verified(&mut incidents, verification);
        }
        let Self { folded, estate, .. } = self;
        let readable: Vec<&str> = portreeve_telemetry::sources()
            .iter()
            .map(|source| source.id())
            .collect();
        let (sight, missing) = sight(&Surveyed {
            folded,
            estate,
            jewels: &self.jewels,
            settings: &self.settings,
            profiles: &self.profiles,
            readable: &readable,
        });
        let mut blind_spots = estate.blind_spots.clone();
        blind_spots.extend(missing);
        blind_spots.extend(
            verification
                .iter()
                .flat_map(portreeve_incident::evidence_gaps),
        );
        let last = folded.coverage.iter().filter_map(|it| it.last).max();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_sha256: self.rules_sha256.clone(),
            rules: self.rules,
            simulated: self.config.simulated,
            exceptions: uses(&exceptions, &muted, &folded.findings, &incidents, last),
            incidents,
            findings: take(&mut folded.findings),
            jewels: self.jewels.clone(),
            coverage: take(&mut folded.coverage),
            sight,
            blind_spots,
            dead_letters: take(&mut self.dead_letters),
            dead_letters_omitted: self.dead_letters_omitted,
            inputs: take(&mut self.inputs),
            // Each file's state stands beside it in the inputs.
            verification: verification.map(|verification| Verification {
                digests: Vec::new(),
                logs: Vec::new(),
                ..verification
            }),
            notes: take(&mut self.notes),
            summary: Summary {
                seconds: self.start.elapsed().as_secs_f64(),
                ..self.summary.clone()
            },
        }
    }
}

/// Reads all logs on as many threads as asked for, 0 for as many as there are processors; each
/// thread has readers of its own. What became of each file, in no order; with `hash_content` the
/// sum of what is inside it too.
pub(crate) fn read_logs<'s>(
    files: Vec<Rest>,
    threads: usize,
    hash_content: bool,
    progress: &dyn Progress,
    readers: impl Fn() -> Vec<LogReader<'s>> + Sync,
) -> Vec<(Input, FileOutcome)> {
    let work = Work::new(files);
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    std::thread::scope(|scope| {
        let worker = || {
            let mut log_readers = readers();
            while let Some(file) = work.take() {
                let bytes = file.found.bytes;
                let done = read_file(file, &mut log_readers, hash_content);
                work.done(done);
                progress.advance(bytes);
            }
            log_readers.iter_mut().for_each(LogReader::flush);
        };
        for _ in 1..threads.min(work.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    work.finish()
}

/// Files to read, the largest first so that no thread is left with a large one at the end.
struct Work {
    files: Vec<Mutex<Option<Rest>>>,
    next: AtomicUsize,
    done: Mutex<Vec<(Input, FileOutcome)>>,
}

impl Work {
    fn new(mut files: Vec<Rest>) -> Self {
        files.sort_by(|a, b| {
            b.found
                .bytes
                .cmp(&a.found.bytes)
                .then(a.found.cmp(&b.found))
        });
        Self {
            files: files
                .into_iter()
                .map(|file| Mutex::new(Some(file)))
                .collect(),
            next: AtomicUsize::new(0),
            done: Mutex::default(),
        }
    }

    fn len(&self) -> usize {
        self.files.len()
    }

    fn take(&self) -> Option<Rest> {
        loop {
            let file = self.files.get(self.next.fetch_add(1, Ordering::Relaxed))?;
            let file = file.lock().unwrap_or_else(PoisonError::into_inner).take();
            if file.is_some() {
                return file;
            }
        }
    }

    fn done(&self, outcome: (Input, FileOutcome)) {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(outcome);
    }

    fn finish(self) -> Vec<(Input, FileOutcome)> {
        self.done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_file(
    file: Rest,
    readers: &mut [LogReader<'_>],
    hash_content: bool,
) -> (Input, FileOutcome) {
    let Rest {
        found,
        opened,
        recognition,
    } = file;
    let mut outcome = FileOutcome::default();
    let opened = match (opened, &found.path) {
        (Some(opened), _) => Ok(opened),
        (None, Some(path)) => Opened::file(path),
        (None, None) => Opened::new(Box::new(std::io::empty())),
    };
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            outcome.dead.push(DeadLetter {
                file: found.name.clone(),
                offset: 0,
                reason: format!("cannot be opened: {error}"),
            });
            let input = Input {
                file: found.name,
                kind: InputKind::Unrecognised,
                format: String::new(),
                bytes: found.bytes,
                sha256: String::new(),
                records: 0,
                proof: None,
            };
            return (input, outcome);
        }
    };
    if hash_content {
        opened.hash_content();
    }
    let (kind, format) = match recognition {
        None => (InputKind::Unrecognised, String::new()),
        Some(recognition) => {
            let reader = readers
                .iter_mut()
                .find(|reader| reader.source.id() == recognition.source);
            if let Some(reader) = reader {
                outcome = reader.read(&found.name, &mut opened, recognition.container);
            }
            let kind = match recognition.container {
                portreeve_telemetry::Container::Ignored => InputKind::Ignored,
                _ => InputKind::Log,
            };
            (
                kind,
                format!("{} ({})", recognition.source, recognition.format),
            )
        }
    };
    let mut dead = Vec::new();
    outcome.content = opened.content_sha256();
    let input = inventory::finish(&found, opened, kind, &format, outcome.records, &mut dead);
    outcome.dead.extend(dead);
    (input, outcome)
}

fn deploy_note(config: &Config, inferred: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    if !config.deploy_principals.is_empty() {
        return Some(format!(
            "Deploy principals are those declared in portreeve.toml: {}.",
            config.deploy_principals.join(", ")
        ));
    }
    // Targets that the same principals deploy to are named together.
    let mut targets_of = BTreeMap::<Vec<&str>, Vec<&str>>::new();
    for (target, principals) in inferred {
        let principals = principals.iter().map(String::as_str).collect();
        targets_of.entry(principals).or_default().push(target);
    }
    let lines: Vec<String> = targets_of
        .iter()
        .map(|(principals, targets)| format!("{} to {}", principals.join(", "), targets.join(", ")))
        .collect();
    (!lines.is_empty()).then(|| {
        format!(
            "Deploy principals were inferred from who, other than people, wrote on {} days or more: {}. \
             Declare them in portreeve.toml if this is wrong.",
            portreeve_detect::DEPLOY_DAYS,
            lines.join("; ")
        )
    })
}

fn known_good_note(config: &Config) -> Option<String> {
    let period = config.known_good?;
    Some(format!(
        "What is normal was learnt from {period}, which was declared good."
    ))
}

fn unrecognised_note(inputs: &[Input]) -> Option<String> {
    let names: Vec<&str> = inputs
        .iter()
        .filter(|input| input.kind == InputKind::Unrecognised)
        .map(|input| &*input.file)
        .collect();
    let more = names.len().saturating_sub(5);
    (!names.is_empty()).then(|| {
        let listed = names[..names.len() - more].join(", ");
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("Not recognised as log or inventory, and left out: {listed}{rest}.")
    })
}
