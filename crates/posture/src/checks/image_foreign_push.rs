//! Another account may push images.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.image-foreign-push",
    title: "Another account may push images",
    why: "A vendor's stolen session then decides what runs here.",
    remedy: "Let the own pipeline copy what others build; take `ecr:PutImage` from foreign principals.",
    severity: Severity::High,
    posture: &["A23"],
    references: &[
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
    ],
    needs: &["aws.image-repositories"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::ImageRepository), |repository| {
            if text(repository, "Policy").is_none_or(|policy| policy == "unreadable") {
                return Judged::unknown("aws ecr get-repository-policy --repository-name NAME");
            }
            let mut foreign: Vec<String> = Vec::new();
            for policy in scene.policies_of(&repository.id, PolicyLayer::Resource) {
                for statement in policy.statements() {
                    if statement.allows && statement.covers("ecr:PutImage") {
                        foreign.extend(scene.strangers(repository, &statement));
                    }
                }
            }
            match foreign.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("may push: {}", foreign.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app", "policyText": "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::999988887777:root\"},\"Action\":\"ecr:*\"}]}"}]}"#,
        ),
        passes(
            r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app", "policyText": "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::999988887777:root\"},\"Action\":\"ecr:BatchGetImage\"}]}"}]}"#,
        ),
        unknown(
            r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/app"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
