//! What records say: identities, credentials, outcomes, what was made and acted on.

use portreeve_model::{Activity, CredentialKind, MintMethod, Outcome, PrincipalKind, Revoked};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_telemetry::source;
use proptest::prelude::*;
use serde_json::{Value, json};

fn with_activity<T>(record: &Value, test: impl FnOnce(&Activity<'_>, &str) -> T) -> T {
    let source = source("aws.cloudtrail").unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let extractor = Extractor::new(&fields);
    let text = record.to_string();
    let mut buffer = SlotBuffer::new();
    let slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
    assert!(reader.is_native(&slots), "{text}");
    test(&reader.activity(&slots), reader.event_kind(&slots))
}

fn call(service: &str, operation: &str, identity: Value, more: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11", "eventSource": format!("{service}.amazonaws.com"),
        "eventName": operation, "eventTime": "2026-03-05T10:20:09Z", "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333", "userIdentity": identity,
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record
}

/// Principal, kind, session, credential, its kind.
type Who = (
    &'static str,
    PrincipalKind,
    Option<&'static str>,
    Option<(&'static str, CredentialKind)>,
);

#[track_caller]
fn assert_who(operation: &str, identity: Value, more: Value, expected: Who) {
    with_activity(&call("sts", operation, identity, more), |activity, _| {
        let actor = &activity.actor;
        let credential = activity.credential.as_ref();
        assert_eq!(actor.principal, expected.0);
        assert_eq!(actor.kind, expected.1);
        assert_eq!(actor.session.as_deref(), expected.2);
        assert_eq!(
            credential.map(|credential| (&*credential.id, credential.kind)),
            expected.3
        );
    });
}

use CredentialKind::{AccessKey, Password, Session, Token};
use PrincipalKind::{Human, Pipeline, Service, Unknown, Workload};

#[test]
fn every_type_of_identity_becomes_principal_and_credential() {
    let user = "arn:aws:iam::111122223333:user/eng/bob";
    assert_who(
        "ListUsers",
        json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333", "accessKeyId": "AKIAROOT"}),
        json!({}),
        (
            "arn:aws:iam::111122223333:root",
            Human,
            None,
            Some(("AKIAROOT", AccessKey)),
        ),
    );
    assert_who(
        "ListUsers",
        json!({"type": "IAMUser", "arn": user, "accountId": "111122223333", "accessKeyId": "AKIABOB", "userName": "bob"}),
        json!({}),
        (
            "arn:aws:iam::111122223333:user/eng/bob",
            Unknown,
            None,
            Some(("AKIABOB", AccessKey)),
        ),
    );
    // A user's session from GetSessionToken, then one of the console.
    let session = json!({"type": "IAMUser", "arn": user, "accessKeyId": "ASIABOB", "sessionContext": {"attributes": {"mfaAuthenticated": "true", "creationDate": "2026-03-05T08:00:00Z"}}});
    assert_who(
        "ListUsers",
        session.clone(),
        json!({}),
        (
            "arn:aws:iam::111122223333:user/eng/bob",
            Unknown,
            None,
            Some(("ASIABOB", Session)),
        ),
    );
    for console in [json!(true), json!("true")] {
        assert_who(
            "ListUsers",
            session.clone(),
            json!({"sessionCredentialFromConsole": console}),
            (
                "arn:aws:iam::111122223333:user/eng/bob",
                Human,
                None,
                Some(("ASIABOB", Session)),
            ),
        );
    }
    assert_who(
        "ConsoleLogin",
        json!({"type": "IAMUser", "arn": user, "accountId": "111122223333", "userName": "bob"}),
        json!({}),
        (
            "arn:aws:iam::111122223333:user/eng/bob",
            Human,
            None,
            Some(("password:arn:aws:iam::111122223333:user/eng/bob", Password)),
        ),
    );
    let assumed = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/i-0123456789abcdef0", "accessKeyId": "ASIAROLE",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/svc/app"}}});
    assert_who(
        "ListUsers",
        assumed,
        json!({}),
        (
            "arn:aws:iam::111122223333:role/svc/app",
            Workload,
            Some("i-0123456789abcdef0"),
            Some(("ASIAROLE", Session)),
        ),
    );
    // Without issuer and key: the role from the session's ARN, the session by its creation.
    assert_who(
        "ListUsers",
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/mira@corp.example",
            "sessionContext": {"attributes": {"creationDate": "2026-03-05T08:00:00Z"}}}),
        json!({}),
        (
            "arn:aws:iam::111122223333:role/app",
            Human,
            Some("mira@corp.example"),
            Some((
                "arn:aws:sts::111122223333:assumed-role/app/mira@corp.example@2026-03-05T08:00:00Z",
                Session,
            )),
        ),
    );
    assert_who(
        "ListUsers",
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/gha/run-7", "accessKeyId": "ASIACI",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/gha"},
                "webIdFederationData": {"federatedProvider": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}}}),
        json!({}),
        (
            "arn:aws:iam::111122223333:role/gha",
            Pipeline,
            Some("run-7"),
            Some(("ASIACI", Session)),
        ),
    );
    assert_who(
        "ListUsers",
        json!({"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/carol", "accessKeyId": "ASIAFED",
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": user}}}),
        json!({}),
        (
            "arn:aws:iam::111122223333:user/eng/bob",
            Unknown,
            Some("carol"),
            Some(("ASIAFED", Session)),
        ),
    );
    assert_who(
        "AssumeRole",
        json!({"type": "AWSAccount", "principalId": "AROAEXAMPLE:deployer", "accountId": "444455556666"}),
        json!({}),
        (
            "arn:aws:iam::444455556666:root",
            Unknown,
            Some("deployer"),
            None,
        ),
    );
    assert_who(
        "AssumeRole",
        json!({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}),
        json!({}),
        ("lambda.amazonaws.com", Service, None, None),
    );
    let subject = "token.actions.githubusercontent.com:repo:org/app:ref:refs/heads/main";
    assert_who(
        "AssumeRoleWithWebIdentity",
        json!({"type": "WebIdentityUser", "principalId": "x", "userName": "repo:org/app:ref:refs/heads/main",
            "identityProvider": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}),
        json!({}),
        (subject, Pipeline, None, Some((subject, Token))),
    );
    let saml = "arn:aws:iam::111122223333:saml-provider/okta:mira";
    assert_who(
        "AssumeRoleWithSAML",
        json!({"type": "SAMLUser", "principalId": "hash=:mira", "userName": "mira", "identityProvider": "hash="}),
        json!({"requestParameters": {"principalArn": "arn:aws:iam::111122223333:saml-provider/okta"}}),
        (saml, Human, None, Some((saml, Token))),
    );
    assert_who(
        "ListApplications",
        json!({"type": "IdentityCenterUser", "accountId": "111122223333", "credentialId": "cred-1",
            "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"}}),
        json!({}),
        (
            "arn:aws:identitystore:::user/u-1",
            Human,
            None,
            Some(("cred-1", Session)),
        ),
    );
    assert_who(
        "X",
        json!({"type": "Directory", "userName": "corp/bob"}),
        json!({}),
        ("corp/bob", Human, None, None),
    );
    assert_who(
        "X",
        json!({"type": "Unknown", "principalId": "someone"}),
        json!({}),
        ("someone", Unknown, None, None),
    );
    // Types unheard of are read by what they hold.
    assert_who(
        "X",
        json!({"type": "Martian", "arn": "arn:aws:sts::111122223333:assumed-role/app/s"}),
        json!({}),
        (
            "arn:aws:iam::111122223333:role/app",
            Unknown,
            Some("s"),
            None,
        ),
    );
    assert_who(
        "X",
        json!({"accountId": "111122223333"}),
        json!({}),
        ("arn:aws:iam::111122223333:root", Unknown, None, None),
    );
    assert_who("X", json!({}), json!({}), ("", Unknown, None, None));
}

#[test]
fn persons_behind_a_session_are_named() {
    let identity = |context: Value| json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/app/s", "sessionContext": context, "onBehalfOf": {"userId": "u-1"}});
    with_activity(
        &call(
            "sts",
            "X",
            identity(json!({"sourceIdentity": "mira"})),
            json!({}),
        ),
        |activity, _| {
            assert_eq!(activity.actor.on_behalf_of.as_deref(), Some("mira"));
        },
    );
    with_activity(
        &call("sts", "X", identity(json!({})), json!({})),
        |activity, _| {
            assert_eq!(activity.actor.on_behalf_of.as_deref(), Some("u-1"));
            assert_eq!(activity.actor.kind, Human);
        },
    );
}

#[test]
fn outcomes_tell_refusal_from_failure() {
    let outcome = |operation: &str, more: Value, expected: Outcome<'_>| {
        with_activity(&call("iam", operation, json!({}), more), |activity, _| {
            assert_eq!(activity.outcome, expected);
        });
    };
    outcome("X", json!({}), Outcome::Success);
    outcome("X", json!({"errorCode": ""}), Outcome::Success);
    outcome(
        "X",
        json!({"errorCode": null, "errorMessage": null}),
        Outcome::Success,
    );
    outcome(
        "X",
        json!({"errorCode": "AccessDenied"}),
        Outcome::Denied("AccessDenied".into()),
    );
    outcome(
        "X",
        json!({"errorCode": "Client.UnauthorizedOperation", "errorMessage": "m"}),
        Outcome::Denied("Client.UnauthorizedOperation".into()),
    );
    outcome(
        "X",
        json!({"errorCode": "NoSuchBucket"}),
        Outcome::Failed("NoSuchBucket".into()),
    );
    outcome(
        "ConsoleLogin",
        json!({"errorMessage": "Failed authentication", "responseElements": {"ConsoleLogin": "Failure"}}),
        Outcome::Denied("Failed authentication".into()),
    );
    outcome(
        "ConsoleLogin",
        json!({"responseElements": {"ConsoleLogin": "Success"}}),
        Outcome::Success,
    );
}

#[test]
fn what_is_taken_away_is_told() {
    let bob = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/bob", "accountId": "111122223333", "accessKeyId": "AKIABOB"});
    let revoked = |operation: &str, asked: Value, expected: Option<Revoked<'static>>| {
        let more = json!({"requestParameters": asked, "recipientAccountId": "111122223333"});
        with_activity(&call("iam", operation, bob.clone(), more), |activity, _| {
            assert_eq!(activity.revoked, expected, "{operation}");
        });
    };
    let key = |status: &str| json!({"userName": "eve", "accessKeyId": "AKIAEVE", "status": status});
    revoked(
        "DeleteAccessKey",
        json!({"userName": "eve", "accessKeyId": "AKIAEVE"}),
        Some(Revoked::Credential("AKIAEVE".into())),
    );
    revoked(
        "UpdateAccessKey",
        key("Inactive"),
        Some(Revoked::Credential("AKIAEVE".into())),
    );
    revoked(
        "UpdateAccessKey",
        key("Active"),
        Some(Revoked::Restored("AKIAEVE".into())),
    );
    revoked("UpdateAccessKey", key("Odd"), None);
    revoked("DeleteAccessKey", json!(null), None);
    revoked(
        "DeleteLoginProfile",
        json!({"userName": "eve"}),
        Some(Revoked::Credential(
            "password:arn:aws:iam::111122223333:user/eve".into(),
        )),
    );
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-03-19T15:00:00Z"}}}]}"#;
    revoked(
        "PutRolePolicy",
        json!({"roleName": "deploy", "policyName": "AWSRevokeOlderSessions", "policyDocument": deny}),
        Some(Revoked::Sessions {
            principal: "arn:aws:iam::111122223333:role/deploy".into(),
            before: "2026-03-19T15:00:00Z".parse().unwrap(),
        }),
    );
    revoked(
        "PutRolePolicy",
        json!({"roleName": "deploy", "policyName": "more", "policyDocument": "{\"Statement\":[]}"}),
        None,
    );
}

#[test]
fn credentials_that_are_made_are_told() {
    let bob = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/bob", "accountId": "111122223333", "accessKeyId": "AKIABOB"});
    let minted =
        |service: &str,
         operation: &str,
         more: Value,
         expected: Option<(&str, CredentialKind, &str, Option<&str>, MintMethod)>| {
            with_activity(
                &call(service, operation, bob.clone(), more),
                |activity, _| {
                    let minted = activity.minted.as_ref().map(|minted| {
                        (
                            &*minted.credential,
                            minted.kind,
                            &*minted.principal,
                            minted.session.as_deref(),
                            minted.method,
                        )
                    });
                    assert_eq!(minted, expected);
                    activity.minted.as_ref().and_then(|minted| minted.expires)
                },
            )
        };
    let role = "arn:aws:iam::111122223333:role/path/deploy";
    let credentials = |expiration: Value| json!({"accessKeyId": "ASIANEW", "sessionToken": "t", "expiration": expiration});
    for expiration in [
        json!("Mar 5, 2026, 11:20:09 AM"),
        json!(1_772_709_609_000u64),
        json!("2026-03-05T11:20:09Z"),
    ] {
        let expires = minted(
            "sts",
            "AssumeRole",
            json!({"requestParameters": {"roleArn": role, "roleSessionName": "s1"}, "responseElements": {"credentials": credentials(expiration.clone())}}),
            Some(("ASIANEW", Session, role, Some("s1"), MintMethod::AssumeRole)),
        );
        assert_eq!(
            expires.unwrap().to_string(),
            "2026-03-05T11:20:09Z",
            "{expiration}"
        );
    }
    minted(
        "sts",
        "AssumeRoleWithWebIdentity",
        json!({"responseElements": {"credentials": credentials(json!("x")), "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/gha/run"}}}),
        Some((
            "ASIANEW",
            Session,
            "arn:aws:iam::111122223333:role/gha",
            Some("run"),
            MintMethod::AssumeRoleWithWebIdentity,
        )),
    );
    minted(
        "sts",
        "GetSessionToken",
        json!({"responseElements": {"credentials": credentials(Value::Null)}}),
        Some((
            "ASIANEW",
            Session,
            "arn:aws:iam::111122223333:user/bob",
            None,
            MintMethod::GetSessionToken,
        )),
    );
    minted(
        "sts",
        "GetFederationToken",
        json!({"requestParameters": {"name": "carol"}, "responseElements": {"credentials": credentials(Value::Null)}}),
        Some((
            "ASIANEW",
            Session,
            "arn:aws:iam::111122223333:user/bob",
            Some("carol"),
            MintMethod::GetFederationToken,
        )),
    );
    minted(
        "sts",
        "AssumeRoot",
        json!({"requestParameters": {"targetPrincipal": "444455556666"}, "responseElements": {"credentials": credentials(Value::Null)}}),
        Some((
            "ASIANEW",
            Session,
            "arn:aws:iam::444455556666:root",
            None,
            MintMethod::AssumeRoot,
        )),
    );
    minted(
        "iam",
        "CreateAccessKey",
        json!({"requestParameters": {"userName": "eve"}, "responseElements": {"accessKey": {"userName": "eve", "accessKeyId": "AKIANEW", "status": "Active"}}}),
        Some((
            "AKIANEW",
            AccessKey,
            "arn:aws:iam::111122223333:user/eve",
            None,
            MintMethod::CreateAccessKey,
        )),
    );
    minted(
        "iam",
        "CreateLoginProfile",
        json!({"requestParameters": {"userName": "eve"}, "responseElements": {"loginProfile": {"userName": "eve"}}}),
        Some((
            "password:arn:aws:iam::111122223333:user/eve",
            Password,
            "arn:aws:iam::111122223333:user/eve",
            None,
            MintMethod::CreateLoginProfile,
        )),
    );
    // What was refused made nothing.
    minted(
        "iam",
        "CreateAccessKey",
        json!({"errorCode": "AccessDenied", "requestParameters": {"userName": "eve"}}),
        None,
    );
    minted(
        "iam",
        "CreateLoginProfile",
        json!({"errorCode": "AccessDenied", "requestParameters": {"userName": "eve"}}),
        None,
    );
    minted(
        "sts",
        "AssumeRole",
        json!({"errorCode": "AccessDenied", "requestParameters": {"roleArn": role}}),
        None,
    );
    minted("s3", "GetObject", json!({}), None);
}

#[test]
fn resources_are_named_or_rebuilt() {
    let targets = |service: &str, more: Value, expected: &[&str]| {
        with_activity(
            &call(service, "X", json!({}), more.clone()),
            |activity, _| {
                assert_eq!(
                    activity
                        .targets
                        .iter()
                        .map(|target| &**target)
                        .collect::<Vec<_>>(),
                    expected,
                    "{more}"
                );
            },
        );
    };
    let parameters = |parameters: Value| json!({ "requestParameters": parameters });
    targets(
        "kms",
        json!({"resources": [{"ARN": "arn:aws:kms:eu-west-1:1:key/a", "type": "AWS::KMS::Key"}]}),
        &["arn:aws:kms:eu-west-1:1:key/a"],
    );
    targets(
        "s3",
        parameters(json!({"bucketName": "b", "key": "k/x"})),
        &["arn:aws:s3:::b/k/x", "arn:aws:s3:::b"],
    );
    targets(
        "s3",
        parameters(json!({"bucketName": "b"})),
        &["arn:aws:s3:::b"],
    );
    targets(
        "kms",
        parameters(json!({"keyId": "k-1"})),
        &["arn:aws:kms:eu-west-1:111122223333:key/k-1"],
    );
    targets(
        "kms",
        parameters(json!({"keyId": "alias/a"})),
        &["arn:aws:kms:eu-west-1:111122223333:alias/a"],
    );
    targets(
        "secretsmanager",
        parameters(json!({"secretId": "wallet/hot"})),
        &["arn:aws:secretsmanager:eu-west-1:111122223333:secret:wallet/hot"],
    );
    targets(
        "ssm",
        parameters(json!({"name": "/app/db"})),
        &["arn:aws:ssm:eu-west-1:111122223333:parameter/app/db"],
    );
    targets(
        "ssm",
        parameters(json!({"names": ["/a", "b"]})),
        &[
            "arn:aws:ssm:eu-west-1:111122223333:parameter/a",
            "arn:aws:ssm:eu-west-1:111122223333:parameter/b",
        ],
    );
    targets(
        "lambda",
        parameters(json!({"functionName": "f"})),
        &["arn:aws:lambda:eu-west-1:111122223333:function:f"],
    );
    targets(
        "lambda",
        parameters(json!({"functionName": "arn:aws:lambda:eu-west-1:1:function:f"})),
        &["arn:aws:lambda:eu-west-1:1:function:f"],
    );
    targets(
        "iam",
        parameters(
            json!({"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "roleName": "r"}),
        ),
        &[
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::111122223333:role/r",
        ],
    );
    targets(
        "ecr",
        parameters(json!({"repositoryName": "web-edge"})),
        &["arn:aws:ecr:eu-west-1:111122223333:repository/web-edge"],
    );
    targets(
        "cloudfront",
        parameters(json!({"id": "E2"})),
        &["arn:aws:cloudfront::111122223333:distribution/E2"],
    );
    targets(
        "sqs",
        parameters(json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q"})),
        &["arn:aws:sqs:eu-west-1:111122223333:q"],
    );
    targets(
        "ec2",
        parameters(
            json!({"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}),
        ),
        &[
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-2",
        ],
    );
    targets(
        "rds",
        json!({"awsRegion": "cn-north-1", "requestParameters": {"dBInstanceIdentifier": "d"}}),
        &["arn:aws-cn:rds:cn-north-1:111122223333:db:d"],
    );
    targets(
        "tagging",
        parameters(json!({"resourceArn": "arn:aws:x:::y"})),
        &["arn:aws:x:::y"],
    );
    targets(
        "iam",
        parameters(json!({"userName": 7, "roleName": null})),
        &[],
    );
    targets(
        "iam",
        json!({"requestParameters": "text", "resources": "text"}),
        &[],
    );
}

#[test]
fn kinds_of_events_are_told() {
    let kind = |more: Value, expected: &str| {
        with_activity(&call("s3", "X", json!({}), more), |_, kind| {
            assert_eq!(kind, expected)
        });
    };
    kind(json!({"eventCategory": "Data"}), "Data");
    kind(
        json!({"eventCategory": "NetworkActivity"}),
        "NetworkActivity",
    );
    kind(json!({"managementEvent": true}), "Management");
    kind(json!({"managementEvent": false}), "Data");
    kind(json!({}), "Management");
    let insight = json!({"eventVersion": "1.08", "eventType": "AwsCloudTrailInsight", "eventTime": "2026-03-05T10:20:09Z",
        "insightDetails": {"state": "Start", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances"}});
    with_activity(&insight, |activity, kind| {
        assert_eq!(kind, "Insight");
        assert_eq!(
            (&*activity.service, &*activity.operation),
            ("ec2", "AwsCloudTrailInsight")
        );
    });
}

#[test]
fn ocsf_classes_are_told() {
    let source = source("aws.cloudtrail").unwrap();
    for (operation, class, name) in [
        ("ConsoleLogin", 3002, "Logon"),
        ("GetObject", 6003, "Read"),
        ("CreateUser", 6003, "Create"),
        ("DeleteTrail", 6003, "Delete"),
        ("UpdateTrail", 6003, "Update"),
        ("StopLogging", 6003, "Other"),
    ] {
        with_activity(
            &call("x", operation, json!({}), json!({})),
            |activity, _| {
                let ocsf = source.ocsf(activity);
                assert_eq!(
                    (ocsf.class_uid, ocsf.activity_name),
                    (class, name),
                    "{operation}"
                );
            },
        );
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "Root",
            "AssumedRole",
            "arn:aws:sts::1:assumed-role/",
            "arn:",
            "2026",
            "{a=",
            "true",
            ":"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(NAMES), inner, 0..4).prop_map(
                |members| members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            ),
        ]
    })
}

const NAMES: &[&str] = &[
    "type",
    "arn",
    "principalId",
    "accountId",
    "accessKeyId",
    "userName",
    "invokedBy",
    "sessionContext",
    "sessionIssuer",
    "attributes",
    "creationDate",
    "roleArn",
    "credentials",
    "expiration",
    "bucketName",
    "key",
    "names",
    "ARN",
    "ConsoleLogin",
    "_raw",
    "detail",
    "message",
];

proptest! {
    /// Wrong types anywhere do no harm.
    #[test]
    fn any_types_in_any_field(
        parts in prop::collection::btree_map(
            prop::sample::select(&["userIdentity", "eventTime", "eventSource", "awsRegion",
                "requestParameters", "responseElements", "resources", "errorCode", "readOnly",
                "sourceIPAddress", "eventCategory", "detail", "_raw", "message", "eventname",
                "useridentity", "CloudTrailEvent"][..]),
            any_value(), 0..8),
        operation in prop::sample::select(&["AssumeRole", "ConsoleLogin", "CreateAccessKey", "AssumeRoot", "GetObject"][..]),
    ) {
        let mut record: serde_json::Map<_, _> =
            parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        record.insert("eventName".to_owned(), json!(operation));
        let source = source("aws.cloudtrail").unwrap();
        let mut fields = Fields::default();
        let reader = source.prepare(&mut fields);
        let text = Value::from(record).to_string();
        let mut buffer = SlotBuffer::new();
        let slots = Extractor::new(&fields).extract(text.as_bytes(), &mut buffer).unwrap();
        let _ = reader.is_native(&slots);
        let _ = reader.event_kind(&slots);
        prop_assert_eq!(reader.activity(&slots).source, "aws.cloudtrail");
        let _ = reader.unwrap(text.as_bytes());
        let _ = source.recognise(text.as_bytes());
    }
}

#[test]
fn the_portal_tells_who_took_what_and_no_key() {
    let identity = |kind: &str| {
        json!({"type": kind, "accountId": "999988887777", "credentialId": "portal-1",
            "principalId": "corp//S-1-5-21-1", "userName": "mira@halyard.example",
            "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::999988887777:identitystore/d-1"}})
    };
    let details = json!({"account_id": "111122223333", "role_name": "Web_Deploy"});
    // Before July 2025 the portal's users were of an unknown type.
    for kind in ["IdentityCenterUser", "Unknown"] {
        for (operation, method) in [
            ("GetRoleCredentials", MintMethod::GetRoleCredentials),
            ("Federate", MintMethod::Federate),
        ] {
            let record = call(
                "sso",
                operation,
                identity(kind),
                json!({"responseElements": null, "serviceEventDetails": details}),
            );
            with_activity(&record, |activity, _| {
                assert_eq!(activity.actor.principal, "arn:aws:identitystore:::user/u-1");
                assert_eq!(activity.actor.person.as_deref(), Some("u-1"));
                assert_eq!(activity.actor.portal.as_deref(), Some("portal-1"));
                assert_eq!(
                    activity.actor.session.as_deref(),
                    Some("mira@halyard.example")
                );
                let minted = activity.minted.as_ref().unwrap();
                assert_eq!(minted.credential, "");
                assert_eq!(minted.method, method);
                assert_eq!(
                    minted.principal,
                    "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Web_Deploy"
                );
            });
        }
    }
    let without = call(
        "sso",
        "GetRoleCredentials",
        identity("IdentityCenterUser"),
        json!({}),
    );
    with_activity(&without, |activity, _| assert!(activity.minted.is_none()));
    let refused = call(
        "sso",
        "GetRoleCredentials",
        identity("IdentityCenterUser"),
        json!({"errorCode": "UnauthorizedException", "serviceEventDetails": details}),
    );
    with_activity(&refused, |activity, _| assert!(activity.minted.is_none()));
}

#[test]
fn sign_ins_begin_sessions_of_which_they_tell_no_key() {
    let bob = "arn:aws:iam::111122223333:user/bob";
    let user = || json!({"type": "IAMUser", "arn": bob, "accountId": "111122223333"});
    let minted = |operation: &str, identity: Value, more: Value| {
        with_activity(&call("signin", operation, identity, more), |activity, _| {
            activity.minted.as_ref().map(|minted| {
                (
                    minted.credential.to_string(),
                    minted.principal.to_string(),
                    minted.session.as_deref().map(str::to_owned),
                )
            })
        })
    };
    let success = |operation: &str| json!({"responseElements": {operation: "Success"}});
    assert_eq!(
        minted("ConsoleLogin", user(), success("ConsoleLogin")),
        Some((String::new(), bob.to_owned(), None))
    );
    let failure = json!({"errorMessage": "Failed authentication", "responseElements": {"ConsoleLogin": "Failure"}});
    assert_eq!(minted("ConsoleLogin", user(), failure), None);

    let role = "arn:aws:sts::111122223333:assumed-role/ops/bob";
    let session = || json!({"type": "AssumedRole", "arn": role, "accountId": "111122223333", "accessKeyId": "ASIAOWN"});
    let token = |key: &str| json!({"responseElements": {"GetSigninToken": "Success", "credentials": {"accessKeyId": key}}});
    let ops = || {
        (
            "arn:aws:iam::111122223333:role/ops".to_owned(),
            Some("bob".to_owned()),
        )
    };
    assert_eq!(
        minted("GetSigninToken", session(), token("ASIANEW")),
        Some(("ASIANEW".to_owned(), ops().0, ops().1))
    );
    // A record that repeats the caller's own key tells no new one.
    assert_eq!(
        minted("GetSigninToken", session(), token("ASIAOWN")),
        Some((String::new(), ops().0, ops().1))
    );

    let switch = json!({
        "responseElements": {"SwitchRole": "Success"},
        "additionalEventData": {"SwitchFrom": bob, "RedirectTo": "https://console.aws.amazon.com/"},
    });
    let switched = json!({"type": "AssumedRole", "arn": role, "accountId": "111122223333"});
    assert_eq!(
        minted("SwitchRole", switched.clone(), switch.clone()),
        Some((String::new(), ops().0, ops().1))
    );
    with_activity(
        &call("signin", "SwitchRole", switched, switch),
        |activity, _| {
            assert_eq!(activity.actor.principal, bob, "who switched is who acted");
            assert_eq!(activity.actor.session, None);
        },
    );
}

#[test]
fn instances_and_source_identities_are_told() {
    let identity = json!({
        "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0",
        "sessionContext": {"ec2RoleDelivery": "2.0", "sourceIdentity": "mira"},
    });
    with_activity(&call("s3", "X", identity, json!({})), |activity, _| {
        assert!(activity.actor.delivered);
        assert_eq!(activity.actor.source_identity.as_deref(), Some("mira"));
        assert_eq!(activity.actor.person, None);
    });
    let plain = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0"});
    with_activity(&call("s3", "X", plain, json!({})), |activity, _| {
        assert!(!activity.actor.delivered);
    });
}

#[test]
fn changes_of_policies_are_read_where_the_record_tells_them_whole() {
    use portreeve_model::PolicyChangeKind::{Add, Attach, Join, Put, RemoveBoundary, Version};
    use portreeve_model::PolicyLayer;

    let change = |source: &str, name: &str, parameters: Value| {
        let record = json!({
            "eventVersion": "1.11", "eventTime": "2026-03-05T08:00:00Z", "awsRegion": "eu-west-1",
            "eventSource": source, "eventName": name, "recipientAccountId": "111122223333",
            "requestParameters": parameters, "readOnly": false,
        });
        with_activity(&record, |activity, _| {
            activity
                .policy_change
                .as_ref()
                .map(|change| (**change).clone().into_owned())
        })
    };
    let iam = |name: &str, parameters: Value| change("iam.amazonaws.com", name, parameters);
    let role = "arn:aws:iam::111122223333:role/deploy";

    let put = iam(
        "UpdateAssumeRolePolicy",
        json!({"roleName": "deploy", "policyDocument": "{\"Statement\":[]}"}),
    )
    .unwrap();
    assert_eq!(put.subject, role);
    assert_eq!(
        put.kind,
        Put {
            layer: PolicyLayer::Trust,
            name: "".into(),
            document: "{\"Statement\":[]}".into()
        }
    );
    let attached = iam(
        "AttachRolePolicy",
        json!({"roleName": "deploy", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    )
    .unwrap();
    assert_eq!(attached.subject, role);
    assert!(matches!(attached.kind, Attach { .. }));
    let joined = iam(
        "AddUserToGroup",
        json!({"userName": "bob", "groupName": "admins"}),
    )
    .unwrap();
    assert_eq!(joined.subject, "arn:aws:iam::111122223333:user/bob");
    assert_eq!(
        joined.kind,
        Join {
            group: "admins".into()
        }
    );
    let version = |default: bool| {
        iam(
            "CreatePolicyVersion",
            json!({"policyArn": "arn:aws:iam::111122223333:policy/web", "policyDocument": "{}", "setAsDefault": default}),
        )
    };
    assert!(matches!(version(true).unwrap().kind, Version { .. }));
    assert_eq!(version(false), None);
    let boundary = iam(
        "DeleteRolePermissionsBoundary",
        json!({"roleName": "deploy"}),
    )
    .unwrap();
    assert_eq!(boundary.kind, RemoveBoundary);

    // A bucket's policy stands in the record as JSON.
    let bucket = change(
        "s3.amazonaws.com",
        "PutBucketPolicy",
        json!({"bucketName": "web", "bucketPolicy": {"Statement": []}}),
    )
    .unwrap();
    assert_eq!(bucket.subject, "arn:aws:s3:::web");
    assert!(matches!(
        bucket.kind,
        Put {
            layer: PolicyLayer::Resource,
            ..
        }
    ));
    let function = change(
        "lambda.amazonaws.com",
        "AddPermission20150331v2",
        json!({"functionName": "pay", "principal": "*", "action": "lambda:InvokeFunctionUrl", "functionUrlAuthType": "NONE"}),
    )
    .unwrap();
    let Add { document, .. } = function.kind else {
        panic!("{function:?}");
    };
    let statement: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(statement["Statement"][0]["Principal"], "*");
    assert_eq!(
        statement["Statement"][0]["Condition"]["StringEquals"]["lambda:FunctionUrlAuthType"],
        "NONE"
    );

    // Odd values give nothing, and no panic.
    assert_eq!(
        iam(
            "PutRolePolicy",
            json!({"roleName": 3, "policyDocument": [1]})
        ),
        None
    );
    assert_eq!(iam("ListRoles", json!({"roleName": "deploy"})), None);
}
