//! Exceptions from the settings to the report, and their command.

use crate::common::{clumsy_story, lines, portreeve, report, said, story};
use serde_json::Value;

const WHO: &str =
    "owner = 'red team'\nreason = 'announced'\nticket = 'SEC-1'\nexpires = 2026-12-31\n";

/// A folder with a story and settings.
fn folder(exceptions: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.ndjson"), lines(&story())).unwrap();
    std::fs::write(folder.path().join("portreeve.toml"), exceptions).unwrap();
    folder
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn a_muted_finding_is_told_and_does_not_page() {
    let loud = folder("");
    let path = loud.path().to_str().unwrap();
    let output = portreeve(&[
        "investigate",
        path,
        "--fail-on",
        "medium",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(10));
    let quiet = folder(&format!(
        "[[exceptions]]\nid = 'pentest'\nactor = 'dev.mira'\nnetwork = '192.0.2.0/24'\n{WHO}"
    ));
    let path = quiet.path().to_str().unwrap();
    let output = portreeve(&[
        "investigate",
        path,
        "--fail-on",
        "medium",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = report(&output);
    let muted = report["findings"].as_array().unwrap().iter();
    assert!(muted.clone().count() > 0 && muted.clone().all(|it| it["muted_by"] == "pentest"));
    let incident = &report["incidents"][0];
    assert_eq!(incident["severity"], "informational");
    assert_eq!(
        incident["muted"].as_u64().unwrap() as usize,
        incident["findings"].as_array().unwrap().len()
    );
    assert_eq!(report["exceptions"][0]["state"], "active");
    let shown = portreeve(&["investigate", path]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("EXCEPTIONS (1") && shown.contains("pentest"),
        "{shown}"
    );
}

#[test]
fn the_command_lists_states() {
    let settings = format!(
        "[[exceptions]]\nid = 'used'\nrule = '*'\nactor = 'dev.mira'\n{WHO}\
         [[exceptions]]\nid = 'unused'\nactor = 'nobody'\n{WHO}\
         [[exceptions]]\nid = 'over'\nactor = 'dev.mira'\n{}",
        WHO.replace("2026-12-31", "2026-03-01")
    );
    let folder = folder(&settings);
    let path = folder.path().to_str().unwrap();
    let answer = report(&portreeve(&["exceptions", path, "--format", "json"]));
    let states: Vec<(&str, &str)> = answer["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["id"]), text(&it["state"])))
        .collect();
    assert_eq!(
        states,
        [
            ("used", "active"),
            ("unused", "unused"),
            ("over", "expired")
        ]
    );
    let config = folder.path().join("portreeve.toml");
    let answer = portreeve(&["exceptions", "--config", config.to_str().unwrap()]);
    assert!(answer.status.success());
    assert!(String::from_utf8_lossy(&answer.stdout).contains("unused"));
}

#[test]
fn an_exception_without_an_owner_is_refused() {
    let folder =
        folder("[[exceptions]]\nactor = 'x'\nexpires = 2026-12-31\nreason = 'r'\nticket = 't'\n");
    let output = portreeve(&["investigate", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("`owner` is missing"),
        "{}",
        said(&output)
    );
}

#[test]
fn the_test_tells_what_would_be_hidden() {
    let settings = format!(
        "[[exceptions]]\nid = 'harmless'\nrule = 'console-login-failed'\n{WHO}\
         [[exceptions]]\nid = 'person'\nactor = 'somebody.else'\n{WHO}"
    );
    let folder = folder(&settings);
    let config = folder.path().join("portreeve.toml");
    let output = portreeve(&[
        "exceptions",
        "--config",
        config.to_str().unwrap(),
        "--test",
        "--seeds",
        "1",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let none = serde_json::json!([]);
    let [harmless, person] = answer["test"].as_array().unwrap().as_slice() else {
        panic!("two exceptions, two trials");
    };
    assert!(harmless["incidents"].as_u64().unwrap() >= 2);
    assert_eq!(
        (&harmless["as_written"], &harmless["as_if_of_the_victim"]),
        (&none, &none)
    );
    // Nobody of that name is simulated; whoever it is for could be the next victim.
    assert_eq!(person["as_written"], none);
    assert_ne!(person["as_if_of_the_victim"], none);
}

#[test]
fn verdicts_suggest_and_never_apply() {
    let folder = folder("");
    // What is critical is to be looked at each time, and nothing is suggested for it.
    std::fs::write(folder.path().join("log.ndjson"), lines(&clumsy_story())).unwrap();
    let path = folder.path().to_str().unwrap();
    let output = portreeve(&["investigate", path, "--format", "json"]);
    let id = text(&report(&output)["incidents"][0]["id"]).to_owned();
    let kept = tempfile::tempdir().unwrap();
    let at = |name: &str| kept.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("report.json"), &output.stdout).unwrap();
    std::fs::write(
        at("verdicts.toml"),
        format!("[[verdict]]\nincident = '{id}'\nverdict = 'expected'\nreason = 'exercise'\nowner = 'red team'\nticket = 'SEC-9'\n"),
    )
    .unwrap();
    let suggested = portreeve(&[
        "exceptions",
        "suggest",
        "--verdicts",
        &at("verdicts.toml"),
        &at("report.json"),
    ]);
    assert!(suggested.status.success(), "{}", said(&suggested));
    let suggested = String::from_utf8(suggested.stdout).unwrap();
    assert!(suggested.contains("[[exceptions]]"));
    // Copied into the settings, they do what they say.
    std::fs::write(folder.path().join("portreeve.toml"), suggested).unwrap();
    let after = report(&portreeve(&["investigate", path, "--format", "json"]));
    assert_eq!(after["incidents"][0]["severity"], "informational");
}
