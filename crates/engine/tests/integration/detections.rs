//! Holds the guide's page of behaviours to the rules and correlations that there are.

use std::collections::BTreeSet;

use portreeve_engine::{built_in_correlations, built_in_rules};

const PAGE: &str = include_str!("../../../../docs/detections.md");

/// A file's name without folder and ending.
fn stem(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.trim_end_matches(".yml").to_owned()
}

/// The page's rows: what happens, and what shows it.
fn rows() -> Vec<(&'static str, &'static str)> {
    PAGE.lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")
        })
        .filter(|(behaviour, _)| *behaviour != "behaviour")
        .collect()
}

/// What stands between backticks, where it may be the name of a file.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).filter(|name| {
        name.chars()
            .all(|one| one.is_ascii_lowercase() || one == '-')
    })
}

#[test]
fn every_behaviour_names_files_that_exist_or_the_log_that_it_needs() {
    let rules: BTreeSet<String> = built_in_rules().iter().map(|it| stem(&it.name)).collect();
    let correlations: BTreeSet<String> = built_in_correlations()
        .iter()
        .map(|it| stem(&it.name))
        .collect();
    let twice: Vec<&String> = rules.intersection(&correlations).collect();
    assert!(
        twice.is_empty(),
        "a rule's and a correlation's name: {twice:?}"
    );
    let rows = rows();
    assert!(rows.len() >= 80, "{} rows", rows.len());
    let mut named = BTreeSet::new();
    for (behaviour, shown) in rows {
        let needs = shown
            .strip_prefix("not in CloudTrail: needs ")
            .is_some_and(|log| !log.is_empty());
        assert!(
            needs || names(shown).next().is_some(),
            "{behaviour}: neither a file nor a log"
        );
        for name in names(shown) {
            assert!(
                rules.contains(name) || correlations.contains(name),
                "{behaviour}: there is no `{name}`"
            );
            named.insert(name.to_owned());
        }
    }
    let left: Vec<&String> = correlations.difference(&named).collect();
    assert!(left.is_empty(), "no behaviour names {left:?}");
}
