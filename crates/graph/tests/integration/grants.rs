//! Grants on KMS keys: who may use a key beside its policy, and what revoking one cuts.

use crate::common::town::Town;
use portreeve_authz::Decision;
use portreeve_graph::cut::{ChangeKind, Costs, EXACT_UP_TO, Edit, Question};
use portreeve_graph::{Access, Circumstances};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const ADA: &str = "arn:aws:iam::111122223333:user/ada";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const ELSEWHERE: &str = "arn:aws:iam::444455556666:role/deploy";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

/// What hands the question to the policies of the key's account.
fn delegates() -> Value {
    let account = json!({"AWS": "arn:aws:iam::111122223333:root"});
    json!({"Effect": "Allow", "Principal": account, "Action": "kms:*", "Resource": "*"})
}

/// A key that signs, with its policy's statements.
fn key_that_says(mut town: Town, statements: Value) -> Town {
    let mut key = Entity::new(KEY, EntityKind::Key);
    let spec = "ECC_SECG_P256K1".to_owned();
    key.attributes.insert("KeySpec".to_owned(), spec);
    town.0.add(key);
    town.policy(KEY, PolicyLayer::Resource, statements)
}

fn key(town: Town) -> Town {
    key_that_says(town, delegates())
}

fn grant(town: Town, id: &str, grant: &Value) -> Town {
    town.relate(Relation::Policy {
        subject: KEY.into(),
        layer: PolicyLayer::Grant,
        name: format!("grant:{id}"),
        document: grant.to_string().into(),
    })
}

fn to(grantee: &str, by: &str) -> Value {
    json!({
        "GrantId": "g", "GranteePrincipal": grantee, "Operations": ["Sign"],
        "IssuingAccount": format!("arn:aws:iam::{by}:root"),
    })
}

/// A user who may assume a role to which the key is granted, and one without anything.
fn granted() -> Town {
    let town = key(Town::default())
        .entity(ADA, EntityKind::User)
        .role(DEPLOY, json!({"AWS": ADA}))
        .entity("arn:aws:iam::111122223333:user/bea", EntityKind::User);
    grant(town, "g", &to(DEPLOY, "111122223333"))
}

fn finished(town: Town) -> Estate {
    let mut estate = town.0;
    estate.finish();
    estate
}

fn can(estate: &Estate, who: &str, action: &str) -> (Decision, Option<String>) {
    let verdict = Access::of(estate)
        .can(who, action, KEY, &Circumstances::default())
        .unwrap();
    let by = verdict.answer.statement;
    (verdict.answer.decision, by.map(|by| by.to_string()))
}

#[test]
fn a_grant_lets_in_whom_no_policy_lets_in() {
    let estate = finished(granted());
    let by = Some("grant:g#Grantee".to_owned());
    assert_eq!(can(&estate, DEPLOY, "kms:Sign"), (Decision::Allowed, by));
    assert_eq!(can(&estate, DEPLOY, "kms:Decrypt").0, Decision::Denied);
    assert_eq!(can(&estate, ADA, "kms:Sign").0, Decision::Denied);
    let holders = Access::of(&estate)
        .who_can("kms:Sign", KEY, &Circumstances::default())
        .unwrap();
    let allowed = holders
        .allowed
        .iter()
        .map(|holder| holder.principal.as_str());
    assert_eq!(allowed.collect::<Vec<_>>(), [DEPLOY]);
}

#[test]
fn a_way_goes_over_a_grant() {
    assert_eq!(granted().way(ADA, KEY), ["sts-assume-role", "kms-sign"]);
    let graph = granted().graph();
    let reachers = graph.reachers(KEY);
    let from: Vec<&str> = reachers.iter().map(|path| path.from.as_str()).collect();
    assert_eq!(from, [DEPLOY, ADA]);
    let path = graph.path(ADA, KEY).unwrap();
    assert_eq!(path.steps[1].statements, ["grant:g#Grantee"]);
}

#[test]
fn what_the_key_policy_denies_no_grant_allows() {
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*"});
    let town = key_that_says(Town::default(), json!([delegates(), deny]))
        .entity(ADA, EntityKind::User)
        .role(DEPLOY, json!({"AWS": ADA}));
    let town = grant(town, "g", &to(DEPLOY, "111122223333"));
    assert!(town.way(ADA, KEY).is_empty());
}

#[test]
fn between_accounts_the_grant_of_ones_own_account_is_enough() {
    let town = |by: &str| {
        let town = key(Town::default())
            .entity("arn:aws:iam::444455556666:user/eve", EntityKind::User)
            .role(
                ELSEWHERE,
                json!({"AWS": "arn:aws:iam::444455556666:user/eve"}),
            );
        grant(town, "g", &to(ELSEWHERE, by))
    };
    let estate = finished(town("444455556666"));
    assert_eq!(can(&estate, ELSEWHERE, "kms:Sign").0, Decision::Allowed);
    // Of another's AWS does not say whether the role's own policies must allow as well.
    let estate = finished(town("111122223333"));
    assert_eq!(can(&estate, ELSEWHERE, "kms:Sign").0, Decision::Depends);
    let way = town("444455556666").way("arn:aws:iam::444455556666:user/eve", KEY);
    assert_eq!(way, ["sts-assume-role", "kms-sign"]);
}

#[test]
fn a_grant_to_another_account_lets_its_identities_in() {
    let town = key(Town::default());
    let town = grant(
        town,
        "g",
        &to("arn:aws:iam::999988887777:root", "111122223333"),
    );
    let graph = town.graph();
    let reachers = graph.reachers(KEY);
    let from: Vec<&str> = reachers.iter().map(|path| path.from.as_str()).collect();
    assert_eq!(from, ["arn:aws:iam::999988887777:root"]);
}

#[test]
fn what_is_no_grant_opens_nothing_and_is_told() {
    let broken = json!({"GrantId": "g", "GranteePrincipal": DEPLOY, "Operations": ["Fly"]});
    let town = || {
        let town = key(Town::default()).role(DEPLOY, json!({"AWS": ADA}));
        grant(town, "g", &broken)
    };
    let estate = finished(town());
    let access = Access::of(&estate);
    let verdict = access.can(DEPLOY, "kms:Sign", KEY, &Circumstances::default());
    let verdict = verdict.unwrap();
    assert_eq!(verdict.answer.decision, Decision::Denied);
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.contains("\"Fly\" is no grant operation")),
        "{:?}",
        verdict.notes
    );
    assert!(town().way(DEPLOY, KEY).is_empty());
    let graph = town().graph();
    assert!(
        graph.notes().iter().any(|note| note.contains("grant:g")),
        "{:?}",
        graph.notes()
    );
}

#[test]
fn a_grant_that_was_not_seen_may_say_anything() {
    let unseen = key(Town::default())
        .role(DEPLOY, json!({"AWS": ADA}))
        .relate(Relation::Policy {
            subject: KEY.into(),
            layer: PolicyLayer::Grant,
            name: "grant:g".to_owned(),
            document: "".into(),
        });
    assert_eq!(
        can(&finished(unseen), DEPLOY, "kms:Sign").0,
        Decision::Depends
    );
}

#[test]
fn a_cut_revokes_the_grant() {
    let estate = finished(granted());
    let costs = Costs::default();
    let cut = Question {
        estate: &estate,
        catalogue: &crate::common::catalogue(),
        declared: &[],
        circumstances: &Circumstances::default(),
        from: vec![DEPLOY.into()],
        to: vec![KEY.into()],
        costs: &costs,
        exact_up_to: EXACT_UP_TO,
    }
    .cut();
    assert!(cut.proven);
    let [change] = cut.plan.changes.as_slice() else {
        panic!("{:?}", cut.plan);
    };
    assert_eq!(change.kinds, [ChangeKind::RevokeGrant]);
    assert!(matches!(
        &change.edit,
        Edit::Document { layer: PolicyLayer::Grant, name, before: Some(_), after: None, .. }
            if name == "grant:g"
    ));
}
