//! The cases in `conformance/`, one file a topic: a line is a detection with records that it must
//! match and must not, or the words with which it must be refused, and the section of the Sigma
//! specification that says so (`rules`, `modifiers`), or of `docs/sigma-choices.md` (`choices`).

use std::path::Path;

use common::reference::{Detection, Json};
use common::{PlainRecord, rule_yaml};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{DiagnosticSeverity, Matcher, Scratch, Verdict, parse};
use serde::Deserialize;
use serde_json::value::RawValue;

mod common;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    section: String,
    detection: Box<RawValue>,
    #[serde(rename = "match", default)]
    matches: Vec<Box<RawValue>>,
    #[serde(default)]
    no_match: Vec<Box<RawValue>>,
    refused: Option<String>,
}

/// How many cases a line is.
fn hold(case: &Case, place: &str) -> (usize, usize, usize) {
    let detection = case.detection.get();
    let text = format!("{{title: T, logsource: {{product: x}}, detection: {detection}}}");
    let parsed = parse("case.yml", &text);
    if let Some(words) = &case.refused {
        assert!(
            case.matches.is_empty() && case.no_match.is_empty(),
            "{place}"
        );
        assert!(parsed.rules.is_empty(), "{place}: accepted {detection}");
        let mut errors = parsed
            .diagnostics
            .iter()
            .filter(|one| one.severity == DiagnosticSeverity::Error);
        assert!(
            errors.any(|one| one.message.contains(words)),
            "{place}: {:?} does not say `{words}`",
            parsed.diagnostics
        );
        return (0, 0, 1);
    }
    assert!(!parsed.has_errors(), "{place}: {:?}", parsed.diagnostics);
    let document = rule_yaml::documents(&text).remove(0);
    let plain = Detection::new(rule_yaml::get(&document, "detection").unwrap());
    let mut fields = Fields::default();
    let (matcher, problems) = Matcher::new(&parsed.rules, &mut fields);
    assert!(problems.is_empty(), "{place}: {problems:?}");
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let yes = case.matches.iter().map(|record| (record, true));
    let no = case.no_match.iter().map(|record| (record, false));
    for (record, expected) in yes.chain(no) {
        let text = record.get();
        let slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
        let mut hits = Vec::new();
        matcher.matches(&slots, &mut Scratch::new(), &mut hits);
        assert_eq!(!hits.is_empty(), expected, "{place}: {detection} on {text}");
        drop(slots);
        // The rule by itself, on a record that a plain tree answers for, says the same.
        if !text.contains("\"f\": \"y\", \"f\"") {
            let alone = matcher.evaluate_one(0, &PlainRecord::new(text, &fields));
            assert_eq!(
                alone == Verdict::Yes,
                expected,
                "{place}: {detection} on {text}"
            );
        }
        assert_eq!(
            plain.matches(&Json::parse(text)),
            expected,
            "{place}: the plain matcher, {detection} on {text}"
        );
    }
    (case.matches.len(), case.no_match.len(), 0)
}

#[test]
fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let (mut yes, mut no, mut refused) = (0, 0, 0);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let place = format!("{}:{number}", path.file_name().unwrap().display());
            let case: Case =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            let known = ["rules", "modifiers", "choices"];
            assert!(
                known
                    .iter()
                    .any(|part| case.section.split(':').next() == Some(part)),
                "{place}: `{}` names no part of the specification",
                case.section
            );
            let held = hold(&case, &place);
            yes += held.0;
            no += held.1;
            refused += held.2;
        }
    }
    assert!(
        yes >= 300 && no >= 300 && refused >= 50,
        "{yes} {no} {refused}"
    );
}
