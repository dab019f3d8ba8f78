//! Versions of objects can be deleted without a second factor.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-mfa-delete",
    title: "Versions can be deleted without a second factor",
    why: "An intruder with a stolen session replaces a file, and removes the version that would show it.",
    remedy: "Turn on MFA delete, or lock versions with Object Lock.",
    severity: Severity::Low,
    posture: &["A07"],
    cis: &["2.1.2"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let enabled =
                text(bucket, "MFADelete").map(|state| state.eq_ignore_ascii_case("Enabled"));
            let missing = "aws s3api get-bucket-versioning --bucket NAME";
            Judged::holds(enabled, "MFA delete is off", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Versioning": {"Status": "Enabled"}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Versioning": {"Status": "Enabled", "MFADelete": "Enabled"}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
