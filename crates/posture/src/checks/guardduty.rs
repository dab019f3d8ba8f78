//! GuardDuty does not watch a region.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{region, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.guardduty",
    title: "GuardDuty does not watch a region",
    why: "A region where nobody watches is where machines are started and roles are used.",
    remedy: "Turn GuardDuty on in every region, for the organization.",
    severity: Severity::High,
    posture: &["A27"],
    references: &["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_accounts.html"],
    needs: &["aws.detectors"],
    judge: |scene, verdicts| {
        verdicts.each_region(scene, "aws.detectors", |account, place| {
            let mut own = scene
                .of_type("guardduty", "detector/")
                .filter(|detector| detector.account == account.account);
            let watches = own.any(|detector| {
                region(&detector.id) == Some(place) && text(detector, "Status") == Some("ENABLED")
            });
            Judged::holds(Some(watches), "no detector is enabled", "")
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Region": "eu-west-1", "DetectorIds": []}"#),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Detectors": [{"DetectorId": "d1", "Status": "ENABLED"}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
