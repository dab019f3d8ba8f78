//! A trail's events reach no alarm.

use portreeve_model::Severity;

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::text;
use crate::trails::trails;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-log-group",
    title: "A trail's events do not reach CloudWatch Logs",
    why: "Files in a bucket come a quarter of an hour late; alarms need the stream.",
    remedy: "Send the trail to a log group, or its events to the SIEM by EventBridge.",
    severity: Severity::Low,
    posture: &["A26"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html",
    ],
    needs: &["aws.trails"],
    limits: &[Limit {
        name: "days",
        default: 1,
        meaning: "days within which the last event must have been delivered",
    }],
    judge: |scene, verdicts| {
        let days = scene.limit(CHECK.id, "days");
        verdicts.each(trails(scene), |trail| {
            let listed = text(trail, "IsMultiRegionTrail").is_some();
            let group = text(trail, "CloudWatchLogsLogGroupArn").or(listed.then_some("none"));
            match (
                group,
                text(trail, "Status.LatestCloudWatchLogsDeliveryTime"),
            ) {
                (None, _) => Judged::unknown("aws cloudtrail describe-trails"),
                (Some("none"), _) => Judged::fail("no log group is set"),
                (Some(_), None) => Judged::unknown("aws cloudtrail get-trail-status --name ARN"),
                (Some(_), Some("none")) => {
                    Judged::fail("nothing was delivered to its log group yet")
                }
                (Some(_), Some(time)) => match scene.days_since(time) {
                    None => Judged::unknown("a time of the last delivery"),
                    Some(ago) if ago <= days => Judged::pass(),
                    Some(ago) => Judged::fail(format!("nothing was delivered for {ago} days")),
                },
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true, "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*", "Status": {"IsLogging": true, "LatestCloudWatchLogsDeliveryTime": "2026-02-28T23:00:00Z"}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true, "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
