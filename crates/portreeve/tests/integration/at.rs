//! `--at TIME`: commands answer for the estate as it was.

use crate::common::{lines, portreeve, record, report, said};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const LATE: &str = "arn:aws:iam::111122223333:role/late";

fn policy(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "*"}
    ]})
}

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]})
}

/// Two roles, as an export shows them after it all: one is there for long, one was made late.
fn inventory() -> Value {
    let role = |arn: &str, made: &str| {
        json!({
            "Arn": arn, "RoleName": arn.rsplit('/').next(), "RoleId": "AROAEXAMPLE", "Path": "/",
            "CreateDate": made, "AssumeRolePolicyDocument": trust(), "RolePolicyList": [],
            "AttachedManagedPolicies": [], "InstanceProfileList": [], "Tags": [],
        })
    };
    json!({
        "UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [
            role(ROLE, "2025-01-01T00:00:00+00:00"), role(LATE, "2026-03-03T10:30:00+00:00"),
        ],
    })
}

fn call(number: u32, time: &str, name: &str, request: Value) -> Value {
    let mut call = record(number, time, "198.51.100.10");
    call["eventSource"] = "iam.amazonaws.com".into();
    call["eventName"] = name.into();
    call["awsRegion"] = "us-east-1".into();
    call["readOnly"] = false.into();
    call["requestParameters"] = request;
    call
}

/// A policy that is put at 10:02 and deleted at 10:40; one call between them is refused.
fn log() -> Vec<Value> {
    let put = |number, time, action| {
        let body = policy(action).to_string();
        let request = json!({"roleName": "deploy", "policyName": "extra", "policyDocument": body});
        call(number, time, "PutRolePolicy", request)
    };
    let mut refused = put(3, "2026-03-03T10:10:00Z", "iam:*");
    refused["errorCode"] = "AccessDenied".into();
    let named = json!({"roleName": "deploy", "policyName": "extra"});
    vec![
        call(
            1,
            "2026-03-03T09:00:00Z",
            "TagRole",
            json!({"roleName": "deploy", "tags": []}),
        ),
        call(4, "2026-03-03T10:40:00Z", "DeleteRolePolicy", named),
        put(2, "2026-03-03T10:02:00Z", "*"),
        refused,
        put(2, "2026-03-03T10:02:00Z", "*"),
    ]
}

/// Runs a command with files beside it, its words before them.
fn run(words: &[&str], log: &[Value]) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.ndjson"), lines(log)).unwrap();
    std::fs::write(folder.path().join("iam.json"), inventory().to_string()).unwrap();
    let path = folder.path().to_str().unwrap();
    let words: Vec<&str> = words.iter().copied().chain([path]).collect();
    portreeve(&words)
}

fn decision(who: &str, at: &str) -> String {
    let words = [
        "can",
        who,
        "s3:GetObject",
        "*",
        "--format",
        "json",
        "--at",
        at,
    ];
    let answer = report(&run(&words, &log()));
    assert_eq!(answer["at"]["time"], at);
    answer["decision"].as_str().unwrap().to_owned()
}

#[test]
fn an_answer_is_that_of_its_time() {
    // Before the first change nobody says what was there.
    assert_eq!(decision("deploy", "2026-03-03T10:01:59Z"), "depends");
    assert_eq!(decision("deploy", "2026-03-03T10:02:00Z"), "allowed");
    assert_eq!(decision("deploy", "2026-03-03T10:39:59Z"), "allowed");
    assert_eq!(decision("deploy", "2026-03-03T10:40:00Z"), "denied");
    // Nothing is known of the day before the logs.
    assert_eq!(decision("deploy", "2026-03-02T00:00:00Z"), "depends");
}

#[test]
fn every_form_names_the_instant() {
    let at = ["--at", "2026-03-03T10:15"];
    let can = ["can", "deploy", "s3:GetObject", "*"];
    let who_can = ["who-can", "s3:GetObject", "*"];
    let paths = ["paths", "--from", "deploy"];
    let blast = ["blast", "deploy"];
    for command in [&can[..], &who_can, &paths, &blast] {
        for format in ["terminal", "html", "json"] {
            let words = [command, &at, &["--format", format]].concat();
            let output = run(&words, &log());
            assert!(output.status.success(), "{words:?}: {}", said(&output));
            let text = String::from_utf8_lossy(&output.stdout);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                text.contains("2026-03-03T10:15:00Z"),
                "{words:?} does not name the instant: {text}"
            );
        }
    }
    let reached = report(&run(
        &[&blast[..], &at, &["--format", "json"]].concat(),
        &log(),
    ));
    let after = ["--at", "2026-03-03T10:45", "--format", "json"];
    let later = report(&run(&[&blast[..], &after].concat(), &log()));
    assert!(
        reached["jewels"].as_array().unwrap().len() > later["jewels"].as_array().unwrap().len()
    );
}

#[test]
fn who_was_not_there_yet_is_named() {
    let words = [
        "can",
        "late",
        "s3:GetObject",
        "*",
        "--at",
        "2026-03-03T10:15",
    ];
    let output = run(&words, &log());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("was not there at 2026-03-03T10:15:00Z"),
        "{}",
        said(&output)
    );
    assert_eq!(decision("late", "2026-03-03T10:35:00Z"), "denied");
}

#[test]
fn a_wrong_time_and_missing_logs_are_said() {
    let output = run(
        &["can", "deploy", "s3:GetObject", "*", "--at", "noon"],
        &log(),
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("no time such as"),
        "{}",
        said(&output)
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("iam.json"), inventory().to_string()).unwrap();
    let path = folder.path().to_str().unwrap();
    let words = [
        "can",
        "deploy",
        "s3:GetObject",
        "*",
        "--at",
        "2026-03-03",
        path,
    ];
    let output = portreeve(&words);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("a log that is known"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_deletion_that_the_logs_lack_makes_it_depend() {
    let without: Vec<Value> = log()
        .into_iter()
        .filter(|it| it["eventName"] != "DeleteRolePolicy")
        .collect();
    let words = [
        "can",
        "deploy",
        "s3:GetObject",
        "*",
        "--format",
        "json",
        "--at",
    ];
    for (at, known) in [
        ("2026-03-03T10:20:00Z", None),
        ("2026-03-03T10:20:00Z", Some("2026-03-03T11:00")),
    ] {
        let mut words = [&words[..], &[at]].concat();
        words.extend(known.iter().flat_map(|time| ["--inventory-time", *time]));
        let answer = report(&run(&words, &without));
        assert_eq!(answer["decision"], "depends", "{answer:#}");
        assert_eq!(answer["at"]["inventory_assumed"], known.is_none());
        let spots = answer["blind_spots"].to_string();
        assert!(spots.contains("deploy's policy extra"), "{spots}");
    }
}

#[test]
fn a_finding_says_for_how_long_a_change_was_open() {
    let trusts = |number, time, principal: Value| {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        ]});
        let request = json!({"roleName": "deploy", "policyDocument": document.to_string()});
        call(number, time, "UpdateAssumeRolePolicy", request)
    };
    let foreign = json!({"AWS": "arn:aws:iam::999900001111:root"});
    let own = json!({"Service": "lambda.amazonaws.com"});
    let opened = trusts(1, "2026-03-03T10:02:00Z", foreign);
    let details = |log: &[Value]| {
        let report = report(&run(&["investigate", "--format", "json"], log));
        let findings = report["findings"].as_array().unwrap().clone();
        let found = findings
            .iter()
            .find(|finding| finding["title"].as_str().unwrap().contains("opens a door"))
            .unwrap_or_else(|| panic!("{findings:#?}"));
        found["details"][0].as_str().unwrap().to_owned()
    };
    let open = details(std::slice::from_ref(&opened));
    assert!(open.ends_with("; not taken back in these logs"), "{open}");
    let closed = details(&[opened, trusts(2, "2026-03-03T10:40:00Z", own)]);
    assert!(
        closed.ends_with("; changed again after 38 min, at 2026-03-03T10:40:00Z"),
        "{closed}"
    );
}
