//! What of the past a plan would have refused, case by case.

mod common;

use std::collections::BTreeSet;

use common::{HOME, Logs, OFFICE, event};
use portreeve_graph::cut::{Change, Edit, PLAN_VERSION, Plan};
use portreeve_graph::{Catalogue, Graph};
use portreeve_incident::containment::{Calls, Refusal, Refused, Replayed, replay};
use portreeve_model::{Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const ADA: &str = "arn:aws:iam::111122223333:user/ada";
const NODE: &str = "arn:aws:iam::111122223333:role/node";
const ADMIN: &str = "arn:aws:iam::111122223333:role/admin";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const MACHINE: &str = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d";
const PERSON: &str = "arn:aws:identitystore:::user/u-1";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const BUCKET: &str = "arn:aws:s3:::web";
const PROVIDER: &str =
    "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const BUILD: &str = "token.actions.githubusercontent.com:repo:halyard/web:ref:refs/heads/main";

fn document(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn policy(subject: &str, layer: PolicyLayer, name: &str, statements: Value) -> Relation {
    Relation::Policy {
        subject: subject.into(),
        layer,
        name: name.to_owned(),
        document: document(statements).into(),
    }
}

fn ada_may() -> Value {
    json!([
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::web/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::web/public/*",
         "Condition": {"IpAddress": {"aws:SourceIp": OFFICE}}},
        {"Effect": "Allow", "Action": ["ec2:RunInstances", "iam:PassRole"], "Resource": "*"}])
}

fn deploy_trusts() -> Value {
    json!([
        {"Effect": "Allow", "Principal": {"Federated": PROVIDER},
         "Action": "sts:AssumeRoleWithWebIdentity",
         "Condition": {"StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:halyard/web:ref:refs/heads/main"}}},
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
         "Action": "sts:AssumeRole"}])
}

fn estate() -> Estate {
    let mut estate = Estate::default();
    for (id, kind) in [
        (ADA, EntityKind::User),
        (NODE, EntityKind::Role),
        (ADMIN, EntityKind::Role),
        (DEPLOY, EntityKind::Role),
        (MACHINE, EntityKind::Instance),
        (KEY, EntityKind::AccessKey),
        (BUCKET, EntityKind::Bucket),
    ] {
        estate.add(Entity::new(id, kind));
    }
    let mut person = Entity::new(PERSON, EntityKind::Person);
    person
        .attributes
        .insert("UserName".into(), "kim.lake".into());
    estate.add(person);
    estate.relate(policy(ADA, PolicyLayer::Identity, "ada", ada_may()));
    estate.relate(policy(
        DEPLOY,
        PolicyLayer::Trust,
        "trust policy",
        deploy_trusts(),
    ));
    estate.relate(policy(
        NODE,
        PolicyLayer::Identity,
        "node",
        json!({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}),
    ));
    estate.relate(Relation::Proves {
        credential: KEY.into(),
        principal: ADA.into(),
    });
    estate.relate(Relation::RunsAs {
        workload: MACHINE.into(),
        principal: NODE.into(),
    });
    estate.relate(Relation::SignsInAs {
        person: PERSON.into(),
        role: NODE.into(),
    });
    estate.finish();
    estate
}

fn plan(edit: Edit) -> Plan {
    Plan {
        version: PLAN_VERSION,
        changes: vec![Change {
            id: "1".to_owned(),
            kinds: Vec::new(),
            titles: Vec::new(),
            cost: 1,
            account: None,
            edit,
        }],
    }
}

/// A policy of someone with other statements than it has.
fn edited(target: &str, layer: PolicyLayer, name: &str, before: Value, after: Value) -> Plan {
    plan(Edit::Document {
        target: target.into(),
        layer,
        name: name.to_owned(),
        before: Some(document(before).into()),
        after: Some(document(after).into()),
        copies: Vec::new(),
    })
}

fn replayed(logs: &Logs, plan: &Plan) -> Replayed {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../escalations/aws");
    let names = [
        "sts-assume-role.yml",
        "sts-assume-role-with-web-identity.yml",
    ];
    let files = names.map(|name| std::fs::read_to_string(folder.join(name)).expect("a step"));
    let named = names.into_iter().zip(files.iter().map(String::as_str));
    let (catalogue, errors) = Catalogue::parse(named);
    assert!(errors.is_empty(), "{errors:?}");
    let estate = estate();
    let changed = estate.revised(&plan.revision(&estate));
    replay(&Calls {
        estate: &estate,
        graph: &Graph::build(&estate, &catalogue, &[]),
        plan,
        after: &Graph::build(&changed, &catalogue, &[]),
        activities: &logs.fold().activities,
        left_out: &BTreeSet::new(),
    })
}

fn only(replayed: &Replayed) -> &Refused {
    assert_eq!(replayed.refused.len(), 1, "{:#?}", replayed.refused);
    &replayed.refused[0]
}

fn put(time: &str, path: &str) -> common::Event {
    event(time, "s3:PutObject")
        .user("ada", KEY)
        .on(&format!("{BUCKET}/{path}"))
}

#[test]
fn what_a_statement_allowed_is_told_with_how_often_and_when() {
    let mut logs = Logs::default();
    logs.add(put("2026-03-01T08:00:00Z", "index.html"))
        .add(put("2026-03-02T08:00:00Z", "index.html"))
        .add(put("2026-03-03T08:00:00Z", "index.html").denied())
        .add(
            event("2026-03-04T08:00:00Z", "s3:DeleteBucket")
                .user("ada", KEY)
                .on(BUCKET),
        )
        .add(event("2026-03-04T09:00:00Z", "s3:ListBuckets").role(NODE, "i-0a1b2c3d", "ASIA1"));
    let mut left = ada_may();
    left.as_array_mut().unwrap().remove(0);
    let found = replayed(
        &logs,
        &edited(ADA, PolicyLayer::Identity, "ada", ada_may(), left),
    );
    let refused = only(&found);
    assert_eq!(refused.principal, EntityId::from(ADA));
    assert_eq!(refused.action, "s3:PutObject");
    assert_eq!(refused.refusal, Refusal::Denied);
    assert_eq!(refused.calls, 2);
    assert_eq!(refused.first, Some("2026-03-01T08:00:00Z".parse().unwrap()));
    assert_eq!(refused.last, Some("2026-03-02T08:00:00Z".parse().unwrap()));
    // Of the bucket's deletion the estate does not tell why it was allowed.
    assert_eq!((found.calls, found.asked, found.unexplained), (4, 3, 1));
}

#[test]
fn where_a_policy_asks_for_the_address_it_decides() {
    let mut logs = Logs::default();
    logs.add(put("2026-03-01T08:00:00Z", "public/a").from(OFFICE))
        .add(put("2026-03-02T08:00:00Z", "public/a").from(HOME));
    let mut left = ada_may();
    left.as_array_mut().unwrap().remove(0);
    let found = replayed(
        &logs,
        &edited(ADA, PolicyLayer::Identity, "ada", ada_may(), left),
    );
    assert_eq!(only(&found).calls, 1);
    assert_eq!(
        only(&found).last,
        Some("2026-03-02T08:00:00Z".parse().unwrap())
    );
}

#[test]
fn what_hangs_on_an_untold_condition_depends() {
    let mut logs = Logs::default();
    logs.add(put("2026-03-01T08:00:00Z", "index.html"));
    let mut narrowed = ada_may();
    narrowed[0]["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let found = replayed(
        &logs,
        &edited(ADA, PolicyLayer::Identity, "ada", ada_may(), narrowed),
    );
    assert_eq!(only(&found).refusal, Refusal::Depends);
}

#[test]
fn a_key_that_is_off_makes_no_call() {
    let mut logs = Logs::default();
    logs.add(put("2026-03-01T08:00:00Z", "index.html"))
        .add(event("2026-03-01T09:00:00Z", "s3:PutObject").user("ada", "AKIAOTHER0EXAMPLE000"));
    let off = plan(Edit::AccessKey {
        user: ADA.into(),
        key: KEY.into(),
        active: false,
    });
    let found = replayed(&logs, &off);
    assert_eq!(only(&found).calls, 1);
    assert!(
        only(&found)
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("key"))
    );
}

#[test]
fn a_role_is_lost_to_the_workload_or_person_that_had_it_and_to_no_other() {
    let mut logs = Logs::default();
    for (hour, session) in [(8, "i-0a1b2c3d"), (9, "i-0ffffffff"), (10, "kim.lake")] {
        let time = format!("2026-03-01T{hour:02}:00:00Z");
        logs.add(event(&time, "s3:ListBuckets").role(NODE, session, &format!("ASIA{hour}")));
    }
    let found = replayed(
        &logs,
        &plan(Edit::WorkloadRole {
            workload: MACHINE.into(),
            role: NODE.into(),
            runs: false,
        }),
    );
    assert_eq!(only(&found).sessions, ["i-0a1b2c3d"]);
    let found = replayed(
        &logs,
        &plan(Edit::Assignment {
            person: PERSON.into(),
            role: NODE.into(),
            assigned: false,
        }),
    );
    assert_eq!(only(&found).sessions, ["kim.lake"]);
}

#[test]
fn a_role_that_was_handed_to_a_service_is_not_in_the_log() {
    let mut logs = Logs::default();
    logs.add(event("2026-03-01T08:00:00Z", "ec2:RunInstances").user("ada", KEY));
    let mut none = ada_may();
    none[2]["Action"] = json!(["ec2:RunInstances"]);
    let found = replayed(
        &logs,
        &edited(ADA, PolicyLayer::Identity, "ada", ada_may(), none),
    );
    assert_eq!(only(&found).action, "iam:PassRole");
    assert_eq!(only(&found).refusal, Refusal::Denied);
    assert!(
        found
            .silent
            .iter()
            .any(|silent| silent.contains("iam:PassRole"))
    );

    let mut some = ada_may();
    let deny = json!({"Effect": "Deny", "Action": "iam:PassRole", "Resource": ADMIN});
    some.as_array_mut().unwrap().push(deny);
    let found = replayed(
        &logs,
        &edited(ADA, PolicyLayer::Identity, "ada", ada_may(), some),
    );
    assert_eq!(only(&found).refusal, Refusal::Depends);
    assert_eq!(only(&found).resource, ADMIN);
}

#[test]
fn builds_that_a_trust_no_longer_lets_in_are_told() {
    let mut logs = Logs::default();
    logs.add(
        event("2026-03-01T08:00:00Z", "sts:AssumeRoleWithWebIdentity")
            .web_identity(BUILD)
            .on(DEPLOY),
    );
    let mut left = deploy_trusts();
    left.as_array_mut().unwrap().remove(0);
    let plan = edited(
        DEPLOY,
        PolicyLayer::Trust,
        "trust policy",
        deploy_trusts(),
        left,
    );
    let found = replayed(&logs, &plan);
    assert_eq!(only(&found).resource, DEPLOY);
    assert_eq!(only(&found).refusal, Refusal::Denied);
}
