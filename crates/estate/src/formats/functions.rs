//! Lambda functions.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.functions",
    title: "Lambda functions",
    command: "aws lambda list-functions (with get-function and get-policy of each)",
    without: "which roles are reached by changing a function's code, and who may invoke it",
    wanted: Wanted::EachAccount,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        service: "lambda",
        kind: EntityKind::Function,
        members: &["Functions", "functions"],
        id: &["FunctionArn"],
        name: &["FunctionName"],
        resource: "function:",
        policy: &["Policy"],
        roles: &["Role"],
        images: &["Code.ImageUri", "ImageUri"],
        kept: &[
            "Runtime",
            "PackageType",
            "Description",
            "KMSKeyArn",
            "FunctionUrl",
            "FunctionUrlAuthType",
        ],
    },
    // The output of `get-function`.
    Listing {
        service: "lambda",
        kind: EntityKind::Function,
        members: &[""],
        id: &["Configuration.FunctionArn"],
        roles: &["Configuration.Role"],
        images: &["Code.ImageUri"],
        kept: &["Configuration.PackageType"],
        ..Listing::DEFAULT
    },
];
