//! Lambda functions.

use portreeve_model::{Entity, EntityKind};

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.functions",
    title: "Lambda functions",
    command: "aws lambda list-functions (with get-function, get-policy and list-function-url-configs of each)",
    without: "which roles are reached by changing a function's code, and who may invoke it",
    wanted: Wanted::EachAccount,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read_with(document, reader, &mut addresses);
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
        ..Listing::DEFAULT
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

/// The addresses of a function, of each alias and version: one that asks for no signature counts.
fn addresses(function: &Object<'_>, entity: &mut Entity, reader: &mut Reader<'_>) {
    if !function.has("FunctionUrlConfigs") {
        return;
    }
    let mut kinds = Vec::new();
    let mut list = function.list("FunctionUrlConfigs", reader);
    while let Some(address) = list.next(reader) {
        kinds.extend(address.required(&["AuthType"], reader).map(String::from));
    }
    // `NONE` is greater than `AWS_IAM`; a function without an address has `none`.
    let kind = kinds.into_iter().max().unwrap_or_else(|| "none".to_owned());
    let name = "FunctionUrlAuthType".to_owned();
    entity.attributes.insert(name, kind);
}
