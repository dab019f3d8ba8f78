//! A file system is not encrypted.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.file-system-encryption",
    title: "A file system is not encrypted",
    why: "Its content is in the clear for whoever gets at the storage.",
    remedy: "Move the files to a file system that was made encrypted.",
    severity: Severity::Low,
    cis: &["2.4.1"],
    references: &["https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html"],
    needs: &["aws.file-systems"],
    judge: |scene, verdicts| {
        verdicts.each(
            scene.of_type("elasticfilesystem", "file-system/"),
            |system| {
                let known = flag(system, "Encrypted");
                Judged::holds(
                    known,
                    "it is not encrypted",
                    "aws efs describe-file-systems",
                )
            },
        );
    },
    examples: &[
        fails(
            r#"{"FileSystems": [{"FileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", "Encrypted": false}]}"#,
        ),
        passes(
            r#"{"FileSystems": [{"FileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", "Encrypted": true}]}"#,
        ),
        unknown(
            r#"{"FileSystems": [{"FileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
