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

#[test]
fn every_rule_has_a_match_and_a_near_miss() {
    for rule in built_in().rules {
        let expected: BTreeSet<&str> = rule
            .fields
            .get("tests")
            .and_then(serde_json::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|test| test.get("expect").and_then(serde_json::Value::as_str))
            .collect();
        assert!(
            expected.contains("match") && expected.contains("none"),
            "{}",
            rule.file
        );
    }
}
