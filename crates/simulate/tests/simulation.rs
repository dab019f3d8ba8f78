//! What every simulation must be: repeatable, complete, bounded, and made of nothing real.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::IpAddr;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use portreeve_simulate::{
    Intrusion, MemorySink, Plan, SimulateError, Summary, intrusions, simulate,
};
use serde_json::Value;

const MAIN_STEPS: [&str; 15] = [
    "S08", "S09", "S10", "S11", "S12", "S13", "S14", "S15", "S20", "S21", "S22", "S27", "S34",
    "S35", "S41",
];

fn plan(seed: u64, intrusion: Intrusion) -> Plan {
    Plan {
        seed,
        days: 20,
        intrusion,
        max_records: 7_000,
        ..Plan::default()
    }
}

struct Simulation {
    summary: Summary,
    sink: MemorySink,
    records: Vec<Value>,
}

fn run(plan: &Plan) -> Simulation {
    let mut sink = MemorySink::default();
    let summary = simulate(plan, &mut sink).expect("the plan is sound");
    let mut records = Vec::new();
    for bytes in log_files(&sink).values() {
        let mut envelope = unpack(bytes);
        records.extend(
            envelope["Records"]
                .as_array_mut()
                .map(std::mem::take)
                .expect("an envelope of records"),
        );
    }
    Simulation {
        summary,
        sink,
        records,
    }
}

fn main_run() -> &'static Simulation {
    static RUN: OnceLock<Simulation> = OnceLock::new();
    RUN.get_or_init(|| run(&plan(1, Intrusion::Main)))
}

/// The same without an intrusion: with as much less room as only the intrusion needs, so that the
/// volume is the same.
fn quiet_run() -> &'static Simulation {
    static RUN: OnceLock<Simulation> = OnceLock::new();
    RUN.get_or_init(|| {
        run(&Plan {
            max_records: 6_400,
            ..plan(1, Intrusion::None)
        })
    })
}

fn log_files(sink: &MemorySink) -> BTreeMap<&String, &Vec<u8>> {
    sink.files
        .iter()
        .filter(|(path, _)| path.contains("/CloudTrail/"))
        .collect()
}

fn unpack(bytes: &[u8]) -> Value {
    let mut text = Vec::new();
    GzDecoder::new(bytes)
        .read_to_end(&mut text)
        .expect("a whole gzip file");
    serde_json::from_slice(&text).expect("JSON")
}

fn labels(sink: &MemorySink) -> Vec<Value> {
    sink.labels
        .iter()
        .map(|line| serde_json::from_str(line).expect("a label is JSON"))
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let short = |seed| Plan {
        seed,
        days: 3,
        intrusion: Intrusion::None,
        max_records: 2_000,
        ..Plan::default()
    };
    let (first, second, other) = (run(&short(5)), run(&short(5)), run(&short(6)));
    assert!(first.sink == second.sink);
    assert!(first.sink != other.sink);
}

#[test]
fn every_record_has_what_a_trail_writes() {
    let run = main_run();
    assert_eq!(run.records.len(), run.summary.records);
    for record in &run.records {
        for field in [
            "eventVersion",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
            "userAgent",
            "eventID",
            "eventType",
            "recipientAccountId",
            "eventCategory",
        ] {
            assert!(!text(record, field).is_empty(), "{field} in {record}");
        }
        for field in [
            "userIdentity",
            "requestParameters",
            "responseElements",
            "readOnly",
            "managementEvent",
        ] {
            assert!(record.get(field).is_some(), "{field} in {record}");
        }
        assert!(
            !text(&record["userIdentity"], "type").is_empty(),
            "{record}"
        );
        assert_eq!(
            text(record, "eventCategory") == "Data",
            record["managementEvent"] == false,
            "{record}"
        );
        if let Some(key) = record["userIdentity"]["accessKeyId"].as_str() {
            assert!(
                key.len() == 20 && (key.starts_with("ASIA") || key.starts_with("AKIA")),
                "{record}"
            );
        }
        if record.get("errorCode").is_some() {
            assert!(record["responseElements"].is_null(), "{record}");
        }
    }
}

#[test]
fn times_are_inside_the_window_and_files_late_and_out_of_order() {
    let run = main_run();
    let mut disordered = 0;
    for (path, bytes) in log_files(&run.sink) {
        let name = path.rsplit('/').next().unwrap_or_default();
        let stamp = name.rsplit('_').nth(1).expect("a time in the name");
        let delivered = format!(
            "{}-{}-{}T{}:{}:00Z",
            &stamp[..4],
            &stamp[4..6],
            &stamp[6..8],
            &stamp[9..11],
            &stamp[11..13]
        );
        let delivered: Timestamp = delivered.parse().expect("a time");
        let mut last = None;
        for record in unpack(bytes)["Records"].as_array().expect("records") {
            let time: Timestamp = text(record, "eventTime").parse().expect("a time");
            assert!(
                time >= run.summary.begins && time < run.summary.ends,
                "{time}"
            );
            assert!(time <= delivered, "{time} in a file of {delivered}");
            assert!(path.contains(&format!(
                "/{}/CloudTrail/{}/",
                text(record, "recipientAccountId"),
                text(record, "awsRegion")
            )));
            disordered += usize::from(last.is_some_and(|last| time < last));
            last = Some(time);
        }
    }
    assert!(disordered > 100);
}

#[test]
fn some_records_come_twice_and_none_too_many() {
    let run = main_run();
    let ids: BTreeSet<_> = run
        .records
        .iter()
        .map(|record| text(record, "eventID"))
        .collect();
    assert!(run.summary.duplicates > 0);
    assert_eq!(ids.len() + run.summary.duplicates, run.records.len());
    assert!(
        run.records.len() <= 7_000 && run.records.len() > 4_500,
        "{}",
        run.records.len()
    );
}

#[test]
fn labels_name_records_and_every_step_has_one() {
    for seed in [1, 2] {
        let other;
        let run = if seed == 1 {
            main_run()
        } else {
            other = run(&plan(seed, Intrusion::Main));
            &other
        };
        let ids: BTreeSet<_> = run
            .records
            .iter()
            .map(|record| text(record, "eventID"))
            .collect();
        let labels = labels(&run.sink);
        assert_eq!(labels.len(), run.summary.labels);
        let mut steps = BTreeMap::new();
        for label in &labels {
            assert!(ids.contains(text(label, "event_id")), "{label}");
            assert_eq!(text(label, "source"), "aws.cloudtrail");
            assert!(!text(label, "technique").is_empty() && !text(label, "lineage").is_empty());
            *steps.entry(text(label, "step")).or_insert(0) += 1;
        }
        assert_eq!(
            steps.keys().copied().collect::<Vec<_>>(),
            MAIN_STEPS,
            "seed {seed}"
        );
        assert!(
            steps["S14"] > 120 && steps["S27"] >= 12 && steps["S41"] == 2,
            "{steps:?}"
        );
    }
}

#[test]
fn no_intrusion_no_label() {
    let run = quiet_run();
    assert!(run.sink.labels.is_empty());
    assert!(
        run.records
            .iter()
            .all(|record| !text(record, "userAgent").contains("kali")
                || text(&record["userIdentity"], "userName") == "pentest-announced")
    );
}

#[test]
fn quiet_days_are_the_same_with_and_without_an_intrusion() {
    let ids = |run: &Simulation| -> BTreeSet<String> {
        let mut ids: Vec<_> = run
            .records
            .iter()
            .map(|record| {
                (
                    text(record, "eventTime").to_owned(),
                    text(record, "eventID").to_owned(),
                )
            })
            .collect();
        ids.sort();
        ids.into_iter().map(|(_, id)| id).take(200).collect()
    };
    assert_eq!(ids(main_run()), ids(quiet_run()));
}

#[test]
fn the_stolen_session_is_the_developers_own() {
    let run = main_run();
    let labels: BTreeMap<_, _> = labels(&run.sink)
        .iter()
        .map(|label| {
            (
                text(label, "event_id").to_owned(),
                text(label, "step").to_owned(),
            )
        })
        .collect();
    let step = |record: &Value| labels.get(text(record, "eventID")).cloned();
    let key = |record: &Value| {
        record["userIdentity"]["accessKeyId"]
            .as_str()
            .map(str::to_owned)
    };
    let stolen: BTreeSet<_> = run
        .records
        .iter()
        .filter(|record| {
            step(record).is_some_and(|step| matches!(step.as_str(), "S08" | "S12" | "S34" | "S41"))
        })
        .filter_map(key)
        .collect();
    // A new one each day, and the developer works with each of them.
    assert!(stolen.len() >= 8, "{stolen:?}");
    let benign: BTreeSet<_> = run
        .records
        .iter()
        .filter(|record| step(record).is_none())
        .filter_map(key)
        .collect();
    assert!(stolen.is_subset(&benign));
    let on_behalf: BTreeSet<_> = run
        .records
        .iter()
        .filter(|record| key(record).is_some_and(|key| stolen.contains(&key)))
        .map(|record| record["userIdentity"]["onBehalfOf"]["userId"].to_string())
        .collect();
    assert_eq!(on_behalf.len(), 1);
    // No session is used before it begins or after it ends.
    for record in &run.records {
        if let Some(created) =
            record["userIdentity"]["sessionContext"]["attributes"]["creationDate"].as_str()
        {
            let time: Timestamp = text(record, "eventTime").parse().expect("a time");
            let created: Timestamp = created.parse().expect("a time");
            assert!(time >= created, "{record}");
            assert!(
                time.as_second() - created.as_second() <= 12 * 3600,
                "{record}"
            );
        }
    }
}

#[test]
fn the_pipelines_session_is_minted_on_a_runner_and_used_elsewhere() {
    let run = main_run();
    let by_step = |wanted: &str| -> Vec<&Value> {
        let ids: BTreeSet<String> = labels(&run.sink)
            .iter()
            .filter(|label| text(label, "step") == wanted)
            .map(|label| text(label, "event_id").to_owned())
            .collect();
        run.records
            .iter()
            .filter(|record| ids.contains(text(record, "eventID")))
            .collect()
    };
    let minting = by_step("S20")[0];
    let use_elsewhere = by_step("S22")[0];
    assert_eq!(
        minting["responseElements"]["credentials"]["accessKeyId"],
        use_elsewhere["userIdentity"]["accessKeyId"]
    );
    assert!(text(minting, "sourceIPAddress").starts_with("198.51.100.20"));
    assert!(text(use_elsewhere, "sourceIPAddress").starts_with("192.0.2."));
    assert_eq!(use_elsewhere["requestParameters"]["imageTag"], "stable");
    let refused = by_step("S09")[0];
    assert_eq!(text(refused, "errorCode"), "AccessDenied");
    assert!(text(refused, "errorMessage").contains("iam:CreateVirtualMFADevice"));
}

#[test]
fn nothing_names_anything_real() {
    let run = main_run();
    let documentation = |address: IpAddr| match address {
        IpAddr::V4(address) => matches!(
            address.octets()[..3],
            [192, 0, 2] | [198, 51, 100] | [203, 0, 113]
        ),
        IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0xdb8],
    };
    let accounts = [
        "123456789012",
        "111122223333",
        "444455556666",
        "777788889999",
    ];
    for record in &run.records {
        let address = text(record, "sourceIPAddress");
        match address.parse::<IpAddr>() {
            Ok(address) => assert!(documentation(address), "{address}"),
            Err(_) => assert!(address.ends_with(".amazonaws.com"), "{address}"),
        }
        assert!(accounts.contains(&text(record, "recipientAccountId")));
    }
    let settings = String::from_utf8(run.sink.files["portreeve.toml"].clone()).expect("text");
    assert!(settings.contains("\"198.51.100.10/32\" = \"corporate\""));
    assert!(settings.parse::<toml::Table>().is_ok());
}

#[test]
fn digests_are_true_of_the_files() {
    use sha2::{Digest, Sha256};
    let run = main_run();
    let mut checked = 0;
    for (path, bytes) in run
        .sink
        .files
        .iter()
        .filter(|(path, _)| path.contains("/CloudTrail-Digest/"))
    {
        let digest = unpack(bytes);
        for file in digest["logFiles"].as_array().expect("log files") {
            let named = format!("logs/{}", text(file, "s3Object"));
            let mut log = Vec::new();
            GzDecoder::new(&run.sink.files[&named][..])
                .read_to_end(&mut log)
                .expect("a whole file");
            let hash: String = Sha256::digest(&log)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(text(file, "hashValue"), hash, "{path}");
            checked += 1;
        }
    }
    assert_eq!(checked, run.summary.log_files);
}

#[test]
fn the_browser_session_does_what_the_key_could_not() {
    for name in ["cookie-only", "main"] {
        assert!(intrusions().iter().any(|known| known == name), "{name}");
    }
    let intrusion = "cookie-only".parse().expect("it is known");
    let cookie = run(&plan(4, intrusion));
    let wall = labels(&cookie.sink)
        .iter()
        .filter(|label| text(label, "step") == "C01")
        .count();
    assert!(wall >= 18, "{wall}");
    assert!(cookie.records.iter().any(|record| {
        record["sessionCredentialFromConsole"] == "true"
            && text(record, "sourceIPAddress").starts_with("192.0.2.")
            && text(record, "eventName") == "PutObject"
    }));
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let mut sink = MemorySink::default();
    let refused =
        |plan: Plan, sink: &mut MemorySink| simulate(&plan, sink).expect_err("it cannot be");
    assert!(matches!(
        refused(
            Plan {
                days: 0,
                ..Plan::default()
            },
            &mut sink
        ),
        SimulateError::Days(0)
    ));
    assert!(matches!(
        refused(
            Plan {
                days: 5,
                ..Plan::default()
            },
            &mut sink
        ),
        SimulateError::TooFewDays {
            days: 5,
            needed: 18
        }
    ));
    assert!(matches!(
        refused(
            Plan {
                max_records: 10,
                ..Plan::default()
            },
            &mut sink
        ),
        SimulateError::TooFewRecords { .. }
    ));
    assert!(matches!(
        "no-such".parse::<Intrusion>(),
        Err(SimulateError::UnknownIntrusion { .. })
    ));
    assert!(sink == MemorySink::default());
}
