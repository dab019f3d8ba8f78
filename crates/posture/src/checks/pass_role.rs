//! A role of any name may be given to a service.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.pass-role",
    title: "A principal may pass any role to any service",
    why: "Whoever starts a machine, a job or a function with the account's strongest role has that role.",
    remedy: "Name the roles in `Resource`, and the service in `iam:PassedToService`.",
    severity: Severity::High,
    posture: &["A16"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for principal in scene.principals() {
            let of_service = principal.id.as_str().contains(":role/aws-service-role/");
            if scene.is_administrator(&principal.id) || of_service {
                continue;
            }
            let policies = scene.identity_policies(&principal.id);
            let wide = policies.iter().find(|policy| {
                let statements = policy.statements();
                statements.iter().any(|statement| {
                    statement.allows
                        && statement.covers("iam:PassRole")
                        && statement.is_for_everything()
                        && !statement
                            .is_on_any(&["iam:passedtoservice", "iam:associatedresourcearn"])
                })
            });
            let judged = match wide {
                None => Judged::pass(),
                Some(policy) => Judged::fail(format!("by {}", policy.name)),
            };
            verdicts.of(principal, judged);
        }
    },
    examples: &[
        fails(
            r#"{"UserDetailList": [{"UserName": "ci", "Arn": "arn:aws:iam::111122223333:user/ci", "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "iam:Pass*", "Resource": "*"}]}}]}]}"#,
        ),
        passes(
            r#"{"UserDetailList": [{"UserName": "ci", "Arn": "arn:aws:iam::111122223333:user/ci", "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}]}}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
