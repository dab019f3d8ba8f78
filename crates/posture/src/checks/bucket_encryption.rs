//! A bucket has no default encryption.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-encryption",
    title: "A bucket has no default encryption",
    why: "With a key of one's own, to read the bucket is not enough to read what is in it.",
    remedy: "Set default encryption, with a KMS key for what is worth one.",
    severity: Severity::Low,
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html"],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let set = text(bucket, "Encryption").map(|state| state == "given");
            let missing = "aws s3api get-bucket-encryption --bucket NAME";
            Judged::holds(set, "no default encryption is set", missing)
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Encryption": null}]}"#),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Encryption": {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
