//! An access list lets anyone read a bucket.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::grants::{granted_to_public, is_ignored};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-public-read",
    title: "A bucket's access list lets anyone read it",
    why: "Its objects are listed and copied by whoever guesses the name; to be any AWS customer is no hurdle.",
    remedy: "Turn access lists off (`BucketOwnerEnforced`), and serve public files through CloudFront.",
    severity: Severity::High,
    posture: &["A25"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let granted = granted_to_public(bucket, &["READ", "READ_ACP", "FULL_CONTROL"]);
            match granted {
                None => Judged::unknown("aws s3api get-bucket-acl --bucket NAME"),
                Some(who) if who.is_empty() || is_ignored(scene, bucket) => Judged::pass(),
                Some(who) => Judged::fail(format!("granted to {}", who.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Acl": {"Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Acl": {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "1"}, "Permission": "FULL_CONTROL"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "PublicAccessBlock": {"IgnorePublicAcls": true}, "Acl": {"Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
