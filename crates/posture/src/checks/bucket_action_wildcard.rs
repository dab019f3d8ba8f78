//! A bucket's policy grants actions by pattern.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-action-wildcard",
    title: "A bucket's policy grants every S3 action",
    why: "With the data comes the power over it: to change the policy, turn versioning off, delete.",
    remedy: "List the actions that are needed.",
    severity: Severity::Medium,
    posture: &["A06"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            if text(bucket, "Policy").is_none_or(|policy| policy == "unreadable") {
                return Judged::unknown("aws s3api get-bucket-policy --bucket NAME");
            }
            let mut policies = scene.policies_of(&bucket.id, PolicyLayer::Resource);
            let wide = policies.any(|policy| {
                let statements = policy.statements();
                statements.iter().any(|one| {
                    let mut actions = one.actions.iter();
                    let all =
                        actions.any(|action| action == "*" || action.eq_ignore_ascii_case("s3:*"));
                    one.allows && (all || !one.not_actions.is_empty())
                })
            });
            Judged::holds(Some(!wide), "a statement allows `s3:*`", "")
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
