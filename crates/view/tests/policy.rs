//! How answers of authorisation look.

use portreeve_authz::aws::case::{Case, CaseOutcome, run};
use portreeve_view::policy::{PolicyTests, TestedCase, UnreadLine};
use portreeve_view::terminal::Options;
use portreeve_view::{html, json, ndjson, terminal};
use serde_json::{Value, json};

fn cases() -> Vec<Case> {
    let case = |id: &str, condition: Value, expected: &str| {
        let mut statement = json!({"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::web-prod/*"});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        let case = json!({
            "id": id,
            "request": {"principal": "arn:aws:iam::111122223333:user/anna",
                "action": "s3:GetObject", "resource": "arn:aws:s3:::web-prod/index.html"},
            "identity_policies": [{"name": "readers", "policy":
                {"Version": "2012-10-17", "Statement": [statement]}}],
            "mode": "discovery",
            "expected": expected,
        });
        serde_json::from_value(case).unwrap()
    };
    let network = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    vec![
        case("readers read", Value::Null, "allowed"),
        case("readers read from anywhere", network, "allowed"),
        case("nobody writes <b>\u{1b}[2J", Value::Null, "denied"),
    ]
}

fn with<T>(look: impl FnOnce(&PolicyTests<'_>) -> T) -> T {
    let cases = cases();
    let outcomes: Vec<CaseOutcome> = cases.iter().map(run).collect();
    let tested: Vec<TestedCase<'_>> = cases
        .iter()
        .zip(&outcomes)
        .enumerate()
        .map(|(index, (case, outcome))| TestedCase {
            id: &case.id,
            decision: outcome.decision,
            layer: outcome.layer,
            statement: outcome.statement.as_ref(),
            depends_on: &outcome.depends_on,
            expected: case.expected,
            pass: outcome.pass,
            reason: outcome.reason.as_deref(),
            principal: &case.request.principal,
            action: &case.request.action,
            resource: &case.request.resource,
            file: "cases.ndjson",
            line: index as u64 + 1,
        })
        .collect();
    let unread = [UnreadLine {
        file: "cases.ndjson",
        line: 4,
        reason: "no JSON at column 2 (expected ident)",
    }];
    look(&PolicyTests {
        cases: &tested,
        unread: &unread,
        seconds: 0.01,
    })
}

#[test]
fn failures_come_with_what_decided_them() {
    let shown = with(|tests| terminal::policy_tests(tests, &Options::default()));
    insta::assert_snapshot!(shown);
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn machines_get_a_line_a_case() {
    let mut lines = Vec::new();
    with(|tests| ndjson::policy_tests(tests.cases, &mut lines)).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        for key in ["id", "decision", "layer", "depends_on", "pass"] {
            assert!(line.get(key).is_some(), "{key}");
        }
    }
    assert_eq!(lines[1]["depends_on"][0]["key"], "aws:SourceIp");

    let mut document = Vec::new();
    with(|tests| json::policy_tests(tests, &mut document)).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["summary"]["failed"], 2);
    assert_eq!(document["unread"][0]["line"], 4);
}

#[test]
fn the_page_names_every_failure_and_lets_no_text_out() {
    let page = with(html::policy_tests);
    assert!(page.contains("2 of 3 cases failed"));
    assert!(page.contains("readers read from anywhere"));
    assert!(page.contains("expected allowed, got depends"));
    assert!(page.contains("nobody writes &lt;b&gt;&lt;U+001B&gt;[2J"));
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("src="));
}
