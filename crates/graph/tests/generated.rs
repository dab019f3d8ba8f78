//! Generated accounts with planted paths and decoys: every path is found, no decoy is reported.
#![allow(clippy::print_stderr)]

mod common;

use std::fs;
use std::process::Command;

use portreeve_graph::Graph;
use portreeve_model::Estate;
use serde_json::Value;

/// The graph of a generated account, with the generator's labels; `None` where the generator or
/// what runs it is not at hand.
fn generated(principals: usize) -> Option<(Graph, Vec<Value>)> {
    let generator = common::shared("bench/gaad_gen.py")?;
    let folder = tempfile::tempdir().expect("a folder");
    let (export, labels) = (folder.path().join("g.json"), folder.path().join("l.ndjson"));
    let run = Command::new("python3")
        .arg(&generator)
        .arg(principals.to_string())
        .args(["--plant", "3", "--out"])
        .arg(&export)
        .arg("--labels")
        .arg(&labels)
        .output();
    let Ok(run) = run else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let bytes = fs::read(&export).expect("the export");
    let mut estate = Estate::default();
    let unread = portreeve_estate::read("g.json", &bytes, &mut estate);
    assert!(unread.is_empty());
    portreeve_estate::complete(&mut estate);
    estate.finish();
    let labels = fs::read_to_string(&labels).expect("the labels");
    let labels = labels
        .lines()
        .map(|line| serde_json::from_str(line).expect("a label"));
    let labels = labels.collect();
    Some((Graph::build(&estate, &common::catalogue(), &[]), labels))
}

fn check(principals: usize) {
    let Some((graph, labels)) = generated(principals) else {
        return;
    };
    let mut asked_for_mfa = 0;
    for label in &labels {
        let text = |key: &str| label[key].as_str().unwrap_or_default();
        let (source, target) = (text("source"), text("target"));
        let path = match target {
            "ADMIN" => graph.path_to_administrator(source),
            target => graph.path(source, target),
        };
        assert_eq!(
            path.is_some(),
            label["reachable"] == true,
            "{label} {path:?}"
        );
        if target != "ADMIN" {
            let back = graph.reachers(target);
            let found = back.iter().find(|path| path.from.as_str() == source);
            assert_eq!(found.is_some(), path.is_some(), "{label}");
        }
        let Some(path) = path else { continue };
        let mfa = text("why").contains("MFA");
        let wanted: &[&str] = if mfa {
            &["aws:MultiFactorAuthPresent"]
        } else {
            &[]
        };
        assert_eq!(path.conditions, wanted, "{label}");
        asked_for_mfa += usize::from(mfa);
    }
    assert_eq!(asked_for_mfa, 3);
    assert!(labels.len() > 150);
}

#[test]
fn of_300_principals_all_is_right() {
    check(300);
}

#[test]
fn of_1000_principals_all_is_right() {
    check(1000);
}
