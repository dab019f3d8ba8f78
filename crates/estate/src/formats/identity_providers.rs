//! Identity providers that an account trusts: OIDC, SAML, and trust anchors of IAM Roles Anywhere.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.identity-providers",
    title: "identity providers and trust anchors",
    command: "aws iam list-open-id-connect-providers; aws iam list-saml-providers; aws rolesanywhere list-trust-anchors (in each region)",
    without: "whose tokens, assertions and certificates the account accepts",
    wanted: Wanted::Optional,
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
        service: "iam",
        kind: EntityKind::Other,
        members: &["OpenIDConnectProviderList", "SAMLProviderList"],
        id: &["Arn"],
        kept: &["ValidUntil", "CreateDate"],
        ..Listing::DEFAULT
    },
    Listing {
        service: "rolesanywhere",
        kind: EntityKind::Other,
        members: &["trustAnchors"],
        id: &["trustAnchorArn"],
        kept: &["name", "enabled"],
        ..Listing::DEFAULT
    },
];
