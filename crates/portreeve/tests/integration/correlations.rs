//! Correlations as a user meets them: in reports, in the list of rules, and with a time that is
//! declared good.

use crate::common::{lines, portreeve, portreeve_with_input, report, said};
use serde_json::{Value, json};

fn call(number: usize, time: &str, address: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventType": "AwsApiCall",
        "eventID": format!("00000000-0000-4000-8000-{number:012x}"), "eventTime": time,
        "eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstances", "readOnly": true,
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
        "sourceIPAddress": address, "userAgent": "aws-cli/2.15.0 os/macos#23.5.0",
        "userIdentity": {
            "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": "ASIAMIRA000100EXAMPL",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0a1b/dev.mira",
            "sessionContext": {"sessionIssuer": {"type": "Role",
                "arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0a1b"}}
        }
    })
}

/// An intruder's network on the first days, the person's own on all of them.
fn history() -> Vec<Value> {
    let mut records = Vec::new();
    for day in 1..=28 {
        let time = |hour: u32| format!("2026-02-{day:02}T{hour:02}:00:00Z");
        records.push(call(records.len(), &time(9), "198.51.100.10"));
        if day <= 3 || day == 28 {
            records.push(call(records.len(), &time(10), "192.0.2.41"));
        }
    }
    records
}

fn investigate(more: &[&str]) -> Value {
    let arguments = [&["investigate", "-", "--format", "json"], more].concat();
    report(&portreeve_with_input(&arguments, &lines(&history())))
}

fn titles(report: &Value) -> Vec<&str> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["title"].as_str().unwrap())
        .collect()
}

#[test]
fn a_time_that_is_declared_good_is_what_teaches() {
    let blind = investigate(&[]);
    let seeing = investigate(&["--known-good", "2026-02-05..2026-02-20"]);
    assert!(
        !titles(&blind)
            .iter()
            .any(|title| title.contains("192.0.2.0/24")),
        "half of what the person does on three of four weeks is not rare: {:?}",
        titles(&blind)
    );
    assert!(
        titles(&seeing).contains(&"Person came from a network never seen before: 192.0.2.0/24"),
        "{:?}",
        titles(&seeing)
    );
    let notes = seeing["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note.as_str().unwrap().contains("declared good"))
    );
}

#[test]
fn a_period_that_is_none_is_wrong_usage() {
    for period in ["May", "2026-02-20..2026-02-05", "2026-02-20"] {
        let output = portreeve_with_input(&["investigate", "-", "--known-good", period], b"");
        assert_eq!(output.status.code(), Some(2), "{period}");
        assert!(said(&output).contains("--known-good"), "{}", said(&output));
    }
}

#[test]
fn correlations_are_listed_and_tested_with_the_rules() {
    let listed = portreeve(&["rules"]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(text.contains("Person came from a network never seen before"));
    assert!(
        !text.contains("A person's call over the internet"),
        "parts of correlations are no rules of their own"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.yml");
    let document = "title: Three of them\nid: three\ncorrelation:\n  type: event_count\n  rules: [one]\n  timespan: 1h\n  condition: {gte: 3}\nportreeve:\n  tests:\n    - expect: EXPECT\n      records:\n        - { at: 2026-02-01T09:00:00Z, every: 5m, repeat: 3, record: { eventSource: a, eventName: b } }\n---\ntitle: One\nname: one\nlogsource: {product: aws, service: cloudtrail}\ndetection: {one: {eventName: b}, condition: one}\n";
    for (word, code) in [("match", 0), ("none", 10)] {
        std::fs::write(&path, document.replace("EXPECT", word)).unwrap();
        let output = portreeve(&[
            "rules",
            "--test",
            "--no-built-in-rules",
            "--rules",
            path.to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(code), "{word}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains("1 correlations, 1 sequences tested"),
            "{text}"
        );
    }
}
