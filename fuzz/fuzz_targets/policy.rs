//! Any bytes as a policy: reading and evaluating them never panics, and what cannot be read never
//! decides.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use portreeve_authz::Decision;
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};

const CALLERS: &[&str] = &[
    "arn:aws:iam::111122223333:user/anna",
    "arn:aws:iam::111122223333:role/ci/deploy",
    "arn:aws:sts::444455556666:assumed-role/deploy/build",
    "lambda.amazonaws.com",
    "*",
];

const QUESTIONS: &[(&str, Target<'static>)] = &[
    (
        "s3:GetObject",
        Target::Exact("arn:aws:s3:::web-prod/app.js"),
    ),
    ("s3:ListAllMyBuckets", Target::Exact("*")),
    ("lambda:CreateFunction", Target::Any),
    ("s3:PutObject", Target::Within("arn:aws:s3:::web-prod/*")),
    (
        "sts:AssumeRole",
        Target::Exact("arn:aws:iam::111122223333:role/admin"),
    ),
    (
        "kms:Sign",
        Target::Exact("arn:aws:kms:eu-west-1:111122223333:key/1"),
    ),
];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let document = Arc::new(Document::parse_lenient(text));
    let strict = Document::parse(text);
    assert_eq!(strict.is_ok(), document.defects().is_empty());

    let attached = || AttachedPolicy::new("fuzzed", document.clone());
    let sides = [
        PrincipalPolicies {
            identity: vec![attached()],
            ..PrincipalPolicies::default()
        },
        PrincipalPolicies {
            identity: vec![attached()],
            boundary: Some(attached()),
            session: vec![attached()],
            scps: vec![vec![attached()]],
            ..PrincipalPolicies::default()
        },
    ];
    for (action, target) in QUESTIONS {
        let kind = match action.split(':').next() {
            Some("sts") => ResourcePolicyKind::RoleTrust,
            Some("kms") => ResourcePolicyKind::KmsKey,
            _ => ResourcePolicyKind::Ordinary,
        };
        let resource = ResourcePolicies {
            policy: Some(attached()),
            kind,
            account: Some("111122223333".to_owned()),
            rcps: vec![vec![attached()]],
            ..ResourcePolicies::default()
        };
        for caller in CALLERS {
            let Some(caller) = Caller::from_arn(caller) else {
                continue;
            };
            for absent in [Absent::Unknown, Absent::Absent] {
                let context = Context::new(absent).with("aws:SourceIp", "203.0.113.7");
                let request = Request {
                    principal: &caller,
                    action,
                    target: *target,
                    context: &context,
                };
                for principal in &sides {
                    // The plain side stands alone, the full one against the resource's.
                    let full = principal.boundary.is_some();
                    let resource = full.then_some(&resource);
                    let answer = evaluate(&request, principal, resource);
                    let depends = answer.decision == Decision::Depends;
                    assert_eq!(depends, !answer.depends_on.is_empty());
                }
            }
        }
    }
});
