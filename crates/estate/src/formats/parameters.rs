//! SSM parameters.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.parameters",
    title: "SSM parameters",
    command: "aws ssm describe-parameters",
    without: "which parameters hold secrets, and who could read them",
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
    service: "ssm",
    kind: EntityKind::Parameter,
    members: &["Parameters", "parameters"],
    id: &["ARN", "Arn"],
    name: &["Name"],
    resource: "parameter/",
    kept: &["Type", "Description", "KeyId", "LastModifiedUser"],
    ..Listing::DEFAULT
}];
