//! GuardDuty detectors.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.detectors",
    title: "GuardDuty detectors",
    command: "aws guardduty list-detectors (with get-detector of each, in each region)",
    without: "where GuardDuty watches, and over what",
    wanted: Wanted::Optional,
    recognise: |document| DETECTORS.is_in(document) || document.has("DetectorIds"),
    read: |document, reader| {
        DETECTORS.read(document, reader);
        reader.mark_region(FORMAT.id);
    },
    ..FormatFile::DEFAULT
};

const DETECTORS: Listing = Listing {
    service: "guardduty",
    kind: EntityKind::Other,
    members: &["Detectors"],
    name: &["DetectorId"],
    resource: "detector/",
    kept: &["Status"],
    whole: &["Features", "DataSources"],
    ..Listing::DEFAULT
};
