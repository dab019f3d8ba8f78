//! Labelled records of a public rule collection (panther-analysis, Apache-2.0): for each of its rules,
//! records of which it says whether the behaviour is in them. The totals in `docs/coverage.md` are
//! this test's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portreeve_engine::{Config, RuleSet, built_in_rules};
use portreeve_model::Severity;
use serde_json::Value;

/// What was found on the records of one of their rules.
#[derive(Default)]
struct Row {
    /// Titles of findings of low or above on each record with the behaviour, and their gravest.
    positives: Vec<BTreeMap<String, Severity>>,
    /// The same on each near miss.
    negatives: Vec<BTreeMap<String, Severity>>,
}

impl Row {
    fn found(&self, least: Severity) -> usize {
        self.positives
            .iter()
            .filter(|titles| titles.values().any(|severity| *severity >= least))
            .count()
    }

    /// Near misses without a finding that is named as the gravest one of a record with the
    /// behaviour is; weaker rules beside it may well speak on both.
    fn quiet(&self) -> usize {
        let named: BTreeSet<&String> = self
            .positives
            .iter()
            .filter_map(|titles| titles.iter().max_by_key(|(_, severity)| **severity))
            .map(|(title, _)| title)
            .collect();
        self.negatives
            .iter()
            .filter(|found| !found.keys().any(|title| named.contains(title)))
            .count()
    }
}

#[test]
fn labelled_records_are_told_apart() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/panther/AWS.CloudTrail.ndjson");
    let Ok(text) = std::fs::read_to_string(&data) else {
        println!("SKIPPED: {} is not present", data.display());
        return;
    };
    let rules = RuleSet::parse(&built_in_rules(), &Config::default().rules);
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for line in text.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let rule = sample["rule_id"].as_str().unwrap().to_owned();
        let found = crate::labelled::titles(&sample["log"], &rules);
        let row = rows.entry(rule).or_default();
        if sample["expected"] == true {
            row.positives.push(found);
        } else {
            row.negatives.push(found);
        }
    }

    let grave = grave(&text, &rules);

    println!("| rule of theirs | found, low or above | medium or above | near misses quiet |");
    let (mut positives, mut found, mut graver, mut negatives, mut quiet) = (0, 0, 0, 0, 0);
    for (rule, row) in &rows {
        let (low, medium) = (row.found(Severity::Low), row.found(Severity::Medium));
        println!(
            "| `{rule}` | {low}/{} | {medium}/{} | {}/{} |",
            row.positives.len(),
            row.positives.len(),
            row.quiet(),
            row.negatives.len()
        );
        for titles in &row.positives {
            println!("  + {titles:?}");
        }
        for titles in &row.negatives {
            println!("  - {titles:?}");
        }
        positives += row.positives.len();
        found += low;
        graver += medium;
        negatives += row.negatives.len();
        quiet += row.quiet();
    }
    println!("found {found} of {positives}, {graver} of them medium or above");
    println!("near misses quiet {quiet} of {negatives}");
    println!("{grave:?}");
    assert!(
        grave.found * 100 >= grave.positives * 75,
        "of their grave rules: {grave:?}"
    );
    assert!(
        grave.cried * 100 <= grave.negatives * 5,
        "of their grave rules: {grave:?}"
    );
    assert!(found >= 123, "found {found} of {positives}");
    assert!(graver >= 84, "medium or above: {graver} of {positives}");
    assert!(quiet >= 135, "near misses quiet {quiet} of {negatives}");
}

/// What is found on the records of their rules of high or critical whose tests mock nothing: what the
/// record itself tells.
#[derive(Debug, Default)]
struct Grave {
    positives: usize,
    /// Records with the behaviour that give any finding.
    found: usize,
    /// Near misses, those aside that another of their rules takes for the behaviour that it names.
    negatives: usize,
    /// Those of them that give a finding of high or above.
    cried: usize,
}

fn grave(text: &str, rules: &RuleSet) -> Grave {
    let samples: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_true = |log: &Value| {
        samples
            .iter()
            .any(|sample| sample["expected"] == true && sample["log"] == *log)
    };
    let mut grave = Grave::default();
    for sample in &samples {
        if sample["mocks"] == true
            || !matches!(sample["severity"].as_str(), Some("High" | "Critical"))
        {
            continue;
        }
        let found = crate::labelled::titles(&sample["log"], rules);
        if sample["expected"] == true {
            grave.positives += 1;
            grave.found += usize::from(!found.is_empty());
            if found.is_empty() {
                println!("MISSED {} {}", sample["rule_id"], sample["test_name"]);
            }
        } else if !is_true(&sample["log"]) {
            grave.negatives += 1;
            if found.values().any(|severity| *severity >= Severity::High) {
                grave.cried += 1;
                println!(
                    "CRIED {} {} {found:?}",
                    sample["rule_id"], sample["test_name"]
                );
            }
        }
    }
    grave
}
