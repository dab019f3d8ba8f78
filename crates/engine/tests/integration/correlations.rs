//! Holds every correlation that is built in to its form and its tests.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_detect::behaviour::Correlations;
use portreeve_engine::{
    RuleSet, RuleSettings, built_in_correlations, built_in_rules, test_correlations,
};
use portreeve_record::Fields;
use portreeve_sigma::Correlation;
use serde_json::Value;

fn built_in(settings: &RuleSettings) -> RuleSet {
    let mut files = built_in_correlations();
    files.extend(built_in_rules());
    RuleSet::parse(&files, settings)
}

/// Those that are no part of others.
fn whole(set: &RuleSet) -> impl Iterator<Item = &Correlation> {
    set.correlations
        .iter()
        .filter(|one| !set.is_part_correlation(one))
}

#[test]
fn every_correlation_loads_and_passes_its_tests() {
    let set = built_in(&RuleSettings::default());
    let problems: Vec<String> = set.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    let (ready, problems) = Correlations::new(
        set.correlations.clone(),
        &set.rules,
        &set.left_out,
        &mut Fields::default(),
    );
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(ready.loaded().len(), set.correlations.len());
    let outcome = test_correlations(&set);
    assert_eq!(outcome.failures, Vec::<String>::new());
    assert_eq!(outcome.untested, Vec::<String>::new());
}

#[test]
fn every_file_has_a_match_and_two_near_misses() {
    let set = built_in(&RuleSettings::default());
    assert!(set.correlations.len() >= 15, "{}", set.correlations.len());
    for correlation in whole(&set) {
        let mut expected = BTreeMap::<&str, usize>::new();
        let tests = correlation.fields.get("tests").and_then(Value::as_array);
        for test in tests.into_iter().flatten() {
            let word = test
                .get("expect")
                .and_then(Value::as_str)
                .unwrap_or("match");
            *expected.entry(word).or_default() += 1;
        }
        let misses = ["none", "unknown"]
            .iter()
            .filter_map(|word| expected.get(word));
        assert!(
            expected.contains_key("match") && misses.sum::<usize>() >= 2,
            "{}: {expected:?}",
            correlation.file
        );
    }
}

#[test]
fn every_correlation_is_documented_and_has_an_id_of_its_own() {
    let set = built_in(&RuleSettings::default());
    let mut ids: BTreeSet<String> = set
        .rules
        .iter()
        .filter_map(|rule| rule.id.clone())
        .collect();
    for correlation in whole(&set) {
        let id = correlation.id.clone().unwrap_or_default();
        assert_eq!(id.len(), 36, "{}", correlation.file);
        assert!(ids.insert(id), "{}: repeated id", correlation.file);
        assert!(!correlation.techniques.is_empty(), "{}", correlation.file);
        assert!(!correlation.tactics.is_empty(), "{}", correlation.file);
        assert!(!correlation.references.is_empty(), "{}", correlation.file);
        assert!(
            !correlation.falsepositives.is_empty(),
            "{}",
            correlation.file
        );
        assert!(correlation.description.len() > 40, "{}", correlation.file);
        assert!(
            correlation
                .fields
                .get("quieten")
                .and_then(Value::as_str)
                .is_some(),
            "{}: does not say how it is quietened",
            correlation.file
        );
    }
}

#[test]
fn parts_of_a_correlation_that_is_switched_off_are_off_too() {
    let all = built_in(&RuleSettings::default());
    let one = all
        .correlations
        .iter()
        .find(|one| !one.generate && !one.rules.is_empty())
        .unwrap();
    let off = built_in(&RuleSettings {
        disabled: vec![one.id.clone().unwrap()],
    });
    assert_eq!(off.correlations.len(), all.correlations.len() - 1);
    assert!(off.rules.len() < all.rules.len());
    assert!(
        off.rules
            .iter()
            .all(|rule| !(rule.file == one.file && rule.name == Some(one.rules[0].clone())))
    );
}
