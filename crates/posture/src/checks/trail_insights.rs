//! Unusual numbers of calls are told by nobody.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, items, json};
use crate::trails::trails;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-insights",
    title: "A trail does not tell unusual numbers of calls",
    why: "An intruder who lists everything at once stands out by the rate of his calls and errors.",
    remedy: "Turn on Insights for call rate and error rate.",
    severity: Severity::Low,
    posture: &["A26"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        verdicts.each(trails(scene), |trail| {
            let selected = json(trail, "InsightSelectors").map(|list| !items(&list).is_empty());
            let on = selected.or(flag(trail, "HasInsightSelectors"));
            let missing = "aws cloudtrail get-insight-selectors --trail-name ARN";
            Judged::holds(on, "Insights are off", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "HasInsightSelectors": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
