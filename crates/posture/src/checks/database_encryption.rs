//! A database is not encrypted.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.database-encryption",
    title: "A database is not encrypted",
    why: "Its snapshot can be shared with any account, and read there.",
    remedy: "Restore it from an encrypted copy of a snapshot.",
    severity: Severity::Medium,
    cis: &["2.3.1"],
    references: &[
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html",
    ],
    needs: &["aws.databases"],
    judge: |scene, verdicts| {
        let all = scene
            .of_type("rds", "db:")
            .chain(scene.of_type("rds", "cluster:"));
        verdicts.each(all, |database| {
            let known = flag(database, "StorageEncrypted");
            Judged::holds(
                known,
                "its storage is not encrypted",
                "aws rds describe-db-instances",
            )
        });
    },
    examples: &[
        fails(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "StorageEncrypted": false}]}"#,
        ),
        passes(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "StorageEncrypted": true}]}"#,
        ),
        unknown(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
