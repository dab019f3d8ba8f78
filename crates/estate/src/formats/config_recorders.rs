//! AWS Config recorders.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.config-recorders",
    title: "AWS Config recorders",
    command: "aws configservice describe-configuration-recorders; aws configservice describe-configuration-recorder-status (in each region)",
    without: "where changes of configuration are recorded",
    wanted: Wanted::Optional,
    recognise: |document| {
        RECORDERS.is_in(document)
            || RECORDERS
                .members
                .iter()
                .any(|member| document.get(member).is_some_and(|list| list.is_array()))
    },
    read: |document, reader| {
        RECORDERS.read(document, reader);
        reader.mark_region(FORMAT.id);
    },
    ..FormatFile::DEFAULT
};

/// Both lists are of the same recorders, by name.
const RECORDERS: Listing = Listing {
    service: "config",
    kind: EntityKind::Other,
    members: &["ConfigurationRecorders", "ConfigurationRecordersStatus"],
    name: &["name"],
    resource: "config-recorder/",
    kept: &[
        "recordingGroup.allSupported",
        "recordingGroup.includeGlobalResourceTypes",
        "recording",
        "lastStatus",
        "lastErrorCode",
    ],
    ..Listing::DEFAULT
};
