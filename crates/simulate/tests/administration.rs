//! Administrators' changes: each is logged, and is in the inventory from then on.

mod common;

use std::collections::BTreeMap;

use common::{run, small, text};
use jiff::Timestamp;
use portreeve_simulate::{Plan, SimulateError, estates_at};
use serde_json::Value;

fn plan(inventory_day: Option<u32>) -> Plan {
    Plan {
        changes: 60,
        inventory_day,
        ..small(5, "none")
    }
}

fn identities(files: &BTreeMap<String, Vec<u8>>) -> Vec<&Vec<u8>> {
    files
        .iter()
        .filter(|(path, _)| path.starts_with("estate/iam-"))
        .map(|(_, bytes)| bytes)
        .collect()
}

#[test]
fn changes_are_logged_and_in_the_inventory_of_their_time() {
    let before = run(&plan(None));
    let after = run(&plan(Some(19)));
    // The logs tell what happened, whenever the inventory is made.
    assert_eq!(before.records, after.records);
    assert_ne!(
        identities(&before.sink.files),
        identities(&after.sink.files)
    );
    let errands = after
        .records
        .iter()
        .filter(|record| record["requestParameters"].to_string().contains("errand"))
        .count();
    assert!(errands > 20, "{errands}");

    let made: Vec<&str> = after
        .records
        .iter()
        .filter(|record| text(record, "eventName") == "CreateRole")
        .map(|record| text(&record["requestParameters"], "roleName"))
        .collect();
    assert!(!made.is_empty());
    // A response holds a document URL-encoded, a request as it was given.
    let role = after
        .records
        .iter()
        .find(|record| text(record, "eventName") == "CreateRole")
        .unwrap();
    let asked = text(&role["requestParameters"], "assumeRolePolicyDocument");
    assert!(serde_json::from_str::<Value>(asked).is_ok());
    let answered = text(
        &role["responseElements"]["role"],
        "assumeRolePolicyDocument",
    );
    assert!(answered.starts_with("%7B%22"), "{answered}");
}

#[test]
fn the_estate_of_any_time_is_known() {
    let plan = plan(Some(9));
    let simulation = run(&plan);
    let taken = simulation.summary.inventory;
    let later = Timestamp::from_second(taken.as_second() + 1).unwrap();
    let mut seen = Vec::new();
    estates_at(&plan, &[later, taken], |time, sink| {
        seen.push((time, sink.files.clone()));
    })
    .unwrap();
    // Earlier ones come first, and that of its own time is the one that is written.
    assert_eq!(seen[0].0, taken);
    assert_eq!(identities(&seen[0].1), identities(&simulation.sink.files));
}

#[test]
fn an_inventory_after_the_last_day_is_refused() {
    let plan = plan(Some(20));
    let mut sink = portreeve_simulate::MemorySink::default();
    let refused = portreeve_simulate::simulate(&plan, &mut sink);
    assert!(matches!(
        refused,
        Err(SimulateError::InventoryDay { day: 20, last: 19 })
    ));
}
