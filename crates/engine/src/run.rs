use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use portreeve_detect::behaviour::Correlations;
use portreeve_detect::{Networks, Sign, Snapshot, StageOne};
use portreeve_graph::{Changes, Circumstances};
use portreeve_incident::{Certainty, Report, Summary, Trace};
use portreeve_model::{DeadLetter, Input, InputKind};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::Matcher;

use crate::config::Config;
use crate::content::{RuleSet, built_in_profiles, is_for};
use crate::evidence;
use crate::gathered::Gathered;
use crate::logs::read_logs;
use crate::networks::{self};
use crate::progress::Progress;
use crate::reader::LogReader;
use crate::seam::InProcess;
use crate::survey::{Knowledge, inventories, look};

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

/// The main job: everything below the paths, to a report.
pub fn investigate(request: Request, progress: &dyn Progress) -> Result<Report, RunError> {
    let mut gathered = gather(request, progress)?;
    progress.begin("Telling incidents", 0);
    Ok(gathered.take_report())
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
    let prepared = Prepared::new(knowledge, config, rules, signs);

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
