//! A snapshot is not encrypted.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.snapshot-encryption",
    title: "A snapshot is not encrypted",
    why: "One call shares it with another account, which then reads the disk.",
    remedy: "Copy it encrypted, and delete the original.",
    severity: Severity::Low,
    references: &["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html"],
    needs: &["aws.volumes"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "snapshot/"), |snapshot| {
            let known = flag(snapshot, "Encrypted");
            Judged::holds(
                known,
                "it is not encrypted",
                "aws ec2 describe-snapshots --owner-ids self",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Snapshots": [{"SnapshotId": "snap-1", "Encrypted": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Snapshots": [{"SnapshotId": "snap-1", "Encrypted": true}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Snapshots": [{"SnapshotId": "snap-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
