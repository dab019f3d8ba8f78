//! A disk is not encrypted.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.volume-encryption",
    title: "A disk is not encrypted",
    why: "A copy of it can be shared with any account, and read there.",
    remedy: "Encrypt by default, and copy the disk over an encrypted snapshot.",
    severity: Severity::Low,
    references: &["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html"],
    needs: &["aws.volumes"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "volume/"), |volume| {
            Judged::holds(
                flag(volume, "Encrypted"),
                "it is not encrypted",
                "aws ec2 describe-volumes",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Volumes": [{"VolumeId": "vol-1", "Encrypted": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Volumes": [{"VolumeId": "vol-1", "Encrypted": true}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Volumes": [{"VolumeId": "vol-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
