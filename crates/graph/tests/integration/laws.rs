//! Laws that hold for every estate, on small random ones.

use std::sync::{Arc, LazyLock};

use crate::common::slow;
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, Document, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};
use portreeve_graph::{AttackPath, Catalogue, Difference, Graph};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use proptest::prelude::*;
use serde_json::json;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(crate::common::catalogue);

const USERS: usize = 3;
const ROLES: usize = 4;

const ACTIONS: [&str; 12] = [
    "sts:AssumeRole",
    "iam:PassRole",
    "lambda:*",
    "iam:CreateAccessKey",
    "iam:PutUserPolicy",
    "iam:AttachRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "lambda:UpdateFunctionCode",
    "s3:PutObject",
    "s3:Get*",
    "secretsmanager:GetSecretValue",
    "*",
];

const RESOURCES: [&str; 9] = [
    "*",
    "arn:aws:iam::111122223333:role/r0",
    "arn:aws:iam::111122223333:role/r1",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::111122223333:user/u1",
    "arn:aws:iam::111122223333:user/${aws:username}",
    "arn:aws:s3:::web/*",
    "arn:aws:lambda:us-east-1:111122223333:function:f",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:hot-wallet-AbCdEf",
];

/// One statement: whose, denying, action, resource, whether it asks for MFA.
type Row = (usize, bool, usize, usize, bool);

fn id(principal: usize) -> String {
    if principal < USERS {
        format!("arn:aws:iam::111122223333:user/u{principal}")
    } else {
        format!("arn:aws:iam::111122223333:role/r{}", principal - USERS)
    }
}

fn document((_, deny, action, resource, mfa): Row) -> Arc<str> {
    let mut statement = json!({
        "Effect": if deny { "Deny" } else { "Allow" },
        "Action": ACTIONS[action],
        "Resource": RESOURCES[resource],
    });
    if mfa {
        statement["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
        .to_string()
        .into()
}

fn trust(role: usize) -> String {
    let principal = match role {
        0 => json!({"AWS": "arn:aws:iam::111122223333:root"}),
        1 => json!({"Service": "lambda.amazonaws.com"}),
        2 => json!({"AWS": id(0)}),
        _ => json!({"AWS": [id(USERS), "arn:aws:iam::999988887777:root"]}),
    };
    json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
        .to_string()
}

fn estate(rows: &[Row]) -> Estate {
    let mut estate = Estate::default();
    for principal in 0..USERS + ROLES {
        let kind = if principal < USERS {
            EntityKind::User
        } else {
            EntityKind::Role
        };
        estate.add(Entity::new(id(principal), kind));
        if principal >= USERS {
            estate.relate(Relation::Policy {
                subject: id(principal).into(),
                layer: PolicyLayer::Trust,
                name: "trust".into(),
                document: trust(principal - USERS).into(),
            });
        }
    }
    let function = "arn:aws:lambda:us-east-1:111122223333:function:f";
    estate.add(Entity::new(function, EntityKind::Function));
    estate.relate(Relation::RunsAs {
        workload: function.into(),
        principal: id(USERS + 1).into(),
    });
    estate.add(Entity::new("arn:aws:s3:::web", EntityKind::Bucket));
    estate.add(Entity::new("arn:aws:s3:::plain", EntityKind::Bucket));
    estate.relate(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: "arn:aws:s3:::web".into(),
    });
    estate.add(Entity::new(
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:hot-wallet-AbCdEf",
        EntityKind::Secret,
    ));
    for (place, row) in rows.iter().enumerate() {
        estate.relate(Relation::Policy {
            subject: id(row.0).into(),
            layer: PolicyLayer::Identity,
            name: format!("p{place}"),
            document: document(*row),
        });
    }
    estate.finish();
    estate
}

fn row() -> impl Strategy<Value = Row> {
    (
        0..USERS + ROLES,
        prop::bool::weighted(0.15),
        0..ACTIONS.len(),
        0..RESOURCES.len(),
        prop::bool::weighted(0.2),
    )
}

fn all_paths(graph: &Graph) -> Vec<AttackPath> {
    let mut paths = Vec::new();
    for from in 0..USERS + ROLES {
        paths.extend(graph.paths_to_jewels(&id(from)));
        for to in graph.entities() {
            paths.extend(graph.path(&id(from), to.as_str()));
        }
    }
    paths
}

/// Whether authorisation lets `from` use a permission at all: on `to`, or on anything.
fn may_use(rows: &[Row], from: &str, permission: &str, to: &str) -> bool {
    let Some(caller) = Caller::from_arn(from) else {
        return false;
    };
    let policies = PrincipalPolicies {
        identity: rows
            .iter()
            .enumerate()
            .filter(|(_, row)| id(row.0) == from)
            .map(|(place, row)| {
                let document = Document::parse_lenient(&document(*row));
                AttachedPolicy::new(format!("p{place}"), document)
            })
            .collect(),
        ..PrincipalPolicies::default()
    };
    let context = Context::new(Absent::Unknown);
    let (target, resource) = if permission == "sts:AssumeRole" {
        let role = to
            .rsplit("role/r")
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        let document = Document::parse_lenient(&trust(role));
        let trust = ResourcePolicies {
            policy: Some(AttachedPolicy::new("trust", document)),
            kind: ResourcePolicyKind::RoleTrust,
            ..ResourcePolicies::default()
        };
        (Target::Exact(to), Some(trust))
    } else {
        (Target::Any, None)
    };
    let request = Request {
        principal: &caller,
        action: permission,
        target,
        context: &context,
    };
    evaluate(&request, &policies, resource.as_ref()).is_possible()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn steps_chain_and_conditions_add_up(rows in prop::collection::vec(row(), 0..10)) {
        let graph = Graph::build(&estate(&rows), &CATALOGUE, &[]);
        for path in all_paths(&graph) {
            let mut at = path.from.clone();
            for step in &path.steps {
                prop_assert_eq!(&step.from, &at);
                prop_assert!(step.conditions.iter().all(|key| path.conditions.contains(key)));
                at = step.to.clone();
            }
            prop_assert_eq!(&at, &path.to);
            for key in &path.conditions {
                prop_assert!(path.steps.iter().any(|step| step.conditions.contains(key)));
            }
        }
    }

    #[test]
    fn every_permission_of_a_step_is_one_that_authorisation_gives(
        rows in prop::collection::vec(row(), 0..10)
    ) {
        let graph = Graph::build(&estate(&rows), &CATALOGUE, &[]);
        for path in all_paths(&graph) {
            for step in &path.steps {
                if Caller::from_arn(step.from.as_str()).is_none_or(|caller| caller.kind == CallerKind::Root) {
                    continue;
                }
                for permission in &step.permissions {
                    if permission != "*" {
                        prop_assert!(
                            may_use(&rows, step.from.as_str(), permission, step.to.as_str()),
                            "{permission} of {step:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_further_grant_removes_no_path(
        rows in prop::collection::vec(row(), 0..8),
        mut more in row(),
    ) {
        more.1 = false;
        let before = Graph::build(&estate(&rows), &CATALOGUE, &[]);
        let mut wider = rows.clone();
        wider.push(more);
        let after = Graph::build(&estate(&wider), &CATALOGUE, &[]);
        for from in 0..USERS + ROLES {
            for to in before.entities() {
                if let Some(path) = before.path(&id(from), to.as_str()) {
                    let still = after.path(&id(from), to.as_str());
                    prop_assert!(still.is_some(), "lost {path:?} by {more:?}");
                    prop_assert!(
                        still.is_some_and(|still| still.conditions.len() <= path.conditions.len())
                    );
                }
            }
        }
    }

    #[test]
    fn order_of_the_inventory_does_not_matter(rows in prop::collection::vec(row(), 0..8)) {
        let forwards = estate(&rows);
        let mut backwards = Estate::default();
        let entities: Vec<Entity> = forwards.entities().cloned().collect();
        entities.into_iter().rev().for_each(|entity| backwards.add(entity));
        forwards.relations().iter().rev().for_each(|relation| backwards.relate(relation.clone()));
        let left = Graph::build(&forwards, &CATALOGUE, &[]);
        let right = Graph::build(&backwards, &CATALOGUE, &[]);
        prop_assert_eq!(left.jewels(), right.jewels());
        prop_assert_eq!(left.doors(), right.doors());
        for from in 0..USERS + ROLES {
            let (l, r) = (left.paths_to_jewels(&id(from)), right.paths_to_jewels(&id(from)));
            prop_assert_eq!(l.len(), r.len());
            for (l, r) in l.iter().zip(&r) {
                prop_assert_eq!((&l.to, &l.conditions, l.steps.len()), (&r.to, &r.conditions, r.steps.len()));
            }
        }
    }

    #[test]
    fn what_a_change_opens_is_closed_by_taking_it_back(
        rows in prop::collection::vec(row(), 0..8),
        more in row(),
    ) {
        let before = Graph::build(&estate(&rows), &CATALOGUE, &[]);
        let mut wider = rows.clone();
        wider.push(more);
        let after = Graph::build(&estate(&wider), &CATALOGUE, &[]);
        prop_assert!(Difference::between(&before, &before).is_empty());
        let there = Difference::between(&before, &after);
        let back = Difference::between(&after, &before);
        prop_assert_eq!(&there.opened, &back.closed);
        prop_assert_eq!(&there.closed, &back.opened);
        prop_assert_eq!(&there.doors_opened, &back.doors_closed);
        // A grant closes nothing, and a denial opens nothing.
        match more.1 {
            true => prop_assert!(!there.opens(), "{there:?}"),
            false => prop_assert!(there.closed.is_empty() && there.strengthened.is_empty(), "{there:?}"),
        }
        // Whatever is told is a way of the one side and none of the other, and every way that is
        // not told comes with one that is.
        for way in &there.opened {
            prop_assert!(after.path(way.from.as_str(), way.to.as_str()).is_some());
            prop_assert!(before.path(way.from.as_str(), way.to.as_str()).is_none() || before.jewel(way.to.as_str()).is_none());
        }
        for principal in 0..USERS + ROLES {
            let known = before.paths_to_jewels(&id(principal));
            let is_new = |path: &AttackPath| known.iter().all(|known| known.to != path.to);
            for path in after.paths_to_jewels(&id(principal)).iter().filter(|path| is_new(path)) {
                let told = there.opened.iter().any(|way| way.from == path.from || way.from.as_str() == "*");
                let was_reached = before.path(path.from.as_str(), path.to.as_str()).is_some();
                prop_assert!(told || was_reached, "{path:?}");
            }
        }
    }

    #[test]
    fn what_keys_open_is_what_a_walk_from_each_finds(rows in prop::collection::vec(row(), 0..12)) {
        let mut estate = estate(&rows);
        for user in 0..USERS {
            for number in 0..2 {
                let key = format!("AKIA{user}{number}EXAMPLE");
                let mut entity = Entity::new(key.as_str(), EntityKind::AccessKey);
                entity.account = (number == 0).then(|| "111122223333".to_owned());
                estate.add(entity);
                estate.relate(Relation::Proves {
                    credential: key.into(),
                    principal: id(user).into(),
                });
            }
        }
        estate.finish();
        let graph = Graph::build(&estate, &CATALOGUE, &[]);
        let keys = graph.keys(&estate, usize::MAX, &|_| None);
        prop_assert!(keys.len() > 2 * USERS);
        for key in &keys {
            let (power, reached) = slow::opened(&graph, key.id.as_str());
            prop_assert_eq!(key.opens, power, "{}", &key.id);
            prop_assert_eq!(key.reached, Some(reached), "{}", &key.id);
        }
        let ids: Vec<String> = keys.iter().map(|key| key.id.to_string()).collect();
        prop_assert_eq!(slow::masters(&graph, &keys, keys.len()), ids);
    }

    #[test]
    fn what_is_in_the_blast_radius_has_a_path(rows in prop::collection::vec(row(), 0..8)) {
        let graph = Graph::build(&estate(&rows), &CATALOGUE, &[]);
        for from in 0..USERS + ROLES {
            let radius = graph.blast_radius(&id(from));
            for to in graph.entities().filter(|to| to.as_str() != id(from)) {
                let listed = radius.principals.contains(to) || radius.resources.contains(to);
                prop_assert_eq!(listed, graph.path(&id(from), to.as_str()).is_some(), "{} {}", id(from), to);
            }
        }
    }
}

#[test]
fn an_open_way_stays_open_beside_a_conditional_one() {
    let rows = [(5, false, 9, 6, false), (5, false, 5, 3, true)];
    let graph = Graph::build(&estate(&rows), &CATALOGUE, &[]);
    let path = graph.path(&id(0), "arn:aws:s3:::web").unwrap();
    assert!(path.conditions.is_empty(), "{path:#?}");
}
