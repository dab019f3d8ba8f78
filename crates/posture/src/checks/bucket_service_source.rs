//! A service may use a bucket on behalf of anyone.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

/// Condition keys that say on whose behalf the service calls.
const SOURCES: [&str; 5] = [
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
];

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-service-source",
    title: "A service may use a bucket on behalf of anyone",
    why: "A stranger's trail or job in the same service writes to the bucket: the service is the confused deputy.",
    remedy: "Add `aws:SourceAccount` or `aws:SourceArn` to the statement that lets the service in.",
    severity: Severity::Medium,
    posture: &["A13"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            if text(bucket, "Policy").is_none_or(|policy| policy == "unreadable") {
                return Judged::unknown("aws s3api get-bucket-policy --bucket NAME");
            }
            let mut loose: Vec<String> = Vec::new();
            for policy in scene.policies_of(&bucket.id, PolicyLayer::Resource) {
                for statement in policy.statements() {
                    if statement.allows && !statement.is_on_any(&SOURCES) {
                        loose.extend(statement.of_type("Service").map(str::to_owned));
                    }
                }
            }
            match loose.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("without a source: {}", loose.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "logs", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "logs", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
