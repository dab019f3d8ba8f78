//! A cut on the terminal, as a page and for machines: made of a small estate.

use portreeve_graph::cut::{Costs, Cut, EXACT_UP_TO, Plan, Question};
use portreeve_graph::{Catalogue, Circumstances, Graph, Jewel};
use portreeve_incident::containment::{Refusal, Refused, Replayed, typed};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use portreeve_view::cut::CutAnswer;
use portreeve_view::terminal::Options;
use portreeve_view::{html, json, terminal};

const DEV: &str = "arn:aws:iam::111122223333:user/dev";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hot-wallet-AbCdEf";

const STEPS: [(&str, &str); 2] = [
    (
        "sts-assume-role.yml",
        "
title: Assume the role
description: The role's trust policy lets the principal in.
techniques: [T1078.004]
references: [https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html]
target: {kind: role}
needs: [sts:AssumeRole on target]
yields: target
",
    ),
    (
        "secretsmanager-get-secret-value.yml",
        "
title: Read the secret
description: Whoever reads the secret has what it holds.
techniques: [T1555.006]
references: [https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html]
target: {kind: secret}
needs: [secretsmanager:GetSecretValue on target]
yields: read
",
    ),
];

fn policy(subject: &str, layer: PolicyLayer, name: &str, document: &str) -> Relation {
    Relation::Policy {
        subject: subject.into(),
        layer,
        name: name.to_owned(),
        document: document.into(),
    }
}

fn cut() -> (Cut, Vec<Jewel>) {
    let mut estate = Estate::default();
    estate.add(Entity::new(DEV, EntityKind::User));
    estate.add(Entity::new(DEPLOY, EntityKind::Role));
    estate.add(Entity::new(SECRET, EntityKind::Secret));
    estate.relate(policy(
        DEPLOY,
        PolicyLayer::Trust,
        "trust policy",
        &format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{DEV}","Service":"codebuild.amazonaws.com"}},"Action":"sts:AssumeRole"}}]}}"#
        ),
    ));
    estate.relate(policy(
        DEPLOY,
        PolicyLayer::Identity,
        "secrets",
        &format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"secretsmanager:Get*","Resource":"{SECRET}"}}]}}"#
        ),
    ));
    estate.finish();
    let (catalogue, errors) = Catalogue::parse(STEPS.into_iter());
    assert!(errors.is_empty(), "{errors:?}");
    let circumstances = Circumstances::default();
    let cut = Question {
        estate: &estate,
        catalogue: &catalogue,
        declared: &[],
        circumstances: &circumstances,
        from: vec![DEV.into()],
        to: Vec::new(),
        costs: &Costs::default(),
        exact_up_to: EXACT_UP_TO,
    }
    .cut();
    (cut, Graph::build(&estate, &catalogue, &[]).jewels())
}

fn history() -> Replayed {
    Replayed {
        refused: vec![Refused {
            principal: DEV.into(),
            sessions: Vec::new(),
            action: "sts:AssumeRole".to_owned(),
            operation: "sts:AssumeRole".to_owned(),
            resource: DEPLOY.to_owned(),
            refusal: Refusal::Denied,
            reason: None,
            calls: 3,
            first: Some("2026-02-03T09:00:00Z".parse().unwrap()),
            last: Some("2026-02-18T16:40:00Z".parse().unwrap()),
        }],
        calls: 1_204,
        asked: 7,
        unexplained: 0,
        first: Some("2026-02-01T00:00:00Z".parse().unwrap()),
        last: Some("2026-02-28T23:00:00Z".parse().unwrap()),
        silent: Vec::new(),
    }
}

fn shown<T>(show: impl FnOnce(&CutAnswer<'_>) -> T) -> T {
    let (cut, jewels) = cut();
    show(&CutAnswer {
        typed: &typed(&cut.plan),
        cut: &cut,
        history: Some(&history()),
        given: &[],
        jewels: &jewels,
        blind_spots: &[],
    })
}

#[test]
fn a_cut_on_a_terminal() {
    let everything = Options {
        list: None,
        ..Options::default()
    };
    insta::assert_snapshot!(shown(|answer| terminal::cut(answer, &everything)));
}

#[test]
fn short_of_all_policies_and_terraform_are_left_out() {
    let short = shown(|answer| terminal::cut(answer, &Options::default()));
    assert!(!short.contains("resource \"aws_iam_role\""));
    assert!(short.contains("aws iam update-assume-role-policy"));
}

#[test]
fn the_page_draws_where_the_path_is_cut() {
    let page = shown(html::cut);
    assert!(page.contains("class=\"edge cut\""));
    assert!(page.contains("cut here"));
    assert!(page.contains("resource &quot;aws_iam_role&quot;"));
    assert!(page.contains("What was used that would be refused"));
}

#[test]
fn what_machines_read_is_a_plan_too() {
    let mut text = Vec::new();
    shown(|answer| json::answer(answer, &mut text)).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(value["proven"], true);
    assert_eq!(value["minimal"], true);
    assert_eq!(value["least_cost"], "proven");
    assert_eq!(value["cost"], 2);
    assert_eq!(value["refused"][0]["calls"], 3);
    assert!(value["changes"][0]["command"].is_string());
    let plan: Plan = serde_json::from_slice(&text).unwrap();
    assert_eq!(plan, cut().0.plan);
}
