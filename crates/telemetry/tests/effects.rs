//! What calls make of the estate.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::Path;

use portreeve_model::{Effect, EntityId, EntityKind, Held, PolicyLayer, Relation, Spot};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_telemetry::source;
use proptest::prelude::*;
use serde_json::{Value, json};

fn effects(record: &Value) -> Vec<Effect> {
    let source = source("aws.cloudtrail").unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let extractor = Extractor::new(&fields);
    let text = record.to_string();
    let mut buffer = SlotBuffer::new();
    let slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
    reader.activity(&slots).effects
}

fn call(service: &str, name: &str, request: Value, response: Value) -> Value {
    json!({
        "eventVersion": "1.11", "eventTime": "2026-03-05T08:00:00Z", "awsRegion": "eu-west-1",
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
        "recipientAccountId": "111122223333", "readOnly": false,
        "requestParameters": request, "responseElements": response,
    })
}

/// The effects of a call, each as the spot and what is there before and after.
fn made(service: &str, name: &str, request: Value, response: Value) -> Vec<(Spot, Held, Held)> {
    effects(&call(service, name, request, response))
        .into_iter()
        .map(|effect| (effect.spot, effect.before, effect.after))
        .collect()
}

fn text(text: &str) -> Held {
    Held::told(Some(text))
}

fn policy(subject: &str, layer: PolicyLayer, name: &str) -> Spot {
    Spot::Document {
        subject: subject.into(),
        layer,
        name: name.into(),
    }
}

fn attached(subject: &str, layer: PolicyLayer, policy: &str) -> Spot {
    Spot::Relation(Relation::Policy {
        subject: subject.into(),
        layer,
        name: policy.into(),
        document: "".into(),
    })
}

fn entity(id: &str, kind: EntityKind) -> Spot {
    Spot::Entity {
        id: id.into(),
        kind,
    }
}

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
const POLICY: &str = "arn:aws:iam::111122223333:policy/web";

#[test]
fn policies_of_principals() {
    use Held::{Nothing, Something, Unknown};
    use PolicyLayer::{Identity, Trust};
    let iam = |name: &str, request| made("iam", name, request, Value::Null);
    let inline = json!({"roleName": "deploy", "policyName": "own", "policyDocument": DOCUMENT});
    let own = || policy(ROLE, Identity, "own");
    assert_eq!(
        iam("PutRolePolicy", inline.clone()),
        [(own(), Unknown, text(DOCUMENT))]
    );
    assert_eq!(
        iam("DeleteRolePolicy", inline),
        [(own(), Something, Nothing)]
    );
    let managed = json!({"roleName": "deploy", "policyArn": POLICY});
    let held = || attached(ROLE, Identity, POLICY);
    assert_eq!(
        iam("AttachRolePolicy", managed.clone()),
        [(held(), Unknown, Held::there())]
    );
    assert_eq!(
        iam("DetachRolePolicy", managed),
        [(held(), Held::there(), Nothing)]
    );
    let escaped = json!({"roleName": "deploy", "policyDocument": "%7B%22Statement%22%3A%5B%5D%7D"});
    assert_eq!(
        iam("UpdateAssumeRolePolicy", escaped),
        [(
            policy(ROLE, Trust, ""),
            Something,
            text(r#"{"Statement":[]}"#)
        )]
    );
    let bound = json!({"roleName": "deploy", "permissionsBoundary": POLICY});
    let boundary = || Spot::Boundary {
        subject: ROLE.into(),
    };
    assert_eq!(
        iam("PutRolePermissionsBoundary", bound.clone()),
        [(boundary(), Unknown, text(POLICY))]
    );
    assert_eq!(
        iam("DeleteRolePermissionsBoundary", bound),
        [(boundary(), Something, Nothing)]
    );
    // A document that the record leaves out, since it is long, is something.
    let cut = json!({"roleName": "deploy", "policyName": "own", "policyDocument": "{\"Vers"});
    assert_eq!(iam("PutRolePolicy", cut), [(own(), Unknown, Something)]);
}

#[test]
fn principals_are_made_with_what_is_told_and_nothing_else() {
    let request = json!({
        "roleName": "deploy", "path": "/ci/", "assumeRolePolicyDocument": DOCUMENT,
        "tags": [{"key": "team", "value": "web"}], "permissionsBoundary": POLICY,
    });
    let arn = "arn:aws:iam::111122223333:role/ci/deploy";
    let response = json!({"role": {"arn": arn, "roleName": "deploy"}});
    let found = made("iam", "CreateRole", request, response);
    assert_eq!(
        found[0],
        (entity(arn, EntityKind::Role), Held::Nothing, Held::there())
    );
    assert_eq!(found[1].0, policy(arn, PolicyLayer::Trust, ""));
    assert_eq!(found[1].2, text(DOCUMENT));
    assert_eq!(found[2].2, text(POLICY));
    assert_eq!(
        found[3],
        (
            Spot::Tag {
                entity: arn.into(),
                key: "team".into()
            },
            Held::Unknown,
            text("web")
        )
    );
    let gone = made(
        "iam",
        "DeleteRole",
        json!({"roleName": "deploy"}),
        Value::Null,
    );
    assert_eq!(
        gone,
        [(
            entity(ROLE, EntityKind::Role),
            Held::Something,
            Held::Nothing
        )]
    );
    let renamed = json!({"userName": "ada", "newUserName": "bea", "newPath": "/staff/"});
    let found = made("iam", "UpdateUser", renamed, Value::Null);
    let user = |name: &str| {
        entity(
            &format!("arn:aws:iam::111122223333:user/{name}"),
            EntityKind::User,
        )
    };
    assert_eq!(found[0], (user("ada"), Held::Something, Held::Nothing));
    assert_eq!(
        found[1],
        (user("staff/bea"), Held::Nothing, Held::Something)
    );
}

#[test]
fn versions_of_managed_policies() {
    let own = || policy(POLICY, PolicyLayer::Identity, POLICY);
    let version = |name: &str| Spot::Version {
        policy: POLICY.into(),
        version: name.into(),
    };
    let request = json!({"policyArn": POLICY, "policyDocument": DOCUMENT, "setAsDefault": true});
    let response = json!({"policyVersion": {"versionId": "v3", "isDefaultVersion": true}});
    assert_eq!(
        made("iam", "CreatePolicyVersion", request, response),
        [
            (version("v3"), Held::Unknown, text(DOCUMENT)),
            (own(), Held::Something, text(DOCUMENT)),
        ]
    );
    let request = json!({"policyArn": POLICY, "versionId": "v1"});
    assert_eq!(
        made("iam", "SetDefaultPolicyVersion", request, Value::Null),
        [(own(), Held::Something, Held::Version("v1".into()))]
    );
}

#[test]
fn policies_of_resources() {
    let put = |service: &str, name: &str, request: Value| {
        let found = made(service, name, request, Value::Null);
        assert_eq!(found.len(), 1, "{name}");
        let (spot, _, after) = &found[0];
        let Spot::Document { subject, layer, .. } = spot else {
            panic!("{name}: {spot:?}");
        };
        assert_eq!(*layer, PolicyLayer::Resource);
        (subject.to_string(), after.clone())
    };
    let at = |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:111122223333:{rest}");
    for (service, name, request, subject) in [
        (
            "s3",
            "PutBucketPolicy",
            json!({"bucketName": "web", "bucketPolicy": {"Version": "2012-10-17", "Statement": []}}),
            "arn:aws:s3:::web".to_owned(),
        ),
        (
            "kms",
            "PutKeyPolicy",
            json!({"keyId": "1234", "policyName": "default", "policy": DOCUMENT}),
            at("kms", "key/1234"),
        ),
        (
            "secretsmanager",
            "PutResourcePolicy",
            json!({"secretId": "db", "resourcePolicy": DOCUMENT}),
            at("secretsmanager", "secret:db"),
        ),
        (
            "ecr",
            "SetRepositoryPolicy",
            json!({"repositoryName": "web", "policyText": DOCUMENT}),
            at("ecr", "repository/web"),
        ),
        (
            "sqs",
            "SetQueueAttributes",
            json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "attributes": {"Policy": DOCUMENT}}),
            at("sqs", "jobs"),
        ),
        (
            "sns",
            "SetTopicAttributes",
            json!({"topicArn": at("sns", "alerts"), "attributeName": "Policy", "attributeValue": DOCUMENT}),
            at("sns", "alerts"),
        ),
    ] {
        let (found, after) = put(service, name, request);
        assert_eq!(found, subject);
        let Held::Text(document) = after else {
            panic!("{name}: {after:?}");
        };
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&document), read(DOCUMENT), "{name}");
    }
    let (_, after) = put("s3", "DeleteBucketPolicy", json!({"bucketName": "web"}));
    assert_eq!(after, Held::Nothing);
    let named = json!({"functionName": "pay", "statementId": "one", "principal": "*", "action": "lambda:InvokeFunction"});
    let (function, after) = put("lambda", "AddPermission20150331v2", named.clone());
    assert_eq!(function, at("lambda", "function:pay"));
    assert!(matches!(after, Held::With(statement) if statement.contains(r#""Sid":"one""#)));
    let (_, after) = put("lambda", "RemovePermission20150331v2", named);
    assert_eq!(after, Held::Without("one".into()));
}

#[test]
fn grants_on_keys_come_and_go() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234";
    let grant = Spot::Document {
        subject: key.into(),
        layer: PolicyLayer::Grant,
        name: "grant:g-1".to_owned(),
    };
    let request = json!({
        "keyId": "1234", "granteePrincipal": "arn:aws:iam::111122223333:role/app",
        "operations": ["Decrypt"], "constraints": {"encryptionContextSubset": {"team": "pay"}},
    });
    let found = made("kms", "CreateGrant", request, json!({"grantId": "g-1"}));
    let [(spot, Held::Nothing, Held::Text(text))] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(spot, &grant);
    assert_eq!(
        serde_json::from_str::<Value>(text).unwrap(),
        json!({
            "GrantId": "g-1", "GranteePrincipal": "arn:aws:iam::111122223333:role/app",
            "Operations": ["Decrypt"], "IssuingAccount": "arn:aws:iam::111122223333:root",
            "Constraints": {"EncryptionContextSubset": {"team": "pay"}},
        })
    );
    let gone = [(grant, Held::Something, Held::Nothing)];
    let request = json!({"keyId": key, "grantId": "g-1"});
    assert_eq!(
        made("kms", "RevokeGrant", request.clone(), Value::Null),
        gone
    );
    assert_eq!(made("kms", "RetireGrant", request, Value::Null), gone);
    // Nothing is known of a grant whose id the record does not tell.
    let request = json!({"keyId": key, "granteePrincipal": "arn:aws:iam::111122223333:role/app"});
    assert_eq!(made("kms", "CreateGrant", request, Value::Null), []);
}

#[test]
fn guard_rails_and_accounts() {
    let request = json!({"policyId": "p-1", "targetId": "111122223333"});
    let spot = attached(
        "arn:aws:iam::111122223333:root",
        PolicyLayer::ServiceControl,
        "p-1",
    );
    assert_eq!(
        made("organizations", "AttachPolicy", request, Value::Null),
        [(spot, Held::Nothing, Held::there())]
    );
    let request = json!({"accountId": "111122223333", "sourceParentId": "ou-a", "destinationParentId": "ou-b"});
    let found = made("organizations", "MoveAccount", request, Value::Null);
    assert_eq!((&found[0].2, &found[1].2), (&Held::Nothing, &Held::there()));
}

#[test]
fn what_fails_or_reads_changes_nothing() {
    let request = json!({"roleName": "deploy", "policyName": "own", "policyDocument": DOCUMENT});
    let mut refused = call("iam", "PutRolePolicy", request.clone(), Value::Null);
    refused["errorCode"] = "AccessDenied".into();
    assert_eq!(effects(&refused), []);
    let mut read = call("iam", "PutRolePolicy", request, Value::Null);
    read["readOnly"] = true.into();
    assert_eq!(effects(&read), []);
    for (service, name) in [
        ("iam", "ListRoles"),
        ("s3", "PutObject"),
        ("ec2", "CreateVpc"),
    ] {
        let request = json!({"bucketName": "web", "key": "x", "roleName": "deploy"});
        assert_eq!(effects(&call(service, name, request, Value::Null)), []);
    }
}

/// Real records of attack techniques: what they change is told whole.
#[test]
fn real_records_tell_their_documents() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stratus/stratus.ndjson");
    let Ok(text) = fs::read_to_string(&file) else {
        println!("SKIPPED: {} is not present", file.display());
        return;
    };
    let (mut told, mut subjects) = (0, Vec::<EntityId>::new());
    for line in text.lines() {
        let technique: Value = serde_json::from_str(line).unwrap();
        let id = technique["technique_id"].as_str().unwrap();
        let Some(records) = technique["events"].as_array() else {
            continue;
        };
        for record in records.iter().filter(|it| it["eventName"].is_string()) {
            for effect in effects(record) {
                if matches!(effect.spot, Spot::Document { .. }) && effect.after != Held::Nothing {
                    let is_told = matches!(effect.after, Held::Text(_) | Held::With(_));
                    assert!(is_told, "{id}: {effect:?}");
                    told += 1;
                }
                subjects.push(effect.spot.subject().clone());
            }
        }
    }
    println!("{told} documents, {} effects", subjects.len());
    // A trust policy and a permission of a function, among users, keys and a password.
    assert_eq!((told, subjects.len()), (2, 15));
}

proptest! {
    #[test]
    fn odd_parameters_never_panic(
        name in prop::sample::select(vec![
            "PutRolePolicy", "CreateRole", "CreatePolicyVersion", "AddPermission20150331v2",
            "SetQueueAttributes", "RunInstances", "AttachPolicy", "CreateKey", "PutBucketPolicy",
            "UpdateUser", "CreateAccessKey", "PutResourcePolicy", "AddRoleToInstanceProfile",
        ]),
        service in prop::sample::select(vec!["iam", "lambda", "sqs", "ec2", "organizations", "kms", "s3", "sso"]),
        keys in prop::collection::vec("[a-zA-Z]{1,12}", 0..6),
        odd in prop::sample::select(vec![
            json!(null), json!(3), json!([1]), json!({}), json!("%"), json!("%7"), json!("arn:"), json!(""),
        ]),
    ) {
        let mut request = json!({"roleName": odd, "policyDocument": odd, "queueUrl": odd, "functionName": odd});
        for key in keys {
            request[key] = odd.clone();
        }
        effects(&call(service, name, request.clone(), request));
    }
}
