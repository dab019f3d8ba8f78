//! The public collection of Sigma rules loads unchanged.

use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{DiagnosticKind, DiagnosticSeverity, Hit, Matcher, Scratch, Verdict, parse};

mod common;

#[test]
fn all_public_rules_are_parsed_and_all_but_placeholders_compiled() {
    let Some(folder) = common::shared("rules/sigmahq") else {
        return;
    };
    let files = common::rule_files(&folder);
    assert!(files.len() > 3_700, "{} files", files.len());
    let mut rules = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("the file can be read");
        let parsed = parse(&path.display().to_string(), &text);
        let errors: Vec<_> = parsed
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == DiagnosticSeverity::Error)
            .collect();
        assert!(errors.is_empty(), "{}", errors[0].render(&text, false));
        assert_eq!(parsed.rules.len(), 1, "{}", path.display());
        rules.extend(parsed.rules);
    }
    let (matcher, refused) = Matcher::new(&rules, &mut Fields::default());
    for diagnostic in &refused {
        assert_eq!(diagnostic.kind, DiagnosticKind::Placeholder, "{diagnostic}");
    }
    assert_eq!(refused.len(), 2);
    let compiled = (0..rules.len())
        .filter(|rule| matcher.is_compiled(*rule))
        .count();
    assert_eq!(compiled + refused.len(), files.len());
}

#[test]
fn all_aws_rules_load_and_the_index_reaches_each() {
    let Some(folder) = common::shared("rules/sigmahq/rules/cloud/aws") else {
        return;
    };
    let mut rules = Vec::new();
    for path in common::rule_files(&folder) {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let parsed = parse(&path.display().to_string(), &text);
        assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
        rules.extend(parsed.rules);
    }
    assert_eq!(rules.len(), 57);
    assert!(
        rules
            .iter()
            .all(|rule| rule.logsource.product.as_deref() == Some("aws"))
    );
    assert!(
        rules
            .iter()
            .all(|rule| !rule.tags.is_empty() && rule.id.is_some())
    );
    let (matcher, refused) = Matcher::new(&rules, &mut Fields::default());
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(matcher.always_tested(), 0);
}

#[test]
fn index_and_extractor_agree_with_each_rule_on_a_plain_record() {
    let Some(folder) = common::shared("rules/sigmahq/rules/cloud") else {
        return;
    };
    let Some(records) = common::shared("data/stratus/stratus.ndjson") else {
        return;
    };
    let mut rules = Vec::new();
    for path in common::rule_files(&folder) {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        rules.extend(parse(&path.display().to_string(), &text).rules);
    }
    let mut fields = Fields::default();
    let (matcher, _) = Matcher::new(&rules, &mut fields);
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let (mut scratch, mut hits) = (Scratch::learning(), Vec::new());
    let mut found = 0;
    let text = std::fs::read_to_string(records).expect("the file can be read");
    let techniques = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("the line is JSON"));
    let events: Vec<String> = techniques
        .flat_map(|mut technique| match technique["events"].take() {
            serde_json::Value::Array(events) => events,
            _ => Vec::new(),
        })
        .map(|event| event.to_string())
        .collect();
    assert!(events.len() > 21, "{} events", events.len());
    for line in &events {
        let record = extractor
            .extract(line.as_bytes(), &mut buffer)
            .expect("the record can be read");
        matcher.matches(&record, &mut scratch, &mut hits);
        drop(record);
        let plain = common::PlainRecord::new(line, &fields);
        let expected: Vec<Hit> = (0..rules.len())
            .map(|rule| Hit {
                rule,
                verdict: matcher.evaluate_one(rule, &plain),
            })
            .filter(|hit| hit.verdict != Verdict::No)
            .collect();
        assert_eq!(hits, expected, "{line}");
        found += hits.len();
    }
    assert!(found > 0, "the records hold something to find");
}
