//! Someone may make himself administrator.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.escalation",
    title: "A principal may make itself administrator",
    why: "Its permissions look small; passing a role, changing a policy or a function's code makes them all.",
    remedy: "Take away the permission that the first step uses, or bind it to named roles and functions.",
    severity: Severity::High,
    posture: &["A16"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for principal in scene.principals() {
            // An administrator need not make himself one, and AWS's own roles are AWS's to use.
            let of_service = principal.id.as_str().contains(":role/aws-service-role/");
            if scene.is_administrator(&principal.id) || of_service {
                continue;
            }
            let path = scene.graph.path_to_administrator(principal.id.as_str());
            let judged = match path {
                None => Judged::pass(),
                Some(path) => {
                    let steps = path.steps.iter().map(|step| step.title.as_str());
                    let steps: Vec<&str> = steps.collect();
                    let given = match path.conditions.is_empty() {
                        true => String::new(),
                        false => format!(", if {}", path.conditions.join(", ")),
                    };
                    Judged::fail(format!("{}{given}", steps.join(", then ")))
                }
            };
            verdicts.of(principal, judged);
        }
    },
    examples: &[
        fails(
            r#"{"UserDetailList": [{"UserName": "ci", "Arn": "arn:aws:iam::111122223333:user/ci", "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*"}]}}]}]}"#,
        ),
        passes(
            r#"{"UserDetailList": [{"UserName": "ci", "Arn": "arn:aws:iam::111122223333:user/ci", "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}]}}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
