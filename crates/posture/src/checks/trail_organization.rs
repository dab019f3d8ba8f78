//! A trail can be stopped from inside the account that it watches.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::scene::flag;
use crate::trails::{covers, is_logging, trails};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-organization",
    title: "No trail of the organization watches an account",
    why: "Whoever becomes administrator of the account stops its own trail; that of the organization he cannot reach.",
    remedy: "Make a trail of the organization, with its bucket in an account for logs alone.",
    severity: Severity::High,
    posture: &["A26"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let mut own = trails(scene)
                .filter(|trail| covers(scene, trail, account))
                .peekable();
            if own.peek().is_none() && !scene.was_read(account, "aws.trails") {
                continue;
            }
            let watched = own
                .any(|trail| flag(trail, "IsOrganizationTrail") == Some(true) && is_logging(trail));
            let otherwise = "only trails of its own, if any";
            verdicts.of(account, Judged::holds(Some(watched), otherwise, ""));
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/own", "IsOrganizationTrail": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "IsOrganizationTrail": true}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
