//! `portreeve cut`: on a small estate, and on the simulator's incident, replayed over its quiet
//! days.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{portreeve, report, said};
use portreeve_authz::Decision;
use portreeve_authz::aws::Document;
use portreeve_engine::{Config, Request, RuleSet, RuleSettings, Silent, gather, survey};
use portreeve_graph::cut::Plan;
use portreeve_graph::{Access, Circumstances, Graph};
use portreeve_model::EntityId;
use portreeve_telemetry::permissions;
use serde_json::{Value, json};

const DEV: &str = "arn:aws:iam::111122223333:user/dev.mira";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";

/// A developer who may become the role that deploys, by two statements.
fn town(folder: &Path) -> PathBuf {
    let document = |statement: Value| json!({"Version": "2012-10-17", "Statement": statement});
    let identities = json!({
        "UserDetailList": [{
            "UserName": "dev.mira", "Arn": DEV, "UserId": "AIDAEXAMPLE", "Path": "/",
            "UserPolicyList": [{"PolicyName": "developer", "PolicyDocument": document(json!([
                {"Sid": "Deploy", "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
                 "Resource": DEPLOY},
                {"Sid": "Anything", "Effect": "Allow", "Action": "sts:*", "Resource": "*"}]))}],
        }],
        "GroupDetailList": [],
        "RoleDetailList": [{
            "RoleName": "deploy", "Arn": DEPLOY, "RoleId": "AROAEXAMPLE", "Path": "/",
            "AssumeRolePolicyDocument": document(json!([
                {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                 "Action": "sts:AssumeRole"}])),
            "RolePolicyList": [{"PolicyName": "publish", "PolicyDocument": document(json!(
                {"Sid": "Publish", "Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"],
                 "Resource": "arn:aws:s3:::halyard-web/*"}))}],
        }],
        "Policies": [],
    });
    let resources = json!({
        "Account": "111122223333", "Region": "eu-west-1",
        "Buckets": [{"Name": "halyard-web", "Policy": null}],
        "DistributionList": {"Quantity": 1, "Items": [{
            "ARN": "arn:aws:cloudfront::111122223333:distribution/E1", "Id": "E1",
            "Origins": {"Quantity": 1, "Items": [
                {"Id": "web", "DomainName": "halyard-web.s3.eu-west-1.amazonaws.com"}]}}]},
    });
    let estate = folder.join("estate");
    std::fs::create_dir_all(&estate).unwrap();
    std::fs::write(estate.join("iam.json"), identities.to_string()).unwrap();
    std::fs::write(estate.join("resources.json"), resources.to_string()).unwrap();
    estate
}

#[test]
fn the_cut_of_a_small_estate_is_proven_and_told_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let estate = town(folder.path());
    let estate = estate.to_str().unwrap();
    let plan = folder.path().join("plan.json");
    let answer = report(&portreeve(&[
        "cut",
        estate,
        "--from",
        "dev.mira",
        "--format",
        "json",
        "--plan",
        plan.to_str().unwrap(),
    ]));
    assert_eq!(answer["proven"], true, "{answer:#}");
    assert_eq!(answer["minimal"], true);
    assert_eq!(answer["least_cost"], "proven");
    assert_eq!(answer["cost"], 2);
    assert_eq!(answer["left"], json!([]));
    assert_eq!(answer["refused"], json!([]));
    let read: Plan = serde_json::from_slice(&std::fs::read(&plan).unwrap()).unwrap();
    assert_eq!(
        json!(read)["changes"][0]["edit"],
        answer["changes"][0]["edit"]
    );

    let run = |more: &[&str]| {
        let mut arguments = vec!["cut", estate, "--from", "dev.mira"];
        arguments.extend(more);
        let output = portreeve(&arguments);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&[]).contains("1 change leaves no path."));
    assert!(run(&["--all"]).contains("resource \"aws_iam_role"));
    assert!(run(&["--format", "html"]).contains("class=\"edge cut\""));
    assert!(run(&["--exact-up-to", "1"]).contains("1 change leaves no path."));
}

#[test]
fn costs_are_set_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let estate = town(folder.path());
    let settings = estate.join("portreeve.toml");
    let costs = "[cut.costs]\nnarrow-inline = 9\nnarrow-trust = 9\ndeny = 1\n";
    std::fs::write(&settings, costs).unwrap();
    let arguments = [
        "cut",
        estate.to_str().unwrap(),
        "--from",
        "dev.mira",
        "--format",
        "json",
    ];
    let answer = report(&portreeve(&arguments));
    assert_eq!(answer["cost"], 1);
    assert_eq!(answer["changes"][0]["kinds"], json!(["deny"]));
    std::fs::write(&settings, "[cut.costs]\nnarow-trust = 9\n").unwrap();
    let output = portreeve(&arguments);
    assert!(!output.status.success());
    assert!(said(&output).contains("narow-trust"), "{}", said(&output));
}

#[test]
fn a_name_that_is_not_known_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let estate = town(folder.path());
    let output = portreeve(&["cut", estate.to_str().unwrap(), "--from", "nobody"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("`nobody`"));
}

fn simulate(out: &Path, intrusion: &str, records: &str) {
    let output = portreeve(&[
        "simulate",
        "--intrusion",
        intrusion,
        "--max-records",
        records,
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", said(&output));
}

/// What would be refused, by asking about each record by itself.
fn slow_replay(estate: &Path, logs: &Path, plan: &Plan) -> BTreeMap<(String, String, String), u64> {
    let given = Circumstances::default();
    let known = survey(
        &[estate.to_path_buf()],
        &Config::default(),
        &[],
        &given,
        &Silent,
    )
    .expect("the inventory");
    let changed = known.estate.revised(&plan.revision(&known.estate));
    let after_graph = Graph::build(&changed, &known.catalogue, &[]);
    let gathered = gather(
        Request {
            paths: vec![logs.to_path_buf()],
            config: Config::default(),
            skip: Vec::new(),
            rules: RuleSet::parse(&[], &RuleSettings::default()),
            signs: Vec::new(),
            threads: 1,
        },
        &Silent,
    )
    .expect("the logs");
    let (before, after) = (Access::of(&known.estate), Access::of(&changed));
    let mut refused = BTreeMap::new();
    for row in gathered.activities().iter().filter(|row| row.succeeded()) {
        let principal = known.graph.find(row.principal());
        let principal = principal.unwrap_or_else(|| EntityId::from(row.principal()));
        let (service, operation) = row.action().split_once(':').unwrap();
        let mut asked: Vec<(String, String)> = Vec::new();
        for action in permissions(service, operation) {
            let fits = |target: &&str| {
                let of = target.split(':').nth(2).unwrap_or_default();
                let own = action.split(':').next().unwrap_or_default();
                let on_objects = action.contains("Object") && !action.contains("Bucket");
                (of == own || (own == "sts" && of == "iam"))
                    && (own != "s3" || on_objects == target.contains('/'))
            };
            let mut targets: Vec<&str> = row.targets().filter(fits).collect();
            if targets.is_empty() {
                targets.push("*");
            }
            asked.extend(
                targets
                    .into_iter()
                    .map(|target| (action.clone(), target.to_owned())),
            );
        }
        asked.sort();
        let lost = asked.into_iter().find(|(action, resource)| {
            if operation == "AssumeRoleWithWebIdentity" || operation == "AssumeRoleWithSAML" {
                return known.graph.path(row.principal(), resource).is_some()
                    && after_graph.path(row.principal(), resource).is_none();
            }
            let may = |access: &Access<'_>| {
                let answer = access.can(principal.as_str(), action, resource, &given);
                answer.is_ok_and(|verdict| verdict.answer.decision != Decision::Denied)
            };
            may(&before) && !may(&after)
        });
        if let Some((action, resource)) = lost {
            *refused
                .entry((principal.to_string(), action, resource))
                .or_default() += 1;
        }
    }
    refused
}

/// The plan for the simulator's own incident, replayed over a time without any: as much of it as the
/// slow replay ends in soon, or `PORTREEVE_REPLAY_RECORDS` of it (500000: the whole quiet time).
#[test]
fn every_benign_call_that_the_plan_would_have_refused_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (main, quiet) = (folder.path().join("main"), folder.path().join("quiet"));
    simulate(&main, "main", "30000");
    let records = std::env::var("PORTREEVE_REPLAY_RECORDS");
    simulate(&quiet, "none", records.as_deref().unwrap_or("16000"));
    let told = report(&portreeve(&[
        "investigate",
        main.to_str().unwrap(),
        "--format",
        "json",
    ]));
    let incident = &told["incidents"][0];
    let cut = &incident["cut"];
    assert_eq!(cut["proven"], true, "{cut:#}");
    assert_eq!(cut["minimal"], true);
    assert!(!cut["changes"].as_array().unwrap().is_empty());
    let from = cut["from"].as_array().unwrap();
    assert!(
        from.len() > 1,
        "the cut is for all credentials at once: {from:?}"
    );
    assert!(!cut["sessions"].as_array().unwrap().is_empty());
    assert_eq!(cut["reach"].as_array().unwrap().len(), from.len());

    let estate = quiet.join("estate");
    let logs = quiet.join("logs");
    let mut arguments = vec!["cut", estate.to_str().unwrap(), "--format", "json"];
    for id in from {
        arguments.extend(["--from", id.as_str().unwrap()]);
    }
    arguments.extend(["--history", logs.to_str().unwrap()]);
    let answer = report(&portreeve(&arguments));
    assert_eq!(answer["proven"], true);
    assert_eq!(answer["least_cost"], "proven");
    assert_eq!(answer["cost"], cut["cost"]);
    let plan: Plan = serde_json::from_value(answer.clone()).unwrap();
    for change in answer["changes"].as_array().unwrap() {
        for text in ["before", "after"] {
            if let Some(document) = change["edit"][text].as_str() {
                Document::parse(document).expect("the policy can be read");
            }
        }
    }

    let mut fast: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for refused in answer["refused"].as_array().unwrap() {
        let text = |key: &str| refused[key].as_str().unwrap().to_owned();
        assert_eq!(refused["refusal"], "denied");
        *fast
            .entry((text("principal"), text("action"), text("resource")))
            .or_default() += refused["calls"].as_u64().unwrap();
    }
    let slow = slow_replay(&estate, &logs, &plan);
    assert!(
        !slow.is_empty(),
        "the quiet time has calls that need what is taken"
    );
    assert_eq!(fast, slow);
}
