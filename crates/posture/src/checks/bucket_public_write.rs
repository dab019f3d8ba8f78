//! An access list lets anyone write to a bucket.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::grants::{granted_to_public, is_ignored};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-public-write",
    title: "A bucket's access list lets anyone write to it",
    why: "Whoever writes to it puts code where visitors load it, or rewrites who may do so.",
    remedy: "Turn access lists off (`BucketOwnerEnforced`), and let a role of the pipeline alone write.",
    severity: Severity::Critical,
    posture: &["A06", "A25"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let granted = granted_to_public(bucket, &["WRITE", "WRITE_ACP", "FULL_CONTROL"]);
            match granted {
                None => Judged::unknown("aws s3api get-bucket-acl --bucket NAME"),
                Some(who) if who.is_empty() || is_ignored(scene, bucket) => Judged::pass(),
                Some(who) => Judged::fail(format!("granted to {}", who.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Acl": {"Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}, "Permission": "WRITE"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Acl": {"Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "WRITE"}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
