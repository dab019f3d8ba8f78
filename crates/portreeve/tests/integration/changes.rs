//! Changes of policies are judged by what they open in the estate, not by the call's name.

use crate::common::{lines, portreeve, record, report};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

/// An account with one role that a function assumes.
fn inventory() -> Value {
    json!({
        "UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{
            "Arn": ROLE, "RoleName": "deploy", "RoleId": "AROAEXAMPLE", "Path": "/",
            "CreateDate": "2025-01-01T00:00:00+00:00",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ]},
            "RolePolicyList": [], "AttachedManagedPolicies": [], "InstanceProfileList": [], "Tags": []
        }]
    })
}

/// What is found where a person gives the role a trust policy.
fn findings(principal: Value) -> Vec<Value> {
    let mut change = record(1, "2026-03-03T08:00:00Z", "198.51.100.10");
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    ]});
    change["eventSource"] = "iam.amazonaws.com".into();
    change["eventName"] = "UpdateAssumeRolePolicy".into();
    change["readOnly"] = false.into();
    change["requestParameters"] =
        json!({"roleName": "deploy", "policyDocument": trust.to_string()});
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.ndjson"), lines(&[change])).unwrap();
    std::fs::write(folder.path().join("iam.json"), inventory().to_string()).unwrap();
    let path = folder.path().to_str().unwrap();
    let report = report(&portreeve(&["investigate", path, "--format", "json"]));
    report["findings"].as_array().unwrap().clone()
}

fn doors(findings: &[Value]) -> Vec<&Value> {
    findings
        .iter()
        .filter(|finding| finding["title"].as_str().unwrap().contains("opens a door"))
        .collect()
}

#[test]
fn a_trust_in_a_foreign_account_opens_a_door_that_is_named() {
    let findings = findings(json!({"AWS": "arn:aws:iam::999900001111:root"}));
    let doors = doors(&findings);
    assert_eq!(doors.len(), 1, "{findings:#?}");
    assert_eq!(doors[0]["severity"], "high");
    let detail = doors[0]["details"][0].as_str().unwrap();
    assert!(
        detail.contains("999900001111") && detail.contains(ROLE),
        "{detail}"
    );
}

#[test]
fn a_trust_that_stays_inside_opens_none() {
    let findings =
        findings(json!({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}));
    assert!(doors(&findings).is_empty(), "{findings:#?}");
}
