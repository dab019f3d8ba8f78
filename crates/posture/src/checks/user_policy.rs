//! A policy is attached to a user, not to a group.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.user-policy",
    title: "A user has policies of its own",
    why: "What is granted person by person is reviewed by nobody, and stays when the task is done.",
    remedy: "Move the permissions to a group or a role, and detach the user's own policies.",
    severity: Severity::Low,
    cis: &["1.15"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for user in scene.of_kind(EntityKind::User) {
            if !scene.are_policies_seen(user) {
                continue;
            }
            let own: Vec<&str> = scene
                .policies_of(&user.id, PolicyLayer::Identity)
                .map(|policy| policy.name)
                .collect();
            let judged = match own.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("its own policies: {}", own.join(", "))),
            };
            verdicts.of(user, judged);
        }
    },
    examples: &[
        fails(
            r#"{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "PolicyName": "ReadOnlyAccess"}]}]}"#,
        ),
        passes(
            r#"{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "GroupList": ["dev"], "AttachedManagedPolicies": []}], "GroupDetailList": [{"GroupName": "dev", "Arn": "arn:aws:iam::111122223333:group/dev", "AttachedManagedPolicies": []}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
