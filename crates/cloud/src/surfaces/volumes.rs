//! EBS volumes, an account's snapshots and images, and who may copy them.

use serde_json::json;

use crate::caller::{Caller, put, text};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_VOLUMES: Call = Call::new("ec2", "DescribeVolumes");
const DESCRIBE_SNAPSHOTS: Call = Call::new("ec2", "DescribeSnapshots");
const DESCRIBE_SNAPSHOT_ATTRIBUTE: Call = Call::new("ec2", "DescribeSnapshotAttribute");
const DESCRIBE_IMAGES: Call = Call::new("ec2", "DescribeImages");

pub(super) const SURFACE: Surface = Surface {
    id: "volumes",
    title: "EBS volumes, snapshots and images",
    scope: Scope::Region,
    formats: &["aws.volumes"],
    calls: &[
        DESCRIBE_VOLUMES,
        DESCRIBE_SNAPSHOTS,
        DESCRIBE_SNAPSHOT_ATTRIBUTE,
        DESCRIBE_IMAGES,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    let volumes = aws.list(DESCRIBE_VOLUMES, json!({"MaxResults": 500})).await;
    put(&mut found, "Volumes", volumes);
    let own = json!({"OwnerIds": ["self"], "MaxResults": 1000});
    if let Some(snapshots) = aws.list(DESCRIBE_SNAPSHOTS, own).await {
        let snapshots = aws.each(snapshots, async |mut snapshot| {
            let id = text(&snapshot, "SnapshotId");
            let input = json!({"Attribute": "createVolumePermission", "SnapshotId": id});
            let name = "CreateVolumePermissions";
            aws.add(
                &mut snapshot,
                name,
                DESCRIBE_SNAPSHOT_ATTRIBUTE,
                input,
                name,
            )
            .await;
            snapshot
        });
        found.insert("Snapshots".to_owned(), snapshots.await);
    }
    let images = aws.list(DESCRIBE_IMAGES, json!({"Owners": ["self"]})).await;
    put(&mut found, "Images", images);
    found
}
