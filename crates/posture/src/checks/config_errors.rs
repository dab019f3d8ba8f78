//! A recorder's last run failed.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.config-errors",
    title: "A recorder of changes fails",
    why: "It says that it records, and writes nothing.",
    remedy: "Look at the recorder's last error; mostly its role or its bucket's policy is wrong.",
    severity: Severity::Low,
    posture: &["A26"],
    references: &["https://docs.aws.amazon.com/config/latest/developerguide/troubleshooting.html"],
    needs: &["aws.config-recorders"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("config", "config-recorder/"), |recorder| {
            let missing = "aws configservice describe-configuration-recorder-status";
            let last = text(recorder, "lastStatus");
            let well = last.map(|last| {
                let states = ["Success", "Pending"];
                states.iter().any(|state| last.eq_ignore_ascii_case(state))
            });
            // It may say that it ran well, and that it could not deliver.
            let well = match text(recorder, "lastErrorCode") {
                Some(_) => Some(false),
                None => well,
            };
            Judged::holds(well, "its last run failed", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecordersStatus": [{"name": "default", "recording": true, "lastStatus": "FAILURE"}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecordersStatus": [{"name": "default", "recording": true, "lastStatus": "SUCCESS"}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
