//! Anyone may start a machine image.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.image-public",
    title: "Anyone may start a machine image",
    why: "What was left on the disk that it was made of is left for everyone.",
    remedy: "Make the image private, and block public access to images.",
    severity: Severity::High,
    posture: &["A25"],
    references: &[
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html",
    ],
    needs: &["aws.volumes"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("ec2", "image/"), |image| {
            let private = flag(image, "Public").map(|public| !public);
            Judged::holds(
                private,
                "it is public",
                "aws ec2 describe-images --owners self",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Images": [{"ImageId": "ami-1", "Public": true}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Images": [{"ImageId": "ami-1", "Public": false}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Images": [{"ImageId": "ami-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
