//! Nobody logs who writes a bucket's objects.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::trails::are_objects_selected;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.object-write-events",
    title: "Writing to a bucket's objects leaves no record",
    why: "A file that is swapped on a web origin shows in no log of management events.",
    remedy: "Select S3 data events that write, for all buckets or at least for web origins, releases and wallets.",
    severity: Severity::Medium,
    posture: &["A08"],
    cis: &["3.8"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let selected = are_objects_selected(scene, bucket, true);
            let missing = "aws cloudtrail describe-trails and get-event-selectors";
            let judged = Judged::holds(selected, "no trail selects them", missing);
            match scene.jewel(&bucket.id) {
                Some(_) => judged.graver(Severity::Critical),
                None => judged,
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::web/"]}]}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}, {"Field": "readOnly", "Equals": ["false"]}]}]}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
