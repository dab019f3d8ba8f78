//! Nobody logs who writes a bucket's objects.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::trails::{is_logging, selects_objects, trails};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.object-write-events",
    title: "Writing to a bucket's objects leaves no record",
    why: "A file that is swapped on a web origin shows in no log of management events.",
    remedy: "Select S3 data events that write, for all buckets or at least for web origins, releases and wallets.",
    severity: Severity::Medium,
    posture: &["A08"],
    cis: &["3.8"],
    references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html"],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        let logging: Vec<_> = trails(scene).filter(|trail| is_logging(trail)).collect();
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            let account = scene.account_of(bucket);
            let read = account.is_some_and(|account| scene.was_read(account, "aws.trails"));
            let known = logging.iter().map(|trail| selects_objects(trail, bucket.id.as_str(), true));
            let known: Vec<Option<bool>> = known.collect();
            let selected = if known.contains(&Some(true)) {
                Some(true)
            } else if known.contains(&None) || !(read || !known.is_empty()) {
                None
            } else {
                Some(false)
            };
            let missing = "aws cloudtrail describe-trails and get-event-selectors";
            let judged = Judged::holds(selected, "no trail selects them", missing);
            match scene.jewel(&bucket.id) {
                Some(_) => judged.graver(Severity::Critical),
                None => judged,
            }
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]}]}"#),
        passes(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::web/"]}]}]}]}"#),
        passes(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}, {"Field": "readOnly", "Equals": ["false"]}]}]}]}"#),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
