//! A person may write to a web origin.

use portreeve_graph::JewelKind;
use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::Holders;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.web-origin-writer",
    title: "A person may write to a web origin",
    why: "A developer's stolen session is then all that it takes to serve signers another page.",
    remedy: "Let the pipeline's role alone write; deny the rest in the bucket's policy.",
    severity: Severity::Critical,
    posture: &["A06"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for origin in scene.jewels(JewelKind::WebOrigin) {
            let writers = scene.graph.writers(origin.id.as_str());
            let mut who = Holders {
                unseen: !scene.are_policies_seen(origin),
                ..Holders::default()
            };
            for id in writers.into_iter().map(|step| step.from) {
                match scene
                    .estate
                    .get(id.as_str())
                    .map(|entity| scene.is_person(entity))
                {
                    Some(Some(true)) => who.allowed.push(id),
                    Some(None) => who.unclear.push(id),
                    _ => {}
                }
            }
            for list in [&mut who.allowed, &mut who.unclear] {
                list.sort();
                list.dedup();
            }
            verdicts.of(origin, Judged::nobody(who, "may write to it"));
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Policy": null}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Policy": null}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "read", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        unknown(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Policy": null}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}]"#,
        ),
    ],
    ..Check::DEFAULT
};
