//! Which findings belong together, and which do not.

mod common;

use common::*;
use portreeve_detect::{Sign, SignKind};
use portreeve_incident::TimelineRole;
use portreeve_model::{MintMethod, Severity};

const ROBOT: &str = "ci-robot";
const PROD_ROLE: &str = "arn:aws:iam::444455556666:role/deploy";

fn robot(time: &str, action: &str) -> Event {
    event(time, action)
        .user(ROBOT, "AKIAROBOT00000000001")
        .from("198.51.100.20")
        .with("Boto3/1.34")
}

#[test]
fn two_intrusions_stay_two_incidents() {
    let mut logs = stolen_session();
    logs.add(
        event("2026-03-11T03:00:00Z", "cloudtrail:StopLogging")
            .user("backup", "AKIABACKUP0000000001")
            .from("203.0.113.200"),
    );
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 2);
    let all: Vec<&String> = incidents
        .iter()
        .flat_map(|incident| &incident.findings)
        .collect();
    let distinct: std::collections::BTreeSet<&&String> = all.iter().collect();
    assert_eq!(all.len(), distinct.len());
    assert_ne!(incidents[0].id, incidents[1].id);
    assert!(incidents[0].severity >= incidents[1].severity);
}

#[test]
fn a_robot_s_key_rotation_is_a_small_incident_of_its_own() {
    let mut logs = stolen_session();
    for day in 1..18 {
        logs.add(robot(
            &format!("2026-03-{day:02}T04:00:00Z"),
            "iam:ListAccessKeys",
        ));
    }
    for day in [6, 13] {
        let time = format!("2026-03-{day:02}T04:01:00Z");
        let user = "arn:aws:iam::111122223333:user/service-a";
        let key = format!("AKIASERVICEA000000{day:02}");
        logs.add(robot(&time, "iam:CreateAccessKey").on(user).mints(
            &key,
            user,
            None,
            MintMethod::CreateAccessKey,
        ));
    }
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 2);
    let rotation = &incidents[1];
    assert_eq!(rotation.findings.len(), 2);
    assert!(rotation.severity < incidents[0].severity);
    assert!(
        rotation.severity <= Severity::Low,
        "{:?}",
        rotation.score_parts
    );
    assert!(rotation.principals.iter().all(|it| it.contains(ROBOT)));
    assert!(
        rotation
            .narrative
            .iter()
            .any(|it| it.contains("Nothing shows it in other hands"))
    );
    assert!(rotation.response[0].title.starts_with("Ask user ci-robot"));
}

#[test]
fn the_owner_s_noise_on_other_days_is_not_the_intrusion() {
    let mut logs = stolen_session();
    let user = "arn:aws:iam::111122223333:user/tool";
    logs.add(
        event("2026-03-05T10:00:00Z", "iam:CreateAccessKey")
            .person("dev.mira", "ASIAMIRADAY00005")
            .mints(
                "AKIATOOL000000000001",
                user,
                None,
                MintMethod::CreateAccessKey,
            ),
    );
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 2);
    assert_eq!(
        incidents[0].findings,
        tell(&stolen_session().fold())[0].findings
    );
    assert!(incidents[1].severity <= Severity::Medium);
    assert!(
        !incidents[0]
            .credentials
            .iter()
            .any(|it| it == "ASIAMIRADAY00005")
    );
}

#[test]
fn an_office_s_address_joins_nobody() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..4);
    for (person, key) in [
        ("dev.ole", "ASIAOLEDAY00003"),
        ("dev.ada", "ASIAADADAY00003"),
    ] {
        logs.add(event("2026-03-03T11:00:00Z", "iam:CreateAccessKey").person(person, key));
    }
    // Neither the user's declaration nor several days of history are needed: many use it.
    assert_eq!(tell(&logs.fold()).len(), 2);
    let declared = settings(&[("198.51.100.0/24", "corporate")]);
    assert_eq!(tell_with(&logs.fold(), &declared, None).len(), 2);
}

#[test]
fn a_declared_way_out_joins_nobody_though_few_use_it() {
    let mut logs = Logs::default();
    for (person, key) in [
        ("dev.ole", "ASIAOLEDAY00003"),
        ("dev.ada", "ASIAADADAY00003"),
    ] {
        logs.add(
            event("2026-03-03T11:00:00Z", "iam:CreateAccessKey")
                .person(person, key)
                .from(HOSTING),
        );
    }
    assert_eq!(
        tell(&logs.fold()).len(),
        1,
        "a strange address that both use joins"
    );
    let nat = settings(&[("192.0.2.90/32", "corporate")]);
    assert_eq!(tell_with(&logs.fold(), &nat, None).len(), 2);
}

#[test]
fn a_class_of_networks_joins_nobody() {
    let mut logs = Logs::default();
    logs.add(
        event("2026-03-03T11:00:00Z", "iam:CreateAccessKey")
            .person("dev.ole", "ASIAOLE")
            .from(VPN),
    );
    logs.add(
        event("2026-03-03T12:00:00Z", "iam:CreateAccessKey")
            .person("dev.ada", "ASIAADA")
            .from(OTHER_VPN),
    );
    let declared = settings(&[("192.0.2.32/27", "vpn")]);
    assert_eq!(tell_with(&logs.fold(), &declared, None).len(), 2);
}

#[test]
fn services_and_unknown_callers_join_nothing() {
    let mut logs = Logs::default();
    let stop = |time: &str| event(time, "cloudtrail:StopLogging");
    logs.add(stop("2026-03-03T11:00:00Z").service("config.amazonaws.com"));
    logs.add(stop("2026-03-03T12:00:00Z").service("cloudformation.amazonaws.com"));
    logs.add(
        event("2026-03-03T13:00:00Z", "signin:ConsoleLogin")
            .denied()
            .from("203.0.113.7"),
    );
    logs.add(
        event("2026-03-03T14:00:00Z", "signin:ConsoleLogin")
            .denied()
            .from("203.0.113.8"),
    );
    let mut foreign = stop("2026-03-03T15:00:00Z").from("203.0.113.9");
    foreign.principal = "arn:aws:iam::999999999999:root".into();
    logs.add(foreign.clone());
    foreign.address = "203.0.113.10".into();
    logs.add(foreign);
    let incidents = tell(&logs.fold());
    // One for each service; one for the failed logins and one for the foreign root's calls, which
    // are each one finding.
    assert_eq!(incidents.len(), 4);
    assert!(
        incidents
            .iter()
            .all(|it| it.findings.len() == 1 && it.principals.len() <= 1)
    );
}

#[test]
fn weak_findings_alone_make_no_incident() {
    let mut logs = Logs::default();
    let low = |time: &str, action: &str| {
        event(time, action)
            .person("dev.ole", "ASIAOLE")
            .from(HOSTING)
    };
    logs.add(low("2026-03-03T11:00:00Z", "iam:ListUsers"));
    logs.add(low("2026-03-03T11:10:00Z", "secretsmanager:GetSecretValue"));
    assert!(tell(&logs.fold()).is_empty());
    // A third rule of a third tactic on the same credential does.
    logs.add(low("2026-03-03T11:20:00Z", "s3:ListBuckets").from(VPN));
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].findings.len(), 3);
    assert!(incidents[0].severity <= Severity::Medium);
    // On different people's credentials it does not.
    let mut spread = Logs::default();
    spread.add(low("2026-03-03T11:00:00Z", "iam:ListUsers"));
    spread.add(
        low("2026-03-03T11:10:00Z", "secretsmanager:GetSecretValue").person("dev.ada", "ASIAADA"),
    );
    spread.add(
        low("2026-03-03T11:20:00Z", "s3:ListBuckets")
            .from(VPN)
            .person("dev.kim", "ASIAKIM"),
    );
    assert!(tell(&spread.fold()).is_empty());
}

#[test]
fn a_chain_across_accounts_is_one_incident() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..5);
    let alice = |time: &str, action: &str, key: &str| {
        event(time, action)
            .user("alice", key)
            .from(HOSTING)
            .with(KALI)
    };
    let user = "arn:aws:iam::111122223333:user/alice";
    logs.add(alice(
        "2026-03-05T08:00:00Z",
        "sts:GetCallerIdentity",
        "AKIAALICE00000000001",
    ));
    logs.add(
        alice(
            "2026-03-05T08:01:00Z",
            "sts:GetSessionToken",
            "AKIAALICE00000000001",
        )
        .mints(
            "ASIAALICE00000000002",
            user,
            None,
            MintMethod::GetSessionToken,
        )
        .expires("2026-03-05T20:01:00Z"),
    );
    logs.add(
        alice(
            "2026-03-05T08:02:00Z",
            "sts:AssumeRole",
            "ASIAALICE00000000002",
        )
        .on(PROD_ROLE)
        .mints(
            "ASIADEPLOY0000000003",
            PROD_ROLE,
            Some("x"),
            MintMethod::AssumeRole,
        )
        .expires("2026-03-05T09:02:00Z"),
    );
    // From another address and with another client: what was minted by strange hands is strange.
    logs.add(
        event("2026-03-05T08:10:00Z", "cloudtrail:StopLogging")
            .role(PROD_ROLE, "x", "ASIADEPLOY0000000003")
            .from("203.0.113.99")
            .with("Boto3/1.34"),
    );
    logs.add(
        event("2026-03-05T08:11:00Z", "s3:ListBuckets")
            .role(PROD_ROLE, "x", "ASIADEPLOY0000000003")
            .from("10.0.0.7")
            .with("Boto3/1.34"),
    );
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 1);
    let incident = &incidents[0];
    assert_eq!(
        incident.credentials,
        [
            "AKIAALICE00000000001",
            "ASIAALICE00000000002",
            "ASIADEPLOY0000000003"
        ]
    );
    assert_eq!(
        incident.principals,
        [user.to_owned(), format!("{PROD_ROLE}/x")]
    );
    assert!(has_action(
        incident,
        "s3:ListBuckets",
        TimelineRole::Suspect
    ));
    let parents: Vec<_> = incident
        .credential_stories
        .iter()
        .map(|it| it.parent.as_deref())
        .collect();
    assert_eq!(
        parents,
        [
            None,
            Some("AKIAALICE00000000001"),
            Some("ASIAALICE00000000002")
        ]
    );
    let commands = commands(incident);
    assert_eq!(
        commands[0],
        "aws iam update-access-key --user-name 'alice' --access-key-id 'AKIAALICE00000000001' --status Inactive"
    );
    assert!(commands[1].starts_with("aws iam put-user-policy --user-name 'alice'"));
    assert!(commands[2].starts_with(
        "aws iam put-role-policy --role-name 'deploy' --policy-name AWSRevokeOlderSessions"
    ));
    let ends = incident
        .response
        .iter()
        .find(|it| it.title.contains("end by themselves"))
        .unwrap();
    assert!(ends.title.contains("ASIAALICE00000000002 at 2026-03-05 20:01 UTC and ASIADEPLOY0000000003 at 2026-03-05 09:02 UTC"), "{}", ends.title);
}

#[test]
fn a_strange_address_joins_a_person_and_a_pipeline() {
    let mut logs = stolen_session();
    let preview = "arn:aws:iam::111122223333:role/gha-preview";
    let subject = "token.actions.githubusercontent.com:repo:halyard/web:ref:refs/heads/fix/cache";
    logs.add(
        event("2026-03-12T12:19:00Z", "sts:AssumeRoleWithWebIdentity")
            .web_identity(subject)
            .from("198.51.100.201")
            .on(preview)
            .mints(
                "ASIAPREVIEW000000001",
                preview,
                Some("GitHubActions"),
                MintMethod::AssumeRoleWithWebIdentity,
            ),
    );
    let off_runner = |time: &str, action: &str| {
        event(time, action)
            .role(preview, "GitHubActions", "ASIAPREVIEW000000001")
            .from(HOSTING)
    };
    logs.add(off_runner("2026-03-12T12:31:00Z", "sts:GetCallerIdentity").with(KALI));
    logs.add(
        off_runner("2026-03-12T12:40:00Z", "ecr:PutImage")
            .with("docker/27.0")
            .on("arn:aws:ecr:eu-west-1:111122223333:repository/web-edge"),
    );
    // An honest run of another branch, with the same session name, on another day.
    logs.add(
        event("2026-03-11T09:00:00Z", "sts:AssumeRoleWithWebIdentity")
            .web_identity(
                "token.actions.githubusercontent.com:repo:halyard/web:ref:refs/heads/main",
            )
            .from("198.51.100.202")
            .mints(
                "ASIAPREVIEW000000009",
                preview,
                Some("GitHubActions"),
                MintMethod::AssumeRoleWithWebIdentity,
            ),
    );
    logs.add(
        event("2026-03-11T09:01:00Z", "ecr:DescribeImages")
            .role(preview, "GitHubActions", "ASIAPREVIEW000000009")
            .from("198.51.100.202"),
    );
    let networks = settings(&[
        ("198.51.100.200/29", "pipeline"),
        ("198.51.100.10/32", "corporate"),
    ]);
    let incidents = tell_with(&logs.fold(), &networks, None);
    assert_eq!(
        incidents.len(),
        1,
        "the same machine, by its client, used both"
    );
    let incident = &incidents[0];
    assert!(has_action(incident, "ecr:PutImage", TimelineRole::Suspect));
    assert!(has_action(
        incident,
        "sts:AssumeRoleWithWebIdentity",
        TimelineRole::Quiet
    ));
    assert!(
        incident
            .credentials
            .iter()
            .any(|it| it == "ASIAPREVIEW000000001")
    );
    assert!(
        !incident
            .credentials
            .iter()
            .any(|it| it == "ASIAPREVIEW000000009")
    );
    let commands = commands(incident);
    assert!(commands.iter().any(|it| {
        it.contains("get-role --role-name 'gha-preview' --query Role.AssumeRolePolicyDocument")
    }));
    assert!(
        commands
            .iter()
            .any(|it| it.starts_with("aws ecr describe-images"))
    );
}

#[test]
fn a_tester_with_the_same_system_is_not_the_intruder() {
    let mut logs = stolen_session();
    for (day, action) in [
        (4, "sts:GetCallerIdentity"),
        (5, "iam:ListUsers"),
        (5, "sts:GetCallerIdentity"),
    ] {
        let time = format!("2026-03-{day:02}T10:00:00Z");
        logs.add(
            event(&time, action)
                .user("tester", "AKIATESTER0000000001")
                .from("192.0.2.121")
                .with(KALI),
        );
    }
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 2);
    let tester = |it: &&String| it.contains("user/tester");
    assert_eq!(
        incidents
            .iter()
            .filter(|it| it.principals.iter().any(|who| tester(&who)))
            .count(),
        1
    );
    assert!(incidents.iter().all(|it| it.principals.len() == 1));
}

#[test]
fn those_who_share_a_broker_stay_apart() {
    let mut logs = Logs::default();
    let role = "arn:aws:iam::111122223333:role/engineer";
    for number in 0..12 {
        let (person, key) = (
            format!("person-{number}"),
            format!("ASIABROKERED{number:08}"),
        );
        let time = format!("2026-03-03T08:{number:02}:00Z");
        logs.add(
            event(&time, "sts:AssumeRole")
                .user("broker", "AKIABROKER0000000001")
                .mints(&key, role, Some(&person), MintMethod::AssumeRole),
        );
        logs.add(
            event(
                &format!("2026-03-03T09:{number:02}:00Z"),
                "iam:CreateAccessKey",
            )
            .role(role, &person, &key),
        );
    }
    let office = settings(&[("198.51.100.10/32", "corporate")]);
    assert_eq!(tell_with(&logs.fold(), &office, None).len(), 12);
}

#[test]
fn a_sign_tells_what_no_rule_saw() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..5);
    logs.add(
        event("2026-03-04T20:00:00Z", "s3:GetObject")
            .person("dev.ole", "ASIAOLEDAY00004")
            .from("203.0.113.77"),
    );
    logs.add(
        event("2026-03-04T21:00:00Z", "s3:GetObject")
            .person("dev.ada", "ASIAADADAY00004")
            .from("203.0.113.77"),
    );
    let sign = |kind: SignKind| {
        [Sign {
            kind,
            origin: "--from".into(),
            severity: Severity::High,
        }]
    };
    assert!(tell(&logs.fold()).is_empty());

    let address = sign(SignKind::Network("203.0.113.77/32".parse().unwrap()));
    let incidents = tell(&logs.fold_with(&address, RULES));
    assert_eq!(incidents.len(), 1);
    assert!(incidents[0].severity >= Severity::High);
    assert_eq!(incidents[0].principals.len(), 2);
    assert!(
        incidents[0]
            .narrative
            .iter()
            .any(|it| it.starts_with("Named by you"))
    );
    assert_eq!(events_of(&incidents[0], TimelineRole::Finding).len(), 2);

    let user = sign(SignKind::User("dev.kim".into()));
    let incidents = tell(&logs.fold_with(&user, RULES));
    assert_eq!(incidents.len(), 1);
    assert_eq!(events_of(&incidents[0], TimelineRole::Finding).len(), 4 * 8);
    assert_eq!(incidents[0].credentials.len(), 4);
}

#[test]
fn a_sign_on_a_key_brings_what_was_minted_from_it() {
    let mut logs = Logs::default();
    logs.add(
        event("2026-03-05T08:00:00Z", "sts:AssumeRole")
            .user("alice", "AKIAALICE00000000001")
            .mints(
                "ASIADEPLOY0000000003",
                PROD_ROLE,
                Some("x"),
                MintMethod::AssumeRole,
            ),
    );
    logs.add(event("2026-03-05T08:01:00Z", "s3:GetObject").role(
        PROD_ROLE,
        "x",
        "ASIADEPLOY0000000003",
    ));
    let sign = [Sign {
        kind: SignKind::Key("AKIAALICE00000000001".into()),
        origin: "--from".into(),
        severity: Severity::Medium,
    }];
    let incidents = tell(&logs.fold_with(&sign, RULES));
    assert_eq!(incidents.len(), 1);
    assert!(has_action(
        &incidents[0],
        "s3:GetObject",
        TimelineRole::Suspect
    ));
    assert_eq!(
        incidents[0].credentials,
        ["AKIAALICE00000000001", "ASIADEPLOY0000000003"]
    );
}

#[test]
fn a_finding_on_the_first_day_does_not_make_a_robot_s_work_suspect() {
    let mut logs = Logs::default();
    logs.add(robot("2026-03-01T03:00:00Z", "s3:ListBuckets"));
    logs.add(robot("2026-03-01T04:00:00Z", "iam:CreateAccessKey"));
    for day in 2..12 {
        for hour in 1..4 {
            logs.add(robot(
                &format!("2026-03-{day:02}T{hour:02}:00:00Z"),
                "s3:ListBuckets",
            ));
        }
    }
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 1);
    assert!(events_of(&incidents[0], TimelineRole::Suspect).is_empty());
    // The same key used from elsewhere, with findings, is another matter.
    logs.add(
        robot("2026-03-12T04:00:00Z", "sts:GetCallerIdentity")
            .from(HOSTING)
            .with(KALI),
    );
    logs.add(
        robot("2026-03-12T04:01:00Z", "s3:ListBuckets")
            .from(HOSTING)
            .with("Boto3/1.34"),
    );
    let incidents = tell(&logs.fold());
    assert_eq!(events_of(&incidents[0], TimelineRole::Suspect).len(), 1);
    assert!(incidents[0].narrative[1].starts_with("Likely stolen"));
}

#[test]
fn a_busy_credential_s_other_activity_is_capped() {
    let mut logs = Logs::default();
    for number in 0..2_500 {
        let time = format!(
            "2026-03-{:02}T{:02}:{:02}:00Z",
            1 + number / 600,
            number / 60 % 10,
            number % 60
        );
        logs.add(robot(&time, "s3:ListBuckets"));
    }
    logs.add(robot("2026-03-05T22:00:00Z", "cloudtrail:StopLogging"));
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 1);
    let quiet = events_of(&incidents[0], TimelineRole::Quiet);
    assert_eq!(quiet.len(), 2_000);
    // The nearest in time are kept.
    assert!(
        quiet.contains(&"event-02499".to_owned()) && !quiet.contains(&"event-00000".to_owned())
    );
    assert!(
        incidents[0]
            .narrative
            .iter()
            .any(|it| it.contains("leaves out 500 records"))
    );
}

/// Mira worked from a hotel for a day, with her own machine, before the intruder's first sign, and one
/// rule shows her call from there beside the intruder's.
fn from_a_hotel(client: &str) -> Logs {
    const HOTEL: &str = "203.0.113.77";
    let mut logs = stolen_session();
    for (time, action) in [
        ("2026-03-09T19:00:00Z", "s3:ListBuckets"),
        ("2026-03-10T07:30:00Z", "ec2:DescribeInstances"),
    ] {
        logs.add(
            event(time, action)
                .person("dev.mira", "ASIAMIRADAY00010")
                .created("2026-03-10T07:01:12Z")
                .from(HOTEL)
                .with(client),
        );
    }
    logs.add(
        event("2026-03-10T07:45:00Z", "ec2:DescribeInstances")
            .person("dev.mira", "ASIAMIRADAY00010")
            .created("2026-03-10T07:01:12Z")
            .from(VPN)
            .with(KALI),
    );
    logs
}

const BOTH_HANDS: TestRule = TestRule {
    id: "one key in two hands",
    severity: Severity::High,
    tactic: portreeve_model::Tactic::LateralMovement,
    matches: |row| {
        row.action() == "ec2:DescribeInstances" && row.credential() == Some("ASIAMIRADAY00010")
    },
};

#[test]
fn the_owner_s_side_of_a_session_in_two_hands_is_not_the_intruder_s() {
    let rules = [RULES, &[BOTH_HANDS]].concat();
    let suspects = |client: &str| {
        let incident = tell(&from_a_hotel(client).fold_with(&[], &rules)).swap_remove(0);
        assert!(incident.severity >= Severity::High);
        incident.headline
    };
    let own = suspects(MAC);
    assert!(!own.contains("203.0.113.77"), "{own}");
    assert!(own.contains(VPN), "{own}");
    // With a client that she has nowhere else it is nobody's own.
    let strange = suspects("Boto3/1.34.0 os/linux");
    assert!(strange.contains("203.0.113.77"), "{strange}");
}
