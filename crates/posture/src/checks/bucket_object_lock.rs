//! Versions of objects are not locked.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-object-lock",
    title: "Versions of objects can be deleted by whoever may delete",
    why: "Logs and releases that nobody can delete for a time stand, whoever the intruder became.",
    remedy: "Make buckets of logs and releases with Object Lock in compliance mode, with a default retention.",
    severity: Severity::Low,
    posture: &["A07", "A26"],
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            match text(bucket, "ObjectLock") {
                None => Judged::unknown("aws s3api get-object-lock-configuration --bucket NAME"),
                Some("COMPLIANCE") => Judged::pass(),
                Some("GOVERNANCE") => Judged::fail("in governance mode, which a permission lifts"),
                Some("none") => Judged::fail("Object Lock is off"),
                Some(_) => Judged::fail("Object Lock is on, without a default retention"),
            }
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "ObjectLock": null}]}"#),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "ObjectLock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}}}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
