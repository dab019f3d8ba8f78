//! Traffic of a network is not logged.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{region, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.flow-logs",
    title: "Traffic of a VPC is not logged",
    why: "Where a machine called home to, and how much it sent, cannot be told.",
    remedy: "Turn flow logs on for the VPC.",
    severity: Severity::Medium,
    posture: &["A26"],
    cis: &["3.7"],
    references: &["https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html"],
    needs: &["aws.networks"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "vpc/"), |network| {
            let name = network.id.short_name();
            let mut logs = scene.of_type("ec2", "vpc-flow-log/");
            let active = logs.any(|log| {
                text(log, "ResourceId") == Some(name)
                    && text(log, "FlowLogStatus").is_none_or(|state| state == "ACTIVE")
                    && region(&log.id) == region(&network.id)
                    // Refused packets say who tries; accepted ones alone say who got in.
                    && text(log, "TrafficType").is_none_or(|kind| kind != "ACCEPT")
            });
            let mark = format!(
                "Inventory:aws.networks.flow-logs:{}",
                region(&network.id).unwrap_or_default()
            );
            let account = scene.account_of(network);
            let asked = account.is_some_and(|account| account.attributes.contains_key(&mark));
            let known = if active {
                Some(true)
            } else {
                asked.then_some(false)
            };
            Judged::holds(known, "no flow log is active", "aws ec2 describe-flow-logs")
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Vpcs": [{"VpcId": "vpc-1"}], "FlowLogs": []}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Vpcs": [{"VpcId": "vpc-1"}], "FlowLogs": [{"FlowLogId": "fl-1", "ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL"}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Vpcs": [{"VpcId": "vpc-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
