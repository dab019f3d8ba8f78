//! Nobody may open a case with AWS.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.support-role",
    title: "Nobody is prepared to call AWS",
    why: "In an incident the first hour is lost on finding out who may open a case.",
    remedy: "Give AWSSupportAccess to a role that the responders can assume.",
    severity: Severity::Low,
    cis: &["1.17"],
    references: &["https://docs.aws.amazon.com/awssupport/latest/user/accessing-support.html"],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            if !scene.was_read(account, "aws.account-authorization-details") {
                continue;
            }
            let roles = scene.of_kind(EntityKind::Role);
            let mut own = roles.filter(|role| role.account == account.account);
            let prepared = own.any(|role| {
                let policies = scene.policies(&role.id).iter();
                let mut names = policies.map(|policy| policy.name);
                names.any(|name| name.ends_with(":policy/AWSSupportAccess"))
            });
            let otherwise = "no role has AWSSupportAccess";
            verdicts.of(account, Judged::holds(Some(prepared), otherwise, ""));
        }
    },
    examples: &[
        fails(
            r#"{"RoleDetailList": [{"RoleName": "dev", "Arn": "arn:aws:iam::111122223333:role/dev", "AssumeRolePolicyDocument": {"Statement": []}, "AttachedManagedPolicies": []}]}"#,
        ),
        passes(
            r#"{"RoleDetailList": [{"RoleName": "support", "Arn": "arn:aws:iam::111122223333:role/support", "AssumeRolePolicyDocument": {"Statement": []}, "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/AWSSupportAccess", "PolicyName": "AWSSupportAccess"}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
