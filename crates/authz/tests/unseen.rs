//! What is not seen, and questions about resources that need not exist.

use std::sync::Arc;

use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};
use portreeve_authz::{Answer, Decision, KeyClass, PolicyLayer};

const ANNA: &str = "arn:aws:iam::111122223333:user/anna";

fn identity(statements: &str) -> PrincipalPolicies {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    PrincipalPolicies {
        identity: vec![AttachedPolicy::new("p", Document::parse(&text).unwrap())],
        ..PrincipalPolicies::default()
    }
}

fn ask(
    policies: &PrincipalPolicies,
    action: &str,
    target: Target<'_>,
    resource: Option<&ResourcePolicies>,
) -> Answer {
    let caller = Caller::from_arn(ANNA).unwrap();
    let context = Context::new(Absent::Unknown);
    let request = Request {
        principal: &caller,
        action,
        target,
        context: &context,
    };
    evaluate(&request, policies, resource)
}

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

#[test]
fn a_foreign_resource_of_which_nothing_is_known_depends() {
    let foreign = Target::Exact("arn:aws:sqs:eu-west-1:444455556666:jobs");
    let answer = ask(&identity(ALL), "sqs:SendMessage", foreign, None);
    assert_eq!(answer.decision, Decision::Depends);
    assert_eq!(answer.depends_on[0].class, KeyClass::Unseen);
    assert_eq!(
        answer.depends_on[0].key,
        "arn:aws:sqs:eu-west-1:444455556666:jobs"
    );
    // The caller's side settles it where it does not allow.
    let answer = ask(&identity(""), "sqs:SendMessage", foreign, None);
    assert_eq!(
        (answer.decision, answer.layer),
        (Decision::Denied, Some(PolicyLayer::Identity))
    );
    // Known to have no policy.
    let none = ResourcePolicies::default();
    let answer = ask(&identity(ALL), "sqs:SendMessage", foreign, Some(&none));
    assert_eq!(
        (answer.decision, answer.layer),
        (Decision::Denied, Some(PolicyLayer::Resource))
    );
    // Within the account a resource of which nothing is known counts as one without a policy.
    let own = Target::Exact("arn:aws:sqs:eu-west-1:111122223333:jobs");
    assert_eq!(
        ask(&identity(ALL), "sqs:SendMessage", own, None).decision,
        Decision::Allowed
    );
}

#[test]
fn a_role_or_key_whose_policy_was_not_seen_depends() {
    let role = Target::Exact("arn:aws:iam::111122223333:role/admin");
    let key = Target::Exact("arn:aws:kms:eu-west-1:111122223333:key/1");
    for (action, target, kind, layer) in [
        (
            "sts:AssumeRole",
            role,
            ResourcePolicyKind::RoleTrust,
            PolicyLayer::Trust,
        ),
        (
            "kms:Sign",
            key,
            ResourcePolicyKind::KmsKey,
            PolicyLayer::Resource,
        ),
    ] {
        let unseen = ResourcePolicies {
            kind,
            ..ResourcePolicies::default()
        };
        for resource in [None, Some(&unseen)] {
            let answer = ask(&identity(ALL), action, target, resource);
            assert_eq!(answer.decision, Decision::Depends, "{action}");
            assert!(
                answer
                    .depends_on
                    .iter()
                    .all(|atom| atom.class == KeyClass::Unseen)
            );
            assert_eq!(answer.depends_on[0].layer, layer);
            let answer = ask(&identity(""), action, target, resource);
            assert_eq!(answer.decision, Decision::Denied, "{action}");
        }
    }
    assert_eq!(
        ask(&identity(ALL), "iam:PassRole", role, None).decision,
        Decision::Allowed
    );
}

#[test]
fn an_attached_policy_without_its_text_never_decides() {
    let mut policies = identity(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    let unseen = Arc::new(Document::unseen("not in the export"));
    policies
        .identity
        .push(AttachedPolicy::new("AuditorAccess", unseen.clone()));
    for action in ["s3:GetObject", "ec2:RunInstances"] {
        let answer = ask(&policies, action, Target::Any, None);
        assert_eq!(answer.decision, Decision::Depends);
        assert!(
            answer
                .depends_on
                .iter()
                .all(|atom| atom.key == "AuditorAccess#0")
        );
    }
    let mut bounded = identity(ALL);
    bounded.boundary = Some(AttachedPolicy::new("bound", unseen));
    assert_eq!(
        ask(&bounded, "s3:GetObject", Target::Any, None).decision,
        Decision::Depends
    );
}

#[test]
fn an_unknown_variable_in_a_resource_depends_only_where_it_could_fit() {
    let policies = identity(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/team}/*"}"#,
    );
    let target = Target::Exact("arn:aws:s3:::home/web/x");
    let answer = ask(&policies, "s3:GetObject", target, None);
    assert_eq!(answer.decision, Decision::Depends);
    let atom = &answer.depends_on[0];
    assert_eq!(
        (atom.operator.as_str(), atom.key.as_str()),
        ("Variable", "aws:PrincipalTag/team")
    );
    assert_eq!(atom.class, KeyClass::Fixed);
    let elsewhere = Target::Exact("arn:aws:s3:::other/web/x");
    assert_eq!(
        ask(&policies, "s3:GetObject", elsewhere, None).decision,
        Decision::Denied
    );
}

#[test]
fn some_resource_is_found_where_one_can_exist() {
    let decide = |statements: &str, target: Target<'_>| {
        ask(&identity(statements), "lambda:CreateFunction", target, None).decision
    };
    let named = r#"{"Effect":"Allow","Action":"lambda:Create*",
                    "Resource":"arn:aws:lambda:*:*:function:ci-*"}"#;
    let within = Target::Within("arn:aws:lambda:eu-west-1:111122223333:function:*");
    let other = Target::Within("arn:aws:lambda:eu-west-1:111122223333:function:web-*");
    assert_eq!(decide(named, Target::Any), Decision::Allowed);
    assert_eq!(decide(named, within), Decision::Allowed);
    assert_eq!(decide(named, other), Decision::Denied);
    assert_eq!(decide("", Target::Any), Decision::Denied);
    // A deny of everything, or of all that is allowed, leaves nothing.
    let all = format!(r#"{named},{{"Effect":"Deny","Action":"lambda:*","Resource":"*"}}"#);
    assert_eq!(decide(&all, Target::Any), Decision::Denied);
    let same = format!(
        r#"{named},{{"Effect":"Deny","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:c*"}}"#
    );
    assert_eq!(decide(&same, Target::Any), Decision::Denied);
    // A deny of a part leaves the rest.
    let part = format!(
        r#"{named},{{"Effect":"Deny","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:ci-x*"}}"#
    );
    assert_eq!(decide(&part, Target::Any), Decision::Allowed);
    // `NotResource` leaves something unless one of its patterns covers all that is asked about.
    let beside = r#"{"Effect":"Allow","Action":"*",
                     "NotResource":"arn:aws:lambda:*:*:function:web-*"}"#;
    assert_eq!(decide(beside, Target::Any), Decision::Allowed);
    assert_eq!(decide(beside, other), Decision::Denied);
}
