//! Whether the intruder is out: dead, alive until, alive or unknown, each by what shows it.

mod common;

use common::*;
use portreeve_detect::Settings;
use portreeve_incident::Incident;
use portreeve_incident::eviction::{ContainmentBasis, Evicted, EvictionState, Hold};
use portreeve_model::{MintMethod, Revoked};
use proptest::prelude::*;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const KEY: &str = "AKIAALICE00000000001";
const ROLE: &str = "arn:aws:iam::111122223333:role/ops";
const RULE: &str = "arn:aws:events:eu-west-1:111122223333:rule/warm";

fn told(logs: &Logs, contained: Option<&str>) -> Incident {
    let settings = Settings {
        contained_at: contained.map(|time| time.parse().unwrap()),
        ..settings(&[("198.51.100.10/32", "corporate")])
    };
    let mut incidents = tell_with(&logs.fold(), &settings, None);
    incidents.remove(0)
}

fn find<'i>(incident: &'i Incident, kind: &str) -> &'i Evicted {
    let found = incident.eviction.iter().find(|it| it.kind == kind);
    found.unwrap_or_else(|| panic!("{kind}: {:#?}", incident.eviction))
}

/// The intruder leaves a key, a changed trust and a schedule, then the logs go on.
fn left_behind() -> Logs {
    let mut logs = Logs::default();
    logs.ordinary_days(1..28);
    let stolen = |time: &str, action: &str| {
        event(time, action)
            .person("dev.mira", "ASIAMIRADAY00010")
            .created("2026-03-10T07:01:12Z")
            .from(VPN)
            .with(KALI)
    };
    logs.add(stolen("2026-03-10T07:44:00Z", "sts:GetCallerIdentity"));
    logs.add(
        stolen("2026-03-10T08:00:00Z", "iam:CreateAccessKey")
            .on(ALICE)
            .mints(KEY, ALICE, None, MintMethod::CreateAccessKey),
    );
    logs.add(stolen("2026-03-10T08:10:00Z", "iam:UpdateAssumeRolePolicy").on(ROLE));
    logs.add(stolen("2026-03-10T08:20:00Z", "events:PutRule").on(RULE));
    logs
}

fn responder(time: &str, action: &str) -> Event {
    event(time, action).person("dev.ole", "ASIAOLEDAY00012")
}

fn revoke_key() -> Event {
    responder("2026-03-12T09:00:00Z", "iam:UpdateAccessKey")
        .on(ALICE)
        .revokes(Revoked::Credential(KEY.into()))
}

#[test]
fn without_a_revocation_the_end_of_the_logs_counts() {
    let incident = told(&left_behind(), None);
    let containment = incident.containment.as_ref().unwrap();
    assert_eq!(containment.basis, ContainmentBasis::EndOfLogs);
    assert_eq!(find(&incident, "access key").state, EvictionState::Alive);
    assert_eq!(find(&incident, "access key").how, Hold::Made);
    assert_eq!(
        find(&incident, "trust of a role").state,
        EvictionState::Alive
    );
    assert_eq!(find(&incident, "schedule").state, EvictionState::Alive);
    // The session of the 10th has long ended.
    let session = find(&incident, "session");
    assert_eq!(
        (session.state, session.how),
        (EvictionState::Dead, Hold::Used)
    );
    assert!(session.until.is_some());
}

#[test]
fn a_session_is_alive_until_it_ends() {
    let incident = told(&left_behind(), Some("2026-03-10T12:00:00Z"));
    assert_eq!(
        incident.containment.as_ref().unwrap().basis,
        ContainmentBasis::Stated
    );
    let session = find(&incident, "session");
    assert_eq!(session.state, EvictionState::AliveUntil);
    assert_eq!(session.until.unwrap().to_string(), "2026-03-10T19:01:12Z");
}

#[test]
fn the_record_that_takes_something_away_is_named() {
    let mut logs = left_behind();
    logs.add(revoke_key());
    logs.add(responder("2026-03-12T09:05:00Z", "events:DisableRule").on(RULE));
    logs.add(responder("2026-03-12T09:10:00Z", "iam:UpdateAssumeRolePolicy").on(ROLE));
    let incident = told(&logs, None);
    let containment = incident.containment.as_ref().unwrap();
    assert_eq!(containment.basis, ContainmentBasis::LastRevocation);
    assert_eq!(containment.at.to_string(), "2026-03-12T09:05:00Z");
    for (kind, action) in [
        ("access key", "iam:UpdateAccessKey"),
        ("schedule", "events:DisableRule"),
    ] {
        let dead = find(&incident, kind);
        assert_eq!(dead.state, EvictionState::Dead, "{kind}");
        assert_eq!(dead.shown_by.as_ref().unwrap().action, action);
        assert!(dead.shown_by.as_ref().unwrap().event_id.is_some());
    }
    // What the trust says now nobody here knows.
    assert_eq!(
        find(&incident, "trust of a role").state,
        EvictionState::Unknown
    );
}

#[test]
fn what_fires_later_is_tied_back() {
    let mut logs = left_behind();
    logs.add(revoke_key());
    logs.add(
        event("2026-03-15T03:00:00Z", "s3:ListBuckets")
            .user("alice", KEY)
            .from(HOSTING),
    );
    logs.add(
        event("2026-03-15T04:00:00Z", "sts:AssumeRole")
            .user("eve", "AKIAEVE0000000000001")
            .from(HOSTING)
            .on(ROLE),
    );
    let incident = told(&logs, Some("2026-03-13T00:00:00Z"));
    // A deactivation that did not hold does not count as one.
    let key = find(&incident, "access key");
    assert_eq!((key.state, key.fired_total), (EvictionState::Alive, 1));
    assert_eq!(key.fired[0].action, "s3:ListBuckets");
    let trust = find(&incident, "trust of a role");
    assert_eq!(
        (trust.fired_total, trust.fired[0].action.as_str()),
        (1, "sts:AssumeRole")
    );
    // What fired stands first.
    assert!(incident.eviction[0].fired_total > 0);
}

#[test]
fn a_key_that_is_given_back_is_alive() {
    let mut logs = left_behind();
    logs.add(revoke_key());
    logs.add(
        responder("2026-03-12T10:00:00Z", "iam:UpdateAccessKey")
            .on(ALICE)
            .revokes(Revoked::Restored(KEY.into())),
    );
    assert_eq!(
        find(&told(&logs, None), "access key").state,
        EvictionState::Alive
    );
}

#[test]
fn sessions_are_refused_by_the_time_of_their_issue() {
    let role = "arn:aws:iam::111122223333:role/ops/deploy";
    let session = |logs: &mut Logs| {
        logs.add(
            event("2026-03-10T07:44:00Z", "sts:GetCallerIdentity")
                .role(role, "build", "ASIADEPLOY0000000001")
                .created("2026-03-10T07:01:12Z")
                .from(VPN)
                .with(KALI),
        );
    };
    let refuse = |before: &str| {
        responder("2026-03-10T09:00:00Z", "iam:PutRolePolicy").revokes(Revoked::Sessions {
            // As the record names it: without the path.
            principal: "arn:aws:iam::111122223333:role/deploy".into(),
            before: before.parse().unwrap(),
        })
    };
    let state = |before: &str| {
        let mut logs = Logs::default();
        logs.ordinary_days(1..12);
        session(&mut logs);
        logs.add(refuse(before));
        find(&told(&logs, Some("2026-03-10T09:30:00Z")), "session").state
    };
    assert_eq!(state("2026-03-10T09:00:00Z"), EvictionState::Dead);
    assert_eq!(state("2026-03-10T07:00:00Z"), EvictionState::AliveUntil);
}

#[test]
fn replaced_content_is_gone_and_the_intruder_s_own_restoring_is_not_trusted() {
    let logs = stolen_session();
    let own = told(&logs, None);
    let content = find(&own, "content");
    assert_eq!(content.state, EvictionState::Alive, "{}", content.why);
    let mut logs = logs;
    logs.add(
        event("2026-03-17T16:00:00Z", "s3:PutObject")
            .role(
                "arn:aws:iam::111122223333:role/gha-deploy",
                "run-7",
                "ASIADEPLOYRUN0000007",
            )
            .from("198.51.100.201")
            .on(&content.id)
            .on("arn:aws:s3:::halyard-web-prod"),
    );
    let content = told(&logs, None);
    let content = find(&content, "content");
    assert_eq!(content.state, EvictionState::Dead);
    assert_eq!(content.shown_by.as_ref().unwrap().action, "s3:PutObject");
}

#[test]
fn logs_that_end_before_the_containment_prove_nothing() {
    let incident = told(&left_behind(), Some("2026-04-20T00:00:00Z"));
    for kind in ["access key", "schedule"] {
        assert_eq!(
            find(&incident, kind).state,
            EvictionState::Unknown,
            "{kind}"
        );
    }
}

#[test]
fn ordinary_work_is_not_judged() {
    let mut logs = Logs::default();
    logs.ordinary_days(1..10);
    logs.add(
        responder("2026-03-09T09:00:00Z", "iam:CreateAccessKey")
            .on(ALICE)
            .mints(KEY, ALICE, None, MintMethod::CreateAccessKey),
    );
    let incident = told(&logs, None);
    assert!(incident.containment.is_none() && incident.eviction.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nothing is dead without what shows it; the order of records does not show; a later
    /// containment never brings a session back to life.
    #[test]
    fn dead_means_shown(order in Just((0usize..60).collect::<Vec<_>>()).prop_shuffle(), revoked in any::<bool>(), day in 10u32..27) {
        let mut logs = left_behind();
        if revoked {
            logs.add(revoke_key());
            logs.add(responder("2026-03-12T09:05:00Z", "events:DeleteRule").on(RULE));
        }
        let at = format!("2026-03-{day:02}T12:00:00Z");
        let incident = told(&logs, Some(&at));
        for one in incident.eviction.iter().filter(|it| it.state == EvictionState::Dead) {
            prop_assert!(one.shown_by.is_some() || one.until.is_some(), "{one:?}");
        }
        let mut shuffled = logs.clone();
        let parts = order.len().min(shuffled.events.len());
        for (place, other) in order.iter().enumerate().take(parts) {
            if *other < parts {
                shuffled.events.swap(place, *other);
            }
        }
        let states = |incident: &Incident| -> Vec<(String, String, EvictionState)> {
            incident.eviction.iter().map(|it| (it.kind.clone(), it.id.clone(), it.state)).collect()
        };
        prop_assert_eq!(states(&incident), states(&told(&shuffled, Some(&at))));
        let later = told(&logs, Some("2026-03-27T12:00:00Z"));
        for one in incident.eviction.iter().filter(|it| it.kind == "session" && it.state == EvictionState::Dead) {
            let then = later.eviction.iter().find(|it| it.id == one.id).unwrap();
            prop_assert_eq!(then.state, EvictionState::Dead);
        }
    }
}
