//! A network's list lets SSH or RDP in from the internet.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::ports::{ADMINISTRATION, lets_in};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.network-list-administration",
    title: "A network access list lets SSH or RDP in",
    why: "It is the second line behind security groups, and holds where one of them is opened by mistake.",
    remedy: "Deny ports 22 and 3389 from anywhere before the rule that allows the rest.",
    severity: Severity::Low,
    cis: &["5.1"],
    references: &["https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html"],
    needs: &["aws.networks"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "network-acl/"), |list| {
            let open: Option<Vec<bool>> = ADMINISTRATION
                .iter()
                .map(|port| lets_in(list, *port))
                .collect();
            let closed = open.map(|open| !open.contains(&true));
            Judged::holds(
                closed,
                "port 22 or 3389 from anywhere",
                "aws ec2 describe-network-acls",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [{"Egress": false, "RuleNumber": 100, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [{"Egress": false, "RuleNumber": 90, "RuleAction": "deny", "Protocol": "6", "PortRange": {"From": 22, "To": 22}, "CidrBlock": "0.0.0.0/0"}, {"Egress": false, "RuleNumber": 91, "RuleAction": "deny", "Protocol": "6", "PortRange": {"From": 3389, "To": 3389}, "CidrBlock": "0.0.0.0/0"}, {"Egress": false, "RuleNumber": 100, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}]}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "NetworkAcls": [{"NetworkAclId": "acl-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
