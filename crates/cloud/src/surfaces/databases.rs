//! RDS instances, clusters, and snapshots with who may restore them.

use serde_json::json;

use crate::caller::{Caller, put, text};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_INSTANCES: Call = Call::new("rds", "DescribeDBInstances");
const DESCRIBE_CLUSTERS: Call = Call::new("rds", "DescribeDBClusters");
const DESCRIBE_SNAPSHOTS: Call = Call::new("rds", "DescribeDBSnapshots");
const DESCRIBE_SNAPSHOT_ATTRIBUTES: Call = Call::new("rds", "DescribeDBSnapshotAttributes");

pub(super) const SURFACE: Surface = Surface {
    id: "databases",
    title: "RDS databases and snapshots",
    scope: Scope::Region,
    formats: &["aws.databases"],
    calls: &[
        DESCRIBE_INSTANCES,
        DESCRIBE_CLUSTERS,
        DESCRIBE_SNAPSHOTS,
        DESCRIBE_SNAPSHOT_ATTRIBUTES,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    for (name, call) in [
        ("DBInstances", DESCRIBE_INSTANCES),
        ("DBClusters", DESCRIBE_CLUSTERS),
    ] {
        put(&mut found, name, aws.list(call, json!({})).await);
    }
    if let Some(snapshots) = aws.list(DESCRIBE_SNAPSHOTS, json!({})).await {
        let snapshots = aws.each(snapshots, async |mut snapshot| {
            let id = text(&snapshot, "DBSnapshotIdentifier");
            let input = json!({"DBSnapshotIdentifier": id});
            let path = "DBSnapshotAttributesResult.DBSnapshotAttributes";
            let name = "DBSnapshotAttributes";
            aws.add(
                &mut snapshot,
                name,
                DESCRIBE_SNAPSHOT_ATTRIBUTES,
                input,
                path,
            )
            .await;
            snapshot
        });
        found.insert("DBSnapshots".to_owned(), snapshots.await);
    }
    found
}
