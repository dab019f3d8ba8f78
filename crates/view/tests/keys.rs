//! How credentials and changes look, in every form that they are written in.

use std::collections::BTreeMap;

use portreeve_detect::{PrincipalUsage, Usage};
use portreeve_graph::{Catalogue, Difference, Graph, changed_policies};
use portreeve_incident::{KeyQuestion, KeyRing};
use portreeve_model::{BlindSpot, Entity, EntityKind, Estate, PolicyLayer, Relation};
use portreeve_view::difference::Change;
use portreeve_view::keys::Keys;
use portreeve_view::terminal::Options;
use portreeve_view::{html, json, terminal, text};
use serde_json::{Value, json};

const DEV: &str = "arn:aws:iam::111122223333:user/dev";
/// A name that an intruder chose.
const ODD: &str = "arn:aws:iam::111122223333:user/<b>\u{1b}[2J&";
const WEB: &str = "arn:aws:s3:::web";

fn catalogue() -> Catalogue {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../escalations/aws");
    let text = std::fs::read_to_string(format!("{folder}/s3-write-object.yml")).unwrap();
    Catalogue::parse([("s3-write-object", text.as_str())].into_iter()).0
}

fn policy(subject: &str, statement: Value) -> Relation {
    Relation::Policy {
        subject: subject.into(),
        layer: PolicyLayer::Identity,
        name: "own".into(),
        document: json!({"Version": "2012-10-17", "Statement": statement})
            .to_string()
            .into(),
    }
}

fn publish() -> Value {
    json!({"Sid": "Publish", "Effect": "Allow", "Action": ["s3:PutObject", "s3:PutBucketPolicy"], "Resource": ["arn:aws:s3:::web", "arn:aws:s3:::web/*"]})
}

/// A developer who publishes the web page with a key, and one with an odd name whose key is old.
fn estate() -> Estate {
    let mut estate = Estate::default();
    for (id, kind) in [
        (DEV, EntityKind::User),
        (ODD, EntityKind::User),
        (WEB, EntityKind::Bucket),
    ] {
        estate.add(Entity::new(id, kind));
    }
    let account = Entity::new("arn:aws:iam::111122223333:root", EntityKind::Account);
    estate.add(account);
    estate.relate(policy(DEV, publish()));
    estate.relate(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: WEB.into(),
    });
    for (id, owner, made, used) in [
        (
            "AKIADEVEXAMPLE",
            DEV,
            "2026-01-05T09:00:00Z",
            "2026-03-01T08:00:00Z",
        ),
        (
            "AKIAODDEXAMPLE",
            ODD,
            "2021-02-01T09:00:00Z",
            "2022-02-01T09:00:00Z",
        ),
    ] {
        let mut key = Entity::new(id, EntityKind::AccessKey);
        key.account = Some("111122223333".into());
        key.attributes.insert("CreateDate".into(), made.into());
        key.attributes.insert("LastUsed".into(), used.into());
        estate.add(key);
        estate.relate(Relation::Proves {
            credential: id.into(),
            principal: owner.into(),
        });
    }
    estate.finish();
    estate
}

fn blind_spots() -> Vec<BlindSpot> {
    vec![BlindSpot {
        missing: "AWS Organizations".into(),
        consequence: "what organization policies forbid is not seen".into(),
        remedy: "aws organizations describe-organization".into(),
    }]
}

/// The developer listed buckets' policies, and published; data events are not in the logs.
fn usage() -> Usage {
    let operations = BTreeMap::from([("s3:PutBucketPolicy".to_owned(), [WEB.to_owned()].into())]);
    let used = PrincipalUsage {
        calls: 3,
        last: Some("2026-03-02T08:00:00Z".parse().unwrap()),
        operations,
    };
    Usage {
        principals: BTreeMap::from([(DEV.to_owned(), used)]),
        operations: ["s3:PutBucketPolicy".to_owned()].into(),
        ..Usage::default()
    }
}

fn with_keys<R>(usage: Option<&Usage>, look: impl FnOnce(&Keys<'_>) -> R) -> R {
    let estate = estate();
    let graph = Graph::build(&estate, &catalogue(), &[]);
    let question = KeyQuestion {
        masters: 10,
        unused_days: 90,
        as_of: None,
    };
    let ring = KeyRing::of(&estate, &graph, usage, question);
    look(&Keys {
        ring: &ring,
        top: 10,
        blind_spots: &blind_spots(),
    })
}

fn with_change<R>(look: impl FnOnce(&Change<'_>) -> R) -> R {
    let (before, mut after) = (estate(), estate());
    after.relate(policy(ODD, publish()));
    after.finish();
    let graph = |estate: &Estate| Graph::build(estate, &catalogue(), &[]);
    let mut difference = Difference::between(&graph(&before), &graph(&after));
    difference.explain(&before, &after);
    let unknown = [BlindSpot {
        missing: "texts that are known only after apply: aws_iam_user_policy.later".into(),
        consequence: "what these policies will allow is not known".into(),
        remedy: "compare again after the apply".into(),
    }];
    look(&Change {
        given: &[],
        difference: &difference,
        policies: &changed_policies(&before, &after),
        unknown: &unknown,
        blind_spots: &blind_spots(),
    })
}

#[test]
fn keys_on_a_terminal() {
    let usage = usage();
    insta::assert_snapshot!(with_keys(Some(&usage), |keys| terminal::keys(
        keys,
        &Options::default()
    )));
}

#[test]
fn a_change_on_a_terminal() {
    insta::assert_snapshot!(with_change(|change| terminal::change(
        change,
        &Options::default()
    )));
}

#[test]
fn nothing_that_an_intruder_named_steers_a_terminal_or_a_page() {
    let usage = usage();
    let options = Options::default();
    for shown in [
        with_keys(Some(&usage), |keys| terminal::keys(keys, &options)),
        with_change(|change| terminal::change(change, &options)),
        with_keys(Some(&usage), html::keys),
        with_change(html::change),
    ] {
        assert!(!shown.contains('\u{1b}'), "{shown}");
        assert!(
            shown.contains(&*text::clean("\u{1b}[2J")) || shown.contains("&lt;U+001B&gt;"),
            "{shown}"
        );
        assert!(
            !shown.contains("user/<b>") || !shown.starts_with("<!DOCTYPE"),
            "{shown}"
        );
    }
}

#[test]
fn machines_get_all_that_is_shown() {
    let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let usage = usage();
    let keys = with_keys(Some(&usage), |keys| {
        let mut out = Vec::new();
        json::answer(keys, &mut out).unwrap();
        read(out)
    });
    assert_eq!(keys["master_keys"], json!(["AKIADEVEXAMPLE"]));
    assert_eq!(keys["counts"]["unused"], 1);
    assert_eq!(keys["keys"][0]["opens"]["open_jewels"], 1);
    assert_eq!(keys["over_permissive"], json!([]));
    let change = with_change(|change| {
        let mut out = Vec::new();
        json::answer(change, &mut out).unwrap();
        read(out)
    });
    assert_eq!(change["opened"][0]["from"], ODD);
    assert_eq!(
        change["opened"][0]["causes"][0]["statements"],
        json!(["Publish"])
    );
    assert_eq!(change["unknown"].as_array().unwrap().len(), 1);
}
