use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::path::PathBuf;
use std::time::Instant;

use portreeve_detect::Sign;
use portreeve_graph::Circumstances;
use portreeve_incident::{Certainty, Report, Trace};
use portreeve_model::{DeadLetter, Input, InputKind};

use crate::config::Config;
use crate::content::RuleSet;
use crate::evidence;
use crate::gathered::Gathered;
use crate::logs::read_logs;
use crate::prepared::{Prepared, Read};
use crate::progress::Progress;
use crate::seam::InProcess;
use crate::survey::{inventories, look};

/// How many dead letters a report keeps; the rest are counted.
pub(crate) const DEAD_LETTERS: usize = 1_000;

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
    let logs = rest
        .iter()
        .filter(|file| file.recognition.is_some())
        .count();
    if logs == 0 {
        return Err(RunError::NothingReadable(NothingReadable {
            files: rest.len() + knowledge.inputs.len(),
            inventory: inventories(&knowledge.inputs),
            dead_letters: knowledge.dead_letters,
            wanted: "a log that is known (AWS CloudTrail in any of its forms)",
        }));
    }

    let digests = evidence::collect(&rest, &config.digest_keys);
    let hash_content = !digests.is_empty();
    let mut prepared = Prepared::new(knowledge, config, rules, signs);
    let mut read = Read {
        inputs: take(&mut prepared.inputs),
        dead_letters: take(&mut prepared.dead_letters),
        notes: take(&mut prepared.notes),
        ..Read::default()
    };
    read.dead_letters
        .extend(digests.dead_letters.iter().cloned());

    progress.begin(
        "Reading logs",
        rest.iter().map(|file| file.found.bytes).sum(),
    );
    let seam = InProcess::default();
    let outcomes = read_logs(rest, threads, hash_content, progress, || {
        prepared.readers(&seam)
    });

    let mut hashed = Vec::new();
    for (input, outcome) in outcomes {
        hashed.push(evidence::log_file(&input, outcome.content));
        read.summary.records += outcome.records;
        read.summary.bytes += outcome.bytes;
        read.dead_letters.extend(outcome.dead);
        read.dead_letters_omitted += outcome.dead_omitted;
        read.inputs.push(input);
    }
    read.inputs.sort_by(|a, b| a.file.cmp(&b.file));
    read.verification = digests.verify(&hashed, &mut read.inputs, &mut read.notes);
    read.dead_letters.sort();
    read.dead_letters_omitted += read.dead_letters.len().saturating_sub(DEAD_LETTERS) as u64;
    read.dead_letters.truncate(DEAD_LETTERS);

    progress.begin("Following credentials", 0);
    let folded = prepared.fold(seam.into_stage_two());
    Ok(prepared.gathered(folded, read, start))
}

pub(crate) fn deploy_note(
    config: &Config,
    inferred: &BTreeMap<String, BTreeSet<String>>,
) -> Option<String> {
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

pub(crate) fn known_good_note(config: &Config) -> Option<String> {
    let period = config.known_good?;
    Some(format!(
        "What is normal was learnt from {period}, which was declared good."
    ))
}

pub(crate) fn unrecognised_note(inputs: &[Input]) -> Option<String> {
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
