//! EFS file systems.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.file-systems",
    title: "EFS file systems",
    command: "aws efs describe-file-systems (in each region)",
    without: "which file systems are encrypted",
    wanted: Wanted::Optional,
    recognise: |document| FILE_SYSTEMS.is_in(document),
    read: |document, reader| {
        FILE_SYSTEMS.read(document, reader);
    },
    ..FormatFile::DEFAULT
};

const FILE_SYSTEMS: Listing = Listing {
    service: "elasticfilesystem",
    kind: EntityKind::Other,
    members: &["FileSystems"],
    id: &["FileSystemArn"],
    kept: &["Encrypted", "KmsKeyId", "Name"],
    ..Listing::DEFAULT
};
