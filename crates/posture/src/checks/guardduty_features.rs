//! GuardDuty leaves a part of the estate out.

use portreeve_model::Severity;
use serde_json::Value;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{items, json};
use crate::verdicts::Judged;

/// What this kind of intruder touches, with the name that `get-detector` gives it.
const WANTED: [(&str, &str); 4] = [
    ("S3_DATA_EVENTS", "S3"),
    ("EKS_AUDIT_LOGS", "EKS audit logs"),
    ("RUNTIME_MONITORING", "runtime"),
    ("LAMBDA_NETWORK_LOGS", "Lambda"),
];

pub(super) const CHECK: Check = Check {
    id: "aws.guardduty-features",
    title: "GuardDuty leaves a part of the estate out",
    why: "Without them it sees no object that is read, no pod that is entered and no function that calls home.",
    remedy: "Turn on the protection of S3, EKS audit logs, runtime monitoring and Lambda.",
    severity: Severity::Medium,
    posture: &["A27"],
    references: &[
        "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html",
    ],
    needs: &["aws.detectors"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("guardduty", "detector/"), |detector| {
            let Some(features) = json(detector, "Features") else {
                return Judged::unknown("aws guardduty get-detector --detector-id ID");
            };
            let on = |name: &str| {
                items(&features).iter().any(|feature| {
                    let text = |key: &str| feature.get(key).and_then(Value::as_str);
                    let own = text("Name").unwrap_or_default();
                    // `EKS_RUNTIME_MONITORING` is the older name of a part of it.
                    own == name && text("Status") == Some("ENABLED")
                })
            };
            let off: Vec<&str> = WANTED
                .iter()
                .filter(|(name, _)| !on(name))
                .map(|(_, what)| *what)
                .collect();
            match off.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("off: {}", off.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Detectors": [{"DetectorId": "d1", "Status": "ENABLED", "Features": [{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Detectors": [{"DetectorId": "d1", "Status": "ENABLED", "Features": [{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}, {"Name": "EKS_AUDIT_LOGS", "Status": "ENABLED"}, {"Name": "RUNTIME_MONITORING", "Status": "ENABLED"}, {"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}]}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Detectors": [{"DetectorId": "d1", "Status": "ENABLED"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
