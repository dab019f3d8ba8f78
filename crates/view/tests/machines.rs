//! What machines read.

mod sample;

use std::collections::BTreeSet;

use portreeve_incident::Report;
use portreeve_view::roads::Roads;
use portreeve_view::{json, ndjson, ocsf};
use serde_json::Value;

fn lines(write: impl Fn(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<Value> {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn json_reads_back_and_holds_the_promised_keys() {
    let report = sample::report();
    let mut out = Vec::new();
    json::report(&report, &mut out).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    let incident = &value["incidents"][0];
    for key in [
        "id",
        "severity",
        "score",
        "headline",
        "first_sign",
        "last_activity",
        "principals",
        "credentials",
        "techniques",
        "findings",
        "timeline",
        "paths",
        "response",
    ] {
        assert!(!incident[key].is_null(), "{key}");
    }
    for key in ["time", "action", "event_id", "file", "index"] {
        assert!(!incident["timeline"][0][key].is_null(), "{key}");
    }
    for key in [
        "id",
        "rule",
        "title",
        "severity",
        "time",
        "source",
        "actor",
        "techniques",
        "evidence",
    ] {
        assert!(!value["findings"][0][key].is_null(), "{key}");
    }
    for key in ["records", "bytes", "seconds"] {
        assert!(value["summary"][key].is_number(), "{key}");
    }
    let read: Report = serde_json::from_slice(&out).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
}

#[test]
fn paths_have_the_promised_keys() {
    let report = sample::report();
    let paths = sample::paths();
    let mut out = Vec::new();
    let document = Roads {
        given: &[],
        paths: &paths,
        jewels: &report.jewels,
        doors: &[],
        reach: &[],
        blind_spots: &report.blind_spots,
    };
    json::answer(&document, &mut out).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    for key in ["paths", "jewels", "doors", "blind_spots"] {
        assert!(value[key].is_array(), "{key}");
    }
    for key in ["from", "to", "via", "permissions", "conditions"] {
        assert!(!value["paths"][0]["steps"][0][key].is_null(), "{key}");
    }
}

#[test]
fn each_ndjson_line_has_a_type_and_the_last_is_the_summary() {
    let report = sample::report();
    let lines = lines(|out| ndjson::report(&report, out));
    let types: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(types.first(), Some(&"report"));
    assert_eq!(types.last(), Some(&"summary"));
    let count = |name: &str| types.iter().filter(|known| **known == name).count();
    assert_eq!(count("incident"), 1);
    assert_eq!(count("finding"), report.findings.len());
    assert_eq!(count("jewel"), report.jewels.len());
    assert_eq!(count("dead_letter"), 1);
    assert_eq!(count("note"), 2);
    let told = lines
        .iter()
        .find(|line| line["id"] == "f-c95d1f44")
        .unwrap();
    assert_eq!(told["incidents"][0], "inc-3f1c9b20");
    let other = lines
        .iter()
        .find(|line| line["id"] == "f-0e2f9d11")
        .unwrap();
    assert_eq!(other["incidents"].as_array().unwrap().len(), 0);
}

/// What OCSF 1.6.0 requires of both classes, and the constraints of the objects used.
fn check_ocsf(line: &Value) {
    let class = line["class_uid"].as_u64().unwrap();
    assert!(matches!(class, 2004 | 2005), "{class}");
    assert_eq!(line["category_uid"], 2);
    assert_eq!(line["activity_id"], 1);
    assert_eq!(line["type_uid"].as_u64().unwrap(), class * 100 + 1);
    assert!((1..=5).contains(&line["severity_id"].as_u64().unwrap()));
    assert!(
        line["time"].as_i64().unwrap() > 1_700_000_000_000,
        "milliseconds"
    );
    assert!(line["metadata"]["version"].is_string());
    for key in ["name", "vendor_name", "version"] {
        assert!(line["metadata"]["product"][key].is_string(), "{key}");
    }
    let infos: Vec<&Value> = match class {
        2004 => vec![&line["finding_info"]],
        _ => line["finding_info_list"]
            .as_array()
            .unwrap()
            .iter()
            .collect(),
    };
    assert!(!infos.is_empty());
    for info in infos {
        assert!(info["uid"].is_string() && info["title"].is_string());
        assert!(
            info["types"]
                .as_array()
                .is_some_and(|types| !types.is_empty())
        );
        assert!(info["analytic"]["type_id"].is_u64());
        for attack in info["attacks"].as_array().unwrap() {
            assert!(
                ["tactic", "technique", "sub_technique"]
                    .iter()
                    .any(|key| attack.get(key).is_some())
            );
        }
    }
    if class == 2005 {
        assert!(line["status_id"].is_u64());
        assert!(line["assignee_group"]["name"].is_string());
        return;
    }
    for evidence in line["evidences"].as_array().unwrap() {
        assert!(evidence["api"]["operation"].is_string());
        let user = &evidence["actor"]["user"];
        assert!(user["uid"].is_string() || user["name"].is_string());
        assert!(evidence["data"]["file"].is_string());
    }
    for resource in line["resources"].as_array().unwrap() {
        assert!(resource["uid"].is_string() && resource["name"].is_string());
    }
}

#[test]
fn ocsf_lines_have_what_their_class_requires() {
    let mut report = sample::report();
    report.findings[0].time = None;
    report.findings[0].last_time = None;
    report.findings[0].actor.clear();
    let lines = lines(|out| ocsf::report(&report, out));
    lines.iter().for_each(check_ocsf);
    assert_eq!(lines.len(), report.findings.len() + report.incidents.len());
    let uids: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line["finding_info"]["uid"].as_str())
        .collect();
    assert_eq!(uids.len(), report.findings.len());
    let untimed = lines
        .iter()
        .find(|line| line["unmapped"]["time_unknown"] == true)
        .unwrap();
    assert_eq!(
        untimed["time"],
        report.coverage[0].last.unwrap().as_millisecond()
    );
}

#[test]
fn ocsf_of_the_sample() {
    let mut report = sample::report();
    report.simulated = true;
    report.incidents[0].timeline.truncate(1);
    report.incidents[0].paths.truncate(1);
    report.incidents[0].response.truncate(1);
    report.findings.retain(|finding| finding.id == "f-c95d1f44");
    let lines = lines(|out| ocsf::report(&report, out));
    insta::assert_json_snapshot!(lines);
}
