//! Secrets Manager secrets.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.secrets",
    title: "Secrets Manager secrets",
    command: "aws secretsmanager list-secrets (with get-resource-policy of each)",
    without: "which secrets there are, and who outside the account may read them",
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
    service: "secretsmanager",
    kind: EntityKind::Secret,
    // The document itself: `describe-secret` and `get-resource-policy`.
    members: &["", "SecretList", "Secrets", "secrets"],
    id: &["ARN", "Arn"],
    name: &["Name"],
    resource: "secret:",
    policy: &["ResourcePolicy", "Policy"],
    kept: &[
        "Description",
        "KmsKeyId",
        "OwningService",
        "RotationEnabled",
        "LastChangedDate",
    ],
    ..Listing::DEFAULT
}];
