//! Prints how many decisions a second one core makes over an estate of 1,000 principals.
//!
//! `cargo bench -p portreeve-authz`

#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use portreeve_authz::Decision;
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};

const SERVICES: &[&str] = &[
    "s3", "ec2", "lambda", "iam", "sqs", "kms", "logs", "ecr", "sts",
];

/// A policy of the size and mixture that accounts hold.
fn document(seed: usize) -> Document {
    let statements: Vec<String> = (0..3 + seed % 8)
        .map(|index| {
            let service = SERVICES[(seed * 7 + index * 3) % SERVICES.len()];
            let resource = match index % 3 {
                0 => "*".to_owned(),
                1 => format!("arn:aws:{service}:*:111122223333:team-{seed}/*"),
                _ => format!("arn:aws:{service}:::team-{seed}-*/${{aws:username}}/*"),
            };
            let condition = match index % 4 {
                3 => r#","Condition":{"StringEquals":{"aws:PrincipalTag/team":"web"}}"#,
                _ => "",
            };
            format!(
                r#"{{"Effect":"Allow","Action":["{service}:Get*","{service}:List*","{service}:Describe*",
                    "{service}:Put{index}*"],"Resource":"{resource}"{condition}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    Document::parse(&text).expect("the benchmark's own policies are valid")
}

fn main() {
    let documents: Vec<Arc<Document>> = (0..200).map(|seed| Arc::new(document(seed))).collect();
    let guard = Arc::new(
        Document::parse(
            r#"{"Version":"2012-10-17","Statement":[
                {"Effect":"Allow","Action":"*","Resource":"*"},
                {"Effect":"Deny","Action":["organizations:*","iam:DeleteRole"],"Resource":"*"}]}"#,
        )
        .expect("the benchmark's own policies are valid"),
    );
    let principals: Vec<(Caller, PrincipalPolicies)> = (0..1000)
        .map(|index| {
            let arn = format!("arn:aws:iam::111122223333:user/user-{index}");
            let caller = Caller::from_arn(&arn).expect("the ARN of a user");
            let identity = (0..4)
                .map(|nth| {
                    let document = &documents[(index * 13 + nth * 29) % documents.len()];
                    AttachedPolicy::new(format!("policy-{nth}"), document.clone())
                })
                .collect();
            let scp = || vec![AttachedPolicy::new("guard", guard.clone())];
            let scps = vec![scp(), scp()];
            (
                caller,
                PrincipalPolicies {
                    identity,
                    scps,
                    ..PrincipalPolicies::default()
                },
            )
        })
        .collect();
    let trust = Document::parse(
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#,
    )
    .expect("the benchmark's own policies are valid");
    let role = ResourcePolicies {
        policy: Some(AttachedPolicy::new("trust", trust)),
        kind: ResourcePolicyKind::RoleTrust,
        ..ResourcePolicies::default()
    };
    let questions = [
        (
            "s3:GetObject",
            Target::Exact("arn:aws:s3:::team-7-web/user-3/app.js"),
            None,
        ),
        (
            "s3:PutObject",
            Target::Within("arn:aws:s3:::web-prod/*"),
            None,
        ),
        ("lambda:UpdateFunctionCode", Target::Any, None),
        (
            "iam:PassRole",
            Target::Exact("arn:aws:iam::111122223333:role/admin"),
            None,
        ),
        ("kms:DescribeKey", Target::Exact("*"), None),
        (
            "sts:AssumeRole",
            Target::Exact("arn:aws:iam::111122223333:role/admin"),
            Some(&role),
        ),
    ];
    let context = Context::new(Absent::Unknown);
    let mut counts = [0_usize; 3];
    let start = Instant::now();
    for _ in 0..50 {
        for (caller, policies) in &principals {
            for (action, target, resource) in &questions {
                let request = Request {
                    principal: caller,
                    action,
                    target: *target,
                    context: &context,
                };
                let decision = evaluate(&request, policies, *resource).decision;
                counts[match decision {
                    Decision::Allowed => 0,
                    Decision::Denied => 1,
                    Decision::Depends => 2,
                }] += 1;
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let [allowed, denied, depends] = counts;
    let decisions = allowed + denied + depends;
    println!(
        "{decisions} decisions in {seconds:.2} s: {:.0} a second \
         ({allowed} allowed, {denied} denied, {depends} depend)",
        decisions as f64 / seconds
    );
}
