//! Nobody logs who reads a bucket's objects.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::trails::are_objects_selected;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.object-read-events",
    title: "Reading a bucket's objects leaves no record",
    why: "\"Did they take it?\" has no answer without them.",
    remedy: "Select S3 data events that read for buckets whose content matters.",
    severity: Severity::Low,
    posture: &["A08"],
    cis: &["3.9"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let selected = are_objects_selected(scene, bucket, false);
            let missing = "aws cloudtrail describe-trails and get-event-selectors";
            Judged::holds(selected, "no trail selects them", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
