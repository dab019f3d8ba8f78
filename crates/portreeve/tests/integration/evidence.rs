//! Digests of CloudTrail in its documented form, made here with keys of their own: what was done to
//! the files is named, and nothing else; and incidents say what may be hidden.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::chain::{Delivered, Signer, Trail};
use crate::common::{clumsy_story, enrolment, gzip, portreeve, record, report, said, story};
use jiff::ToSpan;
use serde_json::{Value, json};

/// A folder as `aws s3 sync` makes it, with the key that its digests were signed with.
struct Copied {
    folder: tempfile::TempDir,
}

impl Copied {
    fn new(trails: &[&Trail]) -> Self {
        let copied = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for trail in trails {
            let digests = trail.digests.iter().map(|digest| &digest.delivered);
            for file in digests.chain(&trail.logs) {
                let path = copied.path(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, gzip(&file.content)).unwrap();
            }
        }
        std::fs::write(copied.keys(), Signer::one().keys()).unwrap();
        copied
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn path(&self, file: &Delivered) -> PathBuf {
        self.logs().join(&file.object)
    }

    fn verify(&self, options: &[&str]) -> std::process::Output {
        let (logs, keys) = (self.logs(), self.keys());
        let fixed = [
            "evidence",
            "verify",
            logs.to_str().unwrap(),
            "--keys",
            keys.to_str().unwrap(),
        ];
        portreeve(&[&fixed[..], options].concat())
    }
}

/// What is named, by kind.
fn named(document: &Value) -> BTreeSet<(String, String)> {
    let holes = document["holes"].as_array().unwrap().iter().map(|hole| {
        let name = hole["file"]
            .as_str()
            .unwrap_or(hole["object"].as_str().unwrap());
        (hole["kind"].as_str().unwrap().to_owned(), base(name))
    });
    let moved = document["moved"].as_array().unwrap().iter();
    holes
        .chain(moved.map(|moved| ("moved".to_owned(), base(moved["object"].as_str().unwrap()))))
        .collect()
}

fn base(name: &str) -> String {
    name.rsplit('/').next().unwrap().to_owned()
}

/// Three hundred files of one account and region, two hundred of another, over fifty hours.
fn five_hundred() -> [Trail; 2] {
    let mut first = Trail::new("111122223333", "eu-west-1");
    let mut second = Trail::new("444455556666", "us-east-1");
    for hour in 0..50u32 {
        let file = |trail: &Trail, number: u32| {
            let time = (trail.now + i64::from(number).minutes()).to_string();
            vec![record(hour * 100 + number, &time, "198.51.100.10")]
        };
        let six: Vec<Vec<Value>> = (0..6).map(|number| file(&first, number)).collect();
        first.hour(&six);
        let four: Vec<Vec<Value>> = (10..14).map(|number| file(&second, number)).collect();
        second.hour(&four);
    }
    assert_eq!(first.logs.len() + second.logs.len(), 500);
    [first, second]
}

#[test]
fn of_five_hundred_files_exactly_those_are_named_that_were_touched() {
    let [first, second] = five_hundred();
    let copied = Copied::new(&[&first, &second]);
    let document: Value = report(&copied.verify(&["--format", "json"]));
    assert!(named(&document).is_empty());
    assert_eq!(
        document["summary"]["logs"],
        json!({"proven": 490, "unproven": 10})
    );
    assert_eq!(
        document["summary"]["digests"],
        json!({"proven": 98, "unproven": 2})
    );

    // One altered, one missing, one moved.
    let altered = &first.logs[40];
    let text = String::from_utf8(altered.content.clone()).unwrap();
    let changed = text.replace("198.51.100.10", "198.51.100.99");
    assert_ne!(text, changed);
    std::fs::write(copied.path(altered), gzip(changed.as_bytes())).unwrap();
    let missing = &second.logs[77];
    std::fs::remove_file(copied.path(missing)).unwrap();
    let moved = &first.logs[123];
    let elsewhere = copied.logs().join("elsewhere/renamed.json");
    std::fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    std::fs::remove_file(copied.path(moved)).unwrap();
    // Not compressed either.
    std::fs::write(&elsewhere, &moved.content).unwrap();

    let output = copied.verify(&["--format", "json"]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected: BTreeSet<(String, String)> = [
        ("altered-log", altered),
        ("missing-log", missing),
        ("moved", moved),
    ]
    .into_iter()
    .map(|(kind, file)| (kind.to_owned(), base(&file.object)))
    .collect();
    assert_eq!(named(&document), expected);
    assert_eq!(
        document["summary"]["logs"],
        json!({"proven": 488, "unproven": 10, "altered": 1, "missing": 1})
    );
    let place = |kind: &str| {
        let holes = document["holes"].as_array().unwrap();
        let hole = holes.iter().find(|hole| hole["kind"] == kind).unwrap();
        format!("{} {}", hole["account"], hole["region"])
    };
    assert_eq!(place("missing-log"), "\"444455556666\" \"us-east-1\"");

    // A person reads the same, and sees it drawn.
    let output = copied.verify(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("488 of 500 log files proven, 2 holes found"),
        "{text}"
    );
    assert!(
        text.contains(&base(&missing.object)) && text.contains("renamed"),
        "{text}"
    );
    let page = String::from_utf8(copied.verify(&["--format", "html"]).stdout).unwrap();
    assert!(page.contains("<svg") && page.contains(&base(&altered.object)));
    assert!(!page.contains("http://") && !page.contains("<script"));
}

#[test]
fn the_newest_is_proven_by_metadata_beside_it_and_keys_may_stand_in_the_settings() {
    let mut trail = Trail::new("111122223333", "eu-west-1");
    trail.hour(&[story()]);
    let copied = Copied::new(&[&trail]);
    let summary = |output| report(&output)["summary"]["logs"].clone();
    assert_eq!(
        summary(copied.verify(&["--format", "json"])),
        json!({"unproven": 1})
    );
    let metadata = json!({"Metadata": {"signature": trail.digests[0].signature}});
    std::fs::write(copied.logs().join("head.json"), metadata.to_string()).unwrap();
    assert_eq!(
        summary(copied.verify(&["--format", "json"])),
        json!({"proven": 1})
    );
    let settings = copied.folder.path().join("portreeve.toml");
    std::fs::write(&settings, "digest_keys = [\"keys.json\"]\n").unwrap();
    let output = portreeve(&[
        "evidence",
        "verify",
        copied.logs().to_str().unwrap(),
        "--config",
        settings.to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(summary(output), json!({"proven": 1}));
}

#[test]
fn what_is_wrong_is_said_at_the_edge() {
    let mut trail = Trail::new("111122223333", "eu-west-1");
    trail.hour(&[story()]);
    let copied = Copied::new(&[&trail]);
    std::fs::write(copied.keys(), "{}").unwrap();
    let output = copied.verify(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("list-public-keys"),
        "{}",
        said(&output)
    );
    // No digest at all.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.json"), "{\"Records\":[]}").unwrap();
    let output = portreeve(&["evidence", "verify", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("digest"), "{}", said(&output));
    // A digest that breaks off, and one that is something else now.
    for _ in 0..3 {
        trail.hour(&[]);
    }
    for what in ["half", "hello"] {
        let copied = Copied::new(&[&trail]);
        let path = copied.path(&trail.digests[1].delivered);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() / 2);
        let bytes = if what == "half" { bytes } else { what.into() };
        std::fs::write(&path, bytes).unwrap();
        let output = copied.verify(&["--format", "json"]);
        assert_eq!(output.status.code(), Some(10), "{}", said(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let name = base(&trail.digests[1].delivered.object);
        assert_eq!(
            named(&document),
            [("altered-digest".to_owned(), name)].into()
        );
    }
}

/// A day with an intrusion: its records in the file of the eighth hour.
fn intrusion() -> Trail {
    let mut trail = Trail::new("111122223333", "eu-west-1");
    trail.now = "2026-03-03T00:00:00Z".parse().unwrap();
    for hour in 0..12u32 {
        let time = (trail.now + 10.minutes()).to_string();
        let quiet = vec![record(100 + hour, &time, "198.51.100.10")];
        if hour == 7 {
            let mut last = clumsy_story();
            last.push(enrolment(9, "2026-03-03T07:55:00Z"));
            trail.hour(&[quiet, story(), last]);
        } else {
            trail.hour(&[quiet]);
        }
    }
    trail
}

fn investigate(logs: &Path, keys: Option<&Path>) -> Value {
    let mut arguments = vec!["investigate", logs.to_str().unwrap(), "--format", "json"];
    if let Some(keys) = keys {
        arguments.extend(["--keys", keys.to_str().unwrap()]);
    }
    report(&portreeve(&arguments))
}

#[test]
fn an_incident_shows_what_is_proven_and_what_may_be_hidden() {
    let trail = intrusion();
    let copied = Copied::new(&[&trail]);
    let told = investigate(&copied.logs(), Some(&copied.keys()));
    let incident = &told["incidents"][0];
    assert!(
        incident["evidence_holes"].is_null(),
        "{}",
        incident["evidence_holes"]
    );
    let records = incident["timeline"].as_array().unwrap().len();
    // The last record is in a file of the newest digest.
    let proven = records - 1;
    assert_eq!(incident["proof"], json!({"proven": proven, "unproven": 1}));
    assert_eq!(told["verification"]["chains"][0]["digests_proven"], 11);
    let proofs: Vec<&str> = told["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|input| input["kind"] == "log")
        .filter_map(|input| input["proof"].as_str())
        .collect();
    assert_eq!(
        proofs.iter().filter(|proof| **proof == "proven").count(),
        13
    );

    // A file of the hour of the intrusion is taken away, and one of another hour.
    for gone in [8, 0] {
        std::fs::remove_file(copied.path(&trail.logs[gone])).unwrap();
    }
    let told = investigate(&copied.logs(), Some(&copied.keys()));
    let holes = told["incidents"][0]["evidence_holes"].as_array().unwrap();
    assert_eq!(holes.len(), 1, "{holes:?}");
    assert_eq!(
        base(holes[0]["object"].as_str().unwrap()),
        base(&trail.logs[8].object)
    );
    let missing: Vec<&str> = told["blind_spots"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|spot| spot["missing"].as_str())
        .filter(|missing| missing.starts_with("missing log file"))
        .collect();
    assert_eq!(missing.len(), 2, "{missing:?}");

    // Without a key nothing is proven, and hashes still speak.
    let told = investigate(&copied.logs(), None);
    assert!(told["notes"].to_string().contains("no public key"));
    assert_eq!(
        told["incidents"][0]["evidence_holes"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(told["incidents"][0]["proof"]["proven"], Value::Null);

    // Handed on without names.
    let output = portreeve(&[
        "investigate",
        copied.logs().to_str().unwrap(),
        "--redact",
        "--format",
        "json",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("111122223333") && !text.contains("org_trail"));
    assert!(!text.contains("org-logs"));
}

#[test]
fn logs_without_digests_say_nothing_of_proof() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    std::fs::write(&log, json!({"Records": story()}).to_string()).unwrap();
    let told = investigate(&log, None);
    assert!(told["verification"].is_null());
    assert!(told["incidents"][0]["proof"].is_null());
}
