//! A machine's administration is open to the internet.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::ports::{ADMINISTRATION, open_to_anyone};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.security-group-administration",
    title: "SSH or RDP is open to the internet",
    why: "Each machine behind it is a door, and the role that it runs as is behind the door.",
    remedy: "Close the ports; enter by Session Manager.",
    severity: Severity::High,
    posture: &["A29"],
    cis: &["5.2", "5.3"],
    references: &["https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"],
    needs: &["aws.networks"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "security-group/"), |group| {
            let Some(open) = open_to_anyone(group) else {
                return Judged::unknown("aws ec2 describe-security-groups");
            };
            let ports: Vec<String> = ADMINISTRATION
                .iter()
                .filter(|port| open.iter().any(|(from, to)| (from..=to).contains(port)))
                .map(i64::to_string)
                .collect();
            if ports.is_empty() {
                return Judged::pass();
            }
            let name = group.id.short_name();
            let behind = scene.of_kind(EntityKind::Instance).filter(|instance| {
                let groups = text(instance, "SecurityGroups").unwrap_or_default();
                groups.split(", ").any(|own| own == name)
            });
            let behind: Vec<_> = behind.map(|instance| instance.id.clone()).collect();
            let reason = format!(
                "port {} from anywhere; machines behind it: {}",
                ports.join(" and "),
                behind.len()
            );
            Judged::fail(reason).on(behind)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 20, "ToPort": 25, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}"#,
        ),
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.0/28"}]}]}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SecurityGroups": [{"GroupId": "sg-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
