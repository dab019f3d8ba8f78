//! A person may delete the logs.

use portreeve_graph::Circumstances;
use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::trails::trails;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.trail-bucket-writer",
    title: "A person may delete the logs",
    why: "The last step of an intrusion is to remove what tells of it.",
    remedy: "Keep the bucket in an account for logs alone, lock it with Object Lock, and deny deletion in its policy.",
    severity: Severity::High,
    posture: &["A26"],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",
    ],
    needs: &["aws.trails"],
    judge: |scene, verdicts| {
        let mut buckets = Vec::new();
        for trail in trails(scene) {
            let Some(name) = text(trail, "S3BucketName") else {
                continue;
            };
            match scene.estate.get(&format!("arn:aws:s3:::{name}")) {
                Some(bucket) if !bucket.inferred => buckets.push(bucket),
                _ => {
                    let missing = format!("the trail's bucket {name}: aws s3api list-buckets");
                    verdicts.of(trail, Judged::unknown(missing));
                }
            }
        }
        buckets.sort_by_key(|bucket| &bucket.id);
        buckets.dedup_by_key(|bucket| &bucket.id);
        for bucket in buckets {
            if text(bucket, "ObjectLock") == Some("COMPLIANCE") {
                verdicts.of(bucket, Judged::pass());
                continue;
            }
            let objects = format!("{}/*", bucket.id);
            let given = Circumstances::default();
            let who = scene.people_who_may(&["s3:DeleteObject"], &objects, &given);
            verdicts.of(bucket, Judged::nobody(who, "may delete its objects"));
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "logs", "Policy": null}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "S3BucketName": "logs"}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}], "AttachedManagedPolicies": []}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "logs", "Policy": null}], "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "S3BucketName": "logs"}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [], "AttachedManagedPolicies": []}]}]"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/all", "S3BucketName": "logs"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
