//! Log files are readable for whoever may read the bucket.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::trails::trails;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-encryption",
    title: "A trail's log files are not under a key of one's own",
    why: "Logs tell an intruder who works when, from where, with which roles; a key's policy says who may read them.",
    remedy: "Encrypt the trail with a KMS key whose policy names the readers.",
    severity: Severity::Low,
    posture: &["A26"],
    cis: &["3.5"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        verdicts.each(trails(scene), |trail| {
            // `describe-trails` leaves the key out where there is none.
            let listed = text(trail, "IsMultiRegionTrail").is_some();
            let key = text(trail, "KmsKeyId").or(listed.then_some("none"));
            let missing = "aws cloudtrail describe-trails";
            Judged::holds(key.map(|key| key != "none"), "no KMS key is set", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true, "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1"}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": []}"#,
        ),
    ],
    ..Check::DEFAULT
};
