//! From a principal over a key to the wallet that it signs for, and over owners to their Safe.

use crate::common::town::Town;
use portreeve_graph::cut::{Costs, EXACT_UP_TO, Question};
use portreeve_graph::{Circumstances, Graph, JewelKind};
use portreeve_model::{Entity, EntityKind, PolicyLayer, Relation};
use serde_json::json;

const DEV: &str = "arn:aws:iam::111122223333:user/dev";
const OPS: &str = "arn:aws:iam::111122223333:user/ops";
const SAFE: &str = "eip155:1:0x0000000000000000000000000000000000000009";

fn key(number: usize) -> String {
    format!("arn:aws:kms:eu-west-1:111122223333:key/k-{number}")
}

fn owner(number: usize) -> String {
    format!("eip155:0:0x{number:040x}")
}

/// Three keys, each an owner's of a Safe of which so many must sign; keys leave it to the account's
/// policies who may sign.
fn town(threshold: Option<u64>) -> Town {
    town_where(threshold, &json!([]))
}

/// The same, with more statements in the policy of each key.
fn town_where(threshold: Option<u64>, more: &serde_json::Value) -> Town {
    let mut town = Town::default()
        .entity(DEV, EntityKind::User)
        .entity(OPS, EntityKind::User);
    for number in 1..=3 {
        let mut entity = Entity::new(key(number), EntityKind::Key);
        let spec = "ECC_SECG_P256K1".to_owned();
        entity.attributes.insert("KeySpec".to_owned(), spec);
        town.0.add(entity);
        let mut statements = vec![json!({
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "kms:*", "Resource": "*",
        })];
        statements.extend(more.as_array().into_iter().flatten().cloned());
        town = town
            .policy(&key(number), PolicyLayer::Resource, statements.into())
            .relate(Relation::SignsFor {
                signer: key(number).into(),
                wallet: owner(number).into(),
            })
            .relate(Relation::OwnerOf {
                owner: owner(number).into(),
                wallet: SAFE.into(),
                threshold,
                owners: 3,
            });
    }
    let mut safe = Entity::new(SAFE, EntityKind::Wallet);
    for (name, value) in [("Name", "vault"), ("Role", "cold")] {
        safe.attributes.insert(name.to_owned(), value.to_owned());
    }
    town.0.add(safe);
    town
}

/// The conditions of the best way to the Safe, forwards, backwards and among all that is reached.
fn to_safe(graph: &Graph, from: &str) -> Option<Vec<String>> {
    let path = graph.path(from, SAFE);
    let conditions = path.map(|path| path.conditions);
    let back = graph.reachers(SAFE);
    let back = back.iter().find(|path| path.from.as_str() == from);
    assert_eq!(back.map(|path| path.conditions.clone()), conditions);
    let reached = graph.reached_from(from);
    let reached = reached.iter().find(|one| one.id.as_str() == SAFE);
    assert_eq!(reached.map(|one| one.conditions.to_vec()), conditions);
    conditions
}

#[test]
fn a_key_leads_to_the_wallet_that_it_signs_for() {
    let graph = town(Some(2)).allow(DEV, "kms:Sign", &key(1)).graph();
    let path = graph.path("dev", &owner(1)).unwrap();
    let via: Vec<&str> = path.steps.iter().map(|step| step.via.as_str()).collect();
    assert_eq!(via, ["kms-sign", "signs-for"]);
    assert!(path.conditions.is_empty());
    // An address is looked up by itself, a wallet by its name.
    let address = owner(1).rsplit(':').next().unwrap().to_uppercase();
    let address = address.replacen("0X", "0x", 1);
    assert_eq!(graph.find(&address).unwrap().as_str(), owner(1));
    assert_eq!(graph.find("Vault").unwrap().as_str(), SAFE);
    assert_eq!(graph.jewel(SAFE).unwrap().kind, JewelKind::ColdWallet);
    assert!(graph.jewel(&owner(1)).is_none());
}

#[test]
fn one_of_several_owners_is_not_control_and_enough_of_them_are() {
    let one = "wallet:2-of-3-owners".to_owned();
    let graph = town(Some(2)).allow(DEV, "kms:Sign", &key(1)).graph();
    assert_eq!(to_safe(&graph, DEV), Some(vec![one]));
    assert_eq!(to_safe(&graph, OPS), None);

    let two = || {
        let town = town(Some(2)).allow(DEV, "kms:Sign", &key(1));
        town.allow(DEV, "kms:Sign", &key(3))
    };
    let graph = two().graph();
    assert_eq!(to_safe(&graph, DEV), Some(vec![]));
    let step = graph.path(DEV, SAFE).unwrap().steps.pop().unwrap();
    assert!(
        step.title.contains("vault as 2 of 3 owners"),
        "{}",
        step.title
    );

    // All of them are needed, and who reaches two has the same condition as who reaches one.
    let needed = "wallet:3-of-3-owners".to_owned();
    let all = town(Some(3)).allow(DEV, "kms:Sign", &key(1));
    let graph = all.allow(DEV, "kms:Sign", &key(3)).graph();
    assert_eq!(to_safe(&graph, DEV), Some(vec![needed]));
    let graph = town(Some(3)).allow(DEV, "kms:Sign", "*").graph();
    assert_eq!(to_safe(&graph, DEV), Some(vec![]));
}

#[test]
fn conditions_on_the_way_to_the_other_owners_stay() {
    let statement = json!({
        "Effect": "Allow", "Action": "kms:Sign", "Resource": key(2),
        "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    });
    let town = town(Some(2)).allow(DEV, "kms:Sign", &key(1));
    let graph = town.policy(DEV, PolicyLayer::Identity, statement).graph();
    // One condition stands in the way on either way; which is told does not matter.
    let conditions = to_safe(&graph, DEV).unwrap();
    assert_eq!(conditions.len(), 1, "{conditions:?}");
}

#[test]
fn one_signature_is_enough_or_it_is_not_known_how_many_are() {
    let graph = town(Some(1)).allow(DEV, "kms:Sign", &key(1)).graph();
    assert_eq!(to_safe(&graph, DEV), Some(vec![]));
    let unknown = "wallet:unknown-threshold-of-3-owners".to_owned();
    let graph = town(None).allow(DEV, "kms:Sign", "*").graph();
    assert_eq!(to_safe(&graph, DEV), Some(vec![unknown]));
}

#[test]
fn a_key_that_lets_nobody_sign_leads_nobody_to_its_wallet() {
    let deny = json!([{
        "Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*",
    }]);
    let town = town_where(Some(1), &deny).allow(DEV, "kms:Sign", "*");
    let graph = town.graph();
    assert_eq!(to_safe(&graph, DEV), None);
    assert!(graph.path(DEV, &owner(1)).is_none());
}

#[test]
fn a_cut_leaves_no_way_to_the_safe_and_a_saved_graph_answers_alike() {
    let mut estate = town(Some(2)).allow(DEV, "kms:Sign", "*").0;
    estate.finish();
    let catalogue = crate::common::catalogue();
    let cut = Question {
        estate: &estate,
        catalogue: &catalogue,
        declared: &[],
        circumstances: &Circumstances::default(),
        from: vec![DEV.into()],
        to: vec![SAFE.into()],
        costs: &Costs::default(),
        exact_up_to: EXACT_UP_TO,
    }
    .cut();
    assert!(cut.proven && cut.left.is_empty() && !cut.plan.changes.is_empty());

    let graph = Graph::build(&estate, &catalogue, &[]);
    let inputs = portreeve_graph::Inputs::of(&catalogue, &[], [&b"town"[..]]);
    let mut bytes = Vec::new();
    graph.save(&inputs, &mut bytes).unwrap();
    let loaded = Graph::load(&inputs, bytes.as_slice()).unwrap();
    assert_eq!(to_safe(&loaded, DEV), to_safe(&graph, DEV));
}
