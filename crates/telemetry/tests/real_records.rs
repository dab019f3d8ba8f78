//! Every CloudTrail record of the shared data: no panic, and how many give an activity.

// A test that is skipped says so, and the tallies are figures to look at.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

use portreeve_model::{Outcome, PrincipalKind};
use portreeve_record::{Extractor, Fields, SlotBuffer, Split, Splitter};
use portreeve_telemetry::{Reader, Unwrapped, recognise, source};
use serde_json::Value;

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The logs in a file of cases, one JSON case a line.
fn logs(path: &str, member: &str) -> Option<Vec<Value>> {
    let text = fs::read_to_string(shared(path)?).unwrap();
    let mut logs = Vec::new();
    for line in text.lines() {
        let mut case: Value = serde_json::from_str(line).unwrap();
        match case.get_mut(member).map(Value::take) {
            Some(Value::Array(events)) => logs.extend(events),
            Some(log) => logs.push(log),
            None => logs.push(case),
        }
    }
    Some(logs)
}

#[derive(Debug, Default)]
struct Tally {
    logs: usize,
    records: usize,
    operations: usize,
    services: usize,
    principals: usize,
    credentials: usize,
    times: usize,
    targets: usize,
    denied: usize,
    minted: usize,
    known_kinds: usize,
    foreign: usize,
    broken: usize,
}

fn tally(logs: &[Value]) -> Tally {
    let source = source("aws.cloudtrail").unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let extractor = Extractor::new(&fields);
    let mut tally = Tally::default();
    for log in logs {
        tally.logs += 1;
        let text = log.to_string();
        let mut splitter = Splitter::new(text.as_bytes(), source.split_options());
        while let Some(split) = splitter.next() {
            match split {
                Split::Record(record) => count(&*reader, &extractor, record.bytes, &mut tally),
                Split::Dead { .. } => tally.broken += 1,
            }
        }
    }
    tally
}

fn count(reader: &dyn Reader, extractor: &Extractor, bytes: &[u8], tally: &mut Tally) {
    let mut buffer = SlotBuffer::new();
    if let Ok(slots) = extractor.extract(bytes, &mut buffer)
        && reader.is_native(&slots)
    {
        let activity = reader.activity(&slots);
        tally.records += 1;
        tally.operations += usize::from(!activity.operation.is_empty());
        tally.services += usize::from(!activity.service.is_empty());
        tally.principals += usize::from(!activity.actor.principal.is_empty());
        tally.credentials += usize::from(activity.credential.is_some());
        tally.times += usize::from(activity.time.is_some());
        tally.targets += usize::from(!activity.targets.is_empty());
        tally.denied += usize::from(matches!(activity.outcome, Outcome::Denied(_)));
        tally.minted += usize::from(activity.minted.is_some());
        tally.known_kinds += usize::from(activity.actor.kind != PrincipalKind::Unknown);
        let ocsf = source(activity.source).unwrap().ocsf(&activity);
        assert!([6003, 3002].contains(&ocsf.class_uid));
        assert!(!reader.event_kind(&slots).is_empty());
        return;
    }
    match reader.unwrap(bytes) {
        Unwrapped::Inner { records, .. } => {
            for inner in records {
                count(reader, extractor, &inner, tally);
            }
        }
        Unwrapped::Foreign(_) | Unwrapped::Ignored(_) => tally.foreign += 1,
        Unwrapped::Broken(_) => tally.broken += 1,
        Unwrapped::Native => panic!("native, and not told as such"),
    }
}

/// Asserts that nearly all are read; the rates are of records.
fn assert_rates(name: &str, tally: &Tally, at_least: usize, principals: f64) {
    println!("{name}: {tally:?}");
    assert!(tally.records >= at_least, "{name}: {tally:?}");
    assert_eq!(tally.broken, 0, "{name}: {tally:?}");
    assert_eq!(tally.operations, tally.records, "{name}: {tally:?}");
    assert!(
        tally.principals as f64 >= principals * tally.records as f64,
        "{name}: {tally:?}"
    );
}

#[test]
fn stratus() {
    let Some(logs) = logs("stratus/stratus.ndjson", "events") else {
        return;
    };
    let tally = tally(&logs);
    assert_rates("stratus", &tally, logs.len(), 1.0);
    assert_eq!(tally.times, tally.records);
    assert_eq!(tally.credentials, tally.records);
}

#[test]
fn panther() {
    let Some(logs) = logs("panther/AWS.CloudTrail.ndjson", "log") else {
        return;
    };
    assert_rates("panther", &tally(&logs), 295, 0.9);
}

#[test]
fn traildiscover() {
    let Some(logs) = logs("traildiscover/examples.ndjson", "log") else {
        return;
    };
    assert_rates("traildiscover", &tally(&logs), 500, 0.99);
}

#[test]
fn opensearch_catalog() {
    let Some(logs) = logs("opensearch_catalog/cloudtrail.ndjson", "log") else {
        return;
    };
    assert_rates("opensearch", &tally(&logs), 700, 0.99);
}

#[test]
fn streamalert() {
    let Some(logs) = logs("streamalert/tests.ndjson", "log") else {
        return;
    };
    let tally = tally(&logs);
    // Most of this file is of other sources.
    println!("streamalert: {tally:?}");
    assert!(tally.records >= 60, "{tally:?}");
    assert!(
        tally.principals as f64 >= 0.9 * tally.records as f64,
        "{tally:?}"
    );
    assert_eq!(tally.operations, tally.records);
}

#[test]
fn cloud_custodian() {
    let Some(logs) = logs("cloud_custodian/cloudtrail_eventbridge.ndjson", "log") else {
        return;
    };
    let tally = tally(&logs);
    println!("cloud_custodian: {tally:?}");
    assert!(tally.records >= 23, "{tally:?}");
    assert!(
        tally.foreign >= 10,
        "what is not CloudTrail is left out: {tally:?}"
    );
    assert_eq!(tally.broken, 0);
}

/// Files of other kinds must not be taken for logs.
#[test]
fn other_files_are_not_recognised() {
    for folder in [
        "pathfinding_labs/estates",
        "pathfinding_cloud",
        "panther_policies",
        "cartography",
        "bybit",
        "gcp_scc_findings",
        "gcp_security_analytics",
    ] {
        let Some(folder) = shared(folder) else {
            continue;
        };
        let mut folders = vec![folder];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = fs::read(&path).unwrap();
                let head = &bytes[..bytes.len().min(65_536)];
                assert_eq!(recognise(head), None, "{}", path.display());
                files += 1;
            }
        }
        assert!(files > 0);
    }
    let Some(panther) = shared("panther") else {
        return;
    };
    for entry in fs::read_dir(panther).unwrap() {
        let path = entry.unwrap().path();
        // One file is of all log types.
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !["AWS.CloudTrail.ndjson", "test_scenarios.ndjson"].contains(&name) {
            let bytes = fs::read(&path).unwrap();
            for line in bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let Ok(case) = serde_json::from_slice::<Value>(line) else {
                    continue;
                };
                let Some(log) = case.get("log") else { continue };
                let log = log.to_string();
                assert_eq!(recognise(log.as_bytes()), None, "{}: {log}", path.display());
            }
        }
    }
}
