//! Credentials of an estate: how they are joined, and which of them are the master keys.

use crate::common::slow;
use crate::common::town::Town;
use portreeve_graph::{Graph, Key, KeyKind};
use portreeve_model::{Entity, EntityKind, Estate, Relation, Timestamp};
use serde_json::json;

const ANNA: &str = "arn:aws:iam::111122223333:user/anna";
const BEN: &str = "arn:aws:iam::111122223333:user/ben";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn estate_of(town: Town) -> Estate {
    let mut estate = town.0;
    estate.finish();
    estate
}

fn keys(estate: &Estate) -> Vec<Key> {
    let graph = Graph::build(estate, &crate::common::catalogue(), &[]);
    graph.keys(estate, usize::MAX, &|_| None)
}

fn with_key(mut town: Town, id: &str, owner: &str, attributes: &[(&str, &str)]) -> Town {
    let mut key = Entity::new(id, EntityKind::AccessKey);
    key.account = Some("111122223333".to_owned());
    for (name, value) in attributes {
        key.attributes.insert((*name).into(), (*value).into());
    }
    town.0.add(key);
    town.relate(Relation::Proves {
        credential: id.into(),
        principal: owner.into(),
    })
}

#[test]
fn a_key_that_report_and_list_know_is_one() {
    let slot = |number: u8| format!("{ANNA}#access-key-{number}");
    let mut town = Town::default().entity(ANNA, EntityKind::User);
    town = with_key(
        town,
        "AKIAONE",
        ANNA,
        &[("CreateDate", "2024-01-01T00:00:00Z"), ("Status", "Active")],
    );
    town = with_key(
        town,
        "AKIATWO",
        ANNA,
        &[("CreateDate", "2025-01-01T00:00:00Z"), ("Status", "Active")],
    );
    let used = ("LastUsed", "2026-01-02T00:00:00+00:00");
    town = with_key(
        town,
        &slot(1),
        ANNA,
        &[
            ("LastRotated", "2025-01-01T00:00:00+00:00"),
            ("Active", "true"),
            used,
        ],
    );
    town = with_key(
        town,
        &slot(2),
        ANNA,
        &[
            ("LastRotated", "2023-12-31T00:00:00+00:00"),
            ("Active", "false"),
        ],
    );
    let keys = keys(&estate_of(town));
    let of = |id: &str| keys.iter().find(|key| key.id.as_str() == id).unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(of("AKIATWO").last_used, Some(time("2026-01-02T00:00:00Z")));
    assert!(of("AKIATWO").active);
    // The one that is left is the other, though the dates differ by a change of its state.
    assert!(!of("AKIAONE").active);
    // A key that does not work comes last.
    assert_eq!(keys.last().unwrap().id.as_str(), "AKIAONE");
}

#[test]
fn every_source_of_sessions_is_listed_with_whom_it_acts_as() {
    let role = "arn:aws:iam::111122223333:role/deploy";
    let person = "arn:aws:identitystore:::user/u1";
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let trust = json!([
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
         "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:org/app:*"},
                       "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}]);
    let town = Town::default()
        .entity(role, EntityKind::Role)
        .policy(role, portreeve_model::PolicyLayer::Trust, trust)
        .allow(role, "*", "*")
        .entity(person, EntityKind::Person)
        .relate(Relation::SignsInAs {
            person: person.into(),
            role: role.into(),
        })
        .runs_as(function, EntityKind::Function, role);
    let keys = keys(&estate_of(town));
    let mut found: Vec<(KeyKind, &str)> =
        keys.iter().map(|key| (key.kind, key.id.as_str())).collect();
    found.sort();
    assert_eq!(
        found,
        [
            (KeyKind::SignIn, person),
            (KeyKind::Workload, function),
            (
                KeyKind::Federation,
                "token.actions.githubusercontent.com:repo:org/app:*"
            ),
            (KeyKind::ForeignTrust, "arn:aws:iam::999988887777:root"),
        ]
    );
    for key in &keys {
        assert_eq!(key.acts_as, [role.into()], "{}", key.id);
        assert_eq!(
            (key.opens.accounts, key.opens.open_accounts),
            (1, 1),
            "{}",
            key.id
        );
    }
}

#[test]
fn a_key_is_unused_only_where_the_inventory_would_tell_of_a_use() {
    let town = Town::default().entity(BEN, EntityKind::User);
    let town = with_key(
        town,
        "AKIABEN",
        BEN,
        &[("CreateDate", "2024-01-01T00:00:00Z")],
    );
    let mut key = keys(&estate_of(town)).remove(0);
    let since = time("2025-06-01T00:00:00Z");
    assert_eq!(key.is_unused(since), None);
    key.use_is_told = true;
    assert_eq!(key.is_unused(since), Some(true));
    key.created = Some(time("2025-07-01T00:00:00Z"));
    assert_eq!(key.is_unused(since), Some(false));
    key.last_used = Some(time("2025-05-01T00:00:00Z"));
    assert_eq!(key.is_unused(since), Some(true));
}

/// Generated accounts with a few keys for each user: the ten master keys are those of a walk from
/// each key.
#[test]
fn the_ten_master_keys_are_those_of_a_slow_reference() {
    for principals in [300, 1000] {
        let Some((mut estate, _)) = crate::common::generated::generated(principals) else {
            return;
        };
        let users: Vec<String> = estate
            .entities()
            .filter(|entity| entity.kind == EntityKind::User && !entity.inferred)
            .map(|user| user.id.to_string())
            .collect();
        for (place, user) in users.iter().enumerate() {
            for number in 0..=place % 3 {
                let id = format!("AKIA{place:06}{number}EXAMPLE");
                let mut key = Entity::new(id.as_str(), EntityKind::AccessKey);
                key.account = Some("111122223333".to_owned());
                let made = format!("20{:02}-0{}-01T00:00:00Z", 10 + place % 15, 1 + number);
                key.attributes.insert("CreateDate".into(), made);
                estate.add(key);
                estate.relate(Relation::Proves {
                    credential: id.into(),
                    principal: user.as_str().into(),
                });
            }
        }
        estate.finish();
        let graph = Graph::build(&estate, &crate::common::catalogue(), &[]);
        let keys = graph.keys(&estate, 10, &|_| None);
        let first: Vec<String> = keys.iter().take(10).map(|key| key.id.to_string()).collect();
        assert_eq!(first, slow::masters(&graph, &keys, 10), "{principals}");
        assert!(keys[0].opens.open_accounts > 0);
        assert!(keys.iter().take(10).all(|key| key.reached.is_some()));
    }
}
