//! Which credential was made with which, on records as AWS writes them: Identity Center, console,
//! role chains, workloads. See "Understanding CloudTrail events for IAM Identity Center" in the AWS
//! IAM Identity Center user guide, "AWS Management Console sign-in events" in the AWS CloudTrail user
//! guide, and "Logging IAM and AWS STS API calls with AWS CloudTrail" in the AWS IAM user guide.

use std::collections::BTreeMap;

use portreeve_detect::{
    Batch, Certainty, Folded, Position, Settings, Snapshot, StageOne, StageTwo, Symbol,
};
use portreeve_model::{Entity, EntityKind, Estate};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::Matcher;
use proptest::prelude::*;
use serde_json::{Value, json};

const WEB: &str = "111122223333";
const MANAGEMENT: &str = "999988887777";
const MIRA: &str = "94d00cd8-e9e6-4810-b177-b08e84775435";
const OLE: &str = "c4f8d4a8-1081-70f2-9d5c-aa0b6d5b7e11";
const HOME: &str = "203.0.113.20";
const PROVIDER: &str = "198.51.100.77";

fn at(seconds: i64) -> String {
    let start: jiff::Timestamp = "2026-03-03T07:00:00Z".parse().unwrap();
    (start + jiff::SignedDuration::from_secs(seconds)).to_string()
}

fn on_behalf_of(person: &str) -> Value {
    json!({
        "userId": person,
        "identityStoreArn": format!("arn:aws:identitystore::{MANAGEMENT}:identitystore/d-1234567890"),
    })
}

/// What every record has.
fn record(seconds: i64, call: &str, address: &str, identity: Value, more: Value) -> Value {
    let (service, operation) = call.split_once(':').unwrap();
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": at(seconds),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": operation,
        "awsRegion": "eu-west-1", "sourceIPAddress": address,
        "userAgent": "aws-cli/2.22.35 os/macos#23.5.0", "requestParameters": null,
        "responseElements": null, "readOnly": true, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": WEB, "eventCategory": "Management",
        "userIdentity": identity,
    });
    let fields = record.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    record
}

/// A call in the access portal.
fn portal(seconds: i64, operation: &str, person: &str, portal: &str, details: Value) -> Value {
    record(
        seconds,
        &format!("sso:{operation}"),
        HOME,
        json!({
            "type": "IdentityCenterUser", "accountId": MANAGEMENT,
            "onBehalfOf": on_behalf_of(person), "credentialId": portal,
        }),
        json!({"eventType": "AwsServiceEvent", "recipientAccountId": MANAGEMENT, "serviceEventDetails": details}),
    )
}

fn takes(seconds: i64, person: &str, session: &str, set: &str) -> Value {
    let details = json!({"role_name": set, "account_id": WEB});
    portal(seconds, "GetRoleCredentials", person, session, details)
}

fn role_of(set: &str) -> String {
    format!(
        "arn:aws:iam::{WEB}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{set}_0a1b2c3d4e5f6071"
    )
}

/// The provider's own exchange, whose key nobody uses.
fn saml(seconds: i64, name: &str, set: &str, key: &str) -> Value {
    record(
        seconds,
        "sts:AssumeRoleWithSAML",
        PROVIDER,
        json!({"type": "SAMLUser", "principalId": format!("hash=:{name}"), "userName": name, "identityProvider": "hash="}),
        json!({
            "requestParameters": {
                "roleArn": role_of(set), "roleSessionName": name,
                "principalArn": format!("arn:aws:iam::{WEB}:saml-provider/AWSSSO_0a1b_DO_NOT_DELETE"),
            },
            "responseElements": {"credentials": {"accessKeyId": key, "expiration": "Mar 3, 2026, 7:00:00 PM"}},
        }),
    )
}

/// A session of a role; `more` is added to `userIdentity`.
fn session(role: &str, name: &str, key: &str, created: i64, more: Value) -> Value {
    let short = role.rsplit('/').next().unwrap();
    let mut identity = json!({
        "type": "AssumedRole", "principalId": format!("AROAEXAMPLE:{name}"),
        "arn": format!("arn:aws:sts::{WEB}:assumed-role/{short}/{name}"), "accountId": WEB,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": role, "accountId": WEB, "userName": short},
            "attributes": {"creationDate": at(created), "mfaAuthenticated": "false"},
        },
    });
    for (field, value) in more.as_object().unwrap() {
        match field.as_str() {
            "sourceIdentity" | "ec2RoleDelivery" => {
                identity["sessionContext"][field] = value.clone()
            }
            _ => identity[field] = value.clone(),
        }
    }
    identity
}

fn works(seconds: i64, set: &str, name: &str, key: &str, created: i64, person: &str) -> Value {
    let more = if person.is_empty() {
        json!({})
    } else {
        json!({"onBehalfOf": on_behalf_of(person)})
    };
    record(
        seconds,
        "s3:ListBuckets",
        HOME,
        session(&role_of(set), name, key, created, more),
        json!({}),
    )
}

/// Runs both stages over parts of a log; each part is one batch with a file of its own.
fn run(parts: &[Vec<Value>]) -> Folded {
    run_with(parts, &Estate::default())
}

fn run_with(parts: &[Vec<Value>], estate: &Estate) -> Folded {
    let source = portreeve_telemetry::source("aws.cloudtrail").unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let (matcher, _) = Matcher::new(&[], &mut fields);
    let extractor = Extractor::new(&fields);
    let snapshot = Snapshot::new(estate, Settings::default(), []);
    let mut stage = StageOne::new(&[], &matcher, &fields, &snapshot, &[]);
    let mut stage_two = StageTwo::default();
    for part in parts {
        let mut batch = Batch::default();
        let file = batch.add_file("log".into());
        for (index, record) in part.iter().enumerate() {
            let text = record.to_string();
            let mut buffer = SlotBuffer::new();
            let slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
            let position = Position {
                file,
                index: index as u64,
                offset: 0,
            };
            stage.fold(&reader.activity(&slots), "Management", position, &mut batch);
        }
        stage_two.accept(batch);
    }
    stage_two.finish(&[], &matcher, &fields, &snapshot, &[])
}

fn text(folded: &Folded, symbol: Symbol) -> &str {
    folded.activities.strings().get(symbol).unwrap_or("")
}

/// Parent, certainty, and why.
type How = (String, Certainty, String);

fn how(folded: &Folded, credential: &str) -> Option<How> {
    let symbol = folded.activities.strings().find(credential)?;
    let link = folded.lineage.mint_at(symbol, Certainty::Possible)?;
    Some((
        text(folded, link.parent).to_owned(),
        link.certainty(),
        link.reason.to_string(),
    ))
}

#[track_caller]
fn comes_from(folded: &Folded, credential: &str, parent: &str, certainty: Certainty) -> String {
    let (found, sure, why) =
        how(folded, credential).unwrap_or_else(|| panic!("{credential} has no minting"));
    assert_eq!((found.as_str(), sure), (parent, certainty), "{why}");
    why
}

/// The names of all actors.
fn actors(folded: &Folded) -> Vec<String> {
    let mut names: Vec<String> = (0..folded.actors.len() as u32)
        .map(|actor| folded.actor_name(actor).into_owned())
        .collect();
    names.sort_unstable();
    names
}

/// Mira opens the portal, takes keys, and works with them.
fn morning() -> Vec<Value> {
    vec![
        portal(
            0,
            "Authenticate",
            MIRA,
            "portal-1",
            json!({"CredentialType": "EXTERNAL_IDP"}),
        ),
        takes(60, MIRA, "portal-1", "Web_Deploy"),
        saml(61, "dev.mira", "Web_Deploy", "ASIAPROVIDERSOWN0001"),
        works(
            75,
            "Web_Deploy",
            "dev.mira",
            "ASIAMIRA000000000001",
            61,
            MIRA,
        ),
    ]
}

#[test]
fn a_portal_session_is_followed_to_the_keys_that_it_gave() {
    let folded = run(&[morning()]);
    let why = comes_from(
        &folded,
        "ASIAMIRA000000000001",
        "portal-1",
        Certainty::Likely,
    );
    assert!(
        why.contains("the same person") && why.contains("1 s from its creation"),
        "{why}"
    );
    assert!(
        why.contains("when Identity Center assumed the role"),
        "{why}"
    );
    let key = folded
        .activities
        .strings()
        .find("ASIAMIRA000000000001")
        .unwrap();
    let link = folded.lineage.mint(key).unwrap();
    let call = folded.activities.get(link.row.unwrap());
    assert_eq!(
        call.address(),
        Some(HOME),
        "the client's network is the portal's"
    );
    assert_eq!(text(&folded, link.session), "dev.mira");
    assert_eq!(how(&folded, "ASIAPROVIDERSOWN0001"), None, "nobody uses it");
}

#[test]
fn one_person_is_one_actor_in_portal_and_accounts() {
    let mut records = morning();
    // Older records of sessions do not tell the person's id.
    records.push(works(
        4_000,
        "Billing",
        "dev.mira",
        "ASIAMIRA000000000002",
        3_990,
        "",
    ));
    let folded = run(&[records]);
    let mira = folded
        .activities
        .iter()
        .filter(|row| !row.action().ends_with("WithSAML"))
        .map(|row| folded.actors.actor_of(row.id()).unwrap());
    let mut mira: Vec<u32> = mira.collect();
    mira.dedup();
    assert_eq!(mira.len(), 1);
    assert_eq!(folded.actor_name(mira[0]), "dev.mira");
    assert_eq!(folded.actors.rows_of_actor(mira[0]).count(), 4);
    // The provider's own exchange is no one's place of work.
    let exchange = folded
        .activities
        .iter()
        .find(|row| row.address() == Some(PROVIDER))
        .unwrap();
    assert_ne!(folded.actors.actor_of(exchange.id()), Some(mira[0]));
}

#[test]
fn inventory_tells_user_names_where_no_session_does() {
    let mut estate = Estate::default();
    let mut person = Entity::new(
        format!("arn:aws:identitystore:::user/{MIRA}"),
        EntityKind::Person,
    );
    person
        .attributes
        .insert("UserName".into(), "dev.mira".into());
    estate.add(person);
    let records = vec![
        takes(0, MIRA, "portal-1", "Audit"),
        works(9, "Audit", "dev.mira", "ASIAMIRA000000000001", 3, ""),
    ];
    let folded = run_with(std::slice::from_ref(&records), &estate);
    let why = comes_from(
        &folded,
        "ASIAMIRA000000000001",
        "portal-1",
        Certainty::Likely,
    );
    assert!(why.contains("a person of the same user name"), "{why}");
    assert_eq!(actors(&folded), ["dev.mira"]);
    // Without it nothing says whose portal session that was.
    assert_eq!(how(&run(&[records]), "ASIAMIRA000000000001"), None);
}

#[test]
fn nobody_gets_another_ones_portal_session() {
    let folded = run(&[vec![
        takes(0, OLE, "portal-ole", "Web_Deploy"),
        takes(2, MIRA, "portal-mira", "Web_Deploy"),
        takes(2, MIRA, "portal-mira", "Audit"),
        works(9, "Web_Deploy", "dev.ole", "ASIAOLE0000000000001", 2, OLE),
        works(9, "Web_Deploy", "dev.mira", "ASIAMIRA000000000001", 0, MIRA),
        works(
            9,
            "Web_Deploy",
            "dev.mira",
            "ASIAMIRA000000000002",
            900,
            MIRA,
        ),
    ]]);
    comes_from(
        &folded,
        "ASIAOLE0000000000001",
        "portal-ole",
        Certainty::Likely,
    );
    comes_from(
        &folded,
        "ASIAMIRA000000000001",
        "portal-mira",
        Certainty::Likely,
    );
    assert_eq!(
        how(&folded, "ASIAMIRA000000000002"),
        None,
        "no call near its creation"
    );
}

#[test]
fn two_portal_sessions_of_one_person_leave_it_open() {
    let folded = run(&[vec![
        takes(0, MIRA, "portal-1", "Web_Deploy"),
        takes(4, MIRA, "portal-2", "Web_Deploy"),
        works(9, "Web_Deploy", "dev.mira", "ASIAMIRA000000000001", 5, MIRA),
    ]]);
    let why = comes_from(
        &folded,
        "ASIAMIRA000000000001",
        "portal-2",
        Certainty::Possible,
    );
    assert!(why.contains("2 portal sessions fit"), "{why}");
    let key = folded
        .activities
        .strings()
        .find("ASIAMIRA000000000001")
        .unwrap();
    assert_eq!(
        folded.lineage.parent(key),
        None,
        "stories do not follow what is merely possible"
    );
    let portal = folded.activities.strings().find("portal-2").unwrap();
    let children = |certainty| folded.lineage.children_at(portal, certainty).count();
    assert_eq!(
        (children(Certainty::Possible), children(Certainty::Likely)),
        (1, 0)
    );
}

#[test]
fn a_record_that_names_its_portal_session_is_believed() {
    let identity = session(
        &role_of("Web_Deploy"),
        "dev.mira",
        "ASIAMIRA000000000001",
        3,
        json!({"onBehalfOf": on_behalf_of(MIRA), "credentialId": "portal-2"}),
    );
    let folded = run(&[vec![
        takes(2, MIRA, "portal-1", "Web_Deploy"),
        takes(0, MIRA, "portal-2", "Web_Deploy"),
        record(9, "s3:ListBuckets", HOME, identity, json!({})),
    ]]);
    comes_from(
        &folded,
        "ASIAMIRA000000000001",
        "portal-2",
        Certainty::Certain,
    );
}

#[test]
fn without_the_portals_records_the_providers_exchange_still_tells() {
    let folded = run(&[vec![
        saml(0, "dev.mira", "Web_Deploy", "ASIAPROVIDERSOWN0001"),
        works(9, "Web_Deploy", "dev.mira", "ASIAMIRA000000000001", 0, MIRA),
    ]]);
    let why = comes_from(&folded, "ASIAMIRA000000000001", "", Certainty::Likely);
    assert!(why.contains("not in the logs"), "{why}");
}

fn user(name: &str, key: Option<(&str, i64)>) -> Value {
    let mut identity = json!({
        "type": "IAMUser", "principalId": "AIDAEXAMPLE", "userName": name, "accountId": WEB,
        "arn": format!("arn:aws:iam::{WEB}:user/eng/{name}"),
    });
    if let Some((key, created)) = key {
        identity["accessKeyId"] = key.into();
        identity["sessionContext"] =
            json!({"attributes": {"creationDate": at(created), "mfaAuthenticated": "true"}});
    }
    identity
}

fn signs_in(seconds: i64, identity: Value) -> Value {
    record(
        seconds,
        "signin:ConsoleLogin",
        HOME,
        identity,
        json!({"eventType": "AwsConsoleSignIn", "responseElements": {"ConsoleLogin": "Success"}}),
    )
}

fn console(seconds: i64, identity: Value) -> Value {
    record(
        seconds,
        "ec2:DescribeInstances",
        HOME,
        identity,
        json!({"sessionCredentialFromConsole": "true"}),
    )
}

#[test]
fn the_keys_of_the_console_come_from_the_sign_in() {
    let folded = run(&[vec![
        signs_in(0, user("bob", None)),
        console(5, user("bob", Some(("ASIABOB0000000000001", 0)))),
        console(900, user("bob", Some(("ASIABOB0000000000002", 1)))),
        console(905, user("eve", Some(("ASIAEVE0000000000001", 0)))),
        console(9_000, user("bob", Some(("ASIABOB0000000000003", 8_000)))),
    ]]);
    let password = format!("password:arn:aws:iam::{WEB}:user/eng/bob");
    for key in ["ASIABOB0000000000001", "ASIABOB0000000000002"] {
        let why = comes_from(&folded, key, &password, Certainty::Likely);
        assert!(why.contains("signed in to the console"), "{why}");
    }
    for stranger in ["ASIAEVE0000000000001", "ASIABOB0000000000003"] {
        assert_eq!(
            how(&folded, stranger),
            None,
            "a console session without a sign-in"
        );
    }
    let mut failed = signs_in(0, user("bob", None));
    failed["responseElements"] = json!({"ConsoleLogin": "Failure"});
    failed["errorMessage"] = "Failed authentication".into();
    let calls = console(5, user("bob", Some(("ASIABOB0000000000001", 0))));
    assert_eq!(
        how(&run(&[vec![failed, calls]]), "ASIABOB0000000000001"),
        None
    );
}

#[test]
fn identity_center_leads_through_the_console_too() {
    let role = role_of("Web_Deploy");
    let person = json!({"onBehalfOf": on_behalf_of(MIRA)});
    let identity = |key: &str| session(&role, "dev.mira", key, 3, person.clone());
    let folded = run(&[vec![
        portal(
            0,
            "Federate",
            MIRA,
            "portal-1",
            json!({"role_name": "Web_Deploy", "account_id": WEB}),
        ),
        saml(2, "dev.mira", "Web_Deploy", "ASIAPROVIDERSOWN0001"),
        signs_in(4, identity("ASIAMIRA000000000001")),
        console(9, identity("ASIAMIRA000000000002")),
        console(9, identity("ASIAMIRA000000000003")),
    ]]);
    comes_from(
        &folded,
        "ASIAMIRA000000000001",
        "portal-1",
        Certainty::Likely,
    );
    comes_from(
        &folded,
        "ASIAMIRA000000000002",
        "ASIAMIRA000000000001",
        Certainty::Likely,
    );
    let key = folded
        .activities
        .strings()
        .find("ASIAMIRA000000000003")
        .unwrap();
    assert_eq!(text(&folded, folded.lineage.root(key)), "portal-1");
}

fn sign_in_token(seconds: i64, identity: Value, returned: Option<&str>) -> Value {
    let answer = match returned {
        Some(key) => json!({"credentials": {"accessKeyId": key}, "GetSigninToken": "Success"}),
        None => json!({"GetSigninToken": "Success"}),
    };
    record(
        seconds,
        "signin:GetSigninToken",
        HOME,
        identity,
        json!({"eventType": "AwsConsoleSignIn", "userAgent": "python-requests/2.28.0", "responseElements": answer}),
    )
}

#[test]
fn keys_handed_over_to_the_console_are_followed() {
    let role = format!("arn:aws:iam::{WEB}:role/ops");
    let stolen = || session(&role, "bob", "ASIASTOLEN0000000001", 0, json!({}));
    let calls =
        |key: &str, created: i64| console(700, session(&role, "bob", key, created, json!({})));
    let told = run(&[vec![
        sign_in_token(600, stolen(), Some("ASIACONSOLE000000001")),
        calls("ASIACONSOLE000000001", 600),
    ]]);
    comes_from(
        &told,
        "ASIACONSOLE000000001",
        "ASIASTOLEN0000000001",
        Certainty::Certain,
    );
    // Where the record names no other key, the date of creation tells: the call's, or the one that
    // the session had.
    for (created, word) in [(601, "sign-in token"), (0, "handed over")] {
        for returned in [None, Some("ASIASTOLEN0000000001")] {
            let folded = run(&[vec![
                sign_in_token(600, stolen(), returned),
                calls("ASIACONSOLE000000001", created),
            ]]);
            let why = comes_from(
                &folded,
                "ASIACONSOLE000000001",
                "ASIASTOLEN0000000001",
                Certainty::Likely,
            );
            assert!(why.contains(word), "{why}");
        }
    }
}

#[test]
fn a_switch_of_roles_is_the_switchers() {
    let switched = session(
        &format!("arn:aws:iam::{WEB}:role/admin"),
        "bob",
        "ASIASWITCHED00000001",
        900,
        json!({}),
    );
    let mut identity = switched.clone();
    identity.as_object_mut().unwrap().remove("accessKeyId");
    identity.as_object_mut().unwrap().remove("sessionContext");
    let switch = record(
        900,
        "signin:SwitchRole",
        HOME,
        identity,
        json!({
            "eventType": "AwsConsoleSignIn", "responseElements": {"SwitchRole": "Success"},
            "additionalEventData": {"SwitchFrom": format!("arn:aws:iam::{WEB}:user/eng/bob")},
        }),
    );
    let folded = run(&[vec![
        signs_in(0, user("bob", None)),
        console(5, user("bob", Some(("ASIABOB0000000000001", 0)))),
        switch,
        console(950, switched),
    ]]);
    comes_from(
        &folded,
        "ASIASWITCHED00000001",
        "ASIABOB0000000000001",
        Certainty::Likely,
    );
    assert_eq!(
        actors(&folded),
        [format!("arn:aws:iam::{WEB}:user/eng/bob")]
    );
}

#[test]
fn the_sessions_of_an_instance_are_one_workload() {
    let role = format!("arn:aws:iam::{WEB}:role/node");
    let instance = "i-0123456789abcdef0";
    let delivered = json!({"ec2RoleDelivery": "2.0"});
    let call = |key: &str, created: i64, more: &Value| {
        record(
            created + 60,
            "ecr:GetAuthorizationToken",
            "10.0.3.7",
            session(&role, instance, key, created, more.clone()),
            json!({}),
        )
    };
    let assumed = record(
        0,
        "sts:AssumeRole",
        "ec2.amazonaws.com",
        json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}),
        json!({
            "requestParameters": {"roleArn": role, "roleSessionName": instance},
            "responseElements": {"credentials": {"accessKeyId": "ASIANODE000000000001", "expiration": "Mar 3, 2026, 1:15:00 PM"}},
        }),
    );
    let folded = run(&[vec![
        assumed,
        call("ASIANODE000000000001", 0, &delivered),
        call("ASIANODE000000000002", 18_000, &delivered),
        call("ASIANODE000000000003", 36_000, &json!({})),
    ]]);
    let workload = format!("ec2:{instance}");
    comes_from(
        &folded,
        "ASIANODE000000000001",
        &workload,
        Certainty::Certain,
    );
    comes_from(
        &folded,
        "ASIANODE000000000002",
        &workload,
        Certainty::Certain,
    );
    let why = comes_from(
        &folded,
        "ASIANODE000000000003",
        &workload,
        Certainty::Likely,
    );
    assert!(why.contains("may choose"), "{why}");
    let node = format!("{role}/{instance}");
    assert_eq!(actors(&folded), [node.as_str()]);
}

#[test]
fn a_borrowed_instance_name_does_not_hide_who_assumed_the_role() {
    let role = format!("arn:aws:iam::{WEB}:role/node");
    let instance = "i-0123456789abcdef0";
    let folded = run(&[vec![
        record(
            0,
            "sts:AssumeRole",
            HOME,
            json!({"type": "IAMUser", "arn": format!("arn:aws:iam::{WEB}:user/eve"), "accountId": WEB, "accessKeyId": "AKIAEVE0000000000001", "userName": "eve"}),
            json!({
                "requestParameters": {"roleArn": role, "roleSessionName": instance},
                "responseElements": {"credentials": {"accessKeyId": "ASIABORROWED00000001"}},
            }),
        ),
        record(
            60,
            "s3:ListBuckets",
            HOME,
            session(&role, instance, "ASIABORROWED00000001", 0, json!({})),
            json!({}),
        ),
    ]]);
    comes_from(
        &folded,
        "ASIABORROWED00000001",
        "AKIAEVE0000000000001",
        Certainty::Certain,
    );
    assert_eq!(actors(&folded), [format!("arn:aws:iam::{WEB}:user/eve")]);
}

#[test]
fn source_identity_ties_a_chain_whose_assumption_is_not_logged() {
    let of = |role: &str, key: &str, created: i64, source: &str| {
        let role = format!("arn:aws:iam::{WEB}:role/{role}");
        let identity = session(&role, "s", key, created, json!({"sourceIdentity": source}));
        record(created + 5, "s3:ListBuckets", HOME, identity, json!({}))
    };
    let folded = run(&[vec![
        of("first", "ASIAFIRST00000000001", 0, "bob"),
        of("second", "ASIASECOND0000000001", 600, "bob"),
        of("third", "ASIATHIRD00000000001", 700, "eve"),
    ]]);
    comes_from(
        &folded,
        "ASIASECOND0000000001",
        "ASIAFIRST00000000001",
        Certainty::Likely,
    );
    assert_eq!(how(&folded, "ASIATHIRD00000000001"), None);
    assert_eq!(actors(&folded), ["bob", "eve"]);
}

#[test]
fn branches_of_a_repository_are_one_actor() {
    let issue = |seconds: i64, sub: &str, key: &str| {
        record(
            seconds,
            "sts:AssumeRoleWithWebIdentity",
            "198.51.100.201",
            json!({
                "type": "WebIdentityUser", "userName": sub,
                "identityProvider": format!("arn:aws:iam::{WEB}:oidc-provider/token.actions.githubusercontent.com"),
            }),
            json!({
                "requestParameters": {"roleArn": format!("arn:aws:iam::{WEB}:role/gha"), "roleSessionName": "GitHubActions"},
                "responseElements": {"credentials": {"accessKeyId": key}},
            }),
        )
    };
    let call = |key: &str| {
        let role = format!("arn:aws:iam::{WEB}:role/gha");
        record(
            90,
            "s3:ListBuckets",
            "198.51.100.201",
            session(&role, "GitHubActions", key, 0, json!({})),
            json!({}),
        )
    };
    let folded = run(&[vec![
        issue(
            0,
            "repo:halyard/web:ref:refs/heads/main",
            "ASIARUN0000000000001",
        ),
        issue(
            1,
            "repo:halyard/web:ref:refs/heads/fix/cache",
            "ASIARUN0000000000002",
        ),
        issue(2, "repo:halyard/web:pull_request", "ASIARUN0000000000003"),
        call("ASIARUN0000000000001"),
        call("ASIARUN0000000000002"),
        call("ASIARUN0000000000003"),
    ]]);
    assert_eq!(
        actors(&folded),
        ["halyard/web:branch", "halyard/web:pull_request"]
    );
}

#[test]
fn a_forged_circle_ends() {
    let role = format!("arn:aws:iam::{WEB}:role/ops");
    let mints = |seconds: i64, own: &str, made: &str| {
        record(
            seconds,
            "sts:AssumeRole",
            HOME,
            session(&role, "s", own, 0, json!({})),
            json!({
                "requestParameters": {"roleArn": role, "roleSessionName": "s"},
                "responseElements": {"credentials": {"accessKeyId": made}},
            }),
        )
    };
    let folded = run(&[vec![
        mints(0, "ASIAONE0000000000001", "ASIATWO0000000000001"),
        mints(1, "ASIATWO0000000000001", "ASIATHREE00000000001"),
        mints(2, "ASIATHREE00000000001", "ASIAONE0000000000001"),
    ]]);
    let one = folded
        .activities
        .strings()
        .find("ASIAONE0000000000001")
        .unwrap();
    assert_eq!(folded.lineage.ancestors(one).len(), 2);
    assert_eq!(folded.lineage.descendants(one).len(), 2);
    assert_eq!(actors(&folded).len(), 1);
}

/// What must be the same however the log came: every minting, and who did each row.
fn essence(folded: &Folded) -> (BTreeMap<String, How>, Vec<String>) {
    let mints = folded
        .lineage
        .credentials()
        .map(|symbol| text(folded, symbol).to_owned())
        .filter_map(|credential| Some((credential.clone(), how(folded, &credential)?)))
        .collect();
    let mut rows: Vec<String> = folded
        .activities
        .iter()
        .map(|row| {
            let who = folded.actors.actor_of(row.id());
            let who = who.map(|actor| folded.actor_name(actor));
            format!("{:?} {who:?}", row.event_id())
        })
        .collect();
    rows.sort();
    (mints, rows)
}

/// One thing that happens: who, which portal session, which set, when, what.
#[derive(Clone, Debug)]
struct Step {
    who: usize,
    portal: usize,
    set: usize,
    second: i64,
    what: usize,
}

const PEOPLE: [(&str, &str); 3] = [(MIRA, "dev.mira"), (OLE, "dev.ole"), ("7a", "dev.ada")];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..3usize, 0..2usize, 0..2usize, 0..90i64, 0..6usize);
    let step = step.prop_map(|(who, portal, set, second, what)| Step {
        who,
        portal,
        set,
        second,
        what,
    });
    prop::collection::vec(step, 1..24)
}

fn record_of(number: usize, step: &Step) -> Value {
    let (id, name) = PEOPLE[step.who];
    let set = ["Web_Deploy", "Audit"][step.set];
    let portal = format!("portal-{name}-{}", step.portal);
    let key = format!("ASIA-{name}-{number}");
    let mut record = match step.what {
        0 => takes(step.second, id, &portal, set),
        1 => saml(step.second, name, set, &format!("ASIA-provider-{number}")),
        2 => works(step.second + 5, set, name, &key, step.second, id),
        3 => works(step.second + 5, set, name, &key, step.second, ""),
        4 => {
            let identity = session(
                &role_of(set),
                name,
                &key,
                step.second,
                json!({"sourceIdentity": "shared"}),
            );
            record(step.second + 5, "s3:ListBuckets", HOME, identity, json!({}))
        }
        _ => {
            let more = json!({"onBehalfOf": on_behalf_of(id), "sourceIdentity": "shared"});
            console(
                step.second + 5,
                session(&role_of(set), name, &key, step.second, more),
            )
        }
    };
    record["eventID"] = format!("00000000-0000-4000-8000-{number:012x}").into();
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn neither_order_nor_parts_show(
        steps in steps(),
        seed in any::<u64>(),
        cuts in prop::collection::vec(1..6usize, 1..5),
    ) {
        let records: Vec<Value> =
            steps.iter().enumerate().map(|(number, step)| record_of(number, step)).collect();
        let mut shuffled = records.clone();
        shuffled.sort_by_key(|record| {
            let id = record["eventID"].as_str().unwrap().as_bytes().last().copied().unwrap_or(0);
            u64::from(id).wrapping_mul(seed | 1)
        });
        let mut parts = Vec::new();
        for cut in cuts {
            let rest = shuffled.split_off(cut.min(shuffled.len()));
            parts.push(std::mem::replace(&mut shuffled, rest));
        }
        parts.push(shuffled);
        prop_assert_eq!(essence(&run(&[records])), essence(&run(&parts)));
    }

    #[test]
    fn no_join_crosses_persons(steps in steps()) {
        let records: Vec<Value> =
            steps.iter().enumerate().map(|(number, step)| record_of(number, step)).collect();
        let folded = run(&[records]);
        for credential in folded.lineage.credentials() {
            let key = text(&folded, credential).to_owned();
            if let Some((parent, _, why)) = how(&folded, &key)
                && !parent.is_empty()
            {
                let owner = |id: &str| {
                    PEOPLE.iter().position(|(_, name)| id.contains(name))
                };
                prop_assert_eq!(owner(&key), owner(&parent), "{} from {}: {}", key, parent, why);
            }
        }
        for row in folded.activities.iter() {
            let Some(actor) = folded.actors.actor_of(row.id()) else { continue };
            let name = folded.actor_name(actor);
            if let Some(session) = row.session() {
                prop_assert!(name.ends_with(session), "{} is taken for {}", session, name);
            }
        }
    }
}
