//! Holds every rule that is built in to its form and its tests.

use std::collections::BTreeSet;

use portreeve_engine::{RuleSet, RuleSettings, built_in_rules, test_rules};

fn built_in() -> RuleSet {
    RuleSet::parse(&built_in_rules(), &RuleSettings::default())
}

#[test]
fn every_rule_loads_and_passes_its_tests() {
    let set = built_in();
    let problems: Vec<String> = set.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert!(set.rules.len() >= 70, "{} rules", set.rules.len());
    let outcome = test_rules(&set.rules);
    assert_eq!(outcome.failures, Vec::<String>::new());
    assert_eq!(outcome.untested, Vec::<String>::new());
    assert!(
        outcome.tested >= 2 * set.rules.len(),
        "{} records",
        outcome.tested
    );
}

#[test]
fn ids_and_titles_are_unique_and_rules_are_documented() {
    let set = built_in();
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for rule in &set.rules {
        let id = rule.id.clone().unwrap_or_default();
        assert_eq!(id.len(), 36, "{}", rule.file);
        assert!(ids.insert(id), "{}: repeated id", rule.file);
        assert!(
            titles.insert(rule.title.clone()),
            "{}: repeated title",
            rule.file
        );
        assert!(!rule.techniques.is_empty(), "{}: no technique", rule.file);
        assert!(!rule.tactics.is_empty(), "{}: no tactic", rule.file);
        assert!(!rule.references.is_empty(), "{}: no reference", rule.file);
        assert!(
            !rule.falsepositives.is_empty(),
            "{}: no false positives",
            rule.file
        );
        assert!(rule.description.len() > 40, "{}: no description", rule.file);
    }
}

/// The words under `portreeve` of a rule that is no part of a correlation.
fn quietening(rule: &portreeve_sigma::Rule) -> &str {
    rule.fields
        .get("quieten")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

#[test]
fn every_rule_has_a_match_and_two_near_misses() {
    for rule in built_in().rules {
        let tests = rule
            .fields
            .get("tests")
            .and_then(serde_json::Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let expecting = |word: &str| {
            tests
                .iter()
                .filter(|test| test.get("expect").and_then(serde_json::Value::as_str) == Some(word))
                .collect::<Vec<_>>()
        };
        assert!(!expecting("match").is_empty(), "{}: no match", rule.file);
        let misses = expecting("none");
        assert!(misses.len() >= 2, "{}: {} misses", rule.file, misses.len());
        for (position, miss) in misses.iter().enumerate() {
            assert!(
                !misses[..position].contains(miss),
                "{}: the same miss twice",
                rule.file
            );
        }
    }
}

#[test]
fn every_rule_says_how_it_is_quietened() {
    for rule in built_in().rules {
        assert!(
            quietening(&rule).split_whitespace().count() >= 4,
            "{}: does not say how it is quietened",
            rule.file
        );
        assert!(
            rule.fields.get("quiet").is_none(),
            "{}: `quiet` is called `quieten`",
            rule.file
        );
    }
}
