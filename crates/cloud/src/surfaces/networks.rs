//! Security groups, network access lists, VPCs and their flow logs.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_SECURITY_GROUPS: Call = Call::new("ec2", "DescribeSecurityGroups");
const DESCRIBE_NETWORK_ACLS: Call = Call::new("ec2", "DescribeNetworkAcls");
const DESCRIBE_VPCS: Call = Call::new("ec2", "DescribeVpcs");
const DESCRIBE_FLOW_LOGS: Call = Call::new("ec2", "DescribeFlowLogs");

pub(super) const SURFACE: Surface = Surface {
    id: "networks",
    title: "security groups, VPCs and flow logs",
    scope: Scope::Region,
    formats: &["aws.networks"],
    calls: &[
        DESCRIBE_SECURITY_GROUPS,
        DESCRIBE_NETWORK_ACLS,
        DESCRIBE_VPCS,
        DESCRIBE_FLOW_LOGS,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    for (name, call) in [
        ("SecurityGroups", DESCRIBE_SECURITY_GROUPS),
        ("NetworkAcls", DESCRIBE_NETWORK_ACLS),
        ("Vpcs", DESCRIBE_VPCS),
        ("FlowLogs", DESCRIBE_FLOW_LOGS),
    ] {
        put(
            &mut found,
            name,
            aws.list(call, json!({"MaxResults": 1000})).await,
        );
    }
    found
}
