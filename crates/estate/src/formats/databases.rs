//! RDS instances, clusters and snapshots.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.databases",
    title: "RDS instances, clusters and snapshots",
    command: "aws rds describe-db-instances; aws rds describe-db-clusters; aws rds describe-db-snapshots (with describe-db-snapshot-attributes of each, in each region)",
    without: "which databases are open to the internet, encrypted and kept up to date, and which copies of them anyone may take",
    wanted: Wanted::Optional,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const DATABASE: Listing = Listing {
    service: "rds",
    kind: EntityKind::Database,
    kept: &[
        "Engine",
        "PubliclyAccessible",
        "StorageEncrypted",
        "AutoMinorVersionUpgrade",
        "MultiAZ",
        "BackupRetentionPeriod",
        "IAMDatabaseAuthenticationEnabled",
        "DeletionProtection",
    ],
    ..Listing::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        members: &["DBInstances"],
        id: &["DBInstanceArn"],
        ..DATABASE
    },
    Listing {
        members: &["DBClusters"],
        id: &["DBClusterArn"],
        ..DATABASE
    },
    Listing {
        service: "rds",
        kind: EntityKind::Other,
        members: &["DBSnapshots"],
        id: &["DBSnapshotArn"],
        kept: &["Encrypted", "DBInstanceIdentifier"],
        whole: &["DBSnapshotAttributes"],
        ..Listing::DEFAULT
    },
];
