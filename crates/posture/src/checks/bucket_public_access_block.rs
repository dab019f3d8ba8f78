//! S3's own lock against opening a bucket is off.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, text};
use crate::verdicts::Judged;

const FLAGS: [&str; 4] = [
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
];

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-public-access-block",
    title: "A bucket can be opened to the public",
    why: "One wrong policy or access list, and anyone reads or writes it; the block makes that mistake without effect.",
    remedy: "Turn on all four settings of the public access block, on the account or the bucket.",
    severity: Severity::Medium,
    posture: &["A25"],
    cis: &["2.1.4"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let on_account = scene.account_of(bucket);
            let known = text(bucket, "PublicAccessBlock").is_some();
            let off: Vec<&str> = FLAGS
                .into_iter()
                .filter(|name| {
                    let account = on_account.and_then(|account| flag(account, name));
                    flag(bucket, name) != Some(true) && account != Some(true)
                })
                .collect();
            match (off.is_empty(), known) {
                (true, _) => Judged::pass(),
                (false, true) => Judged::fail(format!("off: {}", off.join(", "))),
                (false, false) => {
                    Judged::unknown("aws s3api get-public-access-block --bucket NAME")
                }
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "PublicAccessBlock": null}]}"#,
        ),
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "PublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": false, "RestrictPublicBuckets": true}}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "PublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "PublicAccessBlock": null}], "AccountPublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
