//! Nothing above an account keeps its logs on.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};

pub(super) const CHECK: Check = Check {
    id: "aws.log-protection",
    title: "No organization policy keeps an account's logs on",
    why: "Whoever becomes administrator of the account turns the recorders off, and takes the account away.",
    remedy: "Deny stopping of CloudTrail, GuardDuty and Config, and `organizations:LeaveOrganization`, by a service control policy.",
    severity: Severity::High,
    posture: &["A28"],
    references: &[
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples.html",
    ],
    needs: &["aws.organizations"],
    judge: |scene, verdicts| {
        crate::guardrails::denied(
            scene,
            verdicts,
            &[
                "cloudtrail:StopLogging",
                "cloudtrail:DeleteTrail",
                "guardduty:DeleteDetector",
                "config:StopConfigurationRecorder",
                "organizations:LeaveOrganization",
            ],
        );
    },
    examples: &[
        fails(
            r#"{"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-ab12"}], "Accounts": [{"Id": "444455556666", "Arn": "arn:aws:organizations::111122223333:account/o-1/444455556666", "ParentId": "r-ab12"}], "Policies": []}"#,
        ),
        passes(
            r#"{"Roots": [{"Id": "r-ab12", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-ab12"}], "Accounts": [{"Id": "444455556666", "Arn": "arn:aws:organizations::111122223333:account/o-1/444455556666", "ParentId": "r-ab12"}], "Policies": [{"PolicySummary": {"Id": "p-1", "Arn": "arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1", "Name": "logs", "Type": "SERVICE_CONTROL_POLICY"}, "Content": "{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":[\"cloudtrail:Stop*\",\"cloudtrail:Delete*\",\"guardduty:Delete*\",\"config:Stop*\",\"organizations:LeaveOrganization\"],\"Resource\":\"*\"}]}", "Targets": [{"TargetId": "r-ab12", "Type": "ROOT"}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
