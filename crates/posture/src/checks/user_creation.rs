//! Nothing above an account stops new users and keys.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};

pub(super) const CHECK: Check = Check {
    id: "aws.user-creation",
    title: "No organization policy stops new users and keys",
    why: "A user with a key is how an intruder stays when every session has died.",
    remedy: "Deny `iam:CreateUser` and `iam:CreateAccessKey` by a service control policy, but for a role that may.",
    severity: Severity::Medium,
    posture: &["A28"],
    references: &[
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples.html",
    ],
    needs: &["aws.organizations"],
    judge: |scene, verdicts| {
        let actions = ["iam:CreateUser", "iam:CreateAccessKey"];
        crate::guardrails::denied(scene, verdicts, &actions);
    },
    examples: &[
        fails(
            r#"{"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-ab12"}], "Accounts": [{"Id": "444455556666", "Arn": "arn:aws:organizations::111122223333:account/o-1/444455556666", "ParentId": "r-ab12"}], "Policies": []}"#,
        ),
        passes(
            r#"{"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-ab12"}], "Accounts": [{"Id": "444455556666", "Arn": "arn:aws:organizations::111122223333:account/o-1/444455556666", "ParentId": "r-ab12"}], "Policies": [{"PolicySummary": {"Id": "p-1", "Arn": "arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1", "Name": "users", "Type": "SERVICE_CONTROL_POLICY"}, "Content": "{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"iam:CreateUser\",\"iam:CreateAccessKey\"],\"Resource\":\"*\"}]}", "Targets": [{"TargetId": "r-ab12", "Type": "ROOT"}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
