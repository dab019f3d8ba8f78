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
}

const MAIN: Must = Must::Tell {
    share: 90,
    first: Some("S08"),
};

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
    Case {
        name: "late-known-good",
        simulate: &["--days", "24", "--start-after-foothold", "3"],
        investigate: &[],
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
    let investigated = Command::new(program)
        .current_dir(folder)
        .arg("investigate")
        .arg(&input)
        .args(case.investigate)
        .args(["--format", "json"])
        .output()?;
    if !investigated.status.success() {
        bail!("{}", String::from_utf8_lossy(&investigated.stderr));
    }
    let report: Value = serde_json::from_slice(&investigated.stdout)?;
    let steps = steps(&std::fs::read_to_string(&labels)?)?;
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
                None
            }
        }),
    })
}

fn headline(incidents: &[Value]) -> &str {
    incidents
        .first()
        .and_then(|incident| incident["headline"].as_str())
        .unwrap_or_default()
}

/// Ids of the labelled records by step.
fn steps(labels: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut steps = BTreeMap::<String, BTreeSet<String>>::new();
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line)?;
        let text = |key: &str| label[key].as_str().unwrap_or_default().to_owned();
        steps
            .entry(text("step"))
            .or_default()
            .insert(text("event_id"));
    }
    Ok(steps)
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
    fn new(incident: &Value, steps: &BTreeMap<String, BTreeSet<String>>) -> Self {
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
