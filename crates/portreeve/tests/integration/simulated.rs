//! The main job on simulated organisations: the intrusion is told as one story, for several seeds.
//! Labels are read here only; the program never sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::common::{portreeve, report, said};
use serde_json::Value;

/// Fewer records than the default plan has, so that an unoptimised build is done in seconds. The
/// intrusion is the same.
const RECORDS: &str = "30000";

fn simulate(folder: &Path, seed: &str, intrusion: &str) {
    let out = folder.join("halyard");
    let labels = folder.join("labels.ndjson");
    let output = portreeve(&[
        "simulate",
        "--seed",
        seed,
        "--intrusion",
        intrusion,
        "--max-records",
        RECORDS,
        "--out",
        out.to_str().unwrap(),
        "--labels",
        labels.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", said(&output));
}

fn investigate(folder: &Path) -> Value {
    let input = folder.join("halyard");
    report(&portreeve(&[
        "investigate",
        input.to_str().unwrap(),
        "--format",
        "json",
    ]))
}

fn texts<'v>(value: &'v Value, key: &str) -> Vec<&'v str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[key].as_str().unwrap_or_default())
        .collect()
}

fn holds(seed: &str) {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), seed, "main");
    let report = investigate(folder.path());
    assert_eq!(report["simulated"], true);
    assert_eq!(report["dead_letters"], serde_json::json!([]));

    let labels = std::fs::read_to_string(folder.path().join("labels.ndjson")).unwrap();
    let mut steps = BTreeMap::<String, BTreeSet<String>>::new();
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| label[key].as_str().unwrap().to_owned();
        steps
            .entry(text("step"))
            .or_default()
            .insert(text("event_id"));
    }
    assert!(steps.len() >= 15, "{:?}", steps.keys());

    let found = |incident: &Value| -> usize {
        let events: BTreeSet<&str> = texts(&incident["timeline"], "event_id")
            .into_iter()
            .collect();
        steps
            .values()
            .filter(|step| step.iter().any(|event| events.contains(event.as_str())))
            .count()
    };
    let incident = report["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .max_by_key(|it| found(it))
        .unwrap();
    let share = found(incident) as f64 / steps.len() as f64;
    assert!(
        share >= 0.7,
        "seed {seed}: {:.0} % of the steps",
        share * 100.0
    );
    assert!(["high", "critical"].contains(&incident["severity"].as_str().unwrap()));

    // The stolen session: the credential of the very first labelled record.
    let first = &steps["S08"];
    let stolen = incident["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| first.contains(entry["event_id"].as_str().unwrap_or_default()))
        .and_then(|entry| entry["credential"].as_str())
        .expect("the first misuse is in the timeline");
    assert!(
        incident["credentials"]
            .as_array()
            .unwrap()
            .iter()
            .any(|id| id == stolen)
    );

    // The path from that session's role to the web origin, and the bundle replaced in it.
    let origin = report["jewels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|jewel| {
            jewel["kind"] == "web-origin" && jewel["id"].as_str().unwrap().contains("-web-prod")
        })
        .expect("the web origin is a jewel")["id"]
        .as_str()
        .unwrap();
    let path = incident["paths"]
        .as_array()
        .unwrap()
        .iter()
        .find(|path| path["to"] == origin);
    let path = path.expect("a path to the web origin");
    assert!(
        path["from"]
            .as_str()
            .unwrap()
            .contains("AWSReservedSSO_WebDeploy"),
        "{path}"
    );
    let replaced = incident["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .any(|entry| {
            entry["action"] == "s3:PutObject"
                && entry["role"] == "finding"
                && entry["targets"].to_string().contains(&format!("{origin}/"))
        });
    assert!(replaced, "seed {seed}: the replaced bundle");
}

#[test]
fn seed_1_is_told_as_one_story() {
    holds("1");
}

#[test]
fn seed_2_is_told_as_one_story() {
    holds("2");
}

#[test]
fn seed_3_is_told_as_one_story() {
    holds("3");
}

#[test]
fn seed_4_is_told_as_one_story() {
    holds("4");
}

#[test]
fn an_organisation_without_an_intrusion_has_no_grave_incident() {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), "1", "none");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("labels.ndjson")).unwrap(),
        ""
    );
    let report = investigate(folder.path());
    let severities = texts(&report["incidents"], "severity");
    assert!(
        !severities.contains(&"critical") && !severities.contains(&"high"),
        "{severities:?}"
    );
}

#[test]
fn what_is_left_out_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("halyard");
    let output = portreeve(&[
        "simulate",
        "--intrusion",
        "none",
        "--days",
        "1",
        "--max-records",
        "1000",
        "--without",
        "inventory",
        "--without",
        "region=us-east-1",
        "--loss",
        "0.01",
        "--delay",
        "0",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(out.join("networks.csv").is_file() && out.join("portreeve.toml").is_file());
    assert!(!out.join("estate").exists());
    let trail = out.join("logs/AWSLogs");
    let organisation = std::fs::read_dir(trail).unwrap().next().unwrap().unwrap();
    let regions = |account: &str| {
        let place = organisation.path().join(account).join("CloudTrail");
        let mut names: Vec<_> = std::fs::read_dir(place)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(regions("111122223333"), ["eu-west-1"]);

    for wrong in [
        ["--without", "everything"],
        ["--loss", "1.5"],
        ["--delay", "99999"],
        ["--scale", "0"],
        ["--start-after-foothold", "18"],
        ["--intrusion", "no-such"],
    ] {
        let elsewhere = folder.path().join("elsewhere");
        let mut arguments = vec!["simulate", "--out", elsewhere.to_str().unwrap()];
        arguments.extend(wrong);
        let output = portreeve(&arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            said(&output)
        );
        assert!(!elsewhere.exists(), "{wrong:?}");
    }
}

#[test]
fn the_simulator_refuses_a_folder_that_is_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("precious.txt"), "kept").unwrap();
    let out = folder.path().to_str().unwrap();
    let output = portreeve(&["simulate", "--out", out]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("not empty"), "{}", said(&output));
    let output = portreeve(&["demo", "--out", out]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("precious.txt")).unwrap(),
        "kept"
    );
}
