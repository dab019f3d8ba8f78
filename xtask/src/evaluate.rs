//! How well intrusions are told, and how quiet a quiet organisation is: many seeds of each case,
//! simulated and investigated as a user would do it. Labels are read here only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A kind of simulated organisation, and what has to hold of every seed of it.
struct Case {
    name: &'static str,
    /// Options of `simulate`, without the seed.
    simulate: &'static [&'static str],
    /// Options of `investigate`.
    investigate: &'static [&'static str],
    seeds: u64,
    must: Must,
}

/// What has to hold.
enum Must {
    /// One incident of high or above, which holds so many hundredths of the labelled steps and
    /// whose first sign is no later than the step named, where one is.
    Tell {
        share: usize,
        first: Option<&'static str>,
    },
    /// No incident of high or above, and no more of medium than one a week.
    BeQuiet { weeks: usize },
    /// What is missing is named among the blind spots, in these words.
    Name(&'static str),
}

/// Stands among the options of `investigate` for `--known-good` with the first days of the logs.
const KNOWN_GOOD: &str = "--known-good";

/// How many of the first days of the logs are surely clean.
const CLEAN_DAYS: usize = 14;

const MAIN: Must = Must::Tell {
    share: 90,
    first: Some("S08"),
};

/// The main intrusion, seen without one kind of log or part of the inventory.
const fn without(option: &'static [&'static str], named: &'static str) -> Case {
    Case {
        name: "without",
        simulate: option,
        investigate: &[],
        seeds: 1,
        must: Must::Name(named),
    }
}

const CASES: &[Case] = &[
    Case {
        name: "main",
        simulate: &["--intrusion", "main"],
        investigate: &[],
        seeds: 10,
        must: MAIN,
    },
    Case {
        name: "main-plain-client",
        simulate: &["--intrusion", "main-plain-client"],
        investigate: &[],
        seeds: 3,
        must: Must::Tell {
            share: 85,
            first: None,
        },
    },
    Case {
        name: "main-no-mfa-attempt",
        simulate: &["--intrusion", "main-no-mfa-attempt"],
        investigate: &[],
        seeds: 3,
        must: Must::Tell {
            share: 85,
            first: None,
        },
    },
    Case {
        name: "main-home-country",
        simulate: &["--intrusion", "main-home-country"],
        investigate: &[],
        seeds: 3,
        must: Must::Tell {
            share: 85,
            first: None,
        },
    },
    Case {
        name: "main-quiet",
        simulate: &["--intrusion", "main-quiet"],
        investigate: &[],
        seeds: 3,
        must: Must::Tell {
            share: 85,
            first: None,
        },
    },
    Case {
        name: "late",
        simulate: &["--days", "24", "--start-after-foothold", "3"],
        investigate: &[],
        seeds: 3,
        must: Must::Tell {
            share: 70,
            first: None,
        },
    },
    // What was kept of a clean time long before, a hole, and logs that begin after the foothold.
    Case {
        name: "late-known-good",
        simulate: &["--without", "days=14..32"],
        investigate: &[KNOWN_GOOD],
        seeds: 3,
        must: Must::Tell {
            share: 70,
            first: None,
        },
    },
    Case {
        name: "cookie-only",
        simulate: &["--intrusion", "cookie-only"],
        investigate: &[],
        seeds: 5,
        must: Must::Tell {
            share: 85,
            first: None,
        },
    },
    Case {
        name: "scale",
        simulate: &["--intrusion", "scale"],
        investigate: &[],
        seeds: 5,
        must: Must::Tell {
            share: 85,
            first: None,
        },
    },
    Case {
        name: "quiet",
        simulate: &["--intrusion", "none", "--days", "60"],
        investigate: &[],
        seeds: 10,
        must: Must::BeQuiet { weeks: 9 },
    },
    without(
        &["--without", "s3-data-events"],
        "data events of CloudTrail",
    ),
    without(&["--without", "read-events"], "events that only read"),
    without(
        &["--without", "identity-center"],
        "Identity Center's portal",
    ),
    without(&["--without", "sts"], "events of STS"),
    without(
        &["--without", "service=signin.amazonaws.com"],
        "console sign-ins",
    ),
    without(&["--without", "account=prod-web"], "account 111122223333"),
    without(&["--without", "region=us-east-1"], "us-east-1"),
    without(&["--without", "days=20..21"], "all records from"),
    without(
        &["--without", "inventory"],
        "IAM users, groups, roles and policies",
    ),
    without(
        &["--without", "inventory=iam"],
        "IAM users, groups, roles and policies",
    ),
];

/// Runs the cases whose names begin with `wanted`, over at most `seeds` seeds each.
pub(crate) fn evaluate(wanted: &str, seeds: u64) -> Result<()> {
    let program = super::release_binary()?;
    let folder = std::env::temp_dir().join(format!("portreeve-evaluate-{}", std::process::id()));
    println!(
        "| case | seed | records | critical, high, medium | steps told | first sign | seconds |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut fallen = Vec::new();
    for case in CASES.iter().filter(|case| case.name.starts_with(wanted)) {
        for seed in 1..=case.seeds.min(seeds) {
            let outcome = run(&program, case, seed, &folder);
            // What one seed wrote must not be another's input.
            let _ = std::fs::remove_dir_all(&folder);
            if let Some(fault) = outcome.with_context(|| format!("{} {seed}", case.name))? {
                fallen.push(format!("{}, seed {seed}: {fault}", case.name));
            }
        }
    }
    if !fallen.is_empty() {
        bail!("falls short:\n{}", fallen.join("\n"));
    }
    Ok(())
}

/// Runs one seed of a case, prints its row, and tells what does not hold.
fn run(program: &Path, case: &Case, seed: u64, folder: &Path) -> Result<Option<String>> {
    let input = folder.join("organisation");
    let labels = folder.join("labels.ndjson");
    std::fs::create_dir_all(folder)?;
    let simulated = Command::new(program)
        .args(["simulate", "--seed", &seed.to_string()])
        .args(case.simulate)
        .arg("--out")
        .arg(&input)
        .arg("--labels")
        .arg(&labels)
        .output()?;
    if !simulated.status.success() {
        bail!("{}", String::from_utf8_lossy(&simulated.stderr));
    }
    let mut investigation = Command::new(program);
    investigation
        .current_dir(folder)
        .arg("investigate")
        .arg(&input)
        .args(["--format", "json"])
        .args(case.investigate);
    if case.investigate.last() == Some(&KNOWN_GOOD) {
        investigation.arg(clean_days(&input)?);
    }
    let investigated = investigation.output()?;
    if !investigated.status.success() {
        bail!("{}", String::from_utf8_lossy(&investigated.stderr));
    }
    let report: Value = serde_json::from_slice(&investigated.stdout)?;
    let (steps, sessions) = labelled(&std::fs::read_to_string(&labels)?)?;
    let incidents: &[Value] = report["incidents"].as_array().map_or(&[], Vec::as_slice);
    let counted = |severity: &str| {
        incidents
            .iter()
            .filter(|incident| incident["severity"] == severity)
            .count()
    };
    let (critical, high, medium) = (counted("critical"), counted("high"), counted("medium"));
    let told = incidents
        .first()
        .filter(|_| !steps.is_empty())
        .map(|incident| Told::new(incident, &steps));
    let (share, sign) = match &told {
        None => (String::new(), String::new()),
        Some(told) => (
            format!(
                "{} of {}{}",
                steps.len() - told.missing.len(),
                steps.len(),
                told.missed()
            ),
            told.first_step.clone().unwrap_or_default(),
        ),
    };
    println!(
        "| {} | {seed} | {} | {critical}, {high}, {medium} | {share} | {sign} | {:.1} |",
        case.name,
        report["summary"]["records"],
        report["summary"]["seconds"].as_f64().unwrap_or_default(),
    );
    Ok(match case.must {
        Must::BeQuiet { .. } if critical + high > 0 => Some(format!(
            "{} of high or above: {}",
            critical + high,
            headline(incidents)
        )),
        Must::BeQuiet { weeks } if medium > weeks => Some(format!("{medium} of medium")),
        Must::BeQuiet { .. } => None,
        Must::Name(words) => {
            let spots: &[Value] = report["blind_spots"].as_array().map_or(&[], Vec::as_slice);
            let missing: Vec<&str> = spots
                .iter()
                .filter_map(|spot| spot["missing"].as_str())
                .collect();
            (!missing.iter().any(|it| it.contains(words))).then(|| {
                format!(
                    "{:?} is not named: {missing:?}",
                    case.simulate.last().unwrap_or(&"")
                )
            })
        }
        Must::Tell { .. } if critical + high != 1 => {
            Some(format!("{} of high or above", critical + high))
        }
        Must::Tell { share, first } => told.and_then(|told| {
            let found = steps.len() - told.missing.len();
            if found * 100 < steps.len() * share {
                Some(format!("missing {}", told.missing.join(", ")))
            } else if first
                .zip(told.first_step.as_deref())
                .is_some_and(|(first, step)| step > first)
            {
                Some(format!("first sign at {:?}", told.first_step))
            } else {
                incidents
                    .first()
                    .and_then(|incident| broken_chain(incident, &sessions))
            }
        }),
    })
}

/// The first days that the logs' folders name, as a period.
fn clean_days(input: &Path) -> Result<String> {
    let mut days = BTreeSet::new();
    days_of(&input.join("logs"), &mut days)?;
    let (first, last) = (days.first(), days.iter().nth(CLEAN_DAYS - 1));
    let (first, last) = first.zip(last).context("the logs have too few days")?;
    Ok(format!("{first}..{last}"))
}

/// Collects the days of folders like `2026/03/08`.
fn days_of(folder: &Path, days: &mut BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let names: Vec<String> = path
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        match names.as_slice() {
            [.., year, month, day]
                if [year, month, day].map(String::len) == [4, 2, 2]
                    && [year, month, day]
                        .iter()
                        .all(|it| it.bytes().all(|byte| byte.is_ascii_digit())) =>
            {
                days.insert(format!("{year}-{month}-{day}"));
            }
            _ => days_of(&path, days)?,
        }
    }
    Ok(())
}

/// Why the keys that the intruder got anew each day are not one chain, where they are not: all
/// credentials of the labelled records that are told, of the lineage of a person's session.
fn broken_chain(incident: &Value, sessions: &BTreeSet<String>) -> Option<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let used: BTreeSet<String> = list(&incident["timeline"])
        .iter()
        .filter(|entry| {
            entry["event_id"]
                .as_str()
                .is_some_and(|id| sessions.contains(id))
        })
        .filter_map(|entry| entry["credential"].as_str().map(str::to_owned))
        .collect();
    let chains: Vec<BTreeSet<String>> = list(&incident["chains"])
        .iter()
        .map(|chain| {
            list(&chain["credentials"])
                .iter()
                .filter_map(|it| it["credential"].as_str().map(str::to_owned))
                .collect()
        })
        .collect();
    if used.len() < 2 || chains.iter().any(|chain| used.is_subset(chain)) {
        return None;
    }
    let most = chains
        .iter()
        .map(|chain| chain.intersection(&used).count())
        .max();
    Some(format!(
        "of {} stolen keys the longest chain has {}",
        used.len(),
        most.unwrap_or_default()
    ))
}

fn headline(incidents: &[Value]) -> &str {
    incidents
        .first()
        .and_then(|incident| incident["headline"].as_str())
        .unwrap_or_default()
}

/// Ids of records by step.
type Steps = BTreeMap<String, BTreeSet<String>>;

/// Ids of the labelled records by step, and those of a person's stolen session.
fn labelled(labels: &str) -> Result<(Steps, BTreeSet<String>)> {
    let mut steps = BTreeMap::<String, BTreeSet<String>>::new();
    let mut sessions = BTreeSet::new();
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line)?;
        let text = |key: &str| label[key].as_str().unwrap_or_default().to_owned();
        steps
            .entry(text("step"))
            .or_default()
            .insert(text("event_id"));
        if text("lineage").ends_with("/session") {
            sessions.insert(text("event_id"));
        }
    }
    Ok((steps, sessions))
}

/// What the gravest incident holds of the labelled steps.
struct Told {
    /// Steps without a record in its timeline.
    missing: Vec<String>,
    /// The latest step that had begun when its first sign was given; none where the sign was
    /// earlier than all of them.
    first_step: Option<String>,
}

impl Told {
    fn new(incident: &Value, steps: &Steps) -> Self {
        let timeline: &[Value] = incident["timeline"].as_array().map_or(&[], Vec::as_slice);
        let mut begun = BTreeMap::<&str, &str>::new();
        for entry in timeline {
            let (Some(event), Some(time)) = (entry["event_id"].as_str(), entry["time"].as_str())
            else {
                continue;
            };
            for (step, events) in steps {
                if events.contains(event) {
                    let first = begun.entry(step).or_insert(time);
                    *first = (*first).min(time);
                }
            }
        }
        let sign = incident["first_sign"].as_str().unwrap_or_default();
        Self {
            missing: steps
                .keys()
                .filter(|step| !begun.contains_key(step.as_str()))
                .cloned()
                .collect(),
            first_step: begun
                .iter()
                .filter(|(_, time)| **time <= sign)
                .map(|(step, _)| (*step).to_owned())
                .max(),
        }
    }

    fn missed(&self) -> String {
        if self.missing.is_empty() {
            String::new()
        } else {
            format!(" (not {})", self.missing.join(", "))
        }
    }
}
