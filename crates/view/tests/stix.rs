//! STIX 2.1: what the standard asks of every object, held by its own words.

mod sample;

use std::collections::{BTreeMap, BTreeSet};

use portreeve_incident::Report;
use portreeve_view::stix;
use serde_json::Value;

fn bundle(report: &Report) -> Value {
    let mut out = Vec::new();
    stix::report(report, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn objects(bundle: &Value) -> BTreeMap<&str, &Value> {
    let objects = bundle["objects"].as_array().unwrap();
    let by_id: BTreeMap<&str, &Value> = objects
        .iter()
        .map(|it| (it["id"].as_str().unwrap(), it))
        .collect();
    assert_eq!(by_id.len(), objects.len(), "each object stands there once");
    by_id
}

/// The ids that an object names, wherever they stand.
fn named<'v>(value: &'v Value, ids: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(id) if key.ends_with("_ref") => ids.push(id),
                    Value::Array(list) if key.ends_with("_refs") => {
                        ids.extend(list.iter().map(|id| id.as_str().unwrap()));
                    }
                    other => named(other, ids),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| named(value, ids)),
        _ => {}
    }
}

#[test]
fn what_objects_name_is_in_the_bundle_and_every_list_has_something_in_it() {
    let bundle = bundle(&sample::report());
    let objects = objects(&bundle);
    for (id, object) in &objects {
        let kind = object["type"].as_str().unwrap();
        assert!(id.starts_with(&format!("{kind}--")), "{id}");
        assert_eq!(object["spec_version"], "2.1");
        let mut ids = Vec::new();
        named(object, &mut ids);
        for named in ids {
            assert!(objects.contains_key(named), "{id} names {named}");
        }
        for (key, value) in object.as_object().unwrap() {
            assert!(
                value.as_array().is_none_or(|it| !it.is_empty()),
                "{id}: {key}"
            );
            assert!(!value.is_null(), "{id}: {key}");
        }
        for (first, last) in [
            ("created", "modified"),
            ("first_observed", "last_observed"),
            ("first_seen", "last_seen"),
        ] {
            // Texts of one form are in order of time.
            if let (Some(first), Some(last)) = (object[first].as_str(), object[last].as_str()) {
                assert!(
                    first <= last && first.ends_with('Z'),
                    "{id}: {first} {last}"
                );
            }
        }
    }
}

#[test]
fn a_bundle_tells_the_incident_its_techniques_and_where_from() {
    let report = sample::report();
    let bundle = bundle(&report);
    let objects = objects(&bundle);
    let of = |kind: &str| -> Vec<&Value> {
        let mut all = objects.values().copied();
        all.by_ref().filter(|it| it["type"] == kind).collect()
    };
    assert_eq!(of("grouping").len(), report.incidents.len());
    let incident = &report.incidents[0];
    let techniques: BTreeSet<&str> = report
        .incidents
        .iter()
        .flat_map(|incident| incident.techniques.iter().map(|it| it.v19()))
        .collect();
    let told: BTreeSet<&str> = of("attack-pattern")
        .iter()
        .map(|it| {
            it["external_references"][0]["external_id"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(told, techniques);
    let grouping = of("grouping")
        .into_iter()
        .find(|it| it["name"] == incident.headline.as_str());
    let held = grouping.unwrap()["object_refs"].as_array().unwrap();
    for kind in [
        "incident",
        "observed-data",
        "attack-pattern",
        "sighting",
        "user-account",
    ] {
        let is_of = |id: &&Value| id.as_str().unwrap().starts_with(kind);
        assert!(held.iter().any(|id| is_of(&id)), "{kind}");
    }
    assert!(!of("ipv4-addr").is_empty() && !of("infrastructure").is_empty());
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = sample::report();
    assert_eq!(bundle(&report), bundle(&report));
    let mut other = report.clone();
    other.incidents.clear();
    let empty = bundle(&other);
    assert_eq!(objects(&empty).len(), 1, "only who made it");
}
