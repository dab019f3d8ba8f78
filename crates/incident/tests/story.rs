//! The main story: one stolen session, taken again day after day.

mod common;

use common::*;
use portreeve_graph::JewelKind;
use portreeve_incident::{Incident, TimelineRole};
use portreeve_model::Severity;

const WEB: &str = "arn:aws:s3:::halyard-web-prod";

fn told() -> Vec<Incident> {
    let estate = SmallEstate::default()
        .jewel(WEB, JewelKind::WebOrigin)
        .jewel(
            "arn:aws:kms:eu-west-1:444455556666:key/1",
            JewelKind::SigningKey,
        )
        .path(WEB_DEPLOY, WEB, 1)
        .path(WEB_DEPLOY, "arn:aws:kms:eu-west-1:444455556666:key/1", 3);
    let settings = settings(&[("198.51.100.10/32", "corporate"), ("192.0.2.40/29", "vpn")]);
    tell_with(&stolen_session().fold(), &settings, Some(&estate))
}

#[test]
fn daily_sessions_taken_again_are_one_incident() {
    let incidents = told();
    assert_eq!(incidents.len(), 1);
    let incident = &incidents[0];
    assert_eq!(incident.severity, Severity::Critical);
    assert_eq!(
        incident.score,
        incident
            .score_parts
            .iter()
            .map(|part| part.points)
            .sum::<u32>()
            .min(100)
    );
    assert_eq!(incident.principals, [format!("{WEB_DEPLOY}/dev.mira")]);
    assert_eq!(
        incident.credentials,
        [
            "ASIAMIRADAY00010",
            "ASIAMIRADAY00012",
            "ASIAMIRADAY00015",
            "ASIAMIRADAY00017"
        ]
    );
    assert_eq!(
        incident.first_sign.unwrap().to_string(),
        "2026-03-10T07:44:00Z"
    );
    assert_eq!(
        incident.last_activity.unwrap().to_string(),
        "2026-03-17T14:15:13Z"
    );
}

#[test]
fn the_owner_s_own_use_is_told_apart() {
    let incident = &told()[0];
    assert!(has_action(
        incident,
        "iam:CreateVirtualMFADevice",
        TimelineRole::Finding
    ));
    assert!(
        has_action(incident, "iam:ListRoles", TimelineRole::Suspect)
            || has_action(incident, "iam:ListRoles", TimelineRole::Finding)
    );
    let quiet = incident
        .timeline
        .iter()
        .filter(|it| it.role == TimelineRole::Quiet);
    let addresses: std::collections::BTreeSet<&str> =
        quiet.filter_map(|it| it.address.as_deref()).collect();
    assert_eq!(addresses, [OFFICE, HOME].into());
    // Sessions of days without a stolen use, and those of others, stay out.
    assert!(incident.timeline.iter().all(|it| {
        it.credential
            .as_deref()
            .is_some_and(|key| incident.credentials.iter().any(|held| held == key))
    }));
    for story in &incident.credential_stories {
        for used in &story.networks {
            assert_eq!(
                used.suspect,
                used.address.starts_with("192.0.2."),
                "{used:?}"
            );
        }
    }
    let times: Vec<_> = incident.timeline.iter().map(|it| it.time).collect();
    assert!(times.is_sorted());
}

#[test]
fn headline_and_narrative_tell_what_happened() {
    let incident = &told()[0];
    assert_eq!(
        incident.headline,
        "Session of dev.mira (WebDeploy in 111122223333) was used from 192.0.2.41 (vpn) and 1 other \
         address since 2026-03-10 07:44 UTC; content in halyard-web-prod replaced; 1 object read"
    );
    let narrative = incident.narrative.join("\n");
    for part in [
        "made at 2026-03-10 07:01 UTC",
        "Likely stolen: used from two networks within 5 minutes with different systems.",
        "The first sign was at 2026-03-10 07:44 UTC",
        "2 calls were refused, the first iam:CreateVirtualMFADevice at 2026-03-10 07:49 UTC",
        "1 object of halyard-web-prod read",
        "written again at 2026-03-17 14:15 UTC",
        "The last activity that is known is of 2026-03-17 14:15 UTC.",
        "web origin, written",
        "2 crown jewels",
    ] {
        assert!(narrative.contains(part), "{part} is not in:\n{narrative}");
    }
}

#[test]
fn touched_and_paths_name_the_jewels() {
    let incident = &told()[0];
    let first = &incident.touched[0];
    assert!(first.resource.starts_with(WEB) && first.resource.ends_with("_app-52c9.js"));
    assert!(first.written && first.succeeded);
    assert_eq!(first.jewel.as_deref(), Some("web origin"));
    assert_eq!(first.actions, [("s3:PutObject".to_owned(), 2)]);
    let bucket = incident
        .touched
        .iter()
        .find(|it| it.resource == WEB)
        .unwrap();
    assert_eq!((bucket.objects, bucket.written), (1, false));
    let lengths: Vec<usize> = incident.paths.iter().map(|path| path.steps.len()).collect();
    assert_eq!(incident.paths.len(), 2);
    assert!(lengths.contains(&1) && lengths.contains(&3));
}

#[test]
fn many_jewels_of_one_kind_do_not_hide_another() {
    let mut estate = SmallEstate::default()
        .jewel(WEB, JewelKind::WebOrigin)
        .path(WEB_DEPLOY, WEB, 5);
    for number in 0..20 {
        let secret =
            format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:wallet-{number:02}");
        estate = estate
            .jewel(&secret, JewelKind::WalletSecret)
            .path(WEB_DEPLOY, &secret, 1);
    }
    let incidents = tell_with(&stolen_session().fold(), &settings(&[]), Some(&estate));
    assert_eq!(incidents[0].paths.len(), 12);
    assert!(
        incidents[0]
            .paths
            .iter()
            .any(|path| path.to.as_str() == WEB)
    );
    assert!(
        incidents[0]
            .narrative
            .iter()
            .any(|it| it.contains("paths to 9 of them not shown"))
    );
}

#[test]
fn a_person_s_session_is_cut_in_identity_center_not_in_the_role() {
    let incident = &told()[0];
    let commands = commands(incident);
    assert!(
        commands
            .iter()
            .any(|it| it.contains("put-inline-policy-to-permission-set")
                && it.contains("identitystore:userId"))
    );
    assert!(
        commands
            .iter()
            .any(|it| it.contains("SERVICE_CONTROL_POLICY"))
    );
    assert!(!commands.iter().any(|it| it.contains("put-role-policy")));
    assert!(commands.iter().any(|it| {
        it.contains(r#"--filters '[{"AttributePath":"UserName","AttributeValue":"dev.mira"}]'"#)
    }));
    assert!(
        commands
            .iter()
            .any(|it| it.starts_with("aws s3api list-object-versions --bucket 'halyard-web-prod'"))
    );
    // Of its sessions only the last outlives the logs.
    let looked: Vec<_> = commands
        .iter()
        .filter(|it| it.contains("lookup-events"))
        .collect();
    assert!(
        matches!(looked[..], [it] if it.contains("AttributeValue=ASIAMIRADAY00017")),
        "{looked:?}"
    );
    let ends = incident
        .response
        .iter()
        .find(|it| it.title.contains("end by themselves"))
        .unwrap();
    assert!(
        ends.title
            .contains("ASIAMIRADAY00017 at 2026-03-17 19:01 UTC at the latest"),
        "{}",
        ends.title
    );
}

#[test]
fn a_control_policy_is_said_not_to_bind_the_management_account() {
    let estate = SmallEstate::default().jewel(
        "arn:aws:iam::111122223333:root",
        JewelKind::ManagementAccount,
    );
    let incidents = tell_with(&stolen_session().fold(), &settings(&[]), Some(&estate));
    let step = incidents[0]
        .response
        .iter()
        .find(|it| it.title.contains("service control policy"))
        .unwrap();
    assert!(
        step.caveat
            .as_deref()
            .unwrap()
            .contains("does not help here")
    );
}

#[test]
fn keys_taken_anew_day_after_day_are_one_chain() {
    let incident = &told()[0];
    assert_eq!(incident.chains.len(), 1);
    let chain = &incident.chains[0];
    assert_eq!(chain.person, "dev.mira");
    assert_eq!(chain.networks, ["192.0.2.40/29 (vpn)"]);
    let credentials: Vec<&str> = chain
        .credentials
        .iter()
        .map(|it| it.credential.as_str())
        .collect();
    assert_eq!(
        credentials,
        [
            "ASIAMIRADAY00010",
            "ASIAMIRADAY00012",
            "ASIAMIRADAY00015",
            "ASIAMIRADAY00017"
        ]
    );
    assert_eq!(chain.days, 4);
    assert_eq!(chain.first, incident.first_sign);
    assert_eq!(chain.last, incident.last_activity);
    // The owner's use from the office is not counted.
    let deeds = incident
        .timeline
        .iter()
        .filter(|it| it.role != TimelineRole::Quiet)
        .count() as u64;
    assert_eq!(
        chain.credentials.iter().map(|it| it.calls).sum::<u64>(),
        deeds
    );
    assert!(
        incident
            .narrative
            .iter()
            .any(|it| it.starts_with("4 credentials of dev.mira on 4 days are one chain")),
        "{:?}",
        incident.narrative
    );
}

#[test]
fn one_stolen_key_is_no_chain() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..9);
    for minute in ["44", "50"] {
        logs.add(
            event(
                &format!("2026-03-08T07:{minute}:00Z"),
                "sts:GetCallerIdentity",
            )
            .person("dev.mira", "ASIAMIRADAY00008")
            .from(VPN)
            .with(KALI),
        );
    }
    let incidents = tell(&logs.fold());
    assert!(incidents[0].severity >= Severity::Medium);
    assert!(incidents[0].chains.is_empty());
}
