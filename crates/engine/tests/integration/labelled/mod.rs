//! What the built-in rules say of one record by itself.

use std::collections::BTreeMap;

use portreeve_engine::{Config, Request, RuleSet, Silent, investigate};
use portreeve_model::Severity;
use serde_json::Value;

/// Titles of the findings of low or above on one record by itself.
pub(crate) fn titles(record: &Value, rules: &RuleSet) -> BTreeMap<String, Severity> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.json"), format!("[{record}]")).unwrap();
    let report = investigate(
        Request {
            paths: vec![folder.path().to_owned()],
            config: Config::default(),
            skip: Vec::new(),
            rules: RuleSet {
                rules: rules.rules.clone(),
                sha256: rules.sha256.clone(),
                ..RuleSet::default()
            },
            signs: Vec::new(),
            threads: 1,
        },
        &Silent,
    );
    // Some samples are of another kind than CloudTrail, and no log at all is found.
    let Ok(report) = report else {
        return BTreeMap::new();
    };
    let mut titles = BTreeMap::new();
    for finding in report.findings {
        if finding.severity >= Severity::Low {
            let gravest = titles.entry(finding.title).or_insert(finding.severity);
            *gravest = (*gravest).max(finding.severity);
        }
    }
    titles
}
