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
            let own = scene
                .of_type("guardduty", "detector/")
                .filter(|detector| detector.account == account.account)
                .filter(|detector| region(&detector.id) == Some(place));
            let states: Vec<Option<bool>> = own
                .map(|detector| text(detector, "Status").map(|state| state == "ENABLED"))
                .collect();
            let watches = if states.contains(&Some(true)) {
                Some(true)
            } else if states.contains(&None) {
                None
            } else {
                Some(false)
            };
            let missing = "aws guardduty get-detector --detector-id ID";
            Judged::holds(watches, "no detector is enabled", missing)
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Region": "eu-west-1", "DetectorIds": []}"#),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Detectors": [{"DetectorId": "d1", "Status": "ENABLED"}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Region": "eu-west-1", "DetectorIds": ["d1"]}"#),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
