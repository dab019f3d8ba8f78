//! An image can be replaced under its name.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.image-tag-mutability",
    title: "A repository's images can be replaced under their tags",
    why: "Whoever may push puts his own image under the name that is deployed, and nothing changes but what runs.",
    remedy: "Make tags immutable, and deploy by digest.",
    severity: Severity::High,
    posture: &["A23"],
    references: &[
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
    ],
    needs: &["aws.image-repositories"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::ImageRepository), |repository| {
            let fixed =
                text(repository, "imageTagMutability").map(|kind| kind.starts_with("IMMUTABLE"));
            Judged::holds(fixed, "tags are mutable", "aws ecr describe-repositories")
        });
    },
    examples: &[
        fails(
            r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app", "imageTagMutability": "MUTABLE"}]}"#,
        ),
        passes(
            r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app", "imageTagMutability": "IMMUTABLE"}]}"#,
        ),
        unknown(
            r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
