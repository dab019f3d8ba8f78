//! Every port is open to the internet.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::ports::open_to_anyone;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.security-group-open",
    title: "A security group opens every port to the internet",
    why: "What is started behind it for an hour is found within minutes.",
    remedy: "Open the ports that are served, to whom they are served.",
    severity: Severity::High,
    posture: &["A25"],
    references: &["https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"],
    needs: &["aws.networks"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "security-group/"), |group| {
            let open = open_to_anyone(group);
            let all = open.map(|open| open.contains(&(0, 65_535)));
            let otherwise = "every port is open to anyone";
            Judged::holds(
                all.map(|all| !all),
                otherwise,
                "aws ec2 describe-security-groups",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
