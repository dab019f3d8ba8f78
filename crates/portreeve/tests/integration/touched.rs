//! Did they touch it? On simulated organisations: yes with the records, and no with what was and was not
//! logged.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::{lines, portreeve, record, report, said};
use serde_json::{Value, json};

/// A simulated organisation with an intrusion, and what was planted.
struct Organisation {
    folder: tempfile::TempDir,
}

impl Organisation {
    fn new(without: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (out, labels) = (folder.path().join("halyard"), folder.path().join("labels"));
        let mut arguments = vec!["simulate", "--days", "24", "--max-records", "8000"];
        arguments.extend(["--out", out.to_str().unwrap()]);
        arguments.extend(["--labels", labels.to_str().unwrap()]);
        for kind in without {
            arguments.extend(["--without", kind]);
        }
        let output = portreeve(&arguments);
        assert!(output.status.success(), "{}", said(&output));
        Self { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("halyard")
    }

    /// The event ids of the intrusion's records.
    fn planted(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.folder.path().join("labels")).unwrap();
        text.lines()
            .map(|line| {
                let label: Value = serde_json::from_str(line).unwrap();
                label["event_id"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    fn ask(&self, asked: &str, options: &[&str]) -> Value {
        let root = self.root();
        let fixed = ["touched", asked, root.to_str().unwrap(), "--format", "json"];
        report(&portreeve(&[&fixed[..], options].concat()))
    }

    /// Its crown jewels of a kind.
    fn jewels(&self, kind: &str) -> Vec<String> {
        let estate = self.root().join("estate");
        let told = report(&portreeve(&[
            "paths",
            estate.to_str().unwrap(),
            "--format",
            "json",
        ]));
        let jewels = told["jewels"].as_array().unwrap().iter();
        jewels
            .filter(|jewel| jewel["kind"] == kind)
            .map(|jewel| jewel["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The id of the gravest incident.
    fn incident(&self) -> String {
        let root = self.root();
        let told = report(&portreeve(&[
            "investigate",
            root.to_str().unwrap(),
            "--format",
            "json",
        ]));
        told["incidents"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn main() -> &'static Organisation {
    static MAIN: OnceLock<Organisation> = OnceLock::new();
    MAIN.get_or_init(|| Organisation::new(&[]))
}

fn kind<'v>(answer: &'v Value, kind: &str) -> &'v Value {
    let kinds = answer["covered"]["kinds"].as_array().unwrap();
    kinds.iter().find(|it| it["kind"] == kind).unwrap()
}

fn limits(answer: &Value) -> String {
    answer["covered"]["limits"].to_string()
}

fn ids(records: &Value) -> BTreeSet<String> {
    let records = records.as_array().unwrap().iter();
    records
        .map(|record| record["event_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_the_intruder_wrote_was_touched_and_every_record_is_his() {
    let organisation = main();
    let origin = &organisation.jewels("web-origin")[0];
    let incident = organisation.incident();
    let answer = organisation.ask(origin, &["--by", &incident[..8]]);
    assert_eq!(answer["answer"], "yes");
    assert_eq!(answer["by"], incident.as_str());
    let actions: BTreeSet<&str> = answer["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["action"].as_str().unwrap())
        .collect();
    assert!(
        actions.contains("s3:PutObject") && actions.contains("s3:GetObject"),
        "{actions:?}"
    );
    // All that was planted on it is there.
    let everyone = organisation.ask(origin, &[]);
    let planted: BTreeSet<String> = ids(&everyone["records"])
        .intersection(&organisation.planted())
        .cloned()
        .collect();
    assert!(planted.len() > 50, "{}", planted.len());
    assert!(planted.is_subset(&ids(&answer["records"])));
    assert!(ids(&answer["records"]).len() < ids(&everyone["records"]).len());
    // Each with its place.
    let first = &answer["records"][0];
    assert!(Path::new(first["file"].as_str().unwrap()).is_file());
    assert!(first["index"].is_u64() && first["offset"].is_u64());
    assert_eq!(kind(&answer, "Data")["logged"], "yes");
}

#[test]
fn the_wallets_key_was_not_touched_and_the_no_says_what_it_rests_on() {
    let organisation = main();
    let key = &organisation.jewels("signing-key")[0];
    let incident = organisation.incident();
    let answer = organisation.ask(key, &["--by", &incident]);
    assert_eq!(answer["answer"], "no", "{}", answer["headline"]);
    assert_eq!(answer["covered"]["accounts"], json!(["444455556666"]));
    assert_eq!(answer["covered"]["region"], "eu-west-1");
    assert_eq!(kind(&answer, "Management")["logged"], "yes");
    assert!(
        kind(&answer, "Management")["why"]
            .as_str()
            .unwrap()
            .contains("calls of kms in account 444455556666")
    );
    let cells = answer["covered"]["cells"].as_array().unwrap();
    assert!(
        cells
            .iter()
            .all(|cell| cell["account"] == "444455556666" && cell["region"] == "eu-west-1")
    );
    // The simulator's digests have no key that proves them.
    assert!(limits(&answer).contains("not every log file is proven"));
    // Without the limit to the incident its owners are seen at work.
    assert_eq!(organisation.ask(key, &[])["answer"], "yes");
}

#[test]
fn without_data_events_a_no_says_that_they_were_not_logged() {
    let organisation = Organisation::new(&["s3-data-events", "days=10..11"]);
    let origin = &organisation.jewels("web-origin")[0];
    let object = format!("{}/index.html", origin.replace("arn:aws:s3:::", "s3://"));
    let answer = organisation.ask(&object, &[]);
    assert_eq!(answer["answer"], "no");
    assert_eq!(kind(&answer, "Data")["logged"], "no");
    assert!(
        limits(&answer)
            .contains("data events of s3 (reads and writes of its objects) were not logged"),
        "{}",
        limits(&answer)
    );
    // The days without any record are told too.
    let holes = answer["covered"]["cells"].as_array().unwrap().iter();
    let holes: Vec<&Value> = holes
        .flat_map(|cell| cell["holes"].as_array().unwrap())
        .collect();
    assert!(!holes.is_empty());
    assert!(limits(&answer).contains("although other days have some at these hours"));
    // A person reads the same.
    let root = organisation.root();
    let text = portreeve(&["touched", &object, root.to_str().unwrap()]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("No: no call on"), "{text}");
    assert!(
        text.contains("NOT LOGGED") && text.contains("THE LIMITS OF THIS ANSWER"),
        "{text}"
    );
}

#[test]
fn of_an_account_without_logs_nothing_is_called_untouched() {
    let organisation = Organisation::new(&["account=prod-sign"]);
    let key = &organisation.jewels("signing-key")[0];
    let answer = organisation.ask(key, &[]);
    assert_eq!(answer["answer"], "no");
    assert_eq!(kind(&answer, "Management")["logged"], "no");
    assert!(
        limits(&answer).contains("no management event of account 444455556666 is there"),
        "{}",
        limits(&answer)
    );
}

#[test]
fn all_that_a_principal_touched_is_told_by_resource() {
    let organisation = main();
    let answer = organisation.ask("gha-deploy", &[]);
    assert_eq!(
        (&answer["subject"], &answer["answer"]),
        (&json!("principal"), &json!("yes"))
    );
    let origin = &organisation.jewels("web-origin")[0];
    let resources = answer["resources"].as_array().unwrap();
    let bucket = resources
        .iter()
        .find(|it| it["resource"] == origin.as_str())
        .unwrap();
    assert!(bucket["objects"].as_u64().unwrap() > 0);
    assert!(bucket["actions"]["s3:PutObject"].as_u64().unwrap() > 0);
    let records = answer["records"].as_array().unwrap().iter();
    assert!(records.clone().count() > 10);
    // As a resource it is something else: a role that is changed or taken.
    let role = organisation.ask("gha-deploy", &["--as", "resource"]);
    assert_eq!(role["subject"], "resource");
    let page = portreeve(&[
        "touched",
        "gha-deploy",
        organisation.root().to_str().unwrap(),
        "--format",
        "html",
    ]);
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.contains("<svg") && page.contains("gha-deploy") && !page.contains("<script"));
}

/// Asks a few records of a bucket's reader about a resource.
fn asked(records: &[Value], resource: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    std::fs::write(&log, lines(records)).unwrap();
    report(&portreeve(&[
        "touched",
        resource,
        log.to_str().unwrap(),
        "--format",
        "json",
    ]))
}

fn call(number: u32, service: &str, operation: &str, parameters: Value) -> Value {
    let mut call = record(number, "2026-03-03T07:05:00Z", "198.51.100.10");
    call["eventSource"] = format!("{service}.amazonaws.com").into();
    call["eventName"] = operation.into();
    call["requestParameters"] = parameters;
    call
}

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:wallet/seed-a1B2c3";

#[test]
fn a_refused_read_did_not_touch_it_and_is_told_apart() {
    let mut read = call(
        1,
        "secretsmanager",
        "GetSecretValue",
        json!({"secretId": "wallet/seed"}),
    );
    read["errorCode"] = "AccessDenied".into();
    let answer = asked(std::slice::from_ref(&read), SECRET);
    assert_eq!(answer["answer"], "no");
    assert_eq!(answer["attempts"][0]["outcome"], "AccessDenied");
    assert_eq!(answer["attempts"][0]["denied"], true);
    assert!(
        answer["headline"]
            .as_str()
            .unwrap()
            .contains("one call was refused or failed")
    );
    // The same read, done: by a name without the ending that Secrets Manager adds.
    read["errorCode"] = Value::Null;
    read["eventID"] = "00000000-0000-4000-8000-0000000000ff".into();
    let answer = asked(&[read], SECRET);
    assert_eq!(answer["answer"], "yes");
    assert_eq!(
        answer["records"][0]["event_id"],
        "00000000-0000-4000-8000-0000000000ff"
    );
}

#[test]
fn a_batch_may_have_touched_what_it_does_not_name() {
    let batch = call(
        1,
        "secretsmanager",
        "BatchGetSecretValue",
        json!({"filters": [{"key": "all"}]}),
    );
    let answer = asked(std::slice::from_ref(&batch), SECRET);
    assert_eq!(answer["answer"], "possibly");
    assert_eq!(answer["implied"][0]["touches"], true);
    // Not in another account.
    let other = SECRET.replace("111122223333", "444455556666");
    assert_eq!(asked(&[batch], &other)["answer"], "no");
    // A list tells names at most.
    let list = call(2, "s3", "ListObjectsV2", json!({"bucketName": "web"}));
    let answer = asked(&[list], "s3://web/index.html");
    assert_eq!(answer["answer"], "no");
    assert_eq!(answer["implied"][0]["touches"], false);
    let delete = call(3, "s3", "DeleteObjects", json!({"bucketName": "web"}));
    assert_eq!(
        asked(&[delete], "s3://web/index.html")["answer"],
        "possibly"
    );
}

#[test]
fn parts_of_a_resource_are_it_and_neighbours_are_not() {
    let put = call(
        1,
        "s3",
        "PutObject",
        json!({"bucketName": "web", "key": "a/index.html"}),
    );
    assert_eq!(
        asked(std::slice::from_ref(&put), "s3://web")["answer"],
        "yes"
    );
    assert_eq!(
        asked(std::slice::from_ref(&put), "s3://web/a/index.html")["answer"],
        "yes"
    );
    assert_eq!(
        asked(std::slice::from_ref(&put), "s3://web/a/index.htm")["answer"],
        "no"
    );
    assert_eq!(asked(&[put], "s3://we")["answer"], "no");
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:pay";
    let invoke = call(
        2,
        "lambda",
        "Invoke",
        json!({"functionName": format!("{function}:7")}),
    );
    assert_eq!(
        asked(std::slice::from_ref(&invoke), function)["answer"],
        "yes"
    );
    let other = asked(
        &[invoke],
        "arn:aws:lambda:eu-west-1:111122223333:function:payments",
    );
    assert_eq!(other["answer"], "no");
    assert_eq!(kind(&other, "Data")["logged"], "unsure");
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    std::fs::write(
        &log,
        lines(&[record(1, "2026-03-03T07:05:00Z", "198.51.100.10")]),
    )
    .unwrap();
    let log = log.to_str().unwrap();
    let output = portreeve(&["touched", "nothing-of-it", log]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("nothing in the inventory or the logs"),
        "{}",
        said(&output)
    );
    let output = portreeve(&["touched", "s3://web", log, "--by", "abc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("no incident is called `abc`"),
        "{}",
        said(&output)
    );
}
