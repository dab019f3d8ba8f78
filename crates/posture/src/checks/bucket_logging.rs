//! Access to a bucket is not logged.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-logging",
    title: "Access to a bucket is not logged",
    why: "Who read and wrote its objects cannot be told afterwards, unless CloudTrail's data events are on for it.",
    remedy: "Turn on server access logging, or data events for the bucket.",
    severity: Severity::Low,
    posture: &["A08"],
    cis: &["3.4"],
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html"],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let on = text(bucket, "Logging").map(|state| state == "given");
            let missing = "aws s3api get-bucket-logging --bucket NAME";
            Judged::holds(on, "server access logging is off", missing)
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Logging": null}]}"#),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Logging": {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
