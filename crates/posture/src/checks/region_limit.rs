//! Nothing above an account closes the regions that it does not use.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};

pub(super) const CHECK: Check = Check {
    id: "aws.region-limit",
    title: "No organization policy closes unused regions",
    why: "Where nobody works nobody looks, and quotas of every region are there to be spent.",
    remedy: "Deny by `aws:RequestedRegion` in a service control policy what is outside the regions in use.",
    severity: Severity::Medium,
    posture: &["A28", "A32"],
    references: &[
        "https://docs.aws.amazon.com/controltower/latest/controlreference/primary-region-deny-policy.html",
    ],
    needs: &["aws.organizations"],
    judge: |scene, verdicts| crate::guardrails::regions(scene, verdicts),
    examples: &[
        fails(
            r#"{"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-ab12"}], "Accounts": [{"Id": "444455556666", "Arn": "arn:aws:organizations::111122223333:account/o-1/444455556666", "ParentId": "r-ab12"}], "Policies": []}"#,
        ),
        passes(
            r#"{"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-ab12"}], "Accounts": [{"Id": "444455556666", "Arn": "arn:aws:organizations::111122223333:account/o-1/444455556666", "ParentId": "r-ab12"}], "Policies": [{"PolicySummary": {"Id": "p-1", "Arn": "arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1", "Name": "regions", "Type": "SERVICE_CONTROL_POLICY"}, "Content": "{\"Statement\":[{\"Effect\":\"Deny\",\"NotAction\":[\"iam:*\",\"sts:*\"],\"Resource\":\"*\",\"Condition\":{\"StringNotEquals\":{\"aws:RequestedRegion\":[\"eu-west-1\"]}}}]}", "Targets": [{"TargetId": "r-ab12", "Type": "ROOT"}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
