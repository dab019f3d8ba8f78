//! Management events of an account are not logged everywhere.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::trails::{covers, is_logging, selects_management, trails};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-enabled",
    title: "No trail logs all regions of an account",
    why: "What is done in a region without a trail leaves no record that is kept: intruders look for such regions.",
    remedy: "Make one trail of the organization for all regions, with management events that read and write.",
    severity: Severity::Critical,
    posture: &["A26"],
    cis: &["3.1"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/receive-cloudtrail-log-files-from-multiple-regions.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let own: Vec<_> = trails(scene)
                .filter(|trail| covers(scene, trail, account))
                .collect();
            if own.is_empty() && !scene.was_read(account, "aws.trails") {
                continue;
            }
            let mut best = Some(false);
            for trail in own {
                let whole = flag(trail, "IsMultiRegionTrail") == Some(true) && is_logging(trail);
                match selects_management(trail).filter(|_| whole) {
                    Some(true) => best = Some(true),
                    None if whole && best == Some(false) => best = None,
                    _ => {}
                }
            }
            let otherwise = "no trail that logs has all regions and all management events";
            let missing = "aws cloudtrail get-event-selectors --trail-name ARN";
            verdicts.of(account, Judged::holds(best, otherwise, missing));
        }
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "trailList": []}"#),
        fails(
            r#"{"Account": "111122223333", "trailList": [{"Name": "one", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/one", "IsMultiRegionTrail": true, "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "trailList": [{"Name": "all", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true, "Status": {"IsLogging": true}, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "trailList": [{"Name": "all", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true, "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "trailList": [{"Name": "all", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsMultiRegionTrail": true}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
