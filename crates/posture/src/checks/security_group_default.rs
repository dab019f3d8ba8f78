//! The default security group lets traffic through.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{items, json, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.security-group-default",
    title: "A default security group has rules",
    why: "What is started without thinking gets it, and everything in it talks to everything.",
    remedy: "Remove all rules of the default group, and name a group for each purpose.",
    severity: Severity::Low,
    cis: &["5.4"],
    references: &["https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html"],
    needs: &["aws.networks"],
    judge: |scene, verdicts| {
        for group in scene.of_type("ec2", "security-group/") {
            if text(group, "GroupName") != Some("default") {
                continue;
            }
            let count = |name| json(group, name).map(|rules| items(&rules).len());
            let rules = count("IpPermissions").zip(count("IpPermissionsEgress"));
            let empty = rules.map(|(inward, outward)| inward + outward == 0);
            let judged = Judged::holds(empty, "it has rules", "aws ec2 describe-security-groups");
            verdicts.of(group, judged);
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "default", "IpPermissions": [], "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "default", "IpPermissions": [], "IpPermissionsEgress": []}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "default"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
