//! Records of calls that intruders are publicly known to have made (TrailDiscover, CC-BY-4.0, Adan
//! Álvarez): how many of them give a finding. The totals in `docs/coverage.md` are this test's.

use std::collections::BTreeSet;
use std::path::Path;

use portreeve_engine::{Config, RuleSet, built_in_rules};
use serde_json::Value;

#[test]
fn calls_of_intruders_are_seen() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/traildiscover/examples.ndjson");
    let Ok(text) = std::fs::read_to_string(&data) else {
        println!("SKIPPED: {} is not present", data.display());
        return;
    };
    let rules = RuleSet::parse(&built_in_rules(), &Config::default().rules);
    let (mut records, mut found) = (0, 0);
    let mut unseen = BTreeSet::new();
    for line in text.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        if sample["used_in_wild"] != true || sample["kind"] != "cloudtrail" {
            continue;
        }
        records += 1;
        let log = &sample["log"];
        if crate::labelled::titles(log, &rules).is_empty() {
            unseen.insert(format!("{}:{}", log["eventSource"], log["eventName"]));
        } else {
            found += 1;
        }
    }
    println!("without a finding: {unseen:#?}");
    println!("found {found} of {records} records");
    assert!(found >= 347, "found {found} of {records}");
}
