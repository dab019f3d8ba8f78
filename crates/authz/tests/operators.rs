//! Every condition operator, on present, absent and unknown keys. The meaning of each follows
//! "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
//! keys" in the IAM User Guide.

use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, ContextValue, Document, PrincipalPolicies, Request,
    Target, evaluate,
};
use portreeve_authz::{Decision, KeyClass};

const USER: &str = "arn:aws:iam::111122223333:user/people/anna";

fn value(text: &str) -> ContextValue {
    match text {
        "-" => ContextValue::Absent,
        "?" => ContextValue::Unknown,
        _ if text.starts_with('[') => {
            let inner = text.trim_matches(['[', ']']);
            let texts = inner.split(',').filter(|text| !text.is_empty());
            ContextValue::Many(texts.map(str::to_owned).collect())
        }
        _ => ContextValue::One(text.to_owned()),
    }
}

/// The decision of an allow with one condition on the key `k:x`.
fn decide(operator: &str, values: &str, context: &str) -> Decision {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:GetObject",
            "Resource":"*","Condition":{{"{operator}":{{"k:x":{values}}}}}}}}}"#
    );
    let document = Document::parse(&policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
    let policies = PrincipalPolicies {
        identity: vec![AttachedPolicy::new("p", document)],
        ..PrincipalPolicies::default()
    };
    let caller = Caller::from_arn(USER).unwrap();
    let context = Context::new(Absent::Absent).with("K:X", value(context));
    let request = Request {
        principal: &caller,
        action: "S3:getobject",
        target: Target::Exact("arn:aws:s3:::b/k"),
        context: &context,
    };
    evaluate(&request, &policies, None).decision
}

/// Rows of operator, policy values, request value (`-` absent, `?` unknown), expected: `+`
/// allowed, `-` denied, `?` depends.
const ROWS: &[(&str, &str, &str, char)] = &[
    // String
    ("StringEquals", r#""a""#, "a", '+'),
    ("StringEquals", r#""a""#, "A", '-'),
    ("StringEquals", r#"["a","b"]"#, "b", '+'),
    ("StringEquals", r#""a*""#, "ab", '-'),
    ("StringEquals", r#""a*""#, "a*", '+'),
    ("StringEquals", r#""a""#, "-", '-'),
    ("StringEquals", r#""a""#, "?", '?'),
    ("stringequals", r#""a""#, "a", '+'),
    ("StringNotEquals", r#""a""#, "a", '-'),
    ("StringNotEquals", r#""a""#, "b", '+'),
    ("StringNotEquals", r#"["a","b"]"#, "b", '-'),
    ("StringNotEquals", r#""a""#, "-", '+'),
    ("StringNotEquals", r#""a""#, "?", '?'),
    ("StringEqualsIgnoreCase", r#""AbC""#, "aBc", '+'),
    ("StringEqualsIgnoreCase", r#""AbC""#, "aBd", '-'),
    ("StringNotEqualsIgnoreCase", r#""AbC""#, "aBc", '-'),
    ("StringNotEqualsIgnoreCase", r#""AbC""#, "-", '+'),
    ("StringLike", r#""a*c?""#, "abbcd", '+'),
    ("StringLike", r#""a*c?""#, "abbc", '-'),
    ("StringLike", r#""a*""#, "-", '-'),
    ("StringNotLike", r#""a*""#, "abc", '-'),
    ("StringNotLike", r#""a*""#, "bc", '+'),
    ("StringNotLike", r#""a*""#, "-", '+'),
    ("StringEquals", "true", "true", '+'),
    ("StringEquals", "12", "12", '+'),
    ("StringEquals", r#""${aws:username}""#, "anna", '+'),
    ("StringEquals", r#""${aws:userid}""#, "anna", '-'),
    ("StringEquals", r#""${aws:userid, 'anna'}""#, "anna", '+'),
    (
        "StringLike",
        r#""home/${aws:username}/*""#,
        "home/anna/x",
        '+',
    ),
    ("StringLike", r#""${*}a""#, "*a", '+'),
    ("StringLike", r#""${*}a""#, "ba", '-'),
    // IfExists
    ("StringEqualsIfExists", r#""a""#, "-", '+'),
    ("StringEqualsIfExists", r#""a""#, "b", '-'),
    ("StringEqualsIfExists", r#""a""#, "?", '?'),
    ("StringNotLikeIfExists", r#""a*""#, "ab", '-'),
    ("BoolIfExists", r#""true""#, "-", '+'),
    ("NumericLessThanIfExists", "5", "-", '+'),
    // Numeric
    ("NumericEquals", r#""10""#, "10", '+'),
    ("NumericEquals", "10", "10.0", '+'),
    ("NumericEquals", "10", "11", '-'),
    ("NumericEquals", "9007199254740993", "9007199254740992", '-'),
    ("NumericEquals", "10", "-", '-'),
    ("NumericNotEquals", "10", "11", '+'),
    ("NumericNotEquals", "10", "-", '+'),
    ("NumericNotEquals", "10", "10", '-'),
    ("NumericLessThan", "10", "9.5", '+'),
    ("NumericLessThan", "10", "10", '-'),
    ("NumericLessThanEquals", "10", "10", '+'),
    ("NumericGreaterThan", "10", "10", '-'),
    ("NumericGreaterThan", "-10", "-9", '+'),
    ("NumericGreaterThanEquals", "10", "10", '+'),
    ("NumericLessThan", "10", "ten", '-'),
    ("NumericLessThan", "10", "?", '?'),
    // Date
    ("DateEquals", r#""2026-01-31T00:00:00Z""#, "2026-01-31", '+'),
    (
        "DateEquals",
        r#""2026-01-31T00:00Z""#,
        "2026-01-31T00:00:00Z",
        '+',
    ),
    (
        "DateEquals",
        r#""2026-01-31T01:00:00+01:00""#,
        "2026-01-31T00:00:00Z",
        '+',
    ),
    ("DateEquals", r#""2026""#, "2026-01-01T00:00:00Z", '+'),
    ("DateEquals", r#""1700000000""#, "2023-11-14T22:13:20Z", '+'),
    (
        "DateNotEquals",
        r#""2026-01-31""#,
        "2026-01-31T00:00:00Z",
        '-',
    ),
    ("DateNotEquals", r#""2026-01-31""#, "-", '+'),
    (
        "DateLessThan",
        r#""2026-01-31T00:00:00Z""#,
        "2026-01-30T23:59:59.999Z",
        '+',
    ),
    (
        "DateLessThan",
        r#""2026-01-31T00:00:00Z""#,
        "2026-01-31T00:00:00Z",
        '-',
    ),
    (
        "DateLessThanEquals",
        r#""2026-01-31T00:00:00Z""#,
        "2026-01-31T00:00:00Z",
        '+',
    ),
    (
        "DateGreaterThan",
        r#""2026-01-31T00:00:00Z""#,
        "1769817600",
        '-',
    ),
    (
        "DateGreaterThan",
        r#""2026-01-31T00:00:00Z""#,
        "1769817601",
        '+',
    ),
    (
        "DateGreaterThanEquals",
        r#""2026-01""#,
        "2026-01-01T00:00:00Z",
        '+',
    ),
    ("DateGreaterThan", r#""2026-01""#, "soon", '-'),
    ("DateGreaterThan", r#""2026-01""#, "?", '?'),
    // Bool
    ("Bool", r#""true""#, "true", '+'),
    ("Bool", "true", "TRUE", '+'),
    ("Bool", r#""false""#, "true", '-'),
    ("Bool", r#""false""#, "-", '-'),
    ("Bool", r#""true""#, "yes", '-'),
    ("Bool", r#""true""#, "?", '?'),
    // Binary
    ("BinaryEquals", r#""QmluYXJ5""#, "QmluYXJ5", '+'),
    ("BinaryEquals", r#""QmluYXJ5""#, "QmluYXJ6", '-'),
    ("BinaryEquals", r#""QmluYXJ5""#, "-", '-'),
    // Address
    ("IpAddress", r#""203.0.113.0/24""#, "203.0.113.9", '+'),
    ("IpAddress", r#""203.0.113.0/24""#, "203.0.114.9", '-'),
    (
        "IpAddress",
        r#"["198.51.100.7","2001:db8::/32"]"#,
        "2001:db8::1",
        '+',
    ),
    ("IpAddress", r#""203.0.113.7""#, "203.0.113.7", '+'),
    ("IpAddress", r#""0.0.0.0/0""#, "2001:db8::1", '-'),
    (
        "IpAddress",
        r#""0.0.0.0/0""#,
        "cloudformation.amazonaws.com",
        '-',
    ),
    ("IpAddress", r#""0.0.0.0/0""#, "-", '-'),
    ("IpAddress", r#""0.0.0.0/0""#, "?", '?'),
    ("NotIpAddress", r#""203.0.113.0/24""#, "203.0.113.9", '-'),
    ("NotIpAddress", r#""203.0.113.0/24""#, "198.51.100.7", '+'),
    ("NotIpAddress", r#""203.0.113.0/24""#, "-", '+'),
    // Arn
    (
        "ArnEquals",
        r#""arn:aws:iam::*:role/ci-*""#,
        "arn:aws:iam::111122223333:role/ci-x",
        '+',
    ),
    (
        "ArnLike",
        r#""arn:aws:iam::*:role/ci-*""#,
        "arn:aws:iam::111122223333:role/x",
        '-',
    ),
    ("ArnLike", r#""arn:*:*:*:*:*""#, "-", '-'),
    ("ArnLike", r#""*""#, "not an arn", '+'),
    (
        "ArnLike",
        r#""arn:aws:sns:*:*:t""#,
        "arn:aws:sns:eu-west-1:111122223333:t",
        '+',
    ),
    (
        "ArnLike",
        r#""arn:aws:sns:*:t:x""#,
        "arn:aws:sns:eu-west-1:111122223333:t:x",
        '-',
    ),
    (
        "ArnLike",
        r#""arn:aws:iam::111122223333:user/*/${aws:username}""#,
        USER,
        '+',
    ),
    (
        "ArnNotEquals",
        r#""arn:aws:iam::*:role/ci-*""#,
        "arn:aws:iam::111122223333:role/x",
        '+',
    ),
    (
        "ArnNotLike",
        r#""arn:aws:iam::*:role/ci-*""#,
        "arn:aws:iam::111122223333:role/ci-x",
        '-',
    ),
    ("ArnNotLike", r#""arn:aws:iam::*:role/ci-*""#, "-", '+'),
    ("ArnLike", r#""arn:aws:iam::*:role/ci-*""#, "?", '?'),
    // Null
    ("Null", r#""true""#, "-", '+'),
    ("Null", r#""true""#, "a", '-'),
    ("Null", r#""false""#, "a", '+'),
    ("Null", "false", "-", '-'),
    ("Null", r#"["true","false"]"#, "-", '+'),
    ("Null", r#""true""#, "[]", '+'),
    ("Null", r#""true""#, "?", '?'),
    // Set operators
    ("ForAllValues:StringEquals", r#"["a","b"]"#, "[a,b]", '+'),
    ("ForAllValues:StringEquals", r#"["a","b"]"#, "[a,c]", '-'),
    ("ForAllValues:StringEquals", r#"["a","b"]"#, "a", '+'),
    ("ForAllValues:StringEquals", r#"["a","b"]"#, "-", '+'),
    ("ForAllValues:StringEquals", r#"["a","b"]"#, "[]", '+'),
    ("ForAllValues:StringEquals", r#"["a","b"]"#, "?", '?'),
    ("ForAllValues:StringNotEquals", r#"["a","b"]"#, "[c,d]", '+'),
    ("ForAllValues:StringNotEquals", r#"["a","b"]"#, "[c,a]", '-'),
    ("ForAllValues:StringLike", r#""a*""#, "[a1,a2]", '+'),
    ("ForAnyValue:StringEquals", r#"["a","b"]"#, "[c,b]", '+'),
    ("ForAnyValue:StringEquals", r#"["a","b"]"#, "[c,d]", '-'),
    ("ForAnyValue:StringEquals", r#"["a","b"]"#, "-", '-'),
    ("ForAnyValue:StringEquals", r#"["a","b"]"#, "[]", '-'),
    ("ForAnyValue:StringNotEquals", r#"["a","b"]"#, "[a,c]", '+'),
    ("ForAnyValue:StringNotEquals", r#"["a","b"]"#, "[a,b]", '-'),
    ("ForAnyValue:StringNotEquals", r#"["a","b"]"#, "-", '-'),
    ("ForAnyValue:StringLikeIfExists", r#""a*""#, "-", '+'),
    (
        "ForAnyValue:ArnLike",
        r#""arn:aws:iam::*:role/ci-*""#,
        "[arn:aws:iam::1:role/ci-x,b]",
        '+',
    ),
    (
        "ForAnyValue:IpAddress",
        r#""203.0.113.0/24""#,
        "[203.0.113.9,10.0.0.1]",
        '+',
    ),
    ("ForAllValues:NumericLessThan", "10", "[1,2,30]", '-'),
    ("ForAllValues:Bool", r#""true""#, "-", '+'),
    // Several values without a set operator: AWS does not say.
    ("StringEquals", r#""a""#, "[a]", '+'),
    ("StringEquals", r#""a""#, "[a,b]", '?'),
];

#[test]
fn operators() {
    let mut wrong = Vec::new();
    for (operator, values, context, expected) in ROWS {
        let expected = match expected {
            '+' => Decision::Allowed,
            '-' => Decision::Denied,
            _ => Decision::Depends,
        };
        let decision = decide(operator, values, context);
        if decision != expected {
            wrong.push(format!(
                "{operator} {values} on {context}: {decision:?}, not {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn atoms_say_what_must_hold_and_who_decides() {
    let policies = PrincipalPolicies {
        identity: vec![AttachedPolicy::new(
            "guarded",
            Document::parse(
                r#"{"Version":"2012-10-17","Statement":[
                    {"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*",
                     "Condition":{"StringEquals":{"aws:RequestTag/team":["web","ci"]},
                                  "ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}}},
                    {"Effect":"Deny","Action":"*","Resource":"*",
                     "Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}"#,
            )
            .unwrap(),
        )],
        ..PrincipalPolicies::default()
    };
    let caller = Caller::from_arn(USER).unwrap();
    let context = Context::new(Absent::Unknown);
    let request = Request {
        principal: &caller,
        action: "ec2:RunInstances",
        target: Target::Any,
        context: &context,
    };
    let answer = evaluate(&request, &policies, None);
    assert_eq!(answer.decision, Decision::Depends);
    let atoms: Vec<(&str, &str, KeyClass, bool)> = answer
        .depends_on
        .iter()
        .map(|atom| {
            (
                atom.key.as_str(),
                atom.operator.as_str(),
                atom.class,
                atom.must_hold,
            )
        })
        .collect();
    assert_eq!(
        atoms,
        [
            (
                "aws:PrincipalOrgPaths",
                "ForAnyValue:StringLike",
                KeyClass::Fixed,
                true
            ),
            (
                "aws:RequestTag/team",
                "StringEquals",
                KeyClass::Settable,
                true
            ),
            (
                "aws:SourceIp",
                "NotIpAddress",
                KeyClass::Surroundings,
                false
            ),
        ]
    );
    assert_eq!(answer.depends_on[1].values, ["web", "ci"]);
    assert_eq!(answer.statement.unwrap().index, 0);
}

#[test]
fn variables_are_literal_before_2012() {
    let decide = |version: &str, resource: &str| {
        let policy = format!(
            r#"{{{version}"Statement":{{"Effect":"Allow","Action":"s3:*",
                "Resource":"arn:aws:s3:::home/${{aws:username}}/*"}}}}"#
        );
        let policies = PrincipalPolicies {
            identity: vec![AttachedPolicy::new("p", Document::parse(&policy).unwrap())],
            ..PrincipalPolicies::default()
        };
        let caller = Caller::from_arn(USER).unwrap();
        let context = Context::new(Absent::Absent);
        let target = Target::Exact(resource);
        let request = Request {
            principal: &caller,
            action: "s3:GetObject",
            target,
            context: &context,
        };
        evaluate(&request, &policies, None).decision
    };
    let anna = "arn:aws:s3:::home/anna/x";
    let literal = "arn:aws:s3:::home/${aws:username}/x";
    assert_eq!(
        decide(r#""Version":"2012-10-17","#, anna),
        Decision::Allowed
    );
    assert_eq!(
        decide(r#""Version":"2012-10-17","#, literal),
        Decision::Denied
    );
    assert_eq!(decide(r#""Version":"2008-10-17","#, anna), Decision::Denied);
    assert_eq!(decide("", literal), Decision::Allowed);
}
