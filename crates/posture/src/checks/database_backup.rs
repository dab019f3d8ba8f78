//! A database has no backups.

use portreeve_model::Severity;

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::number;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.database-backup",
    title: "A database has no backups",
    why: "What an intruder changes or deletes in it is lost.",
    remedy: "Keep automated backups for a week or more.",
    severity: Severity::Low,
    references: &[
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html",
    ],
    needs: &["aws.databases"],
    limits: &[Limit {
        name: "days",
        default: 1,
        meaning: "days for which backups are kept",
    }],
    judge: |scene, verdicts| {
        let days = scene.limit(CHECK.id, "days");
        verdicts.each(scene.of_type("rds", "db:"), |database| {
            match number(database, "BackupRetentionPeriod") {
                None => Judged::unknown("aws rds describe-db-instances"),
                Some(kept) if kept >= days => Judged::pass(),
                Some(kept) => Judged::fail(format!("backups are kept for {kept} days")),
            }
        });
    },
    examples: &[
        fails(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "BackupRetentionPeriod": 0}]}"#,
        ),
        passes(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "BackupRetentionPeriod": 7}]}"#,
        ),
        unknown(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
