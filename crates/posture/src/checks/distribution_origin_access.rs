//! A distribution reads its bucket as anyone could.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.distribution-origin-access",
    title: "A distribution's bucket is open beside it",
    why: "A bucket that CloudFront reads without signing is one that everyone reads: past the distribution's rules and logs.",
    remedy: "Use origin access control, and let the bucket's policy name the distribution alone.",
    severity: Severity::High,
    posture: &["A09"],
    references: &[
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
    ],
    needs: &["aws.distributions"],
    judge: |scene, verdicts| {
        verdicts.each(
            scene.of_kind(EntityKind::Distribution),
            |distribution| match text(distribution, "UnsignedOrigins") {
                None => Judged::unknown(
                    "origins of the distribution: aws cloudfront list-distributions",
                ),
                Some("none") => Judged::pass(),
                Some(origins) => Judged::fail(format!("without origin access control: {origins}")),
            },
        );
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "DistributionList": {"Items": [{"ARN": "arn:aws:cloudfront::111122223333:distribution/E1", "Origins": {"Items": [{"DomainName": "web.s3.amazonaws.com", "OriginAccessControlId": "", "S3OriginConfig": {"OriginAccessIdentity": ""}}]}}]}}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "DistributionList": {"Items": [{"ARN": "arn:aws:cloudfront::111122223333:distribution/E1", "Origins": {"Items": [{"DomainName": "web.s3.amazonaws.com", "OriginAccessControlId": "E2"}]}}]}}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Distributions": [{"ARN": "arn:aws:cloudfront::111122223333:distribution/E1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
