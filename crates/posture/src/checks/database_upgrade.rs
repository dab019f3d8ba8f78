//! A database is not kept up to date.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.database-upgrade",
    title: "A database is not kept up to date",
    why: "Holes that the maker mended last year stay open.",
    remedy: "Turn on automatic minor version upgrades.",
    severity: Severity::Low,
    cis: &["2.3.2"],
    references: &[
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Upgrading.html",
    ],
    needs: &["aws.databases"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("rds", "db:"), |database| {
            let known = flag(database, "AutoMinorVersionUpgrade");
            let otherwise = "minor versions are not installed by themselves";
            Judged::holds(known, otherwise, "aws rds describe-db-instances")
        });
    },
    examples: &[
        fails(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "AutoMinorVersionUpgrade": false}]}"#,
        ),
        passes(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "AutoMinorVersionUpgrade": true}]}"#,
        ),
        unknown(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
