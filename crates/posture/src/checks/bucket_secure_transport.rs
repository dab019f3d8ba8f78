//! A bucket answers over plain HTTP.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::policy::Statement;
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-secure-transport",
    title: "A bucket answers over plain HTTP",
    why: "On the way what is loaded can be read, and changed.",
    remedy: "Deny every request of which `aws:SecureTransport` is false.",
    severity: Severity::Low,
    posture: &["A09"],
    cis: &["2.1.1"],
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
            let denied = policies.any(|policy| policy.statements().iter().any(denies_plain));
            Judged::holds(Some(denied), "no statement denies plain HTTP", "")
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": null}]}"#),
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::web", "arn:aws:s3:::web/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};

fn denies_plain(statement: &Statement) -> bool {
    let off = statement.wanted("aws:securetransport").contains(&"false");
    // An older protocol than TLS 1.2 is denied by the same statement where its version is asked.
    !statement.allows && statement.is_for_anyone() && statement.covers("s3:GetObject") && off
}
