//! Step Functions state machines.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.state-machines",
    title: "Step Functions state machines",
    command: "aws stepfunctions describe-state-machine --state-machine-arn ARN (for each of list-state-machines)",
    without: "which roles are reached by changing a state machine",
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
    service: "states",
    kind: EntityKind::DataJob,
    members: &["", "stateMachines", "StateMachines"],
    id: &["stateMachineArn"],
    name: &["name"],
    resource: "stateMachine:",
    roles: &["roleArn"],
    ..Listing::DEFAULT
}];
