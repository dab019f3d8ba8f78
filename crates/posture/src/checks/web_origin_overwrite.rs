//! What a web origin serves can be overwritten for good.

use portreeve_graph::JewelKind;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.web-origin-overwrite",
    title: "A web origin's files can be replaced without a trace",
    why: "Signers load what lies there: a script that is swapped for an hour and swapped back is how wallets were emptied.",
    remedy: "Keep versions, and lock them with Object Lock or MFA delete; deploy under new names only.",
    severity: Severity::High,
    posture: &["A07"],
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        let origins = scene.jewels(JewelKind::WebOrigin);
        let origins = origins.filter(|origin| origin.kind == EntityKind::Bucket);
        for origin in origins {
            let on = |name, wanted: &[&str]| Some(wanted.contains(&text(origin, name)?));
            let versions = on("Versioning", &["Enabled"]);
            let locked = on("ObjectLock", &["COMPLIANCE", "GOVERNANCE"]);
            let factor = on("MFADelete", &["Enabled"]);
            let judged = match (versions, locked, factor) {
                (Some(true), Some(true), _) | (Some(true), _, Some(true)) => Judged::pass(),
                (Some(false), _, _) => Judged::fail("former versions are not kept"),
                (Some(true), Some(false), Some(false)) => {
                    Judged::fail("versions can be deleted: neither Object Lock nor MFA delete")
                }
                _ => Judged::unknown(
                    "aws s3api get-bucket-versioning and get-object-lock-configuration --bucket NAME",
                ),
            };
            verdicts.of(origin, judged);
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Versioning": {"Status": "Enabled"}, "ObjectLock": null}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}], "Versioning": {"Status": "Enabled"}, "ObjectLock": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
