//! From CloudTrail's records to what is still alive of an intrusion.

use crate::common::{enrolment, lines, portreeve, record, report, said};
use serde_json::{Value, json};

/// A record of a responder's, or of the intruder's where the address is a foreign one.
fn call(number: u32, time: &str, source: &str, name: &str, from: &str, asked: Value) -> Value {
    let mut call = record(number, time, from);
    call["eventSource"] = format!("{source}.amazonaws.com").into();
    call["eventName"] = name.into();
    call["readOnly"] = false.into();
    call["requestParameters"] = asked;
    if from == "192.0.2.41" {
        call["userAgent"] = enrolment(0, time)["userAgent"].clone();
    }
    call
}

fn story() -> Vec<Value> {
    const FOREIGN: &str = "192.0.2.41";
    const OFFICE: &str = "198.51.100.10";
    let mut made = call(
        3,
        "2026-03-03T08:00:00Z",
        "iam",
        "CreateAccessKey",
        FOREIGN,
        json!({"userName": "ci"}),
    );
    made["responseElements"] = json!({"accessKey": {"accessKeyId": "AKIAPLANTED000000001", "userName": "ci", "status": "Active"}});
    let rule = json!({"name": "cache-warm", "scheduleExpression": "cron(0 3 18 3 ? *)"});
    let mut revoked = call(
        6,
        "2026-03-04T09:00:00Z",
        "iam",
        "UpdateAccessKey",
        OFFICE,
        json!({"userName": "ci", "accessKeyId": "AKIAPLANTED000000001", "status": "Inactive"}),
    );
    revoked["userIdentity"] = responder();
    vec![
        record(1, "2026-03-03T07:05:00Z", OFFICE),
        enrolment(2, "2026-03-03T07:49:00Z"),
        made,
        call(
            4,
            "2026-03-03T08:05:00Z",
            "events",
            "PutRule",
            FOREIGN,
            rule,
        ),
        record(5, "2026-03-03T08:10:00Z", OFFICE),
        revoked,
        record(7, "2026-03-06T08:10:00Z", OFFICE),
    ]
}

fn responder() -> Value {
    json!({
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": "arn:aws:iam::111122223333:user/responder",
        "accountId": "111122223333",
        "accessKeyId": "AKIARESPONDER0000001",
        "userName": "responder"
    })
}

#[test]
fn what_is_dead_and_what_is_alive_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.ndjson"), lines(&story())).unwrap();
    let path = folder.path().to_str().unwrap();
    let output = portreeve(&[
        "investigate",
        path,
        "--from",
        "ip=192.0.2.41",
        "--format",
        "json",
    ]);
    let incident = report(&output)["incidents"][0].clone();
    assert_eq!(incident["containment"]["basis"], "last-revocation");
    let find = |id: &str| -> Value {
        let list = incident["eviction"].as_array().unwrap();
        let found = list
            .iter()
            .find(|it| it["id"].as_str().unwrap().contains(id));
        found.unwrap_or_else(|| panic!("{id}: {list:#?}")).clone()
    };
    let key = find("AKIAPLANTED000000001");
    assert_eq!(
        (&key["state"], &key["how"]),
        (&json!("dead"), &json!("made"))
    );
    assert_eq!(
        key["shown_by"]["event_id"],
        "00000000-0000-4000-8000-000000000006"
    );
    assert_eq!(find("rule/cache-warm")["state"], "alive");
    // Contained before the session ended by itself.
    let early = portreeve(&[
        "investigate",
        path,
        "--from",
        "ip=192.0.2.41",
        "--contained-at",
        "2026-03-03T12:00:00Z",
    ]);
    let shown = String::from_utf8_lossy(&early.stdout).into_owned();
    assert!(
        shown.contains("IS THE INTRUDER OUT?") && shown.contains("as you say"),
        "{shown}"
    );
    assert!(shown.contains("alive until 2026-03-03 19:01"), "{shown}");
}

#[test]
fn a_time_that_is_none_is_refused() {
    let output = portreeve(&["investigate", ".", "--contained-at", "yesterday"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
