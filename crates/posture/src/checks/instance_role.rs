//! A virtual machine has no role.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.instance-role",
    title: "A virtual machine has no role",
    why: "What runs on it and needs AWS then has long-lived keys in a file or a variable.",
    remedy: "Attach an instance profile with the role that the workload needs.",
    severity: Severity::Low,
    cis: &["1.18"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html",
    ],
    needs: &["aws.instances"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Instance), |instance| {
            let profile = text(instance, "InstanceProfile");
            let has = profile.map(|profile| profile == "given");
            let role = !scene.roles_of(&instance.id).is_empty();
            let known = if role { Some(true) } else { has };
            Judged::holds(
                known,
                "no instance profile is attached",
                "`IamInstanceProfile` of the instance: aws ec2 describe-instances",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "IamInstanceProfile": null}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/web"}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
