//! What estates that are wide, cyclic or garbage come to: edges grow with the estate and not with
//! its square, and nothing panics.

use portreeve_graph::{Graph, NodeKind};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const ACCOUNT: &str = "arn:aws:iam::111122223333:root";

fn policy(subject: &str, layer: PolicyLayer, document: String) -> Relation {
    Relation::Policy {
        subject: subject.into(),
        layer,
        name: layer.as_str().to_owned(),
        document: document.into(),
    }
}

fn statements(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Roles that all trust the account and may assume all roles, so that each reaches each.
fn everyone_assumes_everyone(roles: usize) -> Estate {
    let mut estate = Estate::default();
    for role in 0..roles {
        let id = format!("arn:aws:iam::111122223333:role/r{role}");
        estate.add(Entity::new(id.as_str(), EntityKind::Role));
        let trust = statements(json!([{
            "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"
        }]));
        estate.relate(policy(&id, PolicyLayer::Trust, trust));
        // Texts differ, so that roles are in classes of their own.
        let own = statements(json!([
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": format!("arn:aws:sqs:*:*:q{role}")},
        ]));
        estate.relate(policy(&id, PolicyLayer::Identity, own));
    }
    estate.finish();
    estate
}

#[test]
fn a_grant_on_all_roles_is_one_edge() {
    let roles = 300;
    let graph = Graph::build(
        &everyone_assumes_everyone(roles),
        &crate::common::catalogue(),
        &[],
    );
    let (_, edges) = graph.size();
    assert!(edges <= 2 * roles, "{edges} edges");
    let hubs = graph.nodes().filter(|node| node.kind == NodeKind::Hub);
    assert_eq!(hubs.count(), 1);
    let (first, last) = (
        "arn:aws:iam::111122223333:role/r0",
        "arn:aws:iam::111122223333:role/r299",
    );
    assert_eq!(graph.path(first, last).expect("a path").steps.len(), 1);
    assert_eq!(graph.steps_from(first).len(), roles - 1);
    assert_eq!(graph.reachers(last).len(), roles - 1);
    assert_eq!(graph.blast_radius(first).principals.len(), roles - 1);
}

#[test]
fn roles_that_trust_each_other_in_a_circle_are_walked_once() {
    let mut estate = Estate::default();
    let id = |role: usize| format!("arn:aws:iam::111122223333:role/r{}", role % 50);
    for role in 0..50 {
        estate.add(Entity::new(id(role), EntityKind::Role));
        let trust = statements(json!([{
            "Effect": "Allow", "Principal": {"AWS": [id(role + 1), id(role)]},
            "Action": "sts:AssumeRole"
        }]));
        estate.relate(policy(&id(role), PolicyLayer::Trust, trust));
    }
    estate.finish();
    let graph = Graph::build(&estate, &crate::common::catalogue(), &[]);
    for role in 0..50 {
        assert_eq!(graph.reachers(&id(role)).len(), 49);
        assert_eq!(graph.reached_from(&id(role)).len(), 49);
        let hops = graph.reached_from(&id(role)).last().map(|last| last.hops);
        assert_eq!(hops, Some(49));
    }
}

#[test]
fn garbage_is_no_reason_to_panic() {
    let long = "a".repeat(1 << 20);
    let many: Vec<Value> = (0..10_000)
        .map(|place| json!({"Effect": "Allow", "Action": "iam:*", "Resource": format!("arn:aws:iam::*:role/*{place}*")}))
        .collect();
    let documents = [
        "{}".to_owned(),
        String::new(),
        "[".repeat(200),
        format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "{long}", "Resource": "{long}"}}}}"#
        ),
        statements(json!(many)),
        statements(
            json!([{"Effect": "Allow", "Action": "*", "Resource": "arn:\u{0}:\u{1b}[2J:::"}]),
        ),
        statements(
            json!([{"Effect": "Allow", "Principal": {"AWS": ["", ":", "::::::", "${", "\u{0}"]}, "Action": "*"}]),
        ),
        statements(
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:x": [[1], {}, null]}}}]),
        ),
        statements(
            json!([{"Effect": ["Deny"], "NotAction": {}, "NotResource": 3, "NotPrincipal": null}]),
        ),
        statements(
            json!({"Effect": "Deny", "Action": "*", "Resource": "${${${", "NotPrincipal": {"AWS": "*"}}),
        ),
    ];
    let ids = [
        "arn:aws:iam::111122223333:role/r",
        "arn:aws:iam::111122223333:user/\u{0}\n",
        "arn:aws:s3:::b",
        "arn:aws:lambda:us-east-1:111122223333:function:f",
        ":",
        "",
        "arn:aws:iam::111122223333:group/ü*?",
    ];
    let kinds = [
        EntityKind::Role,
        EntityKind::User,
        EntityKind::Bucket,
        EntityKind::Function,
        EntityKind::Role,
        EntityKind::User,
        EntityKind::Group,
    ];
    let layers = [
        PolicyLayer::Identity,
        PolicyLayer::Trust,
        PolicyLayer::Resource,
        PolicyLayer::Boundary,
        PolicyLayer::ServiceControl,
        PolicyLayer::ResourceControl,
    ];
    for document in &documents {
        let mut estate = Estate::default();
        for (id, kind) in ids.iter().zip(kinds) {
            estate.add(Entity::new(*id, kind));
            for layer in layers {
                estate.relate(policy(id, layer, document.clone()));
                estate.relate(policy(ACCOUNT, layer, document.clone()));
            }
            estate.relate(Relation::MemberOf {
                member: (*id).into(),
                group: ids[6].into(),
            });
            estate.relate(Relation::Contains {
                parent: (*id).into(),
                child: ids[0].into(),
            });
        }
        estate.finish();
        let graph = Graph::build(&estate, &crate::common::catalogue(), &[]);
        for from in graph.entities() {
            graph.reached_from(from.as_str());
            graph.reachers(from.as_str());
            graph.steps_from(from.as_str());
            graph.writers(from.as_str());
        }
        assert!(graph.nodes().count() >= ids.len());
    }
}
