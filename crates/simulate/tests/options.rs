//! Each option of a plan does what it says, and nothing else.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use common::{Simulation, run, small, text};
use jiff::Timestamp;
use portreeve_simulate::{Faults, Intrusion, MemorySink, Plan, SimulateError, Without, simulate};
use serde_json::Value;

fn share(text: &str) -> portreeve_simulate::Share {
    text.parse().expect("a share")
}

/// No loss, nothing twice, all at once.
fn faultless() -> Faults {
    Faults {
        delay: 0,
        duplicates: share("0"),
        held_up: share("0"),
        loss: Some(share("0")),
    }
}

fn time(record: &Value) -> Timestamp {
    text(record, "eventTime").parse().expect("a time")
}

fn whole() -> &'static Simulation {
    static RUN: OnceLock<Simulation> = OnceLock::new();
    RUN.get_or_init(|| {
        run(&Plan {
            faults: faultless(),
            ..small(1, "main")
        })
    })
}

#[test]
fn without_faults_every_record_comes_once_and_in_order() {
    let whole = whole();
    assert_eq!((whole.summary.lost, whole.summary.duplicates), (0, 0));
    assert_eq!(whole.ids().len(), whole.records.len());
    let mut last = BTreeMap::new();
    for record in &whole.records {
        let place = (
            text(record, "recipientAccountId"),
            text(record, "awsRegion"),
        );
        if let Some(before) = last.insert(place, time(record)) {
            assert!(before <= time(record), "{record}");
        }
    }
}

#[test]
fn loss_and_duplicates_change_what_is_delivered_and_not_what_happened() {
    let whole = whole();
    let worn = run(&Plan {
        faults: Faults {
            duplicates: share("0.1"),
            loss: Some(share("0.2")),
            ..faultless()
        },
        ..small(1, "main")
    });
    assert!(worn.ids().is_subset(&whole.ids()));
    let (kept, all) = (worn.ids().len() as f64, whole.ids().len() as f64);
    assert!((0.77..0.83).contains(&(kept / all)), "{kept} of {all}");
    let again = worn.summary.duplicates as f64 / kept;
    assert!((0.08..0.12).contains(&again), "{again}");
    worn.labels_hold();
    // A figure for loss strikes the intrusion like everything else.
    assert!(worn.labels().len() < whole.labels().len() * 9 / 10);
    assert!(worn.labels().len() > whole.labels().len() * 7 / 10);
}

#[test]
fn what_is_held_up_lies_in_a_later_file() {
    let late = |delay, held_up| {
        let simulation = run(&Plan {
            faults: Faults {
                delay,
                held_up: share(held_up),
                ..faultless()
            },
            days: 5,
            ..small(1, "none")
        });
        let mut hours = 0;
        for path in simulation.sink.files.keys() {
            let Some((_, name)) = path.rsplit_once("_CloudTrail_") else {
                continue;
            };
            let mut parts = name.split('_');
            let stamp = parts.nth(1).expect("a time");
            let closing: Timestamp = format!(
                "{}-{}-{}T{}:{}:00Z",
                &stamp[..4],
                &stamp[4..6],
                &stamp[6..8],
                &stamp[9..11],
                &stamp[11..13]
            )
            .parse()
            .expect("a time");
            let file = MemorySink {
                files: [(path.clone(), simulation.sink.files[path].clone())].into(),
                ..MemorySink::default()
            };
            for record in records(&file) {
                // The longest period of a file is four hours.
                hours += usize::from((closing.as_second() - time(&record).as_second()) > 5 * 3600);
            }
        }
        (hours, simulation.records.len())
    };
    let (none, _) = late(0, "0");
    let (some, all) = late(100, "0.1");
    assert_eq!(none, 0);
    assert!(some > all / 25 && some < all / 8, "{some} of {all}");
    // Forty times as late: up to ten hours and more.
    let (much, all) = late(4_000, "0");
    assert!(much > all / 3, "{much} of {all}");
}

fn records(sink: &MemorySink) -> Vec<Value> {
    use std::io::Read;
    let mut all = Vec::new();
    for bytes in sink.files.values() {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_end(&mut text)
            .expect("a whole file");
        let mut value: Value = serde_json::from_slice(&text).expect("JSON");
        all.extend(
            value["Records"]
                .as_array_mut()
                .map(std::mem::take)
                .unwrap_or_default(),
        );
    }
    all
}

#[test]
fn what_is_not_logged_is_not_there_and_all_else_is() {
    let whole = whole();
    let by_id: BTreeMap<&str, &Value> = whole
        .records
        .iter()
        .map(|record| (text(record, "eventID"), record))
        .collect();
    let start = whole.summary.begins;
    let source =
        |record: &Value, name: &str| text(record, "eventSource") == format!("{name}.amazonaws.com");
    type Hidden<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let kinds: Vec<(&str, Hidden<'_>)> = vec![
        (
            "s3-data-events",
            Box::new(|record| source(record, "s3") && text(record, "eventCategory") == "Data"),
        ),
        (
            "read-events",
            Box::new(|record| {
                record["readOnly"] == true && text(record, "eventCategory") == "Management"
            }),
        ),
        (
            "identity-center",
            Box::new(|record| {
                ["sso", "identitystore-scim"]
                    .iter()
                    .any(|name| source(record, name))
                    || text(&record["userIdentity"], "type") == "IdentityCenterUser"
            }),
        ),
        ("sts", Box::new(|record| source(record, "sts"))),
        ("service=kms", Box::new(|record| source(record, "kms"))),
        (
            "account=prod-sign",
            Box::new(|record| text(record, "recipientAccountId") == "444455556666"),
        ),
        (
            "region=us-east-1",
            Box::new(|record| text(record, "awsRegion") == "us-east-1"),
        ),
        (
            "days=6..7",
            Box::new(|record| {
                let day = (time(record).as_second() - start.as_second()) / 86_400;
                (6..=7).contains(&day)
            }),
        ),
    ];
    for (word, hidden) in kinds {
        let without = run(&Plan {
            faults: faultless(),
            without: vec![word.parse().expect("a word")],
            ..small(1, "main")
        });
        let expected: BTreeSet<String> = whole
            .records
            .iter()
            .filter(|record| !hidden(record))
            .map(|record| text(record, "eventID").to_owned())
            .collect();
        assert!(
            expected.len() < whole.records.len(),
            "{word} hides something"
        );
        assert_eq!(without.ids(), expected, "{word}");
        assert_eq!(
            without.summary.left_out,
            whole.records.len() - without.records.len(),
            "{word}"
        );
        let labelled: BTreeSet<String> = whole
            .labels()
            .iter()
            .map(|label| text(label, "event_id").to_owned())
            .filter(|id| !hidden(by_id[id.as_str()]))
            .collect();
        let left: BTreeSet<String> = without
            .labels()
            .iter()
            .map(|label| text(label, "event_id").to_owned())
            .collect();
        assert_eq!(left, labelled, "{word}");
    }
}

#[test]
fn parts_of_the_inventory_are_left_out() {
    let files = |words: &[&str]| -> BTreeSet<String> {
        let plan = Plan {
            days: 1,
            intrusion: Intrusion::None,
            max_records: 1_000,
            without: words
                .iter()
                .map(|word| word.parse::<Without>().expect("a word"))
                .collect(),
            ..Plan::default()
        };
        let simulation = run(&plan);
        let files: BTreeSet<String> = simulation
            .sink
            .files
            .keys()
            .filter(|path| !path.starts_with("logs/"))
            .cloned()
            .collect();
        assert_eq!(files.len(), simulation.summary.estate_files);
        files
    };
    let all = files(&[]);
    assert_eq!(all.len(), 16);
    assert!(all.contains("networks.csv") && all.contains("portreeve.toml"));
    for (part, count) in [
        ("inventory=iam", 4),
        ("inventory=resources", 4),
        ("inventory=credentials", 4),
        ("inventory=organization", 1),
        ("inventory=identity-center", 1),
        ("inventory", 14),
        ("networks", 1),
        ("settings", 1),
    ] {
        let left = files(&[part]);
        assert_eq!(all.len() - left.len(), count, "{part}");
    }
    assert!(files(&["inventory", "networks", "settings"]).is_empty());
}

#[test]
fn logs_may_begin_after_the_foothold() {
    let whole = whole();
    let late = run(&Plan {
        faults: faultless(),
        start_after_foothold: Some(3),
        ..small(1, "main")
    });
    // The plan has two days before the Monday of the foothold.
    let begins = whole.summary.begins.as_second() + 5 * 86_400;
    assert_eq!(late.summary.begins.as_second(), begins);
    assert!(
        late.records
            .iter()
            .all(|record| time(record).as_second() >= begins)
    );
    let expected: BTreeSet<String> = whole
        .records
        .iter()
        .filter(|record| time(record).as_second() >= begins)
        .map(|record| text(record, "eventID").to_owned())
        .collect();
    assert_eq!(late.ids(), expected);
    late.labels_hold();
    let steps = late.steps();
    assert!(!steps.contains_key("S08") && !steps.contains_key("S11"));
    assert!(
        steps.contains_key("S13") && steps.contains_key("S41"),
        "{:?}",
        steps.keys()
    );
}

#[test]
fn more_background_is_more_of_everything_within_the_limit() {
    let days = |scale, max_records| {
        run(&Plan {
            days: 2,
            intrusion: Intrusion::None,
            max_records,
            scale,
            faults: faultless(),
            ..Plan::default()
        })
    };
    let (usual, much) = (days(1, 1_000_000), days(3, 1_000_000));
    let rate = much.records.len() as f64 / usual.records.len() as f64;
    assert!((2.4..3.6).contains(&rate), "{rate}");
    let limited = days(100, 9_000);
    assert!(limited.records.len() <= 9_000, "{}", limited.records.len());
}

#[test]
fn variants_differ_from_main_in_what_they_name() {
    let main = run(&small(3, "main"));
    let shape = |simulation: &Simulation| -> BTreeMap<String, Vec<(String, String)>> {
        simulation
            .steps()
            .into_iter()
            .map(|(step, records)| {
                let mut calls: Vec<_> = records
                    .iter()
                    .map(|record| {
                        (
                            text(record, "eventTime").to_owned(),
                            text(record, "eventName").to_owned(),
                        )
                    })
                    .collect();
                calls.sort();
                (step, calls)
            })
            .collect()
    };
    let mut without_attempt = shape(&main);
    without_attempt.remove("S09");
    without_attempt.remove("S10");
    for (name, attempt, kali, abroad) in [
        ("main-plain-client", true, false, true),
        ("main-no-mfa-attempt", false, true, true),
        ("main-home-country", true, true, false),
        ("main-quiet", false, false, false),
    ] {
        let variant = run(&small(3, name));
        let expected = if attempt {
            shape(&main)
        } else {
            without_attempt.clone()
        };
        assert_eq!(shape(&variant), expected, "{name}");
        assert!(
            variant
                .labels()
                .iter()
                .all(|label| text(label, "lineage").starts_with(&format!("{name}/"))),
            "{name}"
        );
        for record in variant.steps().values().flatten() {
            let address = text(record, "sourceIPAddress");
            let last: Option<u8> = address
                .strip_prefix("192.0.2.")
                .and_then(|last| last.parse().ok());
            if let Some(last) = last {
                assert_eq!(last < 100, abroad, "{name}: {address}");
                if text(record, "userAgent").contains("aws-cli") {
                    assert_eq!(text(record, "userAgent").contains("kali"), kali, "{name}");
                }
            }
        }
        let kernel = variant
            .records
            .iter()
            .filter(|record| text(record, "userAgent").contains("6.11.2-amd64"))
            .filter(|record| text(&record["userIdentity"], "userName") != "pentest-announced")
            .count();
        assert_eq!(kernel > 0, kali, "{name}");
    }
}

#[test]
fn the_stress_is_three_thousand_machines_and_two_terabytes() {
    let stress = run(&Plan {
        max_records: 20_000,
        faults: faultless(),
        ..small(2, "scale")
    });
    let steps = stress.steps();
    let launches = &steps["V03"];
    assert_eq!(launches.len(), 3_000);
    let regions: BTreeSet<_> = launches
        .iter()
        .map(|record| text(record, "awsRegion"))
        .collect();
    assert_eq!(regions.len(), 6);
    let took = |records: &[&Value]| {
        let times: Vec<_> = records
            .iter()
            .map(|record| time(record).as_second())
            .collect();
        times.iter().max().expect("some") - times.iter().min().expect("some")
    };
    assert!(took(launches) <= 480);
    let started: usize = launches
        .iter()
        .map(|record| {
            record["responseElements"]["instancesSet"]["items"]
                .as_array()
                .map_or(0, Vec::len)
        })
        .sum();
    assert_eq!(started, 3_000);
    let reads = &steps["V04"];
    assert!(took(reads) <= 1_200);
    let bytes: i64 = reads
        .iter()
        .filter_map(|record| record["additionalEventData"]["bytesTransferredOut"].as_i64())
        .sum();
    assert!(bytes >= 2_000_000_000_000, "{bytes}");
    assert!(
        stress
            .labels()
            .iter()
            .all(|label| text(label, "lineage") == "scale/stress")
    );
    // The same key starts a few machines each working night from the office.
    let key = text(&launches[0]["userIdentity"], "accessKeyId");
    let ordinary = stress.records.iter().filter(|record| {
        text(&record["userIdentity"], "accessKeyId") == key
            && text(record, "eventName") == "RunInstances"
            && text(record, "sourceIPAddress") == "198.51.100.10"
    });
    assert!(ordinary.count() >= 10);
}

#[test]
fn ten_seeds_are_ten_organisations() {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for seed in 1..=10 {
        let simulation = run(&small(seed, "main"));
        let first = simulation.steps()["S08"][0].clone();
        let mut note = |what, value: String| {
            assert!(
                seen.entry(what).or_default().insert(value.clone()),
                "{what} {value}"
            );
        };
        note("day", text(&first, "eventTime")[..10].to_owned());
        note(
            "role",
            text(&first["userIdentity"], "principalId").to_owned(),
        );
        note(
            "person",
            first["userIdentity"]["onBehalfOf"]["userId"].to_string(),
        );
        note(
            "key",
            text(&first["userIdentity"], "accessKeyId").to_owned(),
        );
    }
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let refused = |plan: Plan| simulate(&plan, &mut MemorySink::default()).expect_err("refused");
    assert!(matches!(
        refused(Plan {
            scale: 0,
            ..small(1, "main")
        }),
        SimulateError::Scale(0)
    ));
    assert!(matches!(
        refused(Plan {
            start_after_foothold: Some(18),
            ..small(1, "main")
        }),
        SimulateError::StartAfterFoothold {
            after: 18,
            days: 18
        }
    ));
    assert!(matches!(
        refused(Plan {
            start_after_foothold: Some(0),
            ..small(1, "none")
        }),
        SimulateError::StartAfterFoothold { days: 0, .. }
    ));
    // The stress needs more room than other intrusions.
    assert!(matches!(
        refused(small(1, "scale")),
        SimulateError::TooFewRecords { records: 7_000, .. }
    ));
}
