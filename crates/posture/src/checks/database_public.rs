//! A database has an address on the internet.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.database-public",
    title: "A database has an address on the internet",
    why: "A stolen password is then all that it takes.",
    remedy: "Take the public address away, and reach the database from inside.",
    severity: Severity::High,
    posture: &["A25"],
    cis: &["2.3.3"],
    references: &[
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    ],
    needs: &["aws.databases"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("rds", "db:"), |database| {
            let private = flag(database, "PubliclyAccessible").map(|public| !public);
            Judged::holds(
                private,
                "it is publicly accessible",
                "aws rds describe-db-instances",
            )
        });
    },
    examples: &[
        fails(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "PubliclyAccessible": true}]}"#,
        ),
        passes(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "PubliclyAccessible": false}]}"#,
        ),
        unknown(
            r#"{"DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
