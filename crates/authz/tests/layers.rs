//! How the layers combine. Each case says which rule of "Policy evaluation logic", "Cross-account
//! policy evaluation logic" (IAM User Guide), "Key policies in AWS KMS" or "Service control
//! policies" (Organizations User Guide) it follows.

use portreeve_authz::aws::case::{Case, CaseDecision, CaseOutcome, run};
use serde_json::{Value, json};

const ANNA: &str = "arn:aws:iam::111122223333:user/anna";
const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/deploy/build-7";
const FOREIGN: &str = "arn:aws:iam::444455556666:user/eve";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const OBJECT: &str = "arn:aws:s3:::web-prod/app.js";
const TARGET_ROLE: &str = "arn:aws:iam::111122223333:role/admin";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234";

fn statement(effect: &str, action: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": "*"})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: &str) -> Value {
    policy(&[statement("Allow", action)])
}

fn deny(action: &str) -> Value {
    policy(&[statement("Deny", action)])
}

/// A resource's policy that allows a principal everything.
fn trusts(principal: Value) -> Value {
    json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}})
}

fn assumable_by(principal: Value) -> Value {
    json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}})
}

/// Runs a case of what every case has and some more fields.
fn outcome(principal: &str, action: &str, resource: &str, more: Value) -> CaseOutcome {
    let mut case = json!({
        "id": "case",
        "request": {"principal": principal, "action": action, "resource": resource, "context": {}},
        "mode": "strict",
    });
    for (key, value) in more.as_object().unwrap() {
        match key.as_str() {
            "context" | "resource_account" => case["request"][key] = value.clone(),
            _ => case[key] = value.clone(),
        }
    }
    let case: Case = serde_json::from_str(&case.to_string()).unwrap();
    run(&case)
}

/// The decision, and the layer that it rests on.
fn decide(principal: &str, action: &str, resource: &str, more: Value) -> String {
    let outcome = outcome(principal, action, resource, more);
    let decision = match outcome.decision {
        CaseDecision::Allowed => "allowed",
        CaseDecision::Denied => "denied",
        CaseDecision::Depends => "depends",
        CaseDecision::Invalid => return format!("invalid: {}", outcome.reason.unwrap()),
    };
    let explicit = outcome.decision == CaseDecision::Denied && outcome.statement.is_some();
    let layer = outcome.layer.map_or("-", |layer| layer.as_str());
    format!(
        "{decision} {layer}{}",
        if explicit { " explicitly" } else { "" }
    )
}

fn get(principal: &str, more: Value) -> String {
    decide(principal, "s3:GetObject", OBJECT, more)
}

#[test]
fn within_an_account_either_side_is_enough() {
    assert_eq!(get(ANNA, json!({})), "denied identity");
    assert_eq!(
        get(ANNA, json!({"identity_policies": [allow("s3:*")]})),
        "allowed identity"
    );
    assert_eq!(
        get(
            ANNA,
            json!({"resource_policy": trusts(json!({"AWS": ANNA}))})
        ),
        "allowed resource"
    );
    assert_eq!(
        get(ANNA, json!({"resource_policy": trusts(json!("*"))})),
        "allowed resource"
    );
    assert_eq!(
        get(
            ANNA,
            json!({"resource_policy": trusts(json!({"AWS": FOREIGN}))})
        ),
        "denied identity"
    );
    // Naming the account allows nothing by itself.
    for account in [ROOT, "111122223333"] {
        let bucket = trusts(json!({"AWS": account}));
        assert_eq!(
            get(ANNA, json!({"resource_policy": bucket})),
            "denied identity"
        );
        let both = json!({"resource_policy": bucket, "identity_policies": allow("s3:GetObject")});
        assert_eq!(get(ANNA, both), "allowed identity");
    }
}

#[test]
fn a_deny_in_any_layer_decides() {
    let open = json!({
        "identity_policies": [allow("*")],
        "resource_policy": trusts(json!("*")),
    });
    let refusing = json!({"Statement": {"Effect": "Deny", "Principal": {"AWS": ROOT},
                                        "Action": "s3:Get*", "Resource": "*"}});
    let refuse_all =
        json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}});
    let both = policy(&[statement("Allow", "*"), statement("Deny", "s3:*")]);
    for (field, value, expected) in [
        (
            "identity_policies",
            json!([allow("*"), deny("s3:*")]),
            "identity",
        ),
        ("resource_policy", refusing, "resource"),
        ("boundary", json!([both]), "boundary"),
        ("session_policy", both.clone(), "session"),
        ("scps", json!([{"org": "r", "policies": [both]}]), "scp"),
        (
            "rcps",
            json!([{"org": "r", "policies": [refuse_all]}]),
            "rcp",
        ),
        ("vpc_endpoint_policies", json!([refuse_all]), "endpoint"),
    ] {
        let mut more = open.clone();
        more[field] = value;
        assert_eq!(
            get(ANNA, more),
            format!("denied {expected} explicitly"),
            "{field}"
        );
    }
}

#[test]
fn between_accounts_both_sides_are_needed() {
    let identity = json!([allow("s3:GetObject")]);
    let owner = "111122223333";
    let ask = |identity: &Value, bucket: Option<Value>| {
        let mut more = json!({"identity_policies": identity, "resource_account": owner});
        if let Some(bucket) = bucket {
            more["resource_policy"] = bucket;
        }
        get(FOREIGN, more)
    };
    assert_eq!(ask(&identity, None), "denied resource");
    assert_eq!(
        ask(&json!([]), Some(trusts(json!({"AWS": FOREIGN})))),
        "denied identity"
    );
    for named in [
        json!({"AWS": FOREIGN}),
        json!({"AWS": "444455556666"}),
        json!("*"),
    ] {
        assert_eq!(ask(&identity, Some(trusts(named))), "allowed identity");
    }
    assert_eq!(
        ask(&identity, Some(trusts(json!({"AWS": ROOT})))),
        "denied resource"
    );
}

#[test]
fn boundaries_and_session_policies_bound() {
    let narrow = json!([allow("ec2:*")]);
    for (field, layer) in [("boundary", "boundary"), ("session_policy", "session")] {
        let mut more = json!({"identity_policies": [allow("*")]});
        more[field] = narrow.clone();
        assert_eq!(get(SESSION, more.clone()), format!("denied {layer}"));
        more[field] = json!([allow("s3:*")]);
        assert_eq!(get(SESSION, more), "allowed identity");
        // What a resource's policy allows the role is bounded, what it allows the session is not.
        let bounded = |named: &str| {
            let mut more = json!({"resource_policy": trusts(json!({"AWS": named}))});
            more[field] = narrow.clone();
            get(SESSION, more)
        };
        assert_eq!(bounded(ROLE), "denied identity");
        assert_eq!(bounded(SESSION), "allowed resource");
    }
    // What it allows a user is not bounded by the user's boundary.
    let user = json!({"resource_policy": trusts(json!({"AWS": ANNA})), "boundary": narrow});
    assert_eq!(get(ANNA, user), "allowed resource");
    // The role's own permissions need not allow what the resource allows the role.
    let role = json!({"resource_policy": trusts(json!({"AWS": ROLE}))});
    assert_eq!(get(SESSION, role), "allowed resource");
    // A boundary grants nothing.
    assert_eq!(
        get(ANNA, json!({"boundary": [allow("*")]})),
        "denied identity"
    );
}

#[test]
fn the_name_of_a_role_s_session_is_for_the_caller_to_choose() {
    let bucket = trusts(json!({"AWS": SESSION}));
    let found = outcome(
        "arn:aws:iam::111122223333:role/deploy",
        "s3:GetObject",
        OBJECT,
        json!({"resource_policy": bucket}),
    );
    assert_eq!(found.decision, CaseDecision::Depends);
    assert_eq!(found.depends_on[0].key, "sts:RoleSessionName");
}

#[test]
fn each_level_of_scps_must_allow() {
    let level = |policies: Value| json!({"org": "ou", "policies": policies});
    let ask = |scps: Value| {
        get(
            ANNA,
            json!({"identity_policies": allow("s3:*"), "scps": scps}),
        )
    };
    let full = level(json!([allow("*")]));
    let compute = level(json!([allow("ec2:*")]));
    let storage = level(json!([allow("s3:*"), allow("ec2:*")]));
    assert_eq!(ask(json!([])), "allowed identity");
    assert_eq!(ask(json!([full, storage, full])), "allowed identity");
    assert_eq!(ask(json!([full, compute, full])), "denied scp");
    assert_eq!(ask(json!([full, level(json!([]))])), "denied scp");
    // SCPs bound what the resource's policy allows, and the root user; they grant nothing.
    let bounded = json!({"resource_policy": trusts(json!("*")), "scps": [compute]});
    assert_eq!(get(ANNA, bounded), "denied scp");
    assert_eq!(get(ROOT, json!({"scps": [compute]})), "denied scp");
    assert_eq!(get(ROOT, json!({})), "allowed identity");
    assert_eq!(get(ANNA, json!({"scps": [full]})), "denied identity");
    // Service-linked roles, services and foreign principals' resources are free of them.
    let linked = "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/ForEcs";
    let free = json!({"identity_policies": allow("*"), "scps": [compute]});
    assert_eq!(get(linked, free), "allowed identity");
}

#[test]
fn rcps_bound_resources_of_some_services() {
    let perimeter = json!({"Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
                      "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}});
    let rcps = json!([{"org": "r", "policies": [perimeter]}]);
    let foreign = |context: Value| {
        get(
            FOREIGN,
            json!({"identity_policies": allow("*"), "resource_policy": trusts(json!("*")),
                   "resource_account": "111122223333", "rcps": rcps, "context": context}),
        )
    };
    assert_eq!(
        foreign(json!({"aws:PrincipalOrgID": "o-2"})),
        "denied rcp explicitly"
    );
    assert_eq!(
        foreign(json!({"aws:PrincipalOrgID": "o-1"})),
        "allowed identity"
    );
    let outside = json!({"identity_policies": allow("*"), "rcps": rcps});
    let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    assert_eq!(
        decide(ANNA, "ec2:StopInstances", instance, outside),
        "allowed identity"
    );
    let log = trusts(json!({"Service": "delivery.logs.amazonaws.com"}));
    let delivery = json!({"resource_policy": log, "rcps": rcps});
    assert_eq!(
        get("delivery.logs.amazonaws.com", delivery),
        "allowed resource"
    );
}

#[test]
fn trust_policies_must_allow() {
    let assume = |principal: &str, trust: Value, identity: Value| {
        let more = json!({"resource_policy": trust, "identity_policies": identity});
        decide(principal, "sts:AssumeRole", TARGET_ROLE, more)
    };
    let may = json!([allow("sts:AssumeRole")]);
    let none = json!([]);
    let own = |named: &str| assumable_by(json!({"AWS": named}));
    // Named itself, in the same account: nothing else is needed.
    assert_eq!(assume(ANNA, own(ANNA), none.clone()), "allowed trust");
    assert_eq!(assume(ROLE, own(ROLE), none.clone()), "allowed trust");
    assert_eq!(
        assume(ROLE, own(ROLE), json!([deny("sts:*")])),
        "denied identity explicitly"
    );
    // The account named: the caller's own policies must allow.
    assert_eq!(assume(ANNA, own(ROOT), none.clone()), "denied identity");
    assert_eq!(assume(ANNA, own(ROOT), may.clone()), "allowed trust");
    // Nobody named: the caller's own policies do not help.
    assert_eq!(
        assume(ANNA, own(FOREIGN), json!([allow("*")])),
        "denied trust"
    );
    let silent = json!({"identity_policies": may});
    assert_eq!(
        decide(ANNA, "sts:AssumeRole", TARGET_ROLE, silent),
        "denied trust"
    );
    // Between accounts both.
    assert_eq!(
        assume(FOREIGN, own(FOREIGN), none.clone()),
        "denied identity"
    );
    assert_eq!(
        assume(FOREIGN, own(FOREIGN), may.clone()),
        "allowed identity"
    );
    assert_eq!(
        assume(FOREIGN, own("444455556666"), may.clone()),
        "allowed identity"
    );
    // Services and providers are named only there.
    let lambda = assumable_by(json!({"Service": ["lambda.amazonaws.com"]}));
    assert_eq!(
        assume("lambda.amazonaws.com", lambda.clone(), none.clone()),
        "allowed trust"
    );
    assert_eq!(
        assume("ec2.amazonaws.com", lambda, none.clone()),
        "denied trust"
    );
    // The root user assumes no roles.
    assert_eq!(assume(ROOT, own(ROOT), may), "denied trust");
    // Other actions on a role do not ask its trust policy.
    let pass = json!({"identity_policies": allow("iam:PassRole"), "resource_policy": own(FOREIGN)});
    assert_eq!(
        decide(ANNA, "iam:PassRole", TARGET_ROLE, pass),
        "allowed identity"
    );
}

#[test]
fn web_identities_are_told_by_their_claims() {
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let trust = json!({"Statement": {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
            "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/web:*"}}}});
    let assume = |sub: &str| {
        let context = json!({
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": sub});
        let more = json!({"resource_policy": trust, "context": context});
        decide(provider, "sts:AssumeRoleWithWebIdentity", TARGET_ROLE, more)
    };
    assert_eq!(assume("repo:acme/web:ref:refs/heads/main"), "allowed trust");
    assert_eq!(assume("repo:evil/web:ref:refs/heads/main"), "denied trust");
}

#[test]
fn key_policies_must_allow_or_delegate() {
    let sign = |principal: &str, key: Value, identity: Value| {
        let more = json!({"resource_policy": key, "identity_policies": identity});
        decide(principal, "kms:Sign", KEY, more)
    };
    let may = json!([allow("kms:Sign")]);
    assert_eq!(
        sign(ANNA, trusts(json!({"AWS": ROOT})), may.clone()),
        "allowed resource"
    );
    assert_eq!(
        sign(ANNA, trusts(json!({"AWS": ROOT})), json!([])),
        "denied identity"
    );
    assert_eq!(
        sign(ANNA, trusts(json!({"AWS": ANNA})), json!([])),
        "allowed resource"
    );
    assert_eq!(
        sign(ANNA, trusts(json!({"AWS": ROLE})), may.clone()),
        "denied resource"
    );
    assert_eq!(
        sign(ROLE, trusts(json!({"AWS": ROLE})), json!([])),
        "allowed resource"
    );
    assert_eq!(
        sign(FOREIGN, trusts(json!({"AWS": FOREIGN})), may),
        "allowed identity"
    );
    assert_eq!(
        sign(FOREIGN, trusts(json!({"AWS": FOREIGN})), json!([])),
        "denied identity"
    );
}

#[test]
fn not_principal_denies_all_but_the_listed() {
    let vault = |listed: Value| {
        json!({"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": listed},
                             "Action": "*", "Resource": "*"}})
    };
    let ask = |principal: &str, listed: Value, boundary: Value| {
        let more = json!({"identity_policies": allow("*"), "resource_policy": vault(listed),
                          "boundary": boundary});
        get(principal, more)
    };
    let full = json!([allow("*")]);
    assert_eq!(
        ask(ANNA, json!([ANNA, ROOT]), json!([])),
        "allowed identity"
    );
    assert_eq!(
        ask(ANNA, json!([FOREIGN]), json!([])),
        "denied resource explicitly"
    );
    assert_eq!(
        ask(ANNA, json!([ANNA, ROOT]), full),
        "denied resource explicitly"
    );
    // AWS says that it "might" deny where the account is not listed too.
    assert_eq!(ask(ANNA, json!([ANNA]), json!([])), "depends identity");
    assert_eq!(
        ask(SESSION, json!([SESSION, ROLE, ROOT]), json!([])),
        "allowed identity"
    );
}

#[test]
fn actions_and_resources_with_wildcards_and_exceptions() {
    let ask = |statement: Value, action: &str, resource: &str| {
        let more = json!({"identity_policies": {"Version": "2012-10-17", "Statement": statement}});
        decide(ANNA, action, resource, more)
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let not_action = json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"});
    assert_eq!(ask(not_action.clone(), "s3:GetObject", OBJECT), "allowed");
    assert_eq!(ask(not_action, "iam:CreateUser", ANNA), "denied");
    let not_resource =
        json!({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::web-prod/*"});
    assert_eq!(ask(not_resource.clone(), "s3:GetObject", OBJECT), "denied");
    assert_eq!(
        ask(not_resource, "s3:GetObject", "arn:aws:s3:::other/k"),
        "allowed"
    );
    let questioned = json!({"Effect": "Allow", "Action": "S3:g?tobj*", "Resource": "arn:aws:s3:::web-????/*.js"});
    assert_eq!(ask(questioned.clone(), "s3:GetObject", OBJECT), "allowed");
    assert_eq!(
        ask(
            questioned.clone(),
            "s3:GetObject",
            "arn:aws:s3:::WEB-prod/app.js"
        ),
        "denied"
    );
    assert_eq!(ask(questioned, "s3:PutObject", OBJECT), "denied");
    // An action without a resource is covered by `*` alone.
    let listed = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"});
    assert_eq!(ask(listed, "s3:ListAllMyBuckets", "*"), "denied");
}

#[test]
fn anonymous_callers_need_a_policy_for_everyone() {
    let open = json!({"resource_policy": trusts(json!("*"))});
    assert_eq!(get("*", open.clone()), "allowed resource");
    assert_eq!(get("*", json!({})), "denied resource");
    assert_eq!(
        get(
            "*",
            json!({"resource_policy": trusts(json!({"AWS": ROOT}))})
        ),
        "denied resource"
    );
    let mut blocked = open;
    blocked["settings"] = json!({"s3": {"blockPublicAccess": true}});
    assert_eq!(get("*", blocked), "denied resource");
}

#[test]
fn endpoints_must_allow() {
    let ask = |endpoint: Value| {
        get(
            ANNA,
            json!({"identity_policies": allow("*"), "vpc_endpoint_policies": [endpoint]}),
        )
    };
    assert_eq!(ask(trusts(json!("*"))), "allowed identity");
    assert_eq!(ask(trusts(json!({"AWS": FOREIGN}))), "denied endpoint");
}

#[test]
fn discovery_leaves_absent_keys_open() {
    let guarded = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "web"}}}});
    let ask = |mode: &str| get(ANNA, json!({"identity_policies": guarded, "mode": mode}));
    assert_eq!(ask("strict"), "denied identity");
    assert_eq!(ask("discovery"), "depends identity");
}

#[test]
fn invalid_cases_are_refused_with_the_reason() {
    let good = json!({"identity_policies": allow("*")});
    for (principal, action, resource, more, reason) in [
        ("anna", "s3:GetObject", OBJECT, good.clone(), "principal"),
        (
            "arn:aws:iam::12:user/anna",
            "s3:GetObject",
            OBJECT,
            good.clone(),
            "principal",
        ),
        (
            "arn:aws:iam::111122223333:user/*",
            "s3:GetObject",
            OBJECT,
            good.clone(),
            "principal",
        ),
        (ANNA, "GetObject", OBJECT, good.clone(), "action"),
        (ANNA, "s3:Get*", OBJECT, good.clone(), "action"),
        (ANNA, "s3:GetObject", "app.js", good.clone(), "resource"),
        (
            ANNA,
            "s3:GetObject",
            "arn:aws:s3:::a\u{7}b",
            good.clone(),
            "resource",
        ),
        (
            ANNA,
            "s3:GetObject",
            OBJECT,
            json!({"context": {"a:b": {"c": 1}}}),
            "context",
        ),
        (
            ANNA,
            "s3:GetObject",
            OBJECT,
            json!({"resource_account": "12"}),
            "resource_account",
        ),
        (
            ANNA,
            "s3:GetObject",
            OBJECT,
            json!({"identity_policies": [{}]}),
            "has no Statement",
        ),
        (
            ANNA,
            "s3:GetObject",
            OBJECT,
            json!({"identity_policies": [trusts(json!("*"))]}),
            "has a Principal",
        ),
        (
            ANNA,
            "s3:GetObject",
            OBJECT,
            json!({"resource_policy": allow("*")}),
            "Principal",
        ),
        (
            ANNA,
            "sts:AssumeRole",
            TARGET_ROLE,
            json!({"resource_policy": trusts(json!("*"))}),
            "has a Resource",
        ),
    ] {
        let decision = decide(principal, action, resource, more);
        assert!(
            decision.starts_with("invalid: ") && decision.contains(reason),
            "{decision}"
        );
    }
}
