//! Anyone may copy a disk.

use portreeve_model::Severity;
use serde_json::Value;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{items, json};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.snapshot-public",
    title: "Anyone may copy a disk's snapshot",
    why: "Public snapshots are listed, and searched for keys, by machines.",
    remedy: "Remove the group `all` from the snapshot's permissions, and block public access to snapshots.",
    severity: Severity::Critical,
    posture: &["A25"],
    references: &[
        "https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html",
    ],
    needs: &["aws.volumes"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "snapshot/"), |snapshot| {
            let public = json(snapshot, "CreateVolumePermissions").map(|list| {
                let mut grants = items(&list).iter();
                grants.any(|grant| grant.get("Group").and_then(Value::as_str) == Some("all"))
            });
            let missing = "aws ec2 describe-snapshot-attribute --attribute createVolumePermission --snapshot-id ID";
            Judged::holds(public.map(|public| !public), "anyone may make a volume of it", missing)
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Snapshots": [{"SnapshotId": "snap-1", "CreateVolumePermissions": [{"Group": "all"}]}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Snapshots": [{"SnapshotId": "snap-1", "CreateVolumePermissions": []}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Snapshots": [{"SnapshotId": "snap-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
