//! The blocks that `theft.rs` recorded, judged again without a node.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{portreeve, said};
use serde_json::Value;

/// Every rule that the walk sets off, and in which wallet.
const EXPECTED: [(&str, &str); 9] = [
    ("treasury", "wallet.safe-configuration"),
    ("treasury", "wallet.safe-implementation"),
    ("treasury", "wallet.outflow-burst"),
    ("treasury", "wallet.fan-out"),
    ("hot", "wallet.approval-drain"),
    ("hot", "wallet.outflow-burst"),
    ("cold", "wallet.safe-delegatecall"),
    ("cold", "wallet.safe-implementation"),
    ("cold", "wallet.staged-contract"),
];

fn replay(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wallet/tests/recorded");
    let path = |kind: &str| folder.join(format!("{name}.{kind}"));
    let (policy, blocks) = (path("toml"), path("ndjson.zst"));
    let output = portreeve(&[
        "wallet",
        "watch",
        "--policy",
        policy.to_str().unwrap(),
        "--blocks",
        blocks.to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let found: BTreeSet<(&str, &str)> = findings
        .iter()
        .filter(|one| ["high", "critical"].contains(&one["severity"].as_str().unwrap()))
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            (text("wallet_name"), text("rule"))
        })
        .collect();
    assert_eq!(found, EXPECTED.into(), "{findings:#?}");
}

#[test]
fn what_was_found_against_a_safe_1_3_is_found_again() {
    replay("safe-1.3");
}

#[test]
fn what_was_found_against_a_safe_1_4_is_found_again() {
    replay("safe-1.4");
}
