//! `portreeve check` on a small estate, in every form.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

use crate::common::{portreeve, report, said};
use serde_json::{Value, json};

const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const WEB: &str = "arn:aws:s3:::halyard-web";
const LOGS: &str = "arn:aws:s3:::halyard-logs";
const AS_OF: &str = "2026-03-01";

/// A web origin that keeps no versions, which builds of any branch may write to; a bucket of logs that
/// nobody gets at; a person's old key.
struct Town {
    folder: tempfile::TempDir,
}

impl Town {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider =
            "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        let identities = json!({
            "UserDetailList": [{"UserName": "mira", "Arn": "arn:aws:iam::111122223333:user/mira"}],
            "RoleDetailList": [{
                "RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy",
                "AssumeRolePolicyDocument": {"Statement": [{
                    "Effect": "Allow", "Principal": {"Federated": provider},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {
                        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                        "StringLike": {"token.actions.githubusercontent.com:sub": "repo:halyard/*"}}}]},
                "RolePolicyList": [{"PolicyName": "publish", "PolicyDocument": {"Statement": [{
                    "Effect": "Allow", "Action": "s3:PutObject",
                    "Resource": "arn:aws:s3:::halyard-web/*"}]}}],
            }],
        });
        let bucket = |name: &str, tags: Value| json!({"Name": name, "Policy": null, "Versioning": null, "PublicAccessBlock": null, "Tags": tags});
        let resources = json!({
            "Account": "111122223333", "Region": "eu-west-1",
            "Buckets": [
                bucket("halyard-web", json!([{"Key": "tier", "Value": "web-origin"}])),
                bucket("halyard-logs", json!([])),
            ],
            "PasswordPolicy": {"MinimumPasswordLength": 16},
        });
        let credentials = "user,arn,user_creation_time,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\n\
            <root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,false,false,N/A,N/A\n\
            mira,arn:aws:iam::111122223333:user/mira,2024-01-01T00:00:00+00:00,true,true,2025-12-15T00:00:00+00:00,2026-02-27T00:00:00+00:00\n";
        let files = [
            ("iam.json", identities.to_string()),
            ("resources.json", resources.to_string()),
            ("credentials.csv", credentials.to_owned()),
            ("portreeve.toml", settings.to_owned()),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let folder = self.path();
        let mut all = vec!["check", folder.to_str().unwrap(), "--as-of", AS_OF];
        all.extend(arguments);
        portreeve(&all)
    }

    fn json(&self) -> Value {
        report(&self.run(&["--format", "json"]))
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn finding<'v>(answer: &'v Value, check: &str, resource: &str) -> Option<&'v Value> {
    let mut all = answer["findings"].as_array().unwrap().iter();
    all.find(|one| one["check"] == check && one["resource"] == resource)
}

#[test]
fn what_lies_on_an_attack_path_comes_first_with_the_path() {
    let answer = Town::new("").json();
    let findings = answer["findings"].as_array().unwrap();
    let on_path: Vec<bool> = findings.iter().map(|one| !one["path"].is_null()).collect();
    let first_without = on_path.iter().position(|on| !on).unwrap();
    assert!(first_without > 0);
    assert!(
        on_path[first_without..].iter().all(|on| !on),
        "paths come first"
    );
    assert_eq!(findings[0]["check"], "aws.pipeline-trust");

    let web = finding(&answer, "aws.bucket-versioning", WEB).unwrap();
    let stations: Vec<&str> = web["path"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["to"].as_str().unwrap())
        .collect();
    assert_eq!(stations, ["arn:aws:iam::111122223333:role/deploy", WEB]);
    assert_eq!(
        web["path"]["from"],
        "token.actions.githubusercontent.com:repo:halyard/*"
    );
    // A crown jewel's failure is graver than that of a bucket which nobody gets at.
    let logs = finding(&answer, "aws.bucket-versioning", LOGS).unwrap();
    assert!(logs["path"].is_null());
    assert_eq!(
        (&web["severity"], &logs["severity"]),
        (&json!("high"), &json!("medium"))
    );
    assert!(web["score"].as_f64() > logs["score"].as_f64());
}

#[test]
fn what_is_not_shown_is_named_and_never_passes() {
    let answer = Town::new("").json();
    let unknown = answer["unknown"].as_array().unwrap();
    let trail = unknown
        .iter()
        .find(|one| one["check"] == "aws.trail-enabled")
        .unwrap();
    assert_eq!(trail["resources"], json!([ACCOUNT]));
    assert!(
        trail["missing"]
            .as_str()
            .unwrap()
            .contains("aws cloudtrail describe-trails")
    );
    let counts = answer["checks"].as_array().unwrap();
    let counts = counts
        .iter()
        .find(|one| one["id"] == "aws.trail-enabled")
        .unwrap();
    assert_eq!(
        (&counts["passed"], &counts["failed"]),
        (&json!(0), &json!(0))
    );
    // What is shown and right passes.
    let length = answer["checks"].as_array().unwrap();
    let length = length
        .iter()
        .find(|one| one["id"] == "aws.password-length")
        .unwrap();
    assert_eq!(length["passed"], 1);
}

#[test]
fn suppressions_hide_only_with_a_reason_and_in_their_time() {
    let town = Town::new(
        "[[suppressions]]\nid = 'meant'\ncheck = 'aws.bucket-versioning'\nresource = 'halyard-logs'\n\
         expires = 2026-12-31\nowner = 'ops'\nreason = 'written once'\nticket = 'OPS-7'\n\
         [[suppressions]]\nid = 'old'\ncheck = 'aws.root-mfa'\nexpires = 2026-02-28\nreason = 'moving'\n\
         [[suppressions]]\nid = 'bare'\ncheck = 'aws.human-access-key'\nexpires = 2026-12-31\n\
         [[suppressions]]\nid = 'endless'\ncheck = 'aws.pipeline-trust'\nreason = 'x'\n\
         [[suppressions]]\nid = 'all'\ncheck = '*'\nexpires = 2026-12-31\nreason = 'x'\n\
         [[suppressions]]\nid = 'idle'\ncheck = 'aws.domain-lock'\nexpires = 2026-12-31\nreason = 'x'\n",
    );
    let answer = town.json();
    let states: Vec<(&str, &str)> = answer["suppressions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("meant", "active"),
            ("old", "expired"),
            ("bare", "without-reason"),
            ("endless", "without-expiry"),
            ("all", "boundless"),
            ("idle", "unused"),
        ]
    );
    let hidden: Vec<&Value> = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["suppressed_by"].is_string())
        .collect();
    assert_eq!(hidden.len(), 1);
    assert_eq!(hidden[0]["resource"], LOGS);
    assert_eq!(answer["summary"]["suppressed"], 1);
    let text = town.text(&[]);
    for wanted in ["expired: hides nothing", "has no reason", "has no expiry"] {
        assert!(text.contains(wanted), "{text}");
    }
    // A day later than its last, the first is over as well.
    let folder = town.path();
    let later = [
        "check",
        folder.to_str().unwrap(),
        "--as-of",
        "2027-01-01",
        "--format",
        "json",
    ];
    assert_eq!(
        report(&portreeve(&later))["suppressions"][0]["state"],
        "expired"
    );
}

#[test]
fn settings_switch_checks_off_and_set_their_numbers() {
    let age = |town: &Town| finding(&town.json(), "aws.access-key-age", KEY).is_some();
    const KEY: &str = "arn:aws:iam::111122223333:user/mira#access-key-1";
    assert!(!age(&Town::new("")), "76 days old");
    assert!(age(&Town::new(
        "[checks.limits]\n'aws.access-key-age' = { days = 60 }\n"
    )));
    let town = Town::new("[checks]\ndisabled = ['aws.root-mfa']\n");
    assert!(finding(&town.json(), "aws.root-mfa", ACCOUNT).is_none());
    let wrong = Town::new("[checks]\ndisabled = ['aws.no-such']\n").run(&[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(said(&wrong).contains("aws.no-such"), "{}", said(&wrong));
}

#[test]
fn exit_codes_tell_pipelines() {
    let town = Town::new("");
    assert_eq!(town.run(&["--fail-on", "critical"]).status.code(), Some(10));
    let only = [
        "--only",
        "aws.password-length",
        "--fail-on",
        "informational",
    ];
    assert_eq!(town.run(&only).status.code(), Some(0));
    assert_eq!(town.run(&["--only", "aws.no-such"]).status.code(), Some(2));
    let folder = town.path();
    let bad = ["check", folder.to_str().unwrap(), "--as-of", "soon"];
    assert_eq!(portreeve(&bad).status.code(), Some(2));
    let empty = tempfile::tempdir().unwrap();
    let nothing = ["check", empty.path().to_str().unwrap()];
    assert_eq!(portreeve(&nothing).status.code(), Some(3));
}

#[test]
fn text_and_page_say_the_same_and_two_runs_are_one() {
    let town = Town::new("");
    let text = town.text(&["--all"]);
    for wanted in [
        "ON AN ATTACK PATH",
        "Builds of too many repositories",
        "halyard-web",
        "→ Turn versioning on",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 200));
    let page = town.text(&["--format", "html"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg"));
    for forbidden in ["<script", "http-equiv=\"refresh\"", "src=\"http"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("Builds of too many repositories") && page.contains("id=\"unknown\""));
    for format in ["terminal", "json", "html", "sarif", "ocsf"] {
        let run = || town.text(&["--format", format]);
        assert_eq!(run(), run(), "{format}");
    }
}

#[test]
fn checks_are_listed() {
    let text = String::from_utf8(portreeve(&["check", "--list"]).stdout).unwrap();
    assert!(text.contains("aws.root-mfa") && text.contains("CIS 1.14"));
    let list = report(&portreeve(&["check", "--list", "--format", "json"]));
    let list = list.as_array().unwrap();
    assert!(list.len() > 90);
    let age = list
        .iter()
        .find(|one| one["id"] == "aws.access-key-age")
        .unwrap();
    assert_eq!(age["limits"][0]["default"], 90);
    assert_eq!(
        portreeve(&["check", "--list", "--format", "sarif"])
            .status
            .code(),
        Some(2)
    );
}

/// The rules of SARIF 2.1.0 for what is written, by section.
#[test]
fn sarif_keeps_the_rules_of_the_standard() {
    let town = Town::new(
        "[[suppressions]]\nid = 'meant'\ncheck = 'aws.root-mfa'\nexpires = 2026-12-31\nreason = 'r'\n",
    );
    let log: Value = serde_json::from_str(&town.text(&["--format", "sarif"])).unwrap();
    assert_eq!(log["version"], "2.1.0"); // 3.13.2
    assert!(
        log["$schema"]
            .as_str()
            .unwrap()
            .contains("sarif-schema-2.1.0")
    ); // 3.13.3
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let driver = &runs[0]["tool"]["driver"];
    assert!(driver["name"].is_string()); // 3.19.8
    let version = driver["semanticVersion"].as_str().unwrap();
    assert_eq!(version.split('.').count(), 3); // 3.19.12
    let rules = driver["rules"].as_array().unwrap();
    let levels = ["none", "note", "warning", "error"];
    let mut ids = BTreeSet::new();
    for rule in rules {
        assert!(ids.insert(rule["id"].as_str().unwrap())); // 3.49.3
        let name = rule["name"].as_str().unwrap();
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{name}"
        ); // 3.49.7
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(
                rule[text]["text"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())); // 3.50.3
        let uri = rule["helpUri"].as_str().unwrap();
        assert!(uri.starts_with("https://") && !uri.contains(' ')); // 3.49.12
    }
    let artifacts = runs[0]["artifacts"].as_array().unwrap();
    assert_eq!(artifacts.len(), 3);
    for artifact in artifacts {
        let uri = artifact["location"]["uri"].as_str().unwrap();
        assert!(!uri.contains([' ', '\\'])); // 3.10.1
        assert_eq!(artifact["hashes"]["sha-256"].as_str().unwrap().len(), 64); // 3.24.11
    }
    let results = runs[0]["results"].as_array().unwrap();
    let kinds: BTreeSet<&str> = results
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["fail", "open"])); // 3.27.9
    let mut prints = BTreeSet::new();
    let mut flows = 0;
    let mut accepted = 0;
    for result in results {
        let rule = result["ruleId"].as_str().unwrap();
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], rule); // 3.27.6
        assert!(!result["message"]["text"].as_str().unwrap().is_empty()); // 3.11.8
        let level = result["level"].as_str().unwrap();
        assert!(levels.contains(&level));
        // 3.27.10: what is no failure has no level.
        assert_eq!(level == "none", result["kind"] != "fail");
        for location in result["locations"].as_array().unwrap() {
            let logical = location["logicalLocations"].as_array().unwrap(); // 3.28.4
            assert!(logical[0]["fullyQualifiedName"].is_string() && logical[0]["name"].is_string());
        }
        if result["kind"] == "open" {
            continue;
        }
        let rank = result["rank"].as_f64().unwrap();
        assert!((0.0..=100.0).contains(&rank)); // 3.27.25
        let print = result["partialFingerprints"]["checkAndResource/v1"]
            .as_str()
            .unwrap();
        assert!(prints.insert(print)); // 3.27.17
        for flow in result["codeFlows"].as_array().into_iter().flatten() {
            flows += 1;
            let threads = flow["threadFlows"].as_array().unwrap(); // 3.36.3
            assert!(threads[0]["locations"].as_array().unwrap().len() > 1); // 3.37.6
        }
        for suppression in result["suppressions"].as_array().unwrap() {
            accepted += 1;
            assert_eq!(suppression["kind"], "external"); // 3.35.2
            assert_eq!(suppression["status"], "accepted"); // 3.35.3
            assert!(suppression["justification"].is_string()); // 3.35.5
        }
    }
    assert!(flows > 0);
    assert_eq!(accepted, 1);
}

/// What OCSF 1.6.0 requires of a Compliance Finding, as `events/findings/compliance_finding.json` and
/// the objects that it uses say.
#[test]
fn ocsf_keeps_the_schema_s_requirements() {
    let town = Town::new(
        "[[suppressions]]\nid = 'meant'\ncheck = 'aws.root-mfa'\nexpires = 2026-12-31\nreason = 'r'\n",
    );
    let text = town.text(&["--format", "ocsf"]);
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let answer = town.json();
    let wanted =
        answer["findings"].as_array().unwrap().len() + answer["unknown"].as_array().unwrap().len();
    assert_eq!(lines.len(), wanted);
    let mut uids = BTreeSet::new();
    for line in &lines {
        assert_eq!(line["class_uid"], 2003);
        assert_eq!(line["category_uid"], 2);
        assert_eq!(line["activity_id"], 1);
        assert_eq!(line["type_uid"], 200_301);
        assert!((1..=5).contains(&line["severity_id"].as_u64().unwrap()));
        assert_eq!(line["time"].as_i64(), Some(1_772_323_200_000));
        for key in ["name", "vendor_name", "version"] {
            assert!(line["metadata"]["product"][key].is_string(), "{key}");
        }
        assert_eq!(line["metadata"]["version"], "1.6.0");
        let info = &line["finding_info"];
        assert!(info["title"].is_string() && uids.insert(info["uid"].as_str().unwrap()));
        assert_eq!(info["analytic"]["type_id"], 1);
        let compliance = &line["compliance"];
        assert!(!compliance["standards"].as_array().unwrap().is_empty());
        let status = (
            compliance["status_id"].as_u64(),
            compliance["status"].as_str(),
        );
        assert!(matches!(
            status,
            (Some(2), Some("Warning")) | (Some(3), Some("Fail"))
        ));
        assert!(compliance["control"].is_string());
        for resource in line["resources"].as_array().unwrap() {
            assert!(resource["uid"].is_string() && resource["name"].is_string());
        }
        if status.0 == Some(3) {
            assert!(!line["remediation"]["desc"].as_str().unwrap().is_empty());
        }
    }
    let suppressed: Vec<&Value> = lines.iter().filter(|line| line["status_id"] == 3).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["status"], "Suppressed");
}
