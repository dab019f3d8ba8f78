//! Changes of IAM are recorded in no region.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.config-global",
    title: "Changes of IAM are recorded nowhere",
    why: "Users, roles and policies are what an intruder changes first.",
    remedy: "Let one recorder of the account include global resource types.",
    severity: Severity::Low,
    posture: &["A26"],
    cis: &["3.3"],
    references: &["https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html"],
    needs: &["aws.config-recorders"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            if !scene.was_read(account, "aws.config-recorders") {
                continue;
            }
            let told: Vec<Option<bool>> = scene
                .of_type("config", "config-recorder/")
                .filter(|recorder| recorder.account == account.account)
                .map(|recorder| flag(recorder, "recordingGroup.includeGlobalResourceTypes"))
                .collect();
            let known = match told.as_slice() {
                told if told.contains(&Some(true)) => Some(true),
                told if told.contains(&None) => None,
                _ => Some(false),
            };
            let missing = "aws configservice describe-configuration-recorders";
            let otherwise = "no recorder includes global resource types";
            verdicts.of(account, Judged::holds(known, otherwise, missing));
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": false}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "ConfigurationRecordersStatus": [{"name": "default", "recording": true}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
