//! A policy of the account allows everything.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.administrator-policy",
    title: "A policy allows everything on everything",
    why: "Whoever steals a session of one of its holders has the whole account.",
    remedy: "Write a policy of what is needed; keep full administration to a few roles that are assumed for the task.",
    severity: Severity::High,
    posture: &["A15"],
    cis: &["1.16"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for policy in scene.of_kind(EntityKind::Policy) {
            let (document, holders) = scene.managed(&policy.id);
            let everything = document.is_some_and(allows_everything);
            let holders: Vec<_> = holders.iter().map(|holder| (*holder).clone()).collect();
            let judged = match (everything, holders.len()) {
                (false, _) => Judged::pass(),
                // It grants nothing while nobody has it.
                (true, 0) => Judged::fail("it is attached to nobody yet").graver(Severity::Low),
                (true, count) => Judged::fail(format!("holders: {count}")),
            };
            verdicts.of(policy, judged.on(holders));
        }
    },
    examples: &[
        fails(
            r#"{"Policies": [{"Arn": "arn:aws:iam::111122223333:policy/all", "PolicyName": "all", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}], "UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::111122223333:policy/all", "PolicyName": "all"}]}]}"#,
        ),
        passes(
            r#"{"Policies": [{"Arn": "arn:aws:iam::111122223333:policy/some", "PolicyName": "some", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}], "UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::111122223333:policy/some", "PolicyName": "some"}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};

/// Whether one statement allows every action on every resource. Conditions do not matter: they
/// narrow when, not what.
fn allows_everything(document: &str) -> bool {
    let all =
        |list: &[String], stars: &[&str]| list.iter().any(|entry| stars.contains(&entry.as_str()));
    crate::policy::statements(document).iter().any(|statement| {
        statement.allows
            && all(&statement.actions, &["*", "*:*"])
            && all(&statement.resources, &["*"])
    })
}
