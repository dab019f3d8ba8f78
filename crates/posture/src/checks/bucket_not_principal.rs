//! A bucket's policy allows everyone but some.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-not-principal",
    title: "A bucket's policy allows everyone but some",
    why: "`Allow` with `NotPrincipal` lets in everyone in the world who is not named, and anonymous callers too.",
    remedy: "Name those who may in `Principal`.",
    severity: Severity::High,
    posture: &["A25"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            if text(bucket, "Policy").is_none_or(|policy| policy == "unreadable") {
                return Judged::unknown("aws s3api get-bucket-policy --bucket NAME");
            }
            let mut policies = scene.policies_of(&bucket.id, PolicyLayer::Resource);
            let found = policies.any(|policy| {
                let statements = policy.statements();
                statements
                    .iter()
                    .any(|one| one.allows && one.not_principals)
            });
            Judged::holds(Some(!found), "a statement allows with `NotPrincipal`", "")
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/ana"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/ana"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
