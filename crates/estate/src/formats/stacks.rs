//! CloudFormation stacks.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.stacks",
    title: "CloudFormation stacks",
    command: "aws cloudformation describe-stacks",
    without: "which roles are reached by updating a stack",
    wanted: Wanted::EachAccount,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[Listing {
    service: "cloudformation",
    kind: EntityKind::Stack,
    members: &["Stacks", "stacks"],
    id: &["StackId", "StackARN"],
    name: &["StackName"],
    resource: "stack/",
    roles: &["RoleARN"],
    kept: &["StackStatus", "Description"],
    ..Listing::DEFAULT
}];
