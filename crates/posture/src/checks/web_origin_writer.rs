//! A person may write to a web origin.

use portreeve_graph::JewelKind;
use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.web-origin-writer",
    title: "A person may write to a web origin",
    why: "A developer's stolen session is then all that it takes to serve signers another page.",
    remedy: "Let the pipeline's role alone write; deny the rest in the bucket's policy.",
    severity: Severity::Critical,
    posture: &["A06"],
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html"],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for origin in scene.jewels(JewelKind::WebOrigin) {
            let writers = scene.graph.writers(origin.id.as_str());
            let mut people: Vec<_> = writers
                .into_iter()
                .map(|step| step.from)
                .filter(|who| scene.is_human(who))
                .collect();
            people.sort();
            people.dedup();
            let judged = match people.as_slice() {
                [] => Judged::pass(),
                [one] => Judged::fail(format!("{} may write", one.short_name())),
                [first, rest @ ..] => Judged::fail(format!(
                    "{} and {} more people and roles of people may write",
                    first.short_name(),
                    rest.len()
                )),
            };
            verdicts.of(origin, judged.on(people));
        }
    },
    examples: &[
        fails(r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Policy": null}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#),
        passes(r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Policy": null}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "read", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#),
    ],
    ..Check::DEFAULT
};
