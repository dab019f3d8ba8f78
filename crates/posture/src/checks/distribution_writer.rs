//! A person may change what a distribution serves.

use portreeve_graph::Circumstances;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.distribution-writer",
    title: "A person may change what a distribution serves",
    why: "With another origin, or a function at the edge, visitors get another page, and the bucket stays untouched.",
    remedy: "Leave `cloudfront:UpdateDistribution` and the functions to the pipeline's role.",
    severity: Severity::High,
    posture: &["A10"],
    references: &[
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/security_iam_service-with-iam.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for distribution in scene.of_kind(EntityKind::Distribution) {
            let who = scene.people_who_may(
                &["cloudfront:UpdateDistribution"],
                distribution.id.as_str(),
                &Circumstances::default(),
            );
            verdicts.of(distribution, Judged::nobody(who, "may change it"));
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "DistributionList": {"Items": [{"ARN": "arn:aws:cloudfront::111122223333:distribution/E1"}]}}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "edge", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "cloudfront:*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "DistributionList": {"Items": [{"ARN": "arn:aws:cloudfront::111122223333:distribution/E1"}]}}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "edge", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "cloudfront:Get*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}]"#,
        ),
    ],
    ..Check::DEFAULT
};
