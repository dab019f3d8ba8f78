//! Anyone may restore a database.

use portreeve_model::Severity;
use serde_json::Value;

use crate::check::{Check, fails, passes, unknown};
use crate::policy::strings;
use crate::scene::{items, json};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.database-snapshot-public",
    title: "Anyone may restore a database's snapshot",
    why: "The whole content is one call away from any AWS account.",
    remedy: "Remove `all` from the snapshot's `restore` attribute.",
    severity: Severity::Critical,
    posture: &["A25"],
    references: &["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html"],
    needs: &["aws.databases"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("rds", "snapshot:"), |snapshot| {
            let public = json(snapshot, "DBSnapshotAttributes").map(|list| {
                items(&list).iter().any(|attribute| {
                    let name = attribute.get("AttributeName").and_then(Value::as_str);
                    let values = strings(attribute.get("AttributeValues"));
                    name == Some("restore") && values.iter().any(|value| value == "all")
                })
            });
            let missing = "aws rds describe-db-snapshot-attributes --db-snapshot-identifier ID";
            Judged::holds(
                public.map(|public| !public),
                "anyone may restore it",
                missing,
            )
        });
    },
    examples: &[
        fails(
            r#"{"DBSnapshots": [{"DBSnapshotArn": "arn:aws:rds:eu-west-1:111122223333:snapshot:pay", "DBSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": ["all"]}]}]}"#,
        ),
        passes(
            r#"{"DBSnapshots": [{"DBSnapshotArn": "arn:aws:rds:eu-west-1:111122223333:snapshot:pay", "DBSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": ["444455556666"]}]}]}"#,
        ),
        unknown(
            r#"{"DBSnapshots": [{"DBSnapshotArn": "arn:aws:rds:eu-west-1:111122223333:snapshot:pay"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
