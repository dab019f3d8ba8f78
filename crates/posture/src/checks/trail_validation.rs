//! Log files can be altered unseen.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::scene::text;
use crate::trails::trails;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-validation",
    title: "A trail's log files can be altered unseen",
    why: "Without digests nobody can prove that a file is whole, or that none is missing.",
    remedy: "Turn on log file validation.",
    severity: Severity::High,
    posture: &["A26"],
    cis: &["3.2"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        verdicts.each(trails(scene), |trail| {
            let on = text(trail, "LogFileValidationEnabled").map(|state| state == "true");
            let missing = "aws cloudtrail describe-trails";
            Judged::holds(on, "log file validation is off", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "LogFileValidationEnabled": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "LogFileValidationEnabled": true}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
