//! `portreeve lineage` on a few records of Identity Center as AWS writes them: the portal's call
//! without a key, the provider's own exchange with another, and the key that is then used, by its
//! owner and by someone else.

use crate::common::{lines, portreeve, report, said};
use serde_json::{Value, json};

const PERSON: &str = "94d00cd8-e9e6-4810-b177-b08e84775435";
const PORTAL: &str = "b41c6c04-59bd-4d2e-8b6f-0b1e4f1a9a11";
const KEY: &str = "ASIAMIRA000100EXAMPL";
const CHILD: &str = "ASIADEPLOY00100EXMPL";
const HOME: &str = "203.0.113.20";
const VPN: &str = "192.0.2.41";

fn portal(number: u32, time: &str, operation: &str, details: Value) -> Value {
    json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IdentityCenterUser", "accountId": "999988887777",
            "onBehalfOf": {
                "userId": PERSON,
                "identityStoreArn": "arn:aws:identitystore::999988887777:identitystore/d-1234567890",
            },
            "credentialId": PORTAL,
        },
        "eventTime": time, "eventSource": "sso.amazonaws.com", "eventName": operation,
        "awsRegion": "eu-west-1", "sourceIPAddress": HOME,
        "userAgent": "aws-cli/2.22.35 os/macos#23.5.0",
        "requestParameters": null, "responseElements": null,
        "eventID": format!("00000000-0000-4000-8000-{number:012x}"), "readOnly": false,
        "eventType": "AwsServiceEvent", "managementEvent": true,
        "recipientAccountId": "999988887777", "eventCategory": "Management",
        "serviceEventDetails": details,
    })
}

/// The owner's session as `common` has it, with the person behind it.
fn owner(number: u32, time: &str, address: &str) -> Value {
    let mut record = crate::common::record(number, time, address);
    record["userIdentity"]["onBehalfOf"] = json!({
        "userId": PERSON,
        "identityStoreArn": "arn:aws:identitystore::999988887777:identitystore/d-1234567890",
    });
    record
}

fn records() -> Vec<Value> {
    let role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071";
    let mut exchange = crate::common::record(3, "2026-03-03T07:01:12Z", "198.51.100.77");
    exchange["eventSource"] = "sts.amazonaws.com".into();
    exchange["eventName"] = "AssumeRoleWithSAML".into();
    exchange["userIdentity"] = json!({
        "type": "SAMLUser", "principalId": "hash=:dev.mira", "userName": "dev.mira",
        "identityProvider": "hash=",
    });
    exchange["requestParameters"] = json!({
        "roleArn": role, "roleSessionName": "dev.mira",
        "principalArn": "arn:aws:iam::111122223333:saml-provider/AWSSSO_0a1b_DO_NOT_DELETE",
    });
    exchange["responseElements"] = json!({
        "credentials": {"accessKeyId": "ASIAPROVIDERSOWNKEY1", "expiration": "Mar 3, 2026, 7:01:12 PM"},
    });
    let mut assumes = owner(6, "2026-03-03T07:50:00Z", VPN);
    assumes["eventSource"] = "sts.amazonaws.com".into();
    assumes["eventName"] = "AssumeRole".into();
    assumes["requestParameters"] = json!({
        "roleArn": "arn:aws:iam::111122223333:role/deploy", "roleSessionName": "x",
    });
    assumes["responseElements"] = json!({
        "credentials": {"accessKeyId": CHILD, "expiration": "Mar 3, 2026, 8:50:00 AM"},
    });
    vec![
        portal(
            1,
            "2026-03-03T07:00:40Z",
            "Authenticate",
            json!({"CredentialType": "EXTERNAL_IDP"}),
        ),
        portal(
            2,
            "2026-03-03T07:01:06Z",
            "GetRoleCredentials",
            json!({"account_id": "111122223333", "role_name": "WebDeploy"}),
        ),
        exchange,
        owner(4, "2026-03-03T07:05:00Z", HOME),
        owner(5, "2026-03-03T07:44:00Z", VPN),
        assumes,
    ]
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.json"), lines(&records())).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_key_is_followed_to_the_portal_and_to_what_came_of_it() {
    let (_folder, path) = folder();
    let found = report(&portreeve(&["lineage", KEY, &path, "--format", "json"]));
    assert_eq!(found["actors"], json!(["dev.mira"]));
    assert_eq!(found["credentials"], json!([KEY]));
    assert_eq!(found["records"], 6);
    let tree = found["trees"].as_array().unwrap();
    assert_eq!(tree.len(), 1);
    let credentials = tree[0]["credentials"].as_array().unwrap();
    let ids: Vec<&str> = credentials
        .iter()
        .map(|it| it["credential"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [PORTAL, KEY, CHILD],
        "the provider's own key is not among them"
    );
    let depths: Vec<u64> = credentials
        .iter()
        .map(|it| it["depth"].as_u64().unwrap())
        .collect();
    assert_eq!(depths, [0, 1, 2]);

    let key = &credentials[1];
    assert_eq!(key["asked"], true);
    let minted = &key["minted"];
    assert_eq!(minted["parent"], PORTAL);
    assert_eq!(minted["method"], "get-role-credentials");
    assert_eq!(minted["certainty"], "likely");
    assert_eq!(minted["address"], HOME, "not the provider's address");
    assert_eq!(key["ends"], "2026-03-03T19:01:12Z");
    assert_eq!(key["ends_at_latest"], true);
    let held: Vec<(&str, u64)> = key["held"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["address"].as_str().unwrap(),
                it["calls"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(held, [(HOME, 1), (VPN, 2)]);

    let child = &credentials[2]["minted"];
    assert_eq!(child["certainty"], "certain");
    assert_eq!(child["address"], VPN);
    assert_eq!(credentials[2]["ends"], "2026-03-03T08:50:00Z");
    assert_eq!(credentials[2]["held"], json!([]));
}

#[test]
fn names_and_arns_mean_what_they_are_called() {
    let (_folder, path) = folder();
    let meant = |asked: &str| -> Vec<String> {
        let found = report(&portreeve(&["lineage", asked, &path, "--format", "json"]));
        found["credentials"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(meant("deploy"), [CHILD]);
    assert_eq!(meant("arn:aws:iam::111122223333:role/deploy"), [CHILD]);
    assert_eq!(meant("WebDeploy"), [KEY]);
    assert_eq!(
        meant(
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071/dev.mira"
        ),
        [KEY]
    );
    assert_eq!(meant(PERSON), [PORTAL]);
    assert_eq!(
        meant(&format!("arn:aws:identitystore:::user/{PERSON}")),
        [PORTAL]
    );
    let person = meant("dev.mira");
    assert!(
        person.contains(&KEY.to_owned()) && person.contains(&PORTAL.to_owned()),
        "{person:?}"
    );
}

#[test]
fn links_may_be_asked_to_be_certain() {
    let (_folder, path) = folder();
    let found = report(&portreeve(&[
        "lineage",
        KEY,
        &path,
        "--certainty",
        "certain",
        "--format",
        "json",
    ]));
    let root = &found["trees"][0]["credentials"][0];
    assert_eq!(root["credential"], KEY);
    assert_eq!(root["minted"], Value::Null);
}

#[test]
fn the_terminal_tells_it_within_80_columns() {
    let (_folder, path) = folder();
    let output = portreeve(&["lineage", "dev.mira", &path]);
    assert!(output.status.success(), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for part in [
        "portal session",
        "issued 2026-03-03 07:01 by get-role-credentials from 203.0.113.20",
        "likely: the same person",
        "ends by itself 2026-03-03 19:01 at the latest",
        "192.0.2.41  2 calls  2026-03-03 07:44–07:50",
        "no use of it is in the logs",
    ] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
}

#[test]
fn what_nothing_is_called_is_said_so() {
    let (_folder, path) = folder();
    let output = portreeve(&["lineage", "nobody\u{1b}[2J", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(said(&output).contains("nothing in the logs is called `nobody<U+001B>[2J`"));
    let output = portreeve(&["lineage", KEY, "/nonexistent-folder"]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn what_is_merely_possible_is_said_to_be_there() {
    let mut records = records();
    let mut other = records[1].clone();
    other["eventID"] = "00000000-0000-4000-8000-000000000099".into();
    other["userIdentity"]["credentialId"] = "another-portal-session".into();
    records.push(other);
    let input = lines(&records);
    let ask = |certainty: &str| {
        let arguments = ["lineage", KEY, "-", "--certainty", certainty];
        let as_json = [&arguments[..], &["--format", "json"]].concat();
        let found = report(&crate::common::portreeve_with_input(&as_json, &input));
        let shown = crate::common::portreeve_with_input(&arguments, &input).stdout;
        // Where lines are broken does not matter.
        let words = String::from_utf8(shown).unwrap();
        let words: Vec<&str> = words.split_whitespace().collect();
        (found, words.join(" "))
    };
    let (found, shown) = ask("likely");
    let root = &found["trees"][0]["credentials"][0];
    assert_eq!(
        (&root["credential"], &root["unsure"]),
        (&json!(KEY), &json!(true))
    );
    assert!(shown.contains("`--certainty possible` shows it"), "{shown}");
    let (found, shown) = ask("possible");
    let key = &found["trees"][0]["credentials"][1];
    assert_eq!(key["minted"]["certainty"], "possible");
    assert!(shown.contains("2 portal sessions fit"), "{shown}");
}
