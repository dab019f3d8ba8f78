//! The main job, on small stories in every shape.

use crate::common::{
    clumsy_story, gzip, lines, portreeve, portreeve_with_input, report, said, story,
};
use serde_json::{Value, json};

fn told(content: &[u8], more: &[&str]) -> Value {
    let arguments = [&["investigate", "-", "--format", "json"], more].concat();
    report(&portreeve_with_input(&arguments, content))
}

/// What of a report must not depend on how the input was shaped.
fn essence(report: &Value) -> Value {
    let mut incidents = report["incidents"].clone();
    for incident in incidents.as_array_mut().unwrap() {
        for step in incident["response"].as_array_mut().unwrap() {
            if step["title"]
                .as_str()
                .unwrap()
                .starts_with("Keep the evidence")
            {
                step["caveat"] = Value::Null;
            }
        }
        for entry in incident["timeline"].as_array_mut().unwrap() {
            let entry = entry.as_object_mut().unwrap();
            for place in ["file", "index", "offset"] {
                entry.remove(place);
            }
        }
    }
    incidents
}

#[test]
fn a_stolen_session_is_told_as_one_incident() {
    let report = told(&lines(&story()), &[]);
    let incidents = report["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1);
    let incident = &incidents[0];
    // A second factor, asked for with a session that is in two places at once.
    assert_eq!(incident["severity"], "critical");
    assert_eq!(incident["first_sign"], "2026-03-03T07:49:00Z");
    assert_eq!(incident["credentials"], json!(["ASIAMIRA000100EXAMPL"]));
    assert_eq!(incident["timeline"].as_array().unwrap().len(), 3);
    assert!(!incident["response"].as_array().unwrap().is_empty());
    for key in [
        "id",
        "score",
        "headline",
        "last_activity",
        "principals",
        "techniques",
        "findings",
        "paths",
    ] {
        assert!(!incident[key].is_null(), "{key}");
    }
    let finding = &report["findings"][0];
    for key in [
        "id",
        "rule",
        "title",
        "severity",
        "time",
        "source",
        "actor",
        "credential",
        "techniques",
    ] {
        assert!(!finding[key].is_null(), "{key}");
    }
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["file"], "-");
    assert_eq!(evidence["index"], 1);
    assert!(evidence["offset"].as_u64().unwrap() > 0);
    assert_eq!(evidence["event_id"], "00000000-0000-4000-8000-000000000002");
}

#[test]
fn every_shape_tells_the_same_story() {
    let records = story();
    let plain = essence(&told(&lines(&records), &[]));
    let texts: Vec<String> = records.iter().map(Value::to_string).collect();
    let lookup: Vec<Value> = records
        .iter()
        .map(|record| json!({"EventId": record["eventID"], "EventName": record["eventName"], "CloudTrailEvent": record.to_string()}))
        .collect();
    let bridge: Vec<Value> = records
        .iter()
        .map(|record| json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "detail": record}))
        .collect();
    let raw: Vec<Value> = records
        .iter()
        .map(|record| json!({"_raw": record.to_string(), "host": "h"}))
        .collect();
    let original: Vec<Value> = records
        .iter()
        .map(|record| json!({"event": {"original": record.to_string()}}))
        .collect();
    let export: String = texts
        .iter()
        .map(|text| format!("2026-03-03T08:00:00.000Z {text}\n"))
        .collect();
    let messages: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(id, text)| json!({"id": id.to_string(), "timestamp": 1, "message": text}))
        .collect();
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        ("gzip", gzip(&lines(&records))),
        ("array", json!(records).to_string().into()),
        ("records", json!({ "Records": records }).to_string().into()),
        ("pretty", serde_json::to_vec_pretty(&json!({ "Records": records })).unwrap()),
        ("lookup-events", serde_json::to_vec_pretty(&json!({ "Events": lookup })).unwrap()),
        ("EventBridge", lines(&bridge)),
        ("CloudWatch Logs export", export.into()),
        ("filter-log-events", json!({ "events": messages.clone() }).to_string().into()),
        ("subscription", json!({"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": "s", "logEvents": messages}).to_string().into()),
        ("_raw", lines(&raw)),
        ("event.original", lines(&original)),
    ];
    for (name, content) in shapes {
        let report = told(&content, &[]);
        assert_eq!(report["dead_letters"], json!([]), "{name}");
        assert_eq!(essence(&report), plain, "{name}");
    }
}

#[test]
fn order_copies_files_and_threads_do_not_show() {
    let records = story();
    let folder = tempfile::tempdir().unwrap();
    for (number, record) in records.iter().rev().enumerate() {
        let path = folder.path().join(format!("{number}.json"));
        std::fs::write(path, json!({"Records": [record, records[0]]}).to_string()).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    let plain = essence(&told(&lines(&records), &[]));
    for threads in ["1", "2", "4"] {
        let split = report(&portreeve(&[
            "investigate",
            folder,
            "--format",
            "json",
            "--threads",
            threads,
        ]));
        assert_eq!(essence(&split), plain, "{threads} threads");
        assert_eq!(split["coverage"][0]["duplicates"], 3);
    }
}

#[test]
fn a_sign_tells_what_hangs_on_it_where_no_rule_fired() {
    let quiet = vec![
        crate::common::record(1, "2026-03-03T07:05:00Z", "198.51.100.10"),
        crate::common::record(2, "2026-03-03T07:09:00Z", "203.0.113.7"),
    ];
    let content = lines(&quiet);
    assert_eq!(told(&content, &[])["incidents"], json!([]));
    for sign in [
        "key=ASIAMIRA000100EXAMPL",
        "ip=203[.]0.113.7",
        "ip=203.0.113.0/24",
        "user=dev.mira",
        "role=AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071",
    ] {
        let report = told(&content, &["--from", sign]);
        assert_eq!(report["incidents"].as_array().unwrap().len(), 1, "{sign}");
        assert_eq!(
            report["incidents"][0]["timeline"].as_array().unwrap().len(),
            2,
            "{sign}"
        );
    }
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "# exits\n203[.]0[.]113[.]7\n").unwrap();
    let report = told(&content, &["--ioc", list.path().to_str().unwrap()]);
    assert_eq!(report["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn fail_on_sets_the_exit_code() {
    let code = |story: &[Value], limit: &str| {
        portreeve_with_input(&["investigate", "-", "--fail-on", limit], &lines(story))
            .status
            .code()
    };
    assert_eq!(code(&story(), "critical"), Some(10));
    assert_eq!(code(&clumsy_story(), "high"), Some(10));
    assert_eq!(code(&clumsy_story(), "critical"), Some(0));
}

#[test]
fn a_redacted_report_names_nobody() {
    for format in ["json", "ndjson", "ocsf", "html", "terminal"] {
        let output = portreeve_with_input(
            &["investigate", "-", "--redact", "--format", format],
            &lines(&story()),
        );
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        for secret in [
            "111122223333",
            "dev.mira",
            "ASIAMIRA000100EXAMPL",
            "192.0.2.41",
            "WebDeploy",
        ] {
            assert!(!text.contains(secret), "{format}: {secret}");
        }
    }
}

#[test]
fn the_report_states_its_limits() {
    let report = told(&lines(&story()), &[]);
    let input = &report["inputs"][0];
    assert_eq!(input["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(input["records"], 3);
    assert_eq!(report["rules_sha256"].as_str().unwrap().len(), 64);
    let coverage = &report["coverage"][0];
    assert_eq!(coverage["accounts"], json!(["111122223333"]));
    assert_eq!(coverage["regions"], json!(["eu-west-1"]));
    assert_eq!(coverage["event_kinds"], json!({"Management": 3}));
    let blind = report["blind_spots"].to_string();
    assert!(blind.contains("data events"), "{blind}");
    assert_eq!(report["simulated"], false);
}

#[test]
fn the_terminal_report_fits_80_columns_and_carries_no_escapes() {
    let mut records = story();
    records[1]["userAgent"] = "kali-amd64 \u{1b}[2J\u{202e}evil".into();
    let output = portreeve_with_input(&["investigate", "-"], &lines(&records));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    // Commands stay whole, so that they can be copied.
    let long = text.lines().filter(|line| {
        line.chars().count() > 80 && !line.contains("aws ") && !line.contains("arn:")
    });
    assert_eq!(long.collect::<Vec<_>>(), [""; 0]);
}
