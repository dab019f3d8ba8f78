//! People's sessions as Identity Center records them: joined by the portal's session, the role, the
//! person and the moment of creation, never by the key that was issued.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use common::{Simulation, run, small, text};
use jiff::Timestamp;
use portreeve_simulate::{Faults, Plan};
use serde_json::Value;

fn quiet() -> &'static Simulation {
    static RUN: OnceLock<Simulation> = OnceLock::new();
    RUN.get_or_init(|| {
        run(&Plan {
            days: 30,
            max_records: 40_000,
            faults: Faults {
                loss: Some("0".parse().expect("a share")),
                duplicates: "0".parse().expect("a share"),
                ..Faults::default()
            },
            ..small(3, "none")
        })
    })
}

fn named<'a>(simulation: &'a Simulation, name: &str) -> Vec<&'a Value> {
    simulation
        .records
        .iter()
        .filter(|record| text(record, "eventName") == name)
        .collect()
}

fn seconds(record: &Value) -> i64 {
    let time: Timestamp = text(record, "eventTime").parse().expect("a time");
    time.as_second()
}

fn person(record: &Value) -> &str {
    text(&record["userIdentity"]["onBehalfOf"], "userId")
}

#[test]
fn a_portal_session_begins_with_a_sign_in_and_belongs_to_one_person() {
    let run = quiet();
    let mut opened = BTreeMap::new();
    for record in named(run, "UserAuthentication") {
        assert_eq!(text(record, "eventSource"), "signin.amazonaws.com");
        assert_eq!(text(record, "eventType"), "AwsServiceEvent");
        assert_eq!(
            record["serviceEventDetails"]["UserAuthentication"],
            "Success"
        );
        assert_eq!(
            record["additionalEventData"]["CredentialType"],
            "EXTERNAL_IDP"
        );
        let id = text(&record["userIdentity"], "credentialId");
        assert!(
            opened
                .insert(id, (person(record), seconds(record)))
                .is_none()
        );
    }
    assert!(opened.len() > 60, "{}", opened.len());
    let mut days = BTreeSet::new();
    for record in &run.records {
        if text(&record["userIdentity"], "type") != "IdentityCenterUser" {
            continue;
        }
        assert!(record["responseElements"].is_null(), "{record}");
        let id = text(&record["userIdentity"], "credentialId");
        let (owner, since) = opened[id];
        assert_eq!(person(record), owner);
        assert!(
            (since..since + 20 * 3600).contains(&seconds(record)),
            "{record}"
        );
        days.insert((owner, &text(record, "eventTime")[..10]));
    }
    // One sign-in a day is enough for all that is done in it.
    assert!(opened.len() <= days.len() + 4);
}

#[test]
fn every_session_is_asked_for_assumed_and_used_with_another_key() {
    let run = quiet();
    // What was asked for at the portal: person, account, role and when.
    let mut asked = Vec::new();
    for name in ["GetRoleCredentials", "Federate"] {
        for record in named(run, name) {
            let details = &record["serviceEventDetails"];
            assert_eq!(text(record, "eventSource"), "sso.amazonaws.com");
            assert_eq!(text(record, "recipientAccountId"), "123456789012");
            asked.push((
                person(record),
                text(details, "account_id"),
                text(details, "role_name"),
                seconds(record),
            ));
        }
    }
    let mut issued = BTreeSet::new();
    let mut assumed = Vec::new();
    for record in named(run, "AssumeRoleWithSAML") {
        assert!(text(record, "sourceIPAddress").starts_with("203.0.113.24"));
        let response = &record["responseElements"];
        issued.insert(text(&response["credentials"], "accessKeyId"));
        assumed.push((text(&response["assumedRoleUser"], "arn"), seconds(record)));
    }
    assert_eq!(asked.len(), assumed.len());
    let mut sessions = BTreeMap::new();
    for record in &run.records {
        let identity = &record["userIdentity"];
        if text(identity, "type") != "AssumedRole" || person(record).is_empty() {
            continue;
        }
        let key = text(identity, "accessKeyId");
        assert!(!issued.contains(key), "the issued key is used: {record}");
        let created: Timestamp = text(&identity["sessionContext"]["attributes"], "creationDate")
            .parse()
            .expect("a time");
        let role = &identity["sessionContext"]["sessionIssuer"]["userName"];
        sessions.insert(
            key,
            (
                person(record),
                text(identity, "accountId"),
                role.as_str().unwrap_or_default(),
                text(identity, "arn"),
                created.as_second(),
            ),
        );
    }
    assert!(sessions.len() > 100, "{}", sessions.len());
    for (key, (person, account, role, arn, created)) in &sessions {
        assert!(
            assumed
                .iter()
                .any(|(user, at)| user == arn && at == created),
            "{key} of {arn} was assumed"
        );
        let set = role
            .strip_prefix("AWSReservedSSO_")
            .and_then(|rest| rest.rsplit_once('_'))
            .map_or("", |(set, _)| set);
        assert!(
            asked.iter().any(|(who, of, what, at)| {
                who == person
                    && of == account
                    && *what == set
                    && (created - at) <= 2
                    && at <= created
            }),
            "{key} of {arn} was asked for"
        );
    }
}

#[test]
fn some_take_a_role_twice_a_day_and_shells_share_a_session() {
    let run = quiet();
    let mut keys: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut created: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for record in &run.records {
        let identity = &record["userIdentity"];
        if person(record).is_empty() || text(identity, "type") != "AssumedRole" {
            continue;
        }
        let key = text(identity, "accessKeyId");
        let day = &text(record, "eventTime")[..10];
        let moment = text(&identity["sessionContext"]["attributes"], "creationDate");
        keys.entry((person(record), text(identity, "arn"), day))
            .or_default()
            .insert(key);
        created
            .entry((text(identity, "arn"), moment))
            .or_default()
            .insert(key);
    }
    assert!(keys.values().filter(|keys| keys.len() > 1).count() > 10);
    // Only the shell in the console has a second key of one session.
    let shells: BTreeSet<&str> = run
        .records
        .iter()
        .filter(|record| text(record, "userAgent").contains("exec-env/CloudShell"))
        .map(|record| {
            assert_eq!(record["sessionCredentialFromConsole"], "true");
            text(&record["userIdentity"], "accessKeyId")
        })
        .collect();
    for keys in created.values().filter(|keys| keys.len() > 1) {
        assert_eq!(
            keys.intersection(&shells).count(),
            keys.len() - 1,
            "{keys:?}"
        );
    }
}

#[test]
fn the_intruder_uses_the_keys_that_the_developers_own_portal_gave() {
    let run = run(&small(5, "main"));
    let steps = run.steps();
    let stolen: BTreeSet<(&str, &str)> = ["S08", "S12", "S13", "S34", "S41"]
        .iter()
        .flat_map(|step| &steps[*step])
        .map(|record| {
            (
                text(record, "recipientAccountId"),
                text(
                    &record["userIdentity"]["sessionContext"]["attributes"],
                    "creationDate",
                ),
            )
        })
        .collect();
    assert!(stolen.len() >= 8);
    let asked: BTreeSet<(&str, i64)> = named(&run, "GetRoleCredentials")
        .into_iter()
        .map(|record| {
            let address = text(record, "sourceIPAddress");
            assert!(
                address.starts_with("198.51.100.")
                    || address.starts_with("203.0.113.")
                    || address.starts_with("2001:db8:70:")
                    || address.starts_with("192.0.2.3")
                    || address == "192.0.2.84",
                "nobody asks the portal from the intruder's network: {address}"
            );
            (
                text(&record["serviceEventDetails"], "account_id"),
                seconds(record),
            )
        })
        .collect();
    // A hundredth of the records is lost on the way.
    let found = stolen
        .iter()
        .filter(|(account, created)| {
            let created: Timestamp = created.parse().expect("a time");
            (0..=2).any(|before| asked.contains(&(*account, created.as_second() - before)))
        })
        .count();
    assert!(found + 1 >= stolen.len(), "{found} of {}", stolen.len());
}
