//! A recorder leaves kinds of resources out.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.config-all-types",
    title: "A recorder leaves kinds of resources out",
    why: "What an intruder makes is of a kind that nobody thought of.",
    remedy: "Record all supported kinds of resources.",
    severity: Severity::Low,
    posture: &["A26"],
    references: &["https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html"],
    needs: &["aws.config-recorders"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("config", "config-recorder/"), |recorder| {
            let missing = "aws configservice describe-configuration-recorders";
            let all = flag(recorder, "recordingGroup.allSupported");
            Judged::holds(all, "not all kinds are recorded", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": false}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": true}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecordersStatus": [{"name": "default", "recording": true}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
