//! A bucket keeps no former versions.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-versioning",
    title: "A bucket keeps no former versions",
    why: "What an intruder overwrites or deletes is gone, and with it the proof of what was there.",
    remedy: "Turn versioning on.",
    severity: Severity::Medium,
    posture: &["A07"],
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let on = text(bucket, "Versioning").map(|state| state.eq_ignore_ascii_case("Enabled"));
            let missing = "aws s3api get-bucket-versioning --bucket NAME";
            let judged = Judged::holds(on, "versioning is off", missing);
            judged.graver(scene.severity_on(bucket, CHECK.severity))
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Versioning": null}]}"#),
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Versioning": {"Status": "Suspended"}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Versioning": {"Status": "Enabled"}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
