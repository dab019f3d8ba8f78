//! Changes of configuration in a region are not recorded.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, region, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.config-recorder",
    title: "Changes of configuration in a region are not recorded",
    why: "How the estate stood when the intruder acted cannot be told afterwards.",
    remedy: "Turn AWS Config's recorder on in every region.",
    severity: Severity::Medium,
    posture: &["A26"],
    cis: &["3.3"],
    references: &[
        "https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html",
    ],
    needs: &["aws.config-recorders"],
    judge: |scene, verdicts| {
        verdicts.each_region(scene, "aws.config-recorders", |account, place| {
            let own = scene
                .of_type("config", "config-recorder/")
                .filter(|recorder| recorder.account == account.account);
            let own: Vec<_> = own
                .filter(|recorder| region(&recorder.id) == Some(place))
                .collect();
            let told: Vec<Option<bool>> = own
                .iter()
                .map(|recorder| flag(recorder, "recording"))
                .collect();
            let failing = own.iter().any(|recorder| {
                let last = text(recorder, "lastStatus");
                last.is_some_and(|last| last.eq_ignore_ascii_case("Failure"))
            });
            let known = match told.as_slice() {
                [] => Some(false),
                told if told.contains(&Some(true)) => Some(!failing),
                told if told.contains(&None) => None,
                _ => Some(false),
            };
            let missing = "aws configservice describe-configuration-recorder-status";
            let otherwise = match failing {
                true => "the recorder's last run failed",
                false => "no recorder records",
            };
            Judged::holds(known, otherwise, missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": []}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": true}}], "ConfigurationRecordersStatus": [{"name": "default", "recording": true, "lastStatus": "SUCCESS"}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": true}}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
