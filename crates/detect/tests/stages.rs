//! The two stages on small logs: lineage, history, inference, and the law that neither the order
//! of records nor how they are parted shows.

use std::collections::BTreeMap;

use portreeve_detect::{
    AtOnce, Batch, Exception, Folded, Known, Position, Settings, Sign, SignKind, Snapshot,
    StageOne, StageTwo,
};
use portreeve_model::{Entity, EntityKind, Estate, Finding, PrincipalKind, Relation, Severity};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::Matcher;
use proptest::prelude::*;
use serde_json::{Value, json};

const RULES: &str = "
title: Moved
id: moved
logsource: {product: aws}
detection:
  moved: {portreeve.credential.moved: true}
  condition: moved
level: high
---
title: Foreign write
id: write
logsource: {product: aws}
detection:
  write: {eventName: PutObject, portreeve.target.web_origin: true}
  deploy: {portreeve.actor.deploy: true}
  condition: write and not deploy
level: critical
---
title: A person of a name
id: person
logsource: {product: aws}
detection:
  person: {portreeve.actor.person: dev.mira}
  condition: person
level: low
---
title: A branch of a repository
id: branch
logsource: {product: aws}
detection:
  branch: {portreeve.actor.repository: halyard/web, portreeve.actor.trigger: branch}
  condition: branch
level: low
---
title: Minted by a web identity
id: web
logsource: {product: aws}
detection:
  web: {eventName: PutObject, portreeve.credential.minted_by: assume-role-with-web-identity}
  condition: web
level: low
";

fn estate() -> Estate {
    let mut estate = Estate::default();
    estate.add(Entity::new("arn:aws:s3:::web", EntityKind::Bucket));
    estate.relate(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: "arn:aws:s3:::web".into(),
    });
    let mut person = Entity::new("arn:aws:identitystore:::user/u-1", EntityKind::Person);
    person
        .attributes
        .insert("UserName".into(), "dev.mira".into());
    estate.add(person);
    estate.relate(Relation::Kind {
        principal: role("deploy").into(),
        kind: PrincipalKind::Pipeline,
    });
    estate
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::111122223333:role/{name}")
}

/// A call with a session of a role.
fn call(id: u32, time: &str, role_name: &str, key: &str, address: &str, action: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": format!("00000000-0000-4000-8000-{id:012x}"),
        "eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": action,
        "awsRegion": "eu-west-1", "sourceIPAddress": address, "recipientAccountId": "111122223333",
        "readOnly": action.starts_with("Get"), "eventCategory": "Data",
        "userIdentity": {
            "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": key,
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role_name}/run"),
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role(role_name)}}
        },
        "requestParameters": {"bucketName": "web", "key": "app.js"},
        "resources": [{"ARN": "arn:aws:s3:::web/app.js"}, {"ARN": "arn:aws:s3:::web"}]
    })
}

/// The issue of a role's session to a pipeline's runner.
fn issue(id: u32, time: &str, role_name: &str, key: &str, address: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": format!("00000000-0000-4000-8000-{id:012x}"),
        "eventTime": time, "eventSource": "sts.amazonaws.com", "eventName": "AssumeRoleWithWebIdentity",
        "awsRegion": "eu-west-1", "sourceIPAddress": address, "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "WebIdentityUser", "userName": "repo:halyard/web:ref:refs/heads/main",
            "principalId": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:halyard/web:ref:refs/heads/main",
            "identityProvider": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
        },
        "requestParameters": {"roleArn": role(role_name), "roleSessionName": "run"},
        "responseElements": {"credentials": {"accessKeyId": key, "expiration": "Mar 3, 2026, 9:00:00 AM"}}
    })
}

/// Runs both stages over parts of a log; each part is one batch with a file of its own.
fn run(parts: &[Vec<Value>], settings: Settings, signs: &[Sign]) -> Folded {
    run_rules(RULES, parts, settings, signs)
}

fn run_rules(rules: &str, parts: &[Vec<Value>], settings: Settings, signs: &[Sign]) -> Folded {
    run_both(rules, parts, settings, signs).0
}

/// The same, with what each part tells at once.
fn run_both(
    rules: &str,
    parts: &[Vec<Value>],
    settings: Settings,
    signs: &[Sign],
) -> (Folded, Vec<Finding>) {
    let estate = estate();
    let source = portreeve_telemetry::source("aws.cloudtrail").unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let parsed = portreeve_sigma::parse("rules.yml", rules);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let (matcher, problems) = Matcher::new(&parsed.rules, &mut fields);
    assert!(problems.is_empty(), "{problems:?}");
    let extractor = Extractor::new(&fields);
    let exceptions = settings.exceptions.clone();
    let snapshot = Snapshot::new(&estate, settings, []);
    let known = Known {
        rules: &parsed.rules,
        matcher: &matcher,
        fields: &fields,
        snapshot: &snapshot,
        signs,
    };
    let mut at_once = Vec::new();
    let mut stage = StageOne::new(&parsed.rules, &matcher, &fields, &snapshot, signs);
    let mut stage_two = StageTwo::default();
    for part in parts {
        let mut batch = Batch::default();
        let file = batch.add_file("log".into());
        for (index, record) in part.iter().enumerate() {
            let text = record.to_string();
            let mut buffer = SlotBuffer::new();
            let mut slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
            let position = Position {
                file,
                index: index as u64,
                offset: 0,
            };
            let row = stage.fold(&reader.activity(&slots), "Data", position, &mut batch);
            stage.set_derived(&mut slots);
            stage.observe(&slots, row, &mut batch);
        }
        let told = AtOnce {
            known,
            is_silent: &|_| false,
            exceptions: &exceptions,
            files: &BTreeMap::new(),
        };
        let is_new = |id: &str| at_once.iter().all(|it: &Finding| it.id != id);
        let findings = told.findings(&batch, &mut { is_new });
        at_once.extend(findings);
        stage_two.accept(batch);
    }
    let folded = stage_two.finish(&parsed.rules, &matcher, &fields, &snapshot, signs);
    (folded, at_once)
}

fn rules_of(folded: &Folded) -> Vec<&str> {
    let mut rules: Vec<&str> = folded
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    rules.sort_unstable();
    rules
}

const RUNNER: &str = "198.51.100.201";
const KEY: &str = "ASIAPIPELINE00000001";

/// Four days of deployments, then the same session from elsewhere.
fn story() -> Vec<Value> {
    let mut records = Vec::new();
    for day in 1..=4u32 {
        let key = format!("ASIADEPLOY{day:010}");
        records.push(issue(
            day * 10,
            &format!("2026-03-0{day}T08:00:00Z"),
            "deploy",
            &key,
            RUNNER,
        ));
        records.push(call(
            day * 10 + 1,
            &format!("2026-03-0{day}T08:05:00Z"),
            "deploy",
            &key,
            RUNNER,
            "PutObject",
        ));
    }
    records.push(issue(50, "2026-03-05T08:00:00Z", "deploy", KEY, RUNNER));
    records.push(call(
        51,
        "2026-03-05T08:05:00Z",
        "deploy",
        KEY,
        RUNNER,
        "PutObject",
    ));
    records.push(call(
        52,
        "2026-03-05T08:07:00Z",
        "deploy",
        KEY,
        "192.0.2.90",
        "GetObject",
    ));
    records.push(call(
        53,
        "2026-03-05T08:09:00Z",
        "other",
        "ASIAOTHER00000000001",
        "192.0.2.90",
        "PutObject",
    ));
    records
}

#[test]
fn history_decides_what_the_record_alone_does_not() {
    let folded = run(&[story()], Settings::default(), &[]);
    assert_eq!(
        rules_of(&folded),
        [
            "branch", "branch", "branch", "branch", "branch", "moved", "web", "web", "web", "web",
            "web", "write"
        ]
    );
    let moved = folded
        .findings
        .iter()
        .find(|finding| finding.rule == "moved")
        .unwrap();
    assert_eq!(moved.credential.as_deref(), Some(KEY));
    assert_eq!(moved.evidence.len(), 1, "only the use from elsewhere");
    let write = folded
        .findings
        .iter()
        .find(|finding| finding.rule == "write")
        .unwrap();
    assert!(write.actor.starts_with(&role("other")), "{}", write.actor);
    assert_eq!(
        folded.inferred_deployers["arn:aws:s3:::web"]
            .iter()
            .collect::<Vec<_>>(),
        [&role("deploy")]
    );
}

#[test]
fn rules_may_ask_for_the_person_whatever_the_record_calls_them() {
    let mut records = Vec::new();
    let mut add = |number: u32, identity: Value| {
        let mut record = call(
            number,
            "2026-03-01T08:00:00Z",
            "x",
            "ASIAX",
            RUNNER,
            "GetObject",
        );
        record["userIdentity"] = identity;
        records.push(record);
    };
    let sso = "AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071";
    add(
        1,
        json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{sso}/dev.mira"),
        "onBehalfOf": {"userId": "u-1"}}),
    );
    add(
        2,
        json!({"type": "IdentityCenterUser", "credentialId": "p", "onBehalfOf": {"userId": "u-1"}}),
    );
    add(
        3,
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/s",
        "sessionContext": {"sourceIdentity": "dev.mira"}}),
    );
    add(
        4,
        json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eng/dev.mira"}),
    );
    add(
        5,
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/dev.mira"}),
    );
    let folded = run(&[records], Settings::default(), &[]);
    let found = folded
        .findings
        .iter()
        .filter(|finding| finding.rule == "person");
    let mut events: Vec<String> = found
        .flat_map(|finding| finding.evidence.iter().filter_map(|it| it.event_id.clone()))
        .map(|id| id[35..].to_owned())
        .collect();
    events.sort();
    assert_eq!(
        events,
        ["1", "2", "3", "4"],
        "a session name alone names nobody"
    );
}

#[test]
fn declared_deploy_principals_stand_in_place_of_inferred_ones() {
    let settings = Settings {
        deploy_principals: vec!["*:role/other".to_owned()],
        ..Settings::default()
    };
    let folded = run(&[story()], settings, &[]);
    assert!(folded.inferred_deployers.is_empty());
    let writes = folded
        .findings
        .iter()
        .filter(|finding| finding.rule == "write");
    assert!(
        writes.clone().count() == 5
            && writes
                .into_iter()
                .all(|finding| finding.actor.contains("role/deploy"))
    );
}

/// The event ids of one rule's findings, their last two digits.
fn events_of(folded: &Folded, rule: &str) -> Vec<String> {
    let found = folded
        .findings
        .iter()
        .filter(|finding| finding.rule == rule);
    let mut events: Vec<String> = found
        .flat_map(|finding| finding.evidence.iter().filter_map(|it| it.event_id.clone()))
        .map(|id| id[34..].to_owned())
        .collect();
    events.sort();
    events
}

#[test]
fn the_run_that_opened_a_session_is_told_from_whoever_else_took_the_role() {
    const RULES: &str = "
title: Of a run
id: of-run
logsource: {product: aws}
detection:
  write: {eventName: PutObject, portreeve.credential.run: true}
  condition: write
---
title: Of no run
id: of-none
logsource: {product: aws}
detection:
  write: {eventName: PutObject, portreeve.credential.run: false}
  condition: write
";
    let mut records = Vec::new();
    for day in 1..=20 {
        let time = |minute: u32| format!("2026-03-{day:02}T08:{minute:02}:00Z");
        let key = format!("ASIARUN{day:02}");
        records.push(issue(day, &time(0), "deploy", &key, RUNNER));
        records.push(call(
            40 + day,
            &time(1),
            "deploy",
            &key,
            RUNNER,
            "PutObject",
        ));
    }
    // The same role, taken by somebody with a key of their own, and by nobody knows whom.
    let mut assumed = issue(90, "2026-03-20T10:00:00Z", "deploy", "ASIAHAND", RUNNER);
    assumed["eventName"] = json!("AssumeRole");
    assumed["userIdentity"] = json!({
        "type": "IAMUser", "accountId": "111122223333", "accessKeyId": "AKIAHAND",
        "arn": "arn:aws:iam::111122223333:user/mira", "userName": "mira"
    });
    records.push(assumed);
    let write = |id, key| {
        call(
            id,
            "2026-03-20T10:05:00Z",
            "deploy",
            key,
            RUNNER,
            "PutObject",
        )
    };
    records.push(write(91, "ASIAHAND"));
    records.push(write(92, "ASIALOST"));
    let folded = run_rules(
        RULES,
        std::slice::from_ref(&records),
        Settings::default(),
        &[],
    );
    assert_eq!(events_of(&folded, "of-run").len(), 20);
    assert_eq!(events_of(&folded, "of-none"), ["5b"], "91, and not 92");

    // In logs of less than two weeks nobody is judged by it.
    let later = records.split_off(20);
    let folded = run_rules(RULES, &[later], Settings::default(), &[]);
    assert!(events_of(&folded, "of-none").is_empty());
}

#[test]
fn a_console_session_without_its_login_is_told() {
    const RULES: &str = "
title: Without
id: without
logsource: {product: aws}
detection:
  call: {portreeve.credential.login: missing}
  condition: call
---
title: With
id: with
logsource: {product: aws}
detection:
  call: {portreeve.credential.login: shown}
  condition: call
";
    let user = json!({
        "type": "IAMUser", "accountId": "111122223333", "userName": "mira",
        "arn": "arn:aws:iam::111122223333:user/mira"
    });
    let login = |id: u32, time: &str| {
        let mut record = call(id, time, "x", "", RUNNER, "ConsoleLogin");
        record["eventSource"] = json!("signin.amazonaws.com");
        record["eventType"] = json!("AwsConsoleSignIn");
        record["userIdentity"] = user.clone();
        record["responseElements"] = json!({"ConsoleLogin": "Success"});
        record
    };
    let console = |id: u32, time: &str, created: &str, key: &str| {
        let mut record = call(id, time, "x", key, RUNNER, "GetObject");
        record["userIdentity"] = user.clone();
        record["userIdentity"]["accessKeyId"] = json!(key);
        record["userIdentity"]["sessionContext"] =
            json!({"attributes": {"creationDate": created, "mfaAuthenticated": "true"}});
        record["sessionCredentialFromConsole"] = json!("true");
        record
    };
    let early = "2026-03-01T08:00:00Z";
    let records = vec![
        login(1, "2026-03-01T09:00:00Z"),
        // Before the day is over in which logins are first seen.
        console(2, "2026-03-01T12:00:00Z", early, "ASIAEARLY"),
        login(3, "2026-03-05T09:00:00Z"),
        console(
            4,
            "2026-03-05T09:10:00Z",
            "2026-03-05T09:00:00Z",
            "ASIASEEN",
        ),
        console(
            5,
            "2026-03-06T09:10:00Z",
            "2026-03-06T09:00:00Z",
            "ASIANONE",
        ),
    ];
    let folded = run_rules(
        RULES,
        std::slice::from_ref(&records),
        Settings::default(),
        &[],
    );
    assert_eq!(events_of(&folded, "with"), ["04"]);
    assert_eq!(events_of(&folded, "without"), ["05"]);
    // Where no login is in the logs at all, they may not hold any.
    let without_logins = vec![records[1].clone(), records[4].clone()];
    let folded = run_rules(RULES, &[without_logins], Settings::default(), &[]);
    assert!(events_of(&folded, "without").is_empty());
}

#[test]
fn what_was_planted_is_told_by_credential_principal_and_target() {
    const RULES: &str = "
title: Used
id: used
logsource: {product: aws}
detection:
  call: {portreeve.canary: used}
  condition: call
---
title: Touched
id: touched
logsource: {product: aws}
detection:
  call: {portreeve.canary: touched}
  condition: call
";
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:treasury/seed";
    let settings = Settings {
        canaries: [
            "ASIAPLANTED",
            "*:role/backup-*",
            secret,
            "arn:aws:s3:::web/keys*",
        ]
        .map(str::to_owned)
        .into(),
        ..Settings::default()
    };
    let time = "2026-03-01T08:00:00Z";
    let read = |id: u32, target: &str| {
        let mut record = call(id, time, "a", "ASIAA", RUNNER, "GetObject");
        record["requestParameters"] = Value::Null;
        record["resources"] = json!([{"ARN": target}]);
        record
    };
    let records = vec![
        call(1, time, "a", "ASIAPLANTED", RUNNER, "GetObject"),
        call(2, time, "backup-old", "ASIAB", RUNNER, "GetObject"),
        call(3, time, "a", "ASIAC", RUNNER, "GetObject"),
        read(4, &format!("{secret}-a1B2c3")),
        read(5, &format!("{secret}s-a1B2c3")),
        read(6, "arn:aws:s3:::web/keys.txt"),
    ];
    let folded = run_rules(RULES, std::slice::from_ref(&records), settings, &[]);
    assert_eq!(events_of(&folded, "used"), ["01", "02"]);
    assert_eq!(events_of(&folded, "touched"), ["04", "06"]);
    let folded = run_rules(RULES, &[records], Settings::default(), &[]);
    assert!(folded.findings.is_empty(), "nothing is planted");
}

#[test]
fn the_key_that_the_issue_returned_ties_a_session_to_its_identity() {
    let folded = run(&[story()], Settings::default(), &[]);
    let strings = folded.activities.strings();
    let key = strings.find(KEY).unwrap();
    let parent = folded.lineage.parent(key).unwrap();
    assert!(
        strings
            .get(parent)
            .unwrap()
            .ends_with("repo:halyard/web:ref:refs/heads/main")
    );
    let link = folded.lineage.mint(key).unwrap();
    assert_eq!(link.expires.unwrap().to_string(), "2026-03-03T09:00:00Z");
    assert_eq!(folded.lineage.descendants(parent).len(), 5);
}

#[test]
fn coverage_counts_events_once_and_names_days_without_any() {
    let mut records = vec![
        call(1, "2026-03-01T08:00:00Z", "a", "ASIAA", RUNNER, "GetObject"),
        call(2, "2026-03-04T08:00:00Z", "a", "ASIAA", RUNNER, "GetObject"),
    ];
    records.push(records[0].clone());
    let folded = run(&[records], Settings::default(), &[]);
    let coverage = &folded.coverage[0];
    assert_eq!((coverage.records, coverage.duplicates), (2, 1));
    assert_eq!(coverage.days_without_records, ["2026-03-02", "2026-03-03"]);
    assert_eq!(
        coverage.event_kinds,
        BTreeMap::from([("Data".to_owned(), 3)])
    );
}

#[test]
fn signs_become_findings_where_no_rule_fires() {
    let sign = |kind| Sign {
        kind,
        origin: "--from".into(),
        severity: Severity::High,
    };
    let quiet = vec![call(
        1,
        "2026-03-01T08:00:00Z",
        "reader",
        "ASIAREADER0000000001",
        "203.0.113.9",
        "GetObject",
    )];
    for kind in [
        SignKind::Key("ASIAREADER0000000001".into()),
        SignKind::Network("203.0.113.0/24".parse().unwrap()),
        SignKind::Role("reader".into()),
        SignKind::Role(role("reader")),
        SignKind::User("run".into()),
    ] {
        let folded = run(
            std::slice::from_ref(&quiet),
            Settings::default(),
            &[sign(kind.clone())],
        );
        assert_eq!(folded.findings.len(), 1, "{kind:?}");
        assert!(folded.findings[0].title.contains("--from"));
    }
    let other = sign(SignKind::Key("ASIAOTHER".into()));
    assert!(
        run(&[quiet], Settings::default(), &[other])
            .findings
            .is_empty()
    );
}

#[test]
fn what_needs_no_other_record_is_told_at_once_by_the_same_id() {
    let rules = format!(
        "{RULES}---
title: A write
id: plain
logsource: {{product: aws}}
detection:
  write: {{eventName: PutObject}}
  condition: write
fields: [eventName]
level: medium
"
    );
    let sign = Sign {
        kind: SignKind::Key(KEY.into()),
        origin: "--from".into(),
        severity: Severity::High,
    };
    let parts: Vec<Vec<Value>> = story().into_iter().map(|it| vec![it]).collect();
    let muted = Exception {
        id: "expected".into(),
        rules: vec!["plain".into()],
        actors: Vec::new(),
        principals: vec![role("other")],
        networks: Vec::new(),
        targets: Vec::new(),
        accounts: Vec::new(),
        from: None,
        expires: "2027-01-01T00:00:00Z".parse().unwrap(),
        owner: "soc".into(),
        reason: "a test".into(),
        ticket: "1".into(),
    };
    let settings = Settings {
        exceptions: vec![muted],
        ..Settings::default()
    };
    let exceptions = settings.exceptions.clone();
    let (mut folded, at_once) = run_both(&rules, &parts, settings, &[sign]);
    portreeve_detect::mute(&mut folded, &exceptions, &BTreeMap::new());
    let certain =
        |it: &&Finding| matches!(&*it.rule, "plain" | "branch") || it.rule.starts_with("sign:");
    let told = |it: &Finding| {
        (
            it.id.clone(),
            it.rule.clone(),
            it.title.clone(),
            it.severity,
            it.time,
            it.actor.clone(),
            it.credential.clone(),
            it.details.clone(),
            it.muted_by.clone(),
        )
    };
    let mut expected: Vec<_> = folded.findings.iter().filter(certain).map(told).collect();
    let mut found: Vec<_> = at_once.iter().map(told).collect();
    expected.sort();
    found.sort();
    assert!(expected.len() == 13, "{expected:?}");
    assert!(
        expected
            .iter()
            .any(|it| it.8.as_deref() == Some("expected"))
    );
    assert_eq!(found, expected);
}

/// What must be the same however the log came: everything but positions.
fn essence(folded: &Folded) -> (Vec<String>, Vec<String>) {
    let rows = folded
        .activities
        .iter()
        .map(|row| {
            format!(
                "{:?} {} {:?} {:?}",
                row.time(),
                row.action(),
                row.event_id(),
                row.credential()
            )
        })
        .collect();
    let findings = folded
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {:?} {}",
                finding.id, finding.rule, finding.time, finding.evidence_total
            )
        })
        .collect();
    (rows, findings)
}

#[test]
fn the_guide_lists_every_derived_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
    let guide = std::fs::read_to_string(path).unwrap();
    for field in portreeve_detect::DERIVED_FIELDS {
        assert!(
            guide.contains(&format!("| `{}` |", field.path)),
            "{}",
            field.path
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_copies_and_parts_do_not_show(
        order in Just((0..story().len()).collect::<Vec<_>>()).prop_shuffle(),
        copies in prop::collection::vec(0..story().len(), 0..6),
        cuts in prop::collection::vec(1..8usize, 1..6),
    ) {
        let story = story();
        let mut shuffled: Vec<Value> =
            order.iter().chain(&copies).map(|number| story[*number].clone()).collect();
        let mut parts = Vec::new();
        for cut in cuts {
            let rest = shuffled.split_off(cut.min(shuffled.len()));
            parts.push(std::mem::replace(&mut shuffled, rest));
        }
        parts.push(shuffled);
        let plain = run(&[story], Settings::default(), &[]);
        let parted = run(&parts, Settings::default(), &[]);
        prop_assert_eq!(essence(&plain), essence(&parted));
        prop_assert_eq!(parted.coverage[0].duplicates as usize, copies.len());
    }
}
