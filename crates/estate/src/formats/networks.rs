//! Security groups, network access lists, VPCs and their flow logs.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.networks",
    title: "security groups, network access lists, VPCs and flow logs",
    command: "aws ec2 describe-security-groups; aws ec2 describe-network-acls; aws ec2 describe-vpcs; aws ec2 describe-flow-logs (in each region)",
    without: "what is reachable from the internet, and whether traffic is logged",
    wanted: Wanted::Optional,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
        if document.has("FlowLogs") {
            reader.mark_region("aws.networks.flow-logs");
        }
    },
    ..FormatFile::DEFAULT
};

const EC2: Listing = Listing {
    service: "ec2",
    kind: EntityKind::Other,
    ..Listing::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        members: &["SecurityGroups"],
        id: &["SecurityGroupArn"],
        name: &["GroupId"],
        resource: "security-group/",
        kept: &["GroupName", "VpcId"],
        whole: &["IpPermissions", "IpPermissionsEgress"],
        ..EC2
    },
    Listing {
        members: &["NetworkAcls"],
        name: &["NetworkAclId"],
        resource: "network-acl/",
        kept: &["VpcId", "IsDefault"],
        whole: &["Entries"],
        ..EC2
    },
    Listing {
        members: &["Vpcs"],
        name: &["VpcId"],
        resource: "vpc/",
        kept: &["IsDefault"],
        ..EC2
    },
    Listing {
        members: &["FlowLogs"],
        name: &["FlowLogId"],
        resource: "vpc-flow-log/",
        kept: &["ResourceId", "FlowLogStatus", "TrafficType"],
        ..EC2
    },
];
