//! EBS volumes, their snapshots, and machine images.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.volumes",
    title: "EBS volumes, snapshots and machine images",
    command: "aws ec2 describe-volumes; aws ec2 describe-snapshots --owner-ids self (with describe-snapshot-attribute --attribute createVolumePermission of each); aws ec2 describe-images --owners self (in each region)",
    without: "which disks are encrypted, and which copies of them anyone may take",
    wanted: Wanted::Optional,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const EC2: Listing = Listing {
    service: "ec2",
    kind: EntityKind::Other,
    ..Listing::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        members: &["Volumes"],
        name: &["VolumeId"],
        resource: "volume/",
        kept: &["Encrypted", "KmsKeyId", "SnapshotId"],
        ..EC2
    },
    Listing {
        members: &["Snapshots"],
        name: &["SnapshotId"],
        resource: "snapshot/",
        kept: &["Encrypted", "VolumeId"],
        whole: &["CreateVolumePermissions"],
        ..EC2
    },
    Listing {
        members: &["Images"],
        name: &["ImageId"],
        resource: "image/",
        kept: &["Public", "Name"],
        ..EC2
    },
];
