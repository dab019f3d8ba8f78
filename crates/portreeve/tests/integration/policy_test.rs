//! `portreeve policy test`, as a pipeline runs it.

use crate::common::{portreeve, portreeve_with_input, said};
use serde_json::{Value, json};

fn case(id: &str, expected: &str) -> Value {
    json!({
        "id": id,
        "request": {"principal": "arn:aws:iam::111122223333:user/anna", "action": "s3:GetObject",
            "resource": "arn:aws:s3:::web/index.html", "context": {}},
        "identity_policies": [{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}}],
        "scps": [{"org": "root", "policies": [{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]}]}],
        "mode": "strict",
        "expected": expected,
    })
}

fn lines(cases: &[Value]) -> Vec<u8> {
    crate::common::lines(cases)
}

#[test]
fn a_thousand_cases_hold() {
    let cases: Vec<Value> = (0..1000)
        .map(|number| case(&format!("case {number}"), "allowed"))
        .collect();
    let output = portreeve_with_input(
        &["policy", "test", "-", "--format", "ndjson"],
        &lines(&cases),
    );
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    let shown: Vec<Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(shown.len(), 1000);
    assert!(shown.iter().all(|line| line["pass"] == true));
    assert_eq!(shown[7]["id"], "case 7");
}

#[test]
fn a_failure_ends_with_10_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.ndjson");
    let cases = [case("fine", "allowed"), case("wrong", "denied")];
    std::fs::write(&file, lines(&cases)).unwrap();
    // A folder of cases is named as well as a file; what else is in it is left alone.
    std::fs::write(folder.path().join("notes.md"), "# not cases").unwrap();
    let output = portreeve(&["policy", "test", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("FAILED  wrong"), "{shown}");
    assert!(shown.contains("expected denied, got allowed"), "{shown}");
    assert!(shown.contains("1 passed, 1 failed"), "{shown}");
}

#[test]
fn a_bad_line_is_named_and_the_others_run() {
    let mut input = lines(&[case("first", "allowed")]);
    input.extend(b"{\"id\": \"torn\",\n");
    input.extend(lines(&[case("last", "allowed")]));
    let output = portreeve_with_input(&["policy", "test", "-", "--format", "ndjson"], &input);
    assert_eq!(output.status.code(), Some(10));
    assert!(
        said(&output).contains("-:2: no JSON at column"),
        "{}",
        said(&output)
    );
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.lines().count(), 2, "{shown}");
}

#[test]
fn nothing_to_test_is_no_input() {
    let output = portreeve_with_input(&["policy", "test", "-"], b"\n\n");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("docs/policy-test.md"),
        "{}",
        said(&output)
    );
    let output = portreeve(&["policy", "test", "no-such-file"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("no-such-file"), "{}", said(&output));
}

#[test]
fn the_page_stands_alone() {
    let output = portreeve_with_input(
        &["policy", "test", "-", "--format", "html"],
        &lines(&[case("fine", "allowed")]),
    );
    assert_eq!(output.status.code(), Some(0));
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg"));
}
