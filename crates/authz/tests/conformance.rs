//! The project's own conformance suite: cases in the format of `policy test`, each with the page
//! of AWS's documentation that it follows. `expected_layer` and `expected_atoms` (condition key to
//! its class) are asserted where a case holds them.

// How many cases there are is for people to read.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portreeve_authz::aws::case::{Case, CaseDecision, run};
use serde::Deserialize;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance");

/// What a case expects beside its decision.
#[derive(Deserialize)]
struct Expected {
    expected_layer: Option<String>,
    expected_atoms: Option<BTreeMap<String, String>>,
}

fn files() -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(FOLDER).expect("the suite is beside the test");
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn cases(path: &Path) -> Vec<(Case, Expected)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            let place = || format!("{}:{}", path.display(), index + 1);
            let case = serde_json::from_str(line);
            let expected = serde_json::from_str(line);
            (
                case.unwrap_or_else(|error| panic!("{}: {error}", place())),
                expected.unwrap_or_else(|error| panic!("{}: {error}", place())),
            )
        })
        .collect()
}

/// Why a case fails, if it does.
fn failure(case: &Case, expected: &Expected) -> Option<String> {
    let outcome = run(case);
    if !outcome.pass {
        let because = outcome.reason.unwrap_or_default();
        let layer = outcome.layer.map_or("-", |layer| layer.as_str());
        let keys: Vec<&str> = outcome
            .depends_on
            .iter()
            .map(|atom| atom.key.as_str())
            .collect();
        return Some(format!(
            "{:?} by {layer}, not {:?} {because} {keys:?}",
            outcome.decision, case.expected
        ));
    }
    if let Some(wanted) = &expected.expected_layer {
        let layer = outcome.layer.map(|layer| layer.as_str());
        if layer != Some(wanted) {
            return Some(format!("rests on {layer:?}, not {wanted}"));
        }
    }
    if let Some(wanted) = &expected.expected_atoms {
        let found: BTreeMap<String, String> = outcome
            .depends_on
            .iter()
            .map(|atom| (atom.key.clone(), atom.class.as_str().to_owned()))
            .collect();
        if found != *wanted {
            return Some(format!("hangs on {found:?}, not {wanted:?}"));
        }
    }
    if (outcome.decision == CaseDecision::Invalid) != outcome.reason.is_some() {
        return Some("an invalid case has a reason, and only such".to_owned());
    }
    None
}

#[test]
fn every_case_passes() {
    let (mut ids, mut questions) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong = Vec::new();
    let mut by_decision: BTreeMap<String, usize> = BTreeMap::new();
    for path in files() {
        let cases = cases(&path);
        println!("{:4} {}", cases.len(), path.file_stem().unwrap().display());
        for (case, expected) in &cases {
            let fault = |text: String| format!("{}: {text}", case.id);
            if !ids.insert(case.id.clone()) {
                wrong.push(fault("the id is not unique".to_owned()));
            }
            let page = case.page.as_deref().unwrap_or_default();
            if !page.starts_with("https://docs.aws.amazon.com/") {
                wrong.push(fault("it names no page".to_owned()));
            }
            // Two cases that differ only in their words would test one thing twice.
            let mut question = serde_json::to_value(case).unwrap();
            for words in ["id", "page", "why", "expected"] {
                question.as_object_mut().unwrap().remove(words);
            }
            if !questions.insert(question.to_string()) {
                wrong.push(fault("another case asks the same".to_owned()));
            }
            match case.expected {
                Some(decision) => {
                    *by_decision.entry(format!("{decision:?}")).or_default() += 1;
                }
                None => wrong.push(fault("it expects nothing".to_owned())),
            }
            wrong.extend(failure(case, expected).map(fault));
        }
    }
    println!("{} cases: {by_decision:?}", ids.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ids.len() >= 600, "{} cases", ids.len());
}
