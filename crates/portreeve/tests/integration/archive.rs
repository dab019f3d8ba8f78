//! `serve --archive`: activities as OCSF in Parquet, which `hunt` and `investigate` read back.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{portreeve, said};
use serde_json::Value;

const RULE: &str = "\
title: A role was taken
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1b01
level: low
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventName: [AssumeRole, ConsoleLogin, GetSecretValue]
  condition: selection
";

fn run(arguments: &[&str]) -> Vec<u8> {
    let output = portreeve(arguments);
    let code = output.status.code();
    assert!(code == Some(0) || code == Some(1), "{}", said(&output));
    output.stdout
}

/// The ids of the events that the rule matches in a folder.
fn hunted(rule: &str, logs: &str) -> BTreeSet<String> {
    let lines = run(&["hunt", "-r", rule, "--format", "ndjson", logs]);
    let lines = String::from_utf8(lines).unwrap();
    let found = lines.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["record"]["event_id"].as_str()?;
        Some(id.to_owned())
    });
    found.collect()
}

fn count_of_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => count_of_files(&entry.path()),
            false => {
                let name = entry.file_name();
                assert_eq!(name, "00000001.zstd.parquet");
                1
            }
        })
        .sum()
}

#[test]
fn what_is_archived_is_hunted_through_as_the_log_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (logs, lake) = (path("world/logs"), path("world/logs/lake"));
    run(&[
        "simulate",
        "--seed",
        "3",
        "--max-records",
        "15000",
        "--out",
        &path("world"),
    ]);
    let rule = path("rule.yml");
    std::fs::write(&rule, RULE).unwrap();
    let of_logs = hunted(&rule, &logs);
    assert!(of_logs.len() > 20, "{}", of_logs.len());

    // Below what is followed: it is no input.
    let watch = |more: &[&str]| {
        let data = path("data");
        let own = [
            "serve",
            "--catch-up",
            "--settle",
            "1",
            "--data",
            &data,
            "--archive",
            &lake,
            &logs,
        ];
        run(&[&own[..], more].concat());
    };
    watch(&[]);
    let files = count_of_files(Path::new(&lake));
    assert!(files > 3, "{files}");
    assert_eq!(hunted(&rule, &lake), of_logs);
    // Nothing new: nothing is written, and what was archived was not taken in.
    watch(&[]);
    assert_eq!(count_of_files(Path::new(&lake)), files);
    assert_eq!(hunted(&rule, &lake), of_logs);

    let report = |logs: &str| -> Value {
        let report = run(&["investigate", "--format", "json", logs]);
        serde_json::from_slice(&report).unwrap()
    };
    let (of_log, of_lake) = (report(&path("data/log")), report(&lake));
    let findings = |report: &Value| report["findings"].as_array().unwrap().len();
    assert!(findings(&of_log) > 0);
    assert_eq!(findings(&of_lake), findings(&of_log));
}

#[test]
fn what_is_asked_of_an_archive_that_is_not_there_is_told() {
    let output = portreeve(&["serve", "--archive-days", "3", "--catch-up", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("the folder that it is in"),
        "{}",
        said(&output)
    );
}

#[test]
fn parquet_without_records_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (rule, file) = (
        folder.path().join("rule.yml"),
        folder.path().join("a.parquet"),
    );
    std::fs::write(&rule, RULE).unwrap();
    std::fs::write(&file, b"PAR1 and no more").unwrap();
    let paths = [&rule, &file].map(|path| path.to_str().unwrap());
    let output = portreeve(&["hunt", "-r", paths[0], paths[1]]);
    assert!(said(&output).contains("Parquet"), "{}", said(&output));
}
