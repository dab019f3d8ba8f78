//! The race for the crown jewels of a simulated organisation: the delay is that of its logs, outcomes
//! follow from the times, and what is not logged shows nothing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::{files_below, portreeve, report, said};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

struct Organisation {
    folder: tempfile::TempDir,
}

impl Organisation {
    fn new(without: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("halyard");
        let mut arguments = vec!["simulate", "--days", "3", "--max-records", "1500"];
        arguments.extend(["--intrusion", "none", "--out", out.to_str().unwrap()]);
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

    fn race(&self, options: &[&str]) -> Value {
        let root = self.root();
        let fixed = ["race", root.to_str().unwrap(), "--format", "json"];
        report(&portreeve(&[&fixed[..], options].concat()))
    }
}

fn main() -> &'static Organisation {
    static MAIN: OnceLock<Organisation> = OnceLock::new();
    MAIN.get_or_init(|| Organisation::new(&[]))
}

fn seconds(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

/// The delays of all records of each account, each event once at its first file by name, sorted.
fn measured(root: &Path) -> BTreeMap<String, Vec<i64>> {
    let files = files_below(&root.join("logs"));
    let mut of_event = BTreeMap::<String, (String, i64)>::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(time) = name
            .split("_CloudTrail_")
            .nth(1)
            .and_then(|rest| rest.split('_').nth(1))
        else {
            continue;
        };
        let delivered = DateTime::strptime("%Y%m%dT%H%MZ", time).unwrap();
        let delivered = delivered.to_zoned(TimeZone::UTC).unwrap().timestamp();
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        for record in file["Records"].as_array().unwrap() {
            let event: Timestamp = record["eventTime"].as_str().unwrap().parse().unwrap();
            let delay = delivered.as_second() + 60 - event.as_second();
            let account = record["recipientAccountId"].as_str().unwrap().to_owned();
            of_event
                .entry(record["eventID"].as_str().unwrap().to_owned())
                .or_insert((account, delay));
        }
    }
    let mut delays = BTreeMap::<String, Vec<i64>>::new();
    for (account, delay) in of_event.into_values() {
        delays.entry(account).or_default().push(delay);
    }
    delays.values_mut().for_each(|own| own.sort_unstable());
    delays
}

#[test]
fn the_delay_is_that_of_the_logs() {
    let organisation = main();
    let race = organisation.race(&[]);
    let expected = measured(&organisation.root());
    let told = race["delays"].as_object().unwrap();
    assert_eq!(told.len(), expected.len());
    for (account, delays) in expected {
        let delay = &told[&account];
        assert_eq!(seconds(&delay["records"]), delays.len() as i64);
        assert_eq!(seconds(&delay["median"]), delays[delays.len() / 2]);
        assert_eq!(seconds(&delay["late"]), delays[delays.len() * 90 / 100]);
    }
}

#[test]
fn outcomes_follow_from_the_times() {
    for response in [0, 30] {
        let race = main().race(&["--response", &response.to_string()]);
        let jewels = race["jewels"].as_array().unwrap();
        assert!(jewels.len() > 5);
        let mut signs = 0;
        for jewel in jewels {
            let steps = jewel["steps"].as_array().unwrap();
            let mut now = 0;
            for step in steps {
                let calls = match step["via"].as_str().unwrap() {
                    "administrator" => false,
                    "administers" | "signs-in-as" => true,
                    _ => !step["permissions"].as_array().unwrap().is_empty(),
                };
                let called = now + if calls { 60 } else { 0 };
                assert_eq!(seconds(&step["called"]), called);
                now = seconds(&step["done"]);
                assert!(now >= called);
            }
            assert_eq!(seconds(&jewel["seconds"]), now);
            let sign = &jewel["first_sign"];
            if sign.is_null() {
                assert_eq!(jewel["outcome"], "unseen");
                continue;
            }
            signs += 1;
            let left = now - seconds(&sign["shown"]) - response * 60;
            let left_late = now - seconds(&sign["shown_late"]) - response * 60;
            assert_eq!(seconds(&jewel["margin"]), left);
            let outcome = match (left > 0, left_late > 0) {
                (false, _) => "lost",
                (true, false) => "luck",
                (true, true) => "won",
            };
            assert_eq!(jewel["outcome"], outcome);
            let step = &steps[sign["step"].as_u64().unwrap() as usize];
            assert_eq!(step["signs"][0]["rule"], sign["rule"]["rule"]);
            // Nothing before it shows.
            let before = steps.iter().take(sign["step"].as_u64().unwrap() as usize);
            assert!(
                before
                    .into_iter()
                    .all(|step| step["signs"].as_array().unwrap().is_empty())
            );
        }
        assert!(signs > 0);
        // Every quickest path to what is lost is cut by some control.
        let controls = race["controls"].as_array().unwrap();
        for jewel in jewels {
            let needs = ["lost", "unseen"].contains(&jewel["outcome"].as_str().unwrap());
            let calls = jewel["steps"].as_array().unwrap().iter();
            let has_calls = calls
                .clone()
                .any(|step| !step["permissions"].as_array().unwrap().is_empty());
            let named = controls.iter().any(|control| {
                control["jewels"]
                    .as_array()
                    .unwrap()
                    .contains(&jewel["jewel"])
            });
            assert_eq!(named, needs && has_calls, "{}", jewel["jewel"]);
        }
    }
}

#[test]
fn what_is_not_logged_shows_nothing() {
    let origin = |race: &Value| {
        let jewels = race["jewels"].as_array().unwrap();
        jewels
            .iter()
            .find(|jewel| jewel["kind"] == "web-origin")
            .unwrap()
            .clone()
    };
    let writes = |jewel: &Value| {
        let steps = jewel["steps"].as_array().unwrap();
        steps
            .iter()
            .find(|step| step["via"] == "s3-write-object")
            .unwrap()
            .clone()
    };
    let seen = writes(&origin(&main().race(&[])));
    assert!(
        seen["logged"].to_string().contains("s3:PutObject"),
        "{seen}"
    );
    let blind = Organisation::new(&["s3-data-events"]);
    let unseen = writes(&origin(&blind.race(&[])));
    assert!(
        unseen["unlogged"].to_string().contains("s3:PutObject"),
        "{unseen}"
    );
    assert!(unseen["signs"].as_array().unwrap().is_empty());
}

#[test]
fn without_logs_the_documented_delay_counts() {
    let estate = main().root().join("estate");
    let output = portreeve(&["race", estate.to_str().unwrap(), "--format", "json"]);
    let race = report(&output);
    assert_eq!(race["logs_given"], false);
    assert!(race["delays"].as_object().unwrap().is_empty());
    assert_eq!(seconds(&race["documented_delay"]["median"]), 300);
    assert!(said(&output).contains("No log was read"));
    let sign = race["jewels"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|jewel| jewel["first_sign"].as_object())
        .unwrap();
    assert_eq!(seconds(&sign["shown"]) - seconds(&sign["called"]), 300);
    assert_eq!(seconds(&sign["shown_late"]) - seconds(&sign["called"]), 900);
}

#[test]
fn a_person_reads_it_and_sees_it_drawn() {
    let root = main().root();
    let root = root.to_str().unwrap();
    let text = String::from_utf8(portreeve(&["race", root]).stdout).unwrap();
    assert!(text.contains("WHAT WINS WHERE DETECTION CANNOT"), "{text}");
    assert!(
        text.contains("measured of") && text.contains("Lazarus Group"),
        "{text}"
    );
    let page = portreeve(&["race", root, "--format", "html"]).stdout;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<svg") && page.contains("What wins where detection cannot"));
    let output = portreeve(&["race", root, "--actor", "nobody"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("there are lazarus"),
        "{}",
        said(&output)
    );
}
