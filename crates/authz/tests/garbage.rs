//! Whatever is handed in: clear errors, no panic, and an end. That each test comes to its end is
//! the bound on time; no clock is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use portreeve_authz::aws::case::{Case, CaseDecision, run};
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, GrantConstraint, KmsGrant,
    PrincipalPolicies, Request, ResourceAccess, Target, evaluate,
};
use portreeve_authz::{Answer, Decision, KeyClass};
use serde_json::{Value, json};

const ANNA: &str = "arn:aws:iam::111122223333:user/anna";
const OBJECT: &str = "arn:aws:s3:::ledger/a";
const MEGABYTE: usize = 1 << 20;

fn ask(document: Document, action: &str, resource: &str) -> Answer {
    let policies = PrincipalPolicies {
        identity: vec![AttachedPolicy::new("p", Arc::new(document))],
        ..PrincipalPolicies::default()
    };
    let caller = Caller::from_arn(ANNA).unwrap();
    let context = Context::new(Absent::Absent);
    let request = Request {
        principal: &caller,
        action,
        target: Target::Exact(resource),
        context: &context,
    };
    evaluate(&request, &policies, None)
}

/// A statement that allows everything, with one element set.
fn with(element: &str, value: Value) -> String {
    let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    if let Some(opposite) = element.strip_prefix("Not") {
        statement.as_object_mut().unwrap().remove(opposite);
    }
    statement[element] = value;
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

#[test]
fn empty_things() {
    for text in [
        "",
        " ",
        "{}",
        "[]",
        "null",
        "0",
        "\"\"",
        "{\"Statement\":{}}",
        "\u{feff}{}",
    ] {
        let error = Document::parse(text).expect_err(text);
        assert!(
            !error.reason.is_empty() && !error.advice.is_empty(),
            "{text:?}"
        );
        let answer = ask(Document::parse_lenient(text), "s3:GetObject", OBJECT);
        assert_eq!(answer.decision, Decision::Depends, "{text:?}");
        assert!(
            answer
                .depends_on
                .iter()
                .all(|atom| atom.class == KeyClass::Unseen)
        );
    }
    // A list of no statements is a policy that says nothing.
    let nothing = Document::parse(r#"{"Statement":[]}"#).unwrap();
    assert_eq!(
        ask(nothing, "s3:GetObject", OBJECT).decision,
        Decision::Denied
    );
}

#[test]
fn a_policy_of_a_megabyte_of_each_kind() {
    let many = |item: &str| -> Vec<String> {
        let count = MEGABYTE / (item.len() + 8);
        (0..count).map(|index| format!("{item}{index}")).collect()
    };
    let mut keys = serde_json::Map::new();
    for key in many("k:") {
        keys.insert(key, json!("v"));
    }
    for text in [
        with("Action", json!(many("s3:Get"))),
        with("NotAction", json!(many("s3:Get"))),
        with("Resource", json!(many("arn:aws:s3:::ledger/"))),
        with("NotResource", json!(many("arn:aws:s3:::b/*x?"))),
        with("Sid", json!("s".repeat(MEGABYTE))),
        with(
            "Condition",
            json!({"StringLike": {"aws:RequestTag/a": many("*a?")}}),
        ),
        with("Condition", json!({"StringEquals": keys})),
        with(
            "Condition",
            json!({"IpAddress": {"aws:SourceIp": vec!["10.0.0.0/8"; MEGABYTE / 13]}}),
        ),
    ] {
        assert!(text.len() > MEGABYTE / 2);
        let document = Document::parse(&text).unwrap();
        ask(document.clone(), "s3:GetObject", OBJECT);
        ask(document, "s3:Get7", "arn:aws:s3:::ledger/7");
    }
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"#;
    let unknown: Vec<String> = many("x").iter().map(|key| format!("\"{key}\":0")).collect();
    let text = format!(r#"{{"Statement":{statement}",{}}}}}"#, unknown.join(","));
    let document = Document::parse_lenient(&text);
    assert_eq!(document.defects().len(), unknown.len());
    assert_eq!(
        ask(document, "s3:GetObject", OBJECT).decision,
        Decision::Depends
    );
}

#[test]
fn ten_thousand_statements() {
    let statements: Vec<Value> = (0..10_000)
        .map(|index| {
            json!({"Sid": format!("S{index}"), "Effect": if index % 7 == 0 { "Deny" } else { "Allow" },
                   "Action": format!("svc{}:Do{index}", index % 100),
                   "Resource": format!("arn:aws:svc:::{index}/*"),
                   "Condition": {"StringEquals": {"aws:RequestTag/a": format!("v{index}")}}})
        })
        .collect();
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let document = Arc::new(Document::parse(&text).unwrap());
    assert_eq!(document.statement_count(), 10_000);
    let policies = PrincipalPolicies {
        identity: vec![AttachedPolicy::new("p", document)],
        ..PrincipalPolicies::default()
    };
    let caller = Caller::from_arn(ANNA).unwrap();
    let context = Context::new(Absent::Absent).with("aws:RequestTag/a", "v9999");
    let allowed = (0..10_000)
        .filter(|index| {
            let action = format!("svc{}:Do{index}", index % 100);
            let resource = format!("arn:aws:svc:::{index}/x");
            let request = Request {
                principal: &caller,
                action: &action,
                target: Target::Exact(&resource),
                context: &context,
            };
            evaluate(&request, &policies, None).decision == Decision::Allowed
        })
        .count();
    assert_eq!(allowed, 1);
}

#[test]
fn control_characters_are_text_and_never_wildcards() {
    for character in [
        '\0', '\u{7}', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{202e}',
    ] {
        let name = format!("arn:aws:s3:::led{character}ger/a");
        let document = Document::parse(&with("Resource", json!(name))).unwrap();
        let decide = |resource: &str| ask(document.clone(), "s3:GetObject", resource).decision;
        assert_eq!(decide(&name), Decision::Allowed);
        assert_eq!(decide("arn:aws:s3:::ledger/a"), Decision::Denied);
        assert!(
            Caller::from_arn(&format!("arn:aws:iam::{character}:user/a"))
                .is_none_or(|caller| caller.account.contains(character))
        );
    }
    let mut case: Case = serde_json::from_value(json!({"id": "c", "request": {
        "principal": ANNA, "action": "s3:GetObject", "resource": "arn:aws:s3:::a\u{7}b"}}))
    .unwrap();
    let outcome = run(&case);
    assert_eq!(outcome.decision, CaseDecision::Invalid);
    // The reason shows the character escaped: a terminal does not ring.
    assert!(!outcome.reason.unwrap().contains('\u{7}'));
    case.request.resource = format!("arn:aws:s3:::{}", "a".repeat(MEGABYTE));
    let outcome = run(&case);
    assert_eq!(outcome.decision, CaseDecision::Invalid);
    assert!(outcome.reason.unwrap().len() < 200);
}

#[test]
fn condition_values_of_wrong_types() {
    for (operator, value) in [
        ("Bool", json!("perhaps")),
        ("Bool", json!(1)),
        ("NumericEquals", json!("ten")),
        ("NumericEquals", json!("")),
        ("NumericEquals", json!("NaN")),
        ("NumericEquals", json!("inf")),
        ("NumericEquals", json!("1e999")),
        ("NumericEquals", json!(true)),
        ("DateEquals", json!("2026-13-01")),
        ("DateEquals", json!("99999999999999999999")),
        ("DateEquals", json!(false)),
        ("IpAddress", json!("10.0.0.0/33")),
        ("IpAddress", json!("10.0.0")),
        ("IpAddress", json!(7)),
        ("BinaryEquals", json!("?")),
        ("ArnLike", json!("x")),
        ("ArnLike", json!(7)),
        ("Null", json!("maybe")),
        ("StringEquals", json!(null)),
        ("StringEquals", json!({"a": 1})),
        ("StringEquals", json!([["a"]])),
        ("StringEquals", json!("${")),
    ] {
        let text = with("Condition", json!({operator: {"k:x": value}}));
        let error = Document::parse(&text).expect_err(&text);
        assert!(
            error.path.starts_with("$.Statement[0].Condition."),
            "{error}"
        );
        let answer = ask(Document::parse_lenient(&text), "s3:GetObject", OBJECT);
        assert_eq!(answer.decision, Decision::Depends, "{text}");
    }
    // Numbers as large as JSON holds are read, and compared without loss where they are whole.
    let text = with(
        "Condition",
        json!({"NumericLessThan": {"k:x": "170141183460469231731687303715884105727"}}),
    );
    Document::parse(&text).unwrap();
}

#[test]
fn deep_nesting_anywhere() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    let arrays = deep("[", "]");
    let objects = deep(r#"{"a":"#, "}");
    for deep in [&arrays, &objects] {
        for place in [
            deep.to_string(),
            format!(r#"{{"Statement":{deep}}}"#),
            format!(r#"{{"Version":"2012-10-17","Statement":[{deep}]}}"#),
            format!(r#"{{"Statement":[{{"Effect":"Allow","Action":{deep},"Resource":"*"}}]}}"#),
            format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":{deep}}}]}}"#),
            format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{deep},"Action":"*"}}]}}"#),
            format!(
                r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{deep}}}]}}"#
            ),
        ] {
            assert!(Document::parse(&place).is_err());
            let answer = ask(Document::parse_lenient(&place), "s3:GetObject", OBJECT);
            assert_eq!(answer.decision, Decision::Depends);
        }
        let case = format!(
            r#"{{"id":"c","request":{{"principal":"{ANNA}","action":"s3:GetObject",
                "resource":"{OBJECT}","context":{{"k:x":{deep}}}}}}}"#
        );
        assert!(serde_json::from_str::<Case>(&case).is_err());
    }
}

#[test]
fn patterns_made_to_backtrack() {
    let target = format!("arn:aws:s3:::{}", "a".repeat(2000));
    for pattern in [
        format!("arn:aws:s3:::{}b", "*a".repeat(2000)),
        format!("arn:aws:s3:::{}b", "*?a".repeat(1500)),
        format!("arn:aws:s3:::*{}b", "?".repeat(1990)),
        format!("arn:aws:s3:::{}b*", "*".repeat(4000)),
    ] {
        let text = with("Resource", json!(vec![pattern; 5]));
        let document = Document::parse(&text).unwrap();
        assert_eq!(
            ask(document, "s3:GetObject", &target).decision,
            Decision::Denied
        );
    }
    // A value of a megabyte, as a tag in an inventory might hold.
    let text = with(
        "Condition",
        json!({"StringLike": {"aws:PrincipalTag/t": format!("{}b", "*a".repeat(2000))}}),
    );
    let document = Document::parse(&text).unwrap();
    let mut caller = Caller::from_arn(ANNA).unwrap();
    caller.tags = BTreeMap::from([("t".to_owned(), "a".repeat(MEGABYTE))]);
    let policies = PrincipalPolicies {
        identity: vec![AttachedPolicy::new("p", document)],
        ..PrincipalPolicies::default()
    };
    let context = Context::new(Absent::Absent);
    let request = Request {
        principal: &caller,
        action: "s3:GetObject",
        target: Target::Exact(OBJECT),
        context: &context,
    };
    assert_eq!(
        evaluate(&request, &policies, None).decision,
        Decision::Denied
    );
}

#[test]
fn grants_that_are_none() {
    let grant = |grantee: &str, operation: &str| KmsGrant {
        id: "g".into(),
        grantee: grantee.into(),
        operations: vec![operation.into()],
        constraint: GrantConstraint::Equals(BTreeMap::new()),
        ..KmsGrant::default()
    };
    assert!(ResourceAccess::of_key(&[grant(ANNA, "Decrypt")]).is_ok());
    for (grantee, operation) in [
        ("", "Decrypt"),
        ("anna", "Decrypt"),
        ("arn:aws:iam::1:user/*", "Decrypt"),
        (ANNA, "decrypt"),
        (ANNA, "*"),
        (ANNA, ""),
    ] {
        let error = ResourceAccess::of_key(&[grant(grantee, operation)]).expect_err(operation);
        assert!(!error.reason.is_empty());
    }
}
