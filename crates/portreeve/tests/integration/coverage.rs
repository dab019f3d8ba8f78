//! With each kind of log switched off in turn the report names what that hides; with all of them
//! there it names nothing.

use std::io::Read;
use std::sync::OnceLock;

use crate::common::{files_below, lines, portreeve, report, said};
use jiff::civil::{Date, Weekday};
use serde_json::Value;

/// A simulated organisation without an intrusion: its folder, and all of its records.
struct Quiet {
    folder: tempfile::TempDir,
    records: Vec<Value>,
}

fn quiet() -> &'static Quiet {
    static QUIET: OnceLock<Quiet> = OnceLock::new();
    QUIET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("halyard");
        let plan = [
            "--days",
            "28",
            "--max-records",
            "10000",
            "--intrusion",
            "none",
        ];
        let output =
            portreeve(&[&["simulate", "--out", out.to_str().unwrap()], &plan[..]].concat());
        assert!(output.status.success(), "{}", said(&output));
        let mut records = Vec::new();
        for path in files_below(&out.join("logs")) {
            let mut text = String::new();
            let file = std::fs::File::open(&path).unwrap();
            flate2::read::GzDecoder::new(file)
                .read_to_string(&mut text)
                .unwrap();
            let mut file: Value = serde_json::from_str(&text).unwrap();
            if let Some(Value::Array(own)) = file.get_mut("Records").map(Value::take) {
                records.extend(own);
            }
        }
        assert!(records.len() > 5_000);
        Quiet { folder, records }
    })
}

/// What is told of the records that are kept, beside the whole inventory.
fn told(keep: impl Fn(&Value) -> bool) -> Value {
    let quiet = quiet();
    let kept: Vec<Value> = quiet
        .records
        .iter()
        .filter(|it| keep(it))
        .cloned()
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    std::fs::write(&log, lines(&kept)).unwrap();
    let halyard = quiet.folder.path().join("halyard");
    report(&portreeve(&[
        "coverage",
        log.to_str().unwrap(),
        halyard.join("estate").to_str().unwrap(),
        "--config",
        halyard.join("portreeve.toml").to_str().unwrap(),
        "--format",
        "json",
    ]))
}

fn missing(told: &Value) -> Vec<String> {
    told["blind_spots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|spot| spot["missing"].as_str().unwrap().to_owned())
        .collect()
}

fn step<'v>(told: &'v Value, id: &str) -> &'v Value {
    told["sight"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["id"] == id)
        .unwrap()
}

fn text<'v>(record: &'v Value, field: &str) -> &'v str {
    record[field].as_str().unwrap_or_default()
}

#[track_caller]
fn names(told: &Value, words: &str) {
    let missing = missing(told);
    assert!(missing.iter().any(|it| it.contains(words)), "{missing:?}");
}

#[test]
fn with_all_logs_nothing_of_them_is_missing() {
    let told = told(|_| true);
    assert_eq!(missing(&told), Vec::<String>::new());
    for step in told["sight"][0]["steps"].as_array().unwrap() {
        assert!(
            step["state"] == "there" || step["state"] == "unread",
            "{step}"
        );
    }
    let cells = told["coverage"][0]["cells"].as_array().unwrap();
    assert!(cells.iter().any(|cell| cell["kind"] == "Data"));
    assert!(
        cells
            .iter()
            .all(|cell| cell["holes"] == serde_json::json!([]))
    );
}

#[test]
fn without_data_events_replaced_content_is_hidden() {
    let told = told(|record| text(record, "eventCategory") != "Data");
    names(&told, "data events");
    for id in ["put-back", "bundle-read"] {
        assert_eq!(step(&told, id)["state"], "absent", "{id}");
    }
    assert_eq!(step(&told, "origin-replaced")["state"], "partly");
    assert_eq!(step(&told, "image-replaced")["state"], "there");
}

#[test]
fn without_events_that_read_what_was_looked_at_is_hidden() {
    let told = told(|record| {
        text(record, "eventCategory") == "Data" || record["readOnly"] != Value::Bool(true)
    });
    names(&told, "events that only read");
    for id in ["estate-read", "origin-mapped", "secrets-read"] {
        assert_eq!(step(&told, id)["state"], "absent", "{id}");
    }
}

#[test]
fn without_one_account_it_is_named() {
    let told = told(|record| text(record, "recipientAccountId") != "444455556666");
    names(&told, "444455556666 (prod-sign)");
    assert_eq!(step(&told, "signing-key-touched")["state"], "absent");
    assert_eq!(step(&told, "secrets-read")["state"], "partly");
}

#[test]
fn without_the_global_region_it_is_named() {
    let told = told(|record| text(record, "awsRegion") != "us-east-1");
    names(&told, "us-east-1");
    let step = step(&told, "second-factor-enrolled");
    assert_eq!(step["state"], "partly");
    assert_eq!(step["logs"][0]["gaps"][0]["region"], "us-east-1");
}

#[test]
fn without_the_working_region_it_is_named() {
    let told = told(|record| text(record, "awsRegion") != "eu-west-1");
    names(&told, "eu-west-1");
}

#[test]
fn silent_services_are_told_where_others_show_that_they_should_speak() {
    let without = |services: &'static [&'static str]| {
        told(move |record| !services.contains(&text(record, "eventSource")))
    };
    names(&without(&["sts.amazonaws.com"]), "STS");
    names(&without(&["sso.amazonaws.com"]), "Identity Center");
    names(&without(&["signin.amazonaws.com"]), "console sign-ins");
    // A service that nobody had to call is not missed.
    let told = without(&[
        "scheduler.amazonaws.com",
        "events.amazonaws.com",
        "kms.amazonaws.com",
    ]);
    assert_eq!(missing(&told), Vec::<String>::new());
}

/// A Thursday in the middle of the logs and the day after it: both are worked on, and so are the
/// days around them.
fn working_day() -> (Date, Date) {
    let days: std::collections::BTreeSet<Date> = quiet()
        .records
        .iter()
        .map(|record| text(record, "eventTime")[..10].parse().unwrap())
        .collect();
    let middle = *days.iter().nth(days.len() / 2).unwrap();
    let day = days
        .range(middle..)
        .find(|day| day.weekday() == Weekday::Thursday)
        .copied()
        .unwrap();
    (day, day.tomorrow().unwrap())
}

#[test]
fn hours_that_are_missing_are_named() {
    let (day, next) = working_day();
    let from = format!("{day}T06");
    let lost = |record: &Value| {
        (from.clone()..format!("{next}T04")).contains(&text(record, "eventTime").to_owned())
    };
    let all = told(|record| !lost(record));
    names(&all, &format!("all records from {day} 0"));
    assert_eq!(step(&all, "session-replayed")["state"], "partly");
    let one =
        told(|record| !(lost(record) && text(record, "recipientAccountId") == "111122223333"));
    names(
        &one,
        &format!("records of account 111122223333 (prod-web) from {day} 0"),
    );
}
