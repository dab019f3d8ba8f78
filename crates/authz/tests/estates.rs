//! Every policy of the shared estates is read whole.

// What was covered, or skipped, is for people to read.
#![allow(clippy::print_stdout)]

use portreeve_authz::aws::Document;
use serde_json::Value;

const ESTATES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/pathfinding_labs/estates"
);

/// Every object below a value that has a `Statement`.
fn policies<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) if fields.contains_key("Statement") => found.push(value),
        Value::Object(fields) => fields.values().for_each(|value| policies(value, found)),
        Value::Array(items) => items.iter().for_each(|value| policies(value, found)),
        _ => {}
    }
}

#[test]
fn shared_estates_have_no_defects() {
    let Ok(folder) = std::fs::read_dir(ESTATES) else {
        println!("skipped: the shared estates are not here");
        return;
    };
    let (mut files, mut count, mut defects) = (0, 0, Vec::new());
    for entry in folder {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        files += 1;
        let estate: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut found = Vec::new();
        policies(&estate, &mut found);
        for policy in found {
            count += 1;
            if let Err(error) = Document::parse(&policy.to_string()) {
                defects.push(format!("{}: {error}: {policy}", path.display()));
            }
        }
    }
    println!("{files} estates, {count} policies");
    assert!(files > 0 && count > files);
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}
