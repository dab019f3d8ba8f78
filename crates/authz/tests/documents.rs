//! Reading policies: what is tolerated, what is refused and where, what becomes of bad parts.

use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request, Target,
    decode_document, evaluate,
};
use portreeve_authz::{Answer, Decision, KeyClass};

fn ask(document: Document, action: &str, resource: &str) -> Answer {
    let policies = PrincipalPolicies {
        identity: vec![AttachedPolicy::new("p", document)],
        ..PrincipalPolicies::default()
    };
    let caller = Caller::from_arn("arn:aws:iam::111122223333:user/anna").unwrap();
    let context = Context::new(Absent::Absent);
    let target = Target::Exact(resource);
    let request = Request {
        principal: &caller,
        action,
        target,
        context: &context,
    };
    evaluate(&request, &policies, None)
}

#[test]
fn the_forms_of_exports_are_read() {
    let plain = r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
    let list = r#"{"Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}]}"#;
    let encoded: String = plain.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let quoted = serde_json::to_string(plain).unwrap();
    let both = serde_json::to_string(&encoded).unwrap();
    for text in [
        plain,
        list,
        &encoded,
        &quoted,
        &both,
        &format!("  {plain}\n"),
    ] {
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(document.statement_count(), 1);
        assert_eq!(
            ask(document, "s3:GetObject", "arn:aws:s3:::b/k").decision,
            Decision::Allowed
        );
    }
    assert_eq!(decode_document("%7B%22a%22%3A1%7D"), r#"{"a":1}"#);
    assert_eq!(decode_document("%7Bbroken%2"), "%7Bbroken%2");
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_place() {
    for (text, path, reason) in [
        ("", "$", "is not JSON"),
        ("{", "$", "is not JSON"),
        ("[]", "$", "is a list"),
        ("{}", "$", "has no Statement"),
        (r#"{"Statement":3}"#, "$.Statement", "is no statement"),
        (r#"{"Statement":["x"]}"#, "$.Statement[0]", "is a string"),
        (
            r#"{"Version":"2013","Statement":[]}"#,
            "$.Version",
            "is no version",
        ),
        (
            r#"{"Statements":[],"Statement":[]}"#,
            "$.Statements",
            "is not a known element",
        ),
        (
            r#"{"Statement":{"Action":"a:b","Resource":"*"}}"#,
            "$.Statement",
            "has no Effect",
        ),
        (
            r#"{"Statement":{"Effect":"allow","Action":"a:b","Resource":"*"}}"#,
            "$.Statement.Effect",
            "is no effect",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
            "$.Statement",
            "has neither Action",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"a:b","NotAction":"c:d","Resource":"*"}}"#,
            "$.Statement.NotAction",
            "stands beside its opposite",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"a:b","Action":"c:d","Resource":"*"}}"#,
            "$.Statement.Action",
            "appears twice",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":["a:b","c"],"Resource":"*"}}"#,
            "$.Statement.Action[1]",
            "has no service",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}"#,
            "$.Statement.Action",
            "",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"bucket"}}"#,
            "$.Statement.Resource[0]",
            "is neither an ARN",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Conditions":{}}}"#,
            "$.Statement.Conditions",
            "is not a known element",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
               "Condition":{"StringIs":{"a":"b"}}}}"#,
            "$.Statement.Condition.StringIs",
            "is no condition operator",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
               "Condition":{"Bool":{"a:b":"maybe"}}}}"#,
            "$.Statement.Condition.Bool.a:b[0]",
            "is neither true nor false",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
               "Condition":{"IpAddress":{"a:b":{"c":1}}}}}"#,
            "$.Statement.Condition.IpAddress.a:b",
            "is an object",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":{"AWS":"arn:aws:iam::1:*"}}}"#,
            "$.Statement.Principal.AWS[0]",
            "has a wildcard",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":"anna"}}"#,
            "$.Statement.Principal",
            "is no principal",
        ),
    ] {
        let error = Document::parse(text).expect_err(text);
        assert_eq!(error.path, path, "{text}: {error}");
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert!(!error.advice.is_empty(), "{text}");
    }
}

#[test]
fn defects_carry_line_and_column() {
    let text = "{\n  \"Statement\": [{\n    \"Effect\": \"Perhaps\",\n    \"Action\": \"*\",\n    \"Resource\": \"*\"}]}";
    let error = Document::parse(text).unwrap_err();
    assert_eq!((error.line, error.column), (3, 15));
    assert_eq!(
        error.to_string(),
        "$.Statement[0].Effect (line 3, column 15): is no effect; write \"Allow\" or \"Deny\", in \
         this spelling"
    );
}

#[test]
fn a_bad_statement_neither_loses_the_good_nor_decides() {
    let document = Document::parse_lenient(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:*","Resource":"*"},
            {"Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"What":{"a":"b"}}},
            {"Effect":"Allow","Action":"ec2:*","Resource":"nonsense"},
            {"Effect":"Either","Action":"iam:*","Resource":"*"}]}"#,
    );
    assert_eq!(document.defects().len(), 3);
    assert_eq!(
        ask(document.clone(), "s3:GetObject", "*").decision,
        Decision::Allowed
    );
    assert_eq!(
        ask(document.clone(), "sns:Publish", "*").decision,
        Decision::Denied
    );
    for action in ["s3:DeleteObject", "ec2:RunInstances", "iam:PassRole"] {
        let answer = ask(document.clone(), action, "*");
        assert_eq!(answer.decision, Decision::Depends, "{action}");
        let atom = &answer.depends_on[0];
        assert_eq!(
            (atom.class, atom.operator.as_str()),
            (KeyClass::Unseen, "Unseen"),
            "{action}"
        );
        assert!(
            atom.key.starts_with("p#") && atom.values[0].contains("$.Statement["),
            "{atom:?}"
        );
        assert!(answer.condition_keys().is_empty());
    }
}

#[test]
fn a_policy_that_is_not_seen_makes_everything_depend() {
    for document in [
        Document::unseen("not in the export"),
        Document::parse_lenient("nonsense"),
    ] {
        assert!(document.mentions_action("s3:GetObject"));
        let answer = ask(document, "s3:GetObject", "*");
        assert_eq!(answer.decision, Decision::Depends);
        assert!(
            answer
                .depends_on
                .iter()
                .all(|atom| atom.class == KeyClass::Unseen)
        );
    }
}

#[test]
fn actions_are_found_quickly() {
    let document = Document::parse(
        r#"{"Statement":[
            {"Effect":"Allow","Action":["s3:Get*","iam:PassRole"],"Resource":"*"},
            {"Effect":"Deny","NotAction":"ec2:*","Resource":"*"}]}"#,
    )
    .unwrap();
    assert!(document.mentions_action("S3:GetObject"));
    assert!(document.mentions_action("iam:passrole"));
    assert!(document.mentions_action("kms:Sign"));
    assert!(!document.mentions_action("ec2:RunInstances"));
}

#[test]
fn large_and_hostile_texts_are_read_in_bounded_time() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(Document::parse_lenient(&deep).defects().len(), 1);
    let deep = format!(r#"{{"Statement":{{"Effect":{deep}}}}}"#);
    assert!(!Document::parse_lenient(&deep).defects().is_empty());
    let bad = r#"{"Effect":"Allow","Action":"x","Resource":"*"}"#;
    let many = format!(r#"{{"Statement":[{}]}}"#, vec![bad; 10_000].join(","));
    let document = Document::parse_lenient(&many);
    assert_eq!(
        (document.statement_count(), document.defects().len()),
        (10_000, 10_000)
    );
    let long = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::{}"}}}}"#,
        "*a".repeat(500_000)
    );
    assert_eq!(Document::parse_lenient(&long).defects().len(), 1);
    let stars = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::{}b"}}}}"#,
        "*a".repeat(2000)
    );
    let target = format!("arn:aws:s3:::{}", "a".repeat(8000));
    let document = Document::parse(&stars).unwrap();
    assert_eq!(
        ask(document, "s3:GetObject", &target).decision,
        Decision::Denied
    );
}
