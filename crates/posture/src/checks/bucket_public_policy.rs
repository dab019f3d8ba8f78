//! A bucket's policy lets anyone in.

use portreeve_authz::Decision;
use portreeve_graph::Circumstances;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, text};
use crate::verdicts::Judged;

/// What matters most, first.
const ACTIONS: [(&str, bool); 5] = [
    ("s3:PutBucketPolicy", false),
    ("s3:PutObject", true),
    ("s3:DeleteObject", true),
    ("s3:ListBucket", false),
    ("s3:GetObject", true),
];

pub(super) const CHECK: Check = Check {
    id: "aws.bucket-public-policy",
    title: "A bucket's policy lets anyone in",
    why: "Reading gives the data away; writing puts a stranger's code where visitors load it.",
    remedy: "Name the principals in the policy, or serve the bucket through CloudFront with origin access control; turn the public access block on.",
    severity: Severity::High,
    posture: &["A09", "A25"],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ],
    needs: &["aws.buckets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Bucket), |bucket| {
            match text(bucket, "Policy") {
                Some("given") => {}
                Some("none") => return Judged::pass(),
                _ => return Judged::unknown("aws s3api get-bucket-policy --bucket NAME"),
            }
            let account = scene.account_of(bucket);
            let shut = |name| {
                let on_account = account.and_then(|account| flag(account, name));
                flag(bucket, name) == Some(true) || on_account == Some(true)
            };
            if shut("RestrictPublicBuckets") {
                return Judged::pass();
            }
            let open = |(action, on_object): &(&'static str, bool)| {
                let resource = match on_object {
                    true => format!("{}/*", bucket.id),
                    false => bucket.id.to_string(),
                };
                // A stranger sends what he likes, and comes from no network of the owner's.
                let stranger = Circumstances {
                    strict: true,
                    ..Circumstances::default()
                };
                let may = scene.may("*", action, &resource, &stranger);
                may == Some(Decision::Allowed)
            };
            let open: Vec<&str> = ACTIONS
                .iter()
                .filter(|one| open(one))
                .map(|one| one.0)
                .collect();
            let writes = open
                .iter()
                .any(|action| !action.contains(":Get") && !action.contains(":List"));
            match open.as_slice() {
                [] => Judged::pass(),
                _ if writes => Judged::fail(format!("anyone may {}", open.join(", ")))
                    .graver(Severity::Critical),
                _ => Judged::fail(format!("anyone may {}", open.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "PublicAccessBlock": {"RestrictPublicBuckets": true}, "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"}]}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "Buckets": [{"Name": "web"}]}"#),
    ],
    ..Check::DEFAULT
};
