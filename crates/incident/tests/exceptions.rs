//! Exceptions mute paging and score, never evidence or lineage.

mod common;

use std::collections::BTreeMap;

use common::*;
use portreeve_detect::{Exception, Sign, SignKind, mute};
use portreeve_incident::exceptions::{Judgement, Verdict, hidden, suggestions, transposed, uses};
use portreeve_incident::{ExceptionState, Incident, Report};
use portreeve_model::Severity;
use proptest::prelude::*;

fn exception(id: &str) -> Exception {
    Exception {
        id: id.to_owned(),
        rules: Vec::new(),
        actors: Vec::new(),
        principals: Vec::new(),
        networks: Vec::new(),
        targets: Vec::new(),
        accounts: Vec::new(),
        from: None,
        expires: "2027-01-01T00:00:00Z".parse().unwrap(),
        owner: "team".into(),
        reason: "expected".into(),
        ticket: "T-1".into(),
    }
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn told(logs: &Logs, exceptions: &[Exception]) -> (Vec<Incident>, Vec<u64>) {
    let mut folded = logs.fold();
    let muted = mute(&mut folded, exceptions, &BTreeMap::new());
    let settings = settings(&[("198.51.100.10/32", "corporate")]);
    (tell_with(&folded, &settings, None), muted)
}

/// All that an exception must not change.
fn evidence(incidents: &[Incident]) -> BTreeMap<String, String> {
    incidents
        .iter()
        .map(|incident| {
            let kept = (
                &incident.findings,
                &incident.timeline,
                &incident.credential_stories,
                &incident.touched,
                &incident.response,
                &incident.headline,
            );
            (incident.id.clone(), serde_json::to_string(&kept).unwrap())
        })
        .collect()
}

#[test]
fn a_muted_incident_is_told_and_does_not_score() {
    let logs = stolen_session();
    let (loud, _) = told(&logs, &[]);
    let all = Exception {
        actors: list(&["dev.mira"]),
        ..exception("mira")
    };
    let (muted, counts) = told(&logs, std::slice::from_ref(&all));
    assert_eq!(evidence(&loud), evidence(&muted));
    assert!(loud[0].severity >= Severity::High);
    assert_eq!(
        (muted[0].severity, muted[0].score),
        (Severity::Informational, 0)
    );
    assert_eq!(muted[0].muted, muted[0].findings.len() as u64);
    assert_eq!(counts, [muted[0].muted]);
    assert_eq!(hidden(&loud, &muted).len(), 1);
}

#[test]
fn what_is_not_muted_scores_by_itself() {
    let logs = stolen_session();
    let rules = |rules: &[&str]| Exception {
        rules: list(rules),
        ..exception("rules")
    };
    let (loud, _) = told(&logs, &[]);
    let (less, _) = told(&logs, &[rules(&["consumer VPN", "second factor refused"])]);
    assert!(less[0].muted > 0 && less[0].muted < less[0].findings.len() as u64);
    assert!(less[0].score < loud[0].score && less[0].severity >= Severity::High);
    assert!(hidden(&loud, &less).is_empty());
}

#[test]
fn every_scope_narrows() {
    let logs = stolen_session();
    let count = |exception: Exception| told(&logs, &[exception]).1[0];
    let web = Exception {
        rules: list(&["web origin *"]),
        ..exception("web")
    };
    let all = count(web.clone());
    assert!(all > 0);
    for (narrowed, expected) in [
        (
            Exception {
                actors: list(&["dev.mira"]),
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                actors: list(&["*/dev.mira"]),
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                actors: list(&["dev.ole"]),
                ..web.clone()
            },
            0,
        ),
        (
            Exception {
                principals: list(&["AWSReservedSSO_WebDeploy_*"]),
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                principals: list(&["dev.mira"]),
                ..web.clone()
            },
            0,
        ),
        (
            Exception {
                networks: vec!["192.0.2.0/24".parse().unwrap()],
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                networks: vec!["198.51.100.0/24".parse().unwrap()],
                ..web.clone()
            },
            0,
        ),
        (
            Exception {
                targets: list(&["arn:aws:s3:::halyard-web-prod"]),
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                targets: list(&["arn:aws:s3:::halyard-web-prod/_next/*"]),
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                targets: list(&["arn:aws:s3:::halyard-web"]),
                ..web.clone()
            },
            0,
        ),
        (
            Exception {
                accounts: list(&["111122223333"]),
                ..web.clone()
            },
            all,
        ),
        (
            Exception {
                accounts: list(&["444455556666"]),
                ..web.clone()
            },
            0,
        ),
    ] {
        assert_eq!(count(narrowed.clone()), expected, "{narrowed:?}");
    }
}

#[test]
fn after_its_end_an_exception_does_nothing() {
    let logs = stolen_session();
    let until = |expires: &str| Exception {
        rules: list(&["web origin *"]),
        expires: expires.parse().unwrap(),
        ..exception("web")
    };
    // The bundle is written on the 15th and on the 17th.
    let count = |exception: Exception| told(&logs, &[exception]).1[0];
    assert_eq!(count(until("2026-03-15T00:00:00Z")), 0);
    assert_eq!(count(until("2026-03-16T00:00:00Z")), 1);
    assert_eq!(count(until("2026-03-18T00:00:00Z")), 2);
    let late = Exception {
        from: Some("2026-03-16T00:00:00Z".parse().unwrap()),
        ..until("2026-03-18T00:00:00Z")
    };
    assert_eq!(count(late), 1);
    let state = |exception: &Exception, muted: u64| {
        let at = "2026-03-17T12:00:00Z".parse().unwrap();
        uses(
            std::slice::from_ref(exception),
            &[muted],
            &[],
            &[],
            Some(at),
        )[0]
        .state
    };
    assert_eq!(
        state(&until("2026-03-16T00:00:00Z"), 1),
        ExceptionState::Expired
    );
    assert_eq!(
        state(&until("2026-03-18T00:00:00Z"), 0),
        ExceptionState::Unused
    );
    assert_eq!(
        state(&until("2026-03-18T00:00:00Z"), 1),
        ExceptionState::Active
    );
    let upcoming = Exception {
        from: Some("2026-04-01T00:00:00Z".parse().unwrap()),
        ..exception("later")
    };
    assert_eq!(state(&upcoming, 0), ExceptionState::Upcoming);
}

#[test]
fn what_the_user_asks_for_is_never_muted() {
    let logs = stolen_session();
    let sign = Sign {
        kind: SignKind::User("dev.mira".into()),
        origin: "--from".into(),
        severity: Severity::High,
    };
    let mut folded = logs.fold_with(&[sign], &[]);
    let all = Exception {
        accounts: list(&["1111*"]),
        ..exception("all")
    };
    assert_eq!(mute(&mut folded, &[all], &BTreeMap::new()), [0]);
    assert!(tell(&folded)[0].severity >= Severity::High);
}

#[test]
fn an_exception_for_one_person_is_tried_as_if_for_the_victim() {
    let logs = stolen_session();
    let ole = Exception {
        actors: list(&["dev.ole"]),
        expires: "2026-03-02T00:00:00Z".parse().unwrap(),
        ..exception("ole")
    };
    let (loud, _) = told(&logs, &[]);
    assert!(hidden(&loud, &told(&logs, std::slice::from_ref(&ole)).0).is_empty());
    assert_eq!(hidden(&loud, &told(&logs, &[transposed(&ole)]).0).len(), 1);
    // From an office alone it would hide nobody who comes from elsewhere.
    let office = Exception {
        networks: vec!["198.51.100.10/32".parse().unwrap()],
        ..ole
    };
    assert!(hidden(&loud, &told(&logs, &[transposed(&office)]).0).is_empty());
}

fn report(logs: &Logs) -> Report {
    let folded = logs.fold();
    let incidents = tell_with(
        &folded,
        &settings(&[("198.51.100.10/32", "corporate")]),
        None,
    );
    Report {
        wallets: Vec::new(),
        version: String::new(),
        rules_sha256: String::new(),
        rules: 0,
        simulated: true,
        incidents,
        findings: folded.findings,
        jewels: Vec::new(),
        coverage: Vec::new(),
        sight: Vec::new(),
        exceptions: Vec::new(),
        blind_spots: Vec::new(),
        dead_letters: Vec::new(),
        dead_letters_omitted: 0,
        verification: None,
        inputs: Vec::new(),
        notes: Vec::new(),
        summary: Default::default(),
    }
}

fn verdict(incident: &str, verdict: Judgement) -> Verdict {
    Verdict {
        incident: incident.to_owned(),
        verdict,
        reason: "the quarterly exercise".into(),
        owner: "red team".into(),
        ticket: "SEC-7".into(),
    }
}

#[test]
fn verdicts_suggest_what_is_narrow_and_mutes_what_they_are_of() {
    let logs = stolen_session();
    let report = report(&logs);
    let id = report.incidents[0].id.clone();
    let (suggested, notes) = suggestions(&report, &[verdict(&id, Judgement::Expected)]);
    assert!(!suggested.is_empty() && notes.is_empty(), "{notes:?}");
    for one in &suggested {
        assert_eq!((one.rules.len(), one.actors.len()), (1, 1));
        assert!(!one.networks.is_empty() && !one.is_boundless());
    }
    let (muted, _) = told(&logs, &suggested);
    assert_eq!(muted[0].muted, muted[0].findings.len() as u64);
    // They do not reach another person, nor another place.
    let mut elsewhere = Logs::default();
    elsewhere.ordinary_days(1..5);
    elsewhere.add(
        event("2026-03-20T07:44:00Z", "sts:GetCallerIdentity")
            .person("dev.mira", "ASIAMIRADAY00020")
            .from(HOSTING)
            .with(KALI),
    );
    assert_eq!(told(&elsewhere, &suggested).1.iter().sum::<u64>(), 0);
}

#[test]
fn a_true_incident_suggests_nothing_and_keeps_others_from_it() {
    let report = report(&stolen_session());
    let id = report.incidents[0].id.clone();
    let both = [
        verdict(&id, Judgement::True),
        verdict(&id, Judgement::False),
        verdict("unknown", Judgement::False),
    ];
    let (suggested, notes) = suggestions(&report, &both);
    assert!(suggested.is_empty());
    assert!(notes.iter().any(|note| note.contains("true incident")));
    assert!(notes.iter().any(|note| note.contains("unknown")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is muted, the same is told, and nothing is graver.
    #[test]
    fn muting_takes_nothing_away_and_makes_nothing_louder(
        picked in prop::collection::vec((0usize..9, 0usize..4, 1u32..31), 0..6),
    ) {
        const ACTORS: [&str; 4] = ["*", "dev.mira", "dev.ole", "*/dev.*"];
        let exceptions: Vec<Exception> = picked
            .iter()
            .enumerate()
            .map(|(number, (rule, actor, day))| Exception {
                rules: list(&[RULES[*rule].id]),
                actors: list(&[ACTORS[*actor]]),
                expires: format!("2026-03-{day:02}T00:00:00Z").parse().unwrap(),
                ..exception(&number.to_string())
            })
            .collect();
        let logs = stolen_session();
        let (loud, _) = told(&logs, &[]);
        let (muted, counts) = told(&logs, &exceptions);
        prop_assert_eq!(evidence(&loud), evidence(&muted));
        prop_assert_eq!(counts.len(), exceptions.len());
        for incident in &muted {
            let before = loud.iter().find(|it| it.id == incident.id).unwrap();
            prop_assert!(incident.score <= before.score && incident.severity <= before.severity);
        }
    }
}
