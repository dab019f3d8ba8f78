//! Input that is broken: a clear message, the right exit code, nothing readable lost, no panic.

use crate::common::{gzip, lines, portreeve, portreeve_with_input, record, report, said, story};
use serde_json::{Value, json};

fn investigate(content: &[u8]) -> Value {
    report(&portreeve_with_input(
        &["investigate", "-", "--format", "json"],
        content,
    ))
}

fn dead(report: &Value) -> Vec<&str> {
    let letters = report["dead_letters"].as_array().unwrap();
    letters
        .iter()
        .map(|letter| letter["reason"].as_str().unwrap())
        .collect()
}

#[test]
fn nothing_readable_ends_with_3_and_says_what_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let empty = portreeve(&["investigate", folder.path().to_str().unwrap()]);
    assert_eq!(empty.status.code(), Some(3), "{}", said(&empty));
    assert!(said(&empty).contains("no file found"), "{}", said(&empty));

    std::fs::write(folder.path().join("holiday.txt"), "not JSON").unwrap();
    std::fs::write(folder.path().join("numbers.json"), "[1,2,3]").unwrap();
    let unknown = portreeve(&["investigate", folder.path().to_str().unwrap()]);
    assert_eq!(unknown.status.code(), Some(3), "{}", said(&unknown));
    assert!(
        said(&unknown).contains("none of 2 files"),
        "{}",
        said(&unknown)
    );

    let missing = portreeve(&["investigate", "no/such/folder"]);
    assert_eq!(missing.status.code(), Some(3), "{}", said(&missing));
    assert!(
        said(&missing).contains("no/such/folder"),
        "{}",
        said(&missing)
    );
}

/// As with `2>&1 | head`, or when what keeps the log has gone.
#[test]
fn a_closed_standard_error_ends_nothing() {
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_portreeve"));
    let status = command
        .args(["investigate", "no/such/folder"])
        .stderr(closed)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(3));
}

#[test]
fn what_cannot_be_read_or_written_is_named_once() {
    let rules = portreeve(&["hunt", "-r", "no/such/rules", "."]);
    let reason = "portreeve: no/such/rules: cannot read rules: No such file or directory";
    assert!(said(&rules).starts_with(reason), "{}", said(&rules));
    assert!(!said(&rules).contains("IO error"), "{}", said(&rules));

    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("organisation");
    let written = portreeve(&["simulate", "--out", below.to_str().unwrap()]);
    assert_eq!(written.status.code(), Some(1));
    let place = below.to_string_lossy();
    assert!(said(&written).contains(&*place), "{}", said(&written));
}

#[test]
fn wrong_usage_ends_with_2() {
    assert_eq!(portreeve(&["investigate"]).status.code(), Some(2));
    let output = portreeve(&["investigate", ".", "--from", "mood=bad"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("key=AKIA"), "{}", said(&output));
}

#[test]
fn a_broken_line_does_not_lose_its_neighbours() {
    let records = story();
    let mut content = lines(&records[..1]);
    content.extend(b"{\"eventVersion\": broken\n");
    content.extend(lines(&records[1..2]));
    content.extend(b"\xff\xfe\n");
    content.extend(lines(&records[2..]));
    let report = investigate(&content);
    assert_eq!(report["summary"]["records"], 3);
    assert_eq!(dead(&report).len(), 2, "{:?}", dead(&report));
    assert_eq!(report["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn a_truncated_file_is_used_up_to_the_break() {
    let records: Vec<Value> = (0..20_000)
        .map(|number| record(number, "2026-03-03T07:05:00Z", "198.51.100.10"))
        .collect();
    let whole = gzip(&lines(&records));
    let report = investigate(&whole[..whole.len() / 2]);
    let read = report["summary"]["records"].as_u64().unwrap();
    assert!((5_000..20_000).contains(&read), "{read} records");
    assert!(!dead(&report).is_empty());
}

#[test]
fn deep_nesting_is_a_dead_letter() {
    let mut content = lines(&story());
    content.extend(b"{\"a\":".repeat(100_000));
    content.extend(b"1");
    content.extend(b"}".repeat(100_000));
    content.extend(b"\n");
    content.extend(lines(&[record(9, "2026-03-03T09:00:00Z", "198.51.100.10")]));
    let report = investigate(&content);
    assert_eq!(report["summary"]["records"], 4);
    assert_eq!(dead(&report).len(), 1, "{:?}", dead(&report));
}

#[test]
fn a_record_that_is_too_large_is_a_dead_letter_in_bounded_memory() {
    let mut content = lines(&story());
    content.extend(b"{\"eventVersion\":\"1.11\",\"padding\":\"");
    content.resize(content.len() + (40 << 20), b'x');
    content.extend(b"\"}\n");
    content.extend(lines(&[record(9, "2026-03-03T09:00:00Z", "198.51.100.10")]));
    let report = investigate(&content);
    assert_eq!(report["summary"]["records"], 4);
    assert_eq!(dead(&report).len(), 1, "{:?}", dead(&report));
}

#[test]
fn one_line_that_holds_all_records_is_split_as_it_streams() {
    let records: Vec<Value> = (0..30_000)
        .map(|number| record(number, "2026-03-03T07:05:00Z", "198.51.100.10"))
        .collect();
    let content = json!({ "Records": records }).to_string();
    assert!(content.len() > 20 << 20, "longer than a record may be");
    let report = investigate(content.as_bytes());
    assert_eq!(report["summary"]["records"], 30_000);
    assert_eq!(dead(&report).len(), 0);
}

#[test]
fn wrong_types_in_every_field_do_no_harm() {
    let wrong = [
        json!(null),
        json!(true),
        json!(-1.5e300),
        json!("text"),
        json!([[]]),
        json!({"a": [1]}),
    ];
    let mut records = story();
    let fields: Vec<String> = records[0].as_object().unwrap().keys().cloned().collect();
    for (number, field) in fields.iter().enumerate() {
        for (turn, value) in wrong.iter().enumerate() {
            let mut bad = record(
                (1000 + number * 10 + turn) as u32,
                "2026-03-03T07:30:00Z",
                "198.51.100.10",
            );
            bad[field] = value.clone();
            records.push(bad);
        }
    }
    for field in ["type", "arn", "accountId", "accessKeyId", "sessionContext"] {
        for (turn, value) in wrong.iter().enumerate() {
            let mut bad = record(5000 + turn as u32, "2026-03-03T07:30:00Z", "198.51.100.10");
            bad["eventID"] = format!("{field}-{turn}").into();
            bad["userIdentity"][field] = value.clone();
            records.push(bad);
        }
    }
    let report = investigate(&lines(&records));
    assert!(report["summary"]["records"].as_u64().unwrap() > 80);
    assert_eq!(report["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn inventory_with_faults_is_used_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = json!({
        "UserDetailList": [
            {"UserName": "good", "Arn": "arn:aws:iam::111122223333:user/good", "UserPolicyList": [{
                "PolicyName": "p",
                "PolicyDocument": {"Version": "2012-10-17", "Surprise": true, "Statement": {
                    "Effect": "Allow", "Action": "*", "Resource": "*", "Mood": "odd"
                }}
            }], "GroupList": [], "AttachedManagedPolicies": []},
            {"UserName": 7, "Arn": ["no"]},
            {"UserName": "no-account", "Arn": "no-account"}
        ],
        "GroupDetailList": [], "RoleDetailList": "none", "Policies": []
    });
    std::fs::write(folder.path().join("iam.json"), inventory.to_string()).unwrap();
    std::fs::write(folder.path().join("log.ndjson"), lines(&story())).unwrap();
    let report = report(&portreeve(&[
        "investigate",
        folder.path().to_str().unwrap(),
        "--format",
        "json",
    ]));
    assert_eq!(report["summary"]["records"], 3);
    let files: Vec<&str> = report["dead_letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| letter["file"].as_str().unwrap())
        .collect();
    assert!(
        !files.is_empty() && files.iter().all(|file| file.ends_with("iam.json")),
        "{files:?}"
    );
}

#[test]
fn a_rule_that_does_not_parse_is_named_and_the_others_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("broken.yml"),
        "title: Broken\nlogsource:\n  product: aws\ndetection:\n  one:\n    a|nosuchmodifier: 1\n  condition: one\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("good.yml"),
        "title: Buckets listed\nid: 11111111-2222-4333-8444-555555555555\nlogsource:\n  product: aws\n\
         detection:\n  one:\n    eventName: ListBuckets\n  condition: one\nlevel: medium\n",
    )
    .unwrap();
    let output = portreeve_with_input(
        &[
            "investigate",
            "-",
            "--format",
            "json",
            "--rules",
            folder.path().to_str().unwrap(),
        ],
        &lines(&story()),
    );
    let message = said(&output);
    assert!(
        message.contains("broken.yml") && message.contains("nosuchmodifier"),
        "{message}"
    );
    assert!(message.contains("6:"), "line and column: {message}");
    let report = report(&output);
    let titles: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["title"].as_str().unwrap())
        .collect();
    assert!(titles.contains(&"Buckets listed"), "{titles:?}");
}
