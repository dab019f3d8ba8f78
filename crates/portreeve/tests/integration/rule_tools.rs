//! `rules lint`, `rules convert`, `rules backtest` and `rules test`, run as a user runs them.

use crate::common::{lines, portreeve, record, report, said};
use serde_json::Value;

const RULE: &str = "title: Instances were listed
id: 0f0c2a5e-5a5c-4b0e-9a4e-6c1f0f1b7a99
status: test
description: Somebody listed instances.
logsource:
    product: aws
    service: cloudtrail
detection:
    selection:
        eventSource: ec2.amazonaws.com
        eventName: DescribeInstances
    condition: selection
level: low
";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

fn path(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the file can be written");
    path.display().to_string()
}

#[test]
fn lint_tells_editors_where_what_is_wrong() {
    let folder = folder();
    let good = path(&folder, "aws_instances_listed.yml", RULE);
    let output = portreeve(&["rules", "lint", &good, "--format", "json"]);
    assert_eq!(report(&output), serde_json::json!([]));
    assert_eq!(output.status.code(), Some(0));

    let text = RULE
        .replace("eventName: Describe", "evntName: Describe")
        .replace(
            "condition: selection",
            "condition: selection and not selection",
        );
    let odd = path(&folder, "aws_instances_odd.yml", &text);
    let output = portreeve(&["rules", "lint", &odd, "--format", "json"]);
    assert_eq!(output.status.code(), Some(10));
    let told: Value = serde_json::from_slice(&output.stdout).expect("an array is printed");
    let find = |code: &str| -> Value {
        let all = told.as_array().unwrap();
        all.iter()
            .find(|one| one["code"] == code)
            .unwrap_or_else(|| panic!("{told}"))
            .clone()
    };
    let field = find("sigma-unknown-field");
    assert_eq!(
        (
            &field["line"],
            &field["column"],
            &field["end_line"],
            &field["end_column"]
        ),
        (&11.into(), &9.into(), &11.into(), &17.into())
    );
    assert_eq!(field["severity"], "warning");
    assert_eq!(find("sigma-never-matches")["line"], 1);

    // The same id in two files.
    let output = portreeve(&["rules", "lint", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(10));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("is also that of"), "{said}");
    assert!(said.contains("2 files: 1 errors, 2 warnings"), "{said}");
}

#[test]
fn what_is_built_in_has_no_errors() {
    let output = portreeve(&["rules", "lint", "--format", "json"]);
    let told = report(&output);
    let grave: Vec<&Value> = told
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| {
            one["severity"] == "error"
                || one["code"] == "sigma-never-matches"
                || one["code"] == "sigma-unknown-field"
        })
        .collect();
    assert!(grave.is_empty(), "{grave:?}");
}

#[test]
fn convert_writes_counts_as_correlations() {
    let folder = folder();
    let text = RULE.replace(
        "condition: selection",
        "condition: selection | count() by sourceIPAddress > 2\n    timeframe: 10m",
    );
    let old = path(&folder, "aws_old_count.yml", &text);
    let output = portreeve(&["rules", "convert", &old]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("type: event_count") && shown.contains("gt: 2"),
        "{shown}"
    );
    assert_eq!(std::fs::read_to_string(&old).unwrap(), text);

    let output = portreeve(&["rules", "convert", &old, "--write"]);
    assert_eq!(output.status.code(), Some(0));
    let new = std::fs::read_to_string(&old).unwrap();
    assert!(
        new.contains("timespan: 10m") && !new.contains("count()"),
        "{new}"
    );
    let lint = portreeve(&["rules", "lint", &old, "--format", "json"]);
    assert!(
        report(&lint)
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["severity"] != "error")
    );

    let near = RULE.replace("condition: selection", "condition: selection | near other");
    let near = path(&folder, "aws_old_near.yml", &near);
    let output = portreeve(&["rules", "convert", &near]);
    assert_eq!(output.status.code(), Some(10));
    assert!(
        said(&output).contains("`near` has no counterpart"),
        "{}",
        said(&output)
    );
}

#[test]
fn backtest_tells_days_principals_and_noise() {
    let folder = folder();
    let rule = path(&folder, "aws_instances_listed.yml", RULE);
    let mut records = Vec::new();
    for day in 1..=6 {
        let mut one = record(day, &format!("2026-03-{day:02}T10:00:00Z"), "198.51.100.10");
        one["eventSource"] = "ec2.amazonaws.com".into();
        one["eventName"] = "DescribeInstances".into();
        records.push(one);
    }
    let mut other = record(9, "2026-03-10T10:00:00Z", "198.51.100.10");
    other["eventSource"] = "s3.amazonaws.com".into();
    other["eventName"] = "ListBuckets".into();
    records.push(other);
    let logs = folder.path().join("logs.ndjson");
    std::fs::write(&logs, lines(&records)).unwrap();
    let logs = logs.display().to_string();
    let output = portreeve(&["rules", "backtest", &rule, &logs, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = report(&output);
    assert_eq!((&told["rules"], &told["records"]), (&1.into(), &7.into()));
    assert_eq!(told["matches"], 6);
    assert_eq!(told["days"].as_object().unwrap().len(), 10);
    assert_eq!(told["days"]["2026-03-01"], 1);
    assert_eq!(told["days"]["2026-03-08"], 0);
    assert_eq!(told["principals"][0]["days"], 6);
    assert_eq!(told["principals"][0]["noise"], "daily");
    let output = portreeve(&["rules", "backtest", &rule, &logs]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("6 matches, 0.6 a day"), "{shown}");
    assert!(shown.contains("likely noise"), "{shown}");
    let page = folder.path().join("trial.html").display().to_string();
    let output = portreeve(&[
        "rules", "backtest", &rule, &logs, "--format", "html", "-o", &page,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let page = std::fs::read_to_string(page).unwrap();
    // A column for each day with a match, and the principal below.
    assert_eq!(page.matches(": 1 match</title>").count(), 6, "{page}");
    assert!(page.contains("likely noise: it does so on most days"));
}

#[test]
fn test_is_a_command_of_its_own_too() {
    let folder = folder();
    let text = format!(
        "{RULE}portreeve:\n    tests:\n        - expect: match\n          record: {{ eventSource: ec2.amazonaws.com, eventName: DescribeInstances }}\n        - expect: match\n          record: {{ eventSource: ec2.amazonaws.com, eventName: RunInstances }}\n"
    );
    let rule = path(&folder, "aws_instances_listed.yml", &text);
    let output = portreeve(&["rules", "test", "--no-built-in-rules", "--rules", &rule]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("1 rules, 2 records tested"), "{shown}");
}
