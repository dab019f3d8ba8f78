//! TLS certificates that are kept in IAM.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.server-certificates",
    title: "certificates in IAM",
    command: "aws iam list-server-certificates",
    without: "which certificates in IAM have expired",
    wanted: Wanted::Optional,
    recognise: |document| CERTIFICATES.is_in(document),
    read: |document, reader| {
        CERTIFICATES.read(document, reader);
    },
    ..FormatFile::DEFAULT
};

const CERTIFICATES: Listing = Listing {
    service: "iam",
    kind: EntityKind::Other,
    members: &["ServerCertificateMetadataList"],
    id: &["Arn"],
    kept: &["ServerCertificateName", "Expiration"],
    ..Listing::DEFAULT
};
