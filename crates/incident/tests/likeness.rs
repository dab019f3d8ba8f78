//! How like a known actor an incident is, and what else weighs in it.

mod common;

use common::*;
use portreeve_graph::JewelKind;
use portreeve_incident::actor::{Likeness, Profile};
use portreeve_incident::{Context, Incident, incidents};
use portreeve_model::MintMethod;
use proptest::prelude::*;

const LAZARUS: &str = include_str!("../../../actors/lazarus.yml");
const WEB: &str = "arn:aws:s3:::halyard-web-prod";

fn told(logs: &Logs, networks: &[(&str, &str)], estate: &SmallEstate) -> Vec<Incident> {
    let profile = Profile::parse("actors/lazarus.yml", LAZARUS).unwrap();
    let folded = logs.fold();
    let settings = settings(networks);
    incidents(&Context {
        folded: &folded,
        reach: Some(estate),
        networks: &portreeve_detect::Networks::new(&settings, Vec::new()),
        settings: &settings,
        profiles: &[profile],
    })
}

fn has(likeness: &Likeness, id: &str) -> bool {
    likeness.like.iter().any(|it| it.id == id)
}

fn is_against(likeness: &Likeness, id: &str) -> bool {
    likeness.unlike.iter().any(|it| it.id == id)
}

#[test]
fn a_stolen_session_that_replaces_and_restores_a_bundle_is_like_the_profile() {
    let estate = SmallEstate::default().jewel(WEB, JewelKind::WebOrigin);
    let networks = [("198.51.100.10/32", "corporate"), ("192.0.2.32/27", "vpn")];
    let incidents = told(&stolen_session(), &networks, &estate);
    let likeness = &incidents[0].likeness[0];
    assert_eq!(likeness.actor, "lazarus");
    for id in [
        "session-replayed",
        "second-factor-enrolled",
        "origin-replaced",
        "put-back",
        "hidden-egress",
        "attack-distribution",
        "renewed",
    ] {
        assert!(has(likeness, id), "{id}: {:#?}", likeness.like);
    }
    // What was not done is not told.
    for id in ["secrets-read", "image-replaced", "bundle-read"] {
        assert!(!has(likeness, id), "{id}");
    }
    assert!(likeness.score >= 70, "{}", likeness.score);
    let part = |words: &str| {
        incidents[0]
            .score_parts
            .iter()
            .any(|part| part.reason.contains(words))
    };
    assert!(part("like Lazarus Group"));
    assert!(part("early signs followed by late ones"));
}

#[test]
fn coin_miners_are_unlike_it() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..10);
    for minute in 0..6 {
        let time = format!("2026-03-12T03:{minute:02}:00Z");
        logs.add(
            event(&time, "ec2:RunInstances")
                .user("backup", "AKIABACKUP0000000001")
                .from("203.0.113.200"),
        );
    }
    logs.add(
        event("2026-03-12T03:10:00Z", "cloudtrail:StopLogging")
            .user("backup", "AKIABACKUP0000000001")
            .from("203.0.113.200"),
    );
    let incidents = told(&logs, &[], &SmallEstate::default());
    let likeness = &incidents[0].likeness[0];
    assert!(is_against(likeness, "mining") && is_against(likeness, "logs-off"));
    assert_eq!(likeness.score, 0);
    assert!(
        !incidents[0]
            .score_parts
            .iter()
            .any(|part| part.reason.contains("Lazarus"))
    );
}

#[test]
fn without_inventory_what_browsers_load_stands_for_a_web_origin() {
    let incidents = told(&stolen_session(), &[], &SmallEstate::default());
    assert!(has(&incidents[0].likeness[0], "origin-replaced"));
}

/// Ordinary work may be rare, near a jewel and alike: its score has no such parts.
#[test]
fn ordinary_work_is_not_made_louder() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..10);
    logs.add(
        event("2026-03-12T09:00:00Z", "iam:CreateAccessKey")
            .person("dev.ole", "ASIAOLEDAY00012")
            .on("arn:aws:iam::111122223333:user/ci")
            .mints(
                "AKIACI00000000000001",
                "arn:aws:iam::111122223333:user/ci",
                None,
                MintMethod::CreateAccessKey,
            ),
    );
    let user = "arn:aws:iam::111122223333:user/ci";
    let estate = SmallEstate::default()
        .jewel(WEB, JewelKind::WebOrigin)
        .path(user, WEB, 1);
    let networks = [("198.51.100.10/32", "corporate")];
    let incidents = told(&logs, &networks, &estate);
    assert!(!incidents.is_empty());
    for part in &incidents[0].score_parts {
        for words in ["rare", "from crown jewel", "like ", "followed by"] {
            assert!(!part.reason.contains(words), "{}", part.reason);
        }
    }
}

#[test]
fn the_way_from_what_was_touched_to_a_jewel_counts() {
    let role = "arn:aws:iam::111122223333:role/gha-deploy";
    let mut logs = Logs::default();
    logs.ordinary_days(1..10);
    logs.add(
        event("2026-03-12T07:44:00Z", "sts:GetCallerIdentity")
            .person("dev.mira", "ASIAMIRADAY00012")
            .from(VPN)
            .with(KALI),
    );
    logs.add(
        event("2026-03-12T07:50:00Z", "iam:GetRole")
            .person("dev.mira", "ASIAMIRADAY00012")
            .from(VPN)
            .with(KALI)
            .on(role),
    );
    let estate = |steps| {
        SmallEstate::default()
            .jewel(WEB, JewelKind::WebOrigin)
            .path(role, WEB, steps)
    };
    let points = |steps| {
        told(&logs, &[], &estate(steps))[0]
            .score_parts
            .iter()
            .find(|part| part.reason.contains("from crown jewel"))
            .map(|part| part.points)
    };
    assert_eq!((points(1), points(2), points(4)), (Some(4), Some(2), None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The score can be reckoned again from its reasons, whatever happened.
    #[test]
    fn the_score_is_the_sum_of_its_reasons(
        calls in prop::collection::vec((0usize..12, 1u32..20, 0u32..24, any::<bool>(), any::<bool>()), 1..60),
    ) {
        const ACTIONS: [&str; 12] = [
            "sts:GetCallerIdentity", "iam:CreateVirtualMFADevice", "s3:GetObject", "s3:PutObject",
            "ec2:RunInstances", "s3:DeleteBucket", "iam:ListUsers", "cloudfront:ListDistributions",
            "secretsmanager:GetSecretValue", "cloudtrail:StopLogging", "bedrock:InvokeModel", "kms:Sign",
        ];
        let mut logs = Logs::default();
        for (action, day, hour, denied, strange) in calls {
            let time = format!("2026-03-{day:02}T{hour:02}:00:00Z");
            let mut call = event(&time, ACTIONS[action])
                .person("dev.mira", "ASIAMIRADAY00001")
                .on("arn:aws:s3:::halyard-web-prod/app.js");
            if strange {
                call = call.from(VPN).with(KALI);
            }
            logs.add(if denied { call.denied() } else { call });
        }
        for incident in told(&logs, &[], &SmallEstate::default()) {
            let likeness = &incident.likeness[0];
            let sum = |list: &[portreeve_incident::actor::Resemblance]| list.iter().map(|it| it.points).sum::<u32>();
            prop_assert_eq!(likeness.score, sum(&likeness.like).saturating_sub(sum(&likeness.unlike)).min(100));
            prop_assert!(likeness.like.is_sorted_by_key(|it| std::cmp::Reverse(it.points)));
        }
    }
}
