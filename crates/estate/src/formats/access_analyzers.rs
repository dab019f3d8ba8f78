//! IAM Access Analyzer's analyzers.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.access-analyzers",
    title: "IAM Access Analyzer's analyzers",
    command: "aws accessanalyzer list-analyzers (in each region)",
    without: "where AWS itself looks for access from outside",
    wanted: Wanted::Optional,
    recognise: |document| ANALYZERS.is_in(document),
    read: |document, reader| {
        ANALYZERS.read(document, reader);
        reader.mark_region(FORMAT.id);
    },
    ..FormatFile::DEFAULT
};

const ANALYZERS: Listing = Listing {
    service: "access-analyzer",
    kind: EntityKind::Other,
    members: &["analyzers", "Analyzers"],
    id: &["arn"],
    kept: &["name", "type", "status"],
    ..Listing::DEFAULT
};
