//! A person signs in as an IAM user.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.console-user",
    title: "A person signs in as an IAM user",
    why: "Passwords that the account keeps by itself outlive the person's leaving, and miss what the identity provider demands.",
    remedy: "Give the person a permission set in Identity Center, and remove the user's password.",
    severity: Severity::Low,
    posture: &["A11"],
    cis: &["1.21"],
    references: &["https://docs.aws.amazon.com/singlesignon/latest/userguide/what-is.html"],
    needs: &["aws.credential-report"],
    judge: |scene, verdicts| {
        for user in scene.of_kind(EntityKind::User) {
            let mut passwords = scene.credentials(&user.id, EntityKind::Password);
            let otherwise = "has a console password of its own";
            let judged = Judged::holds(Some(passwords.next().is_none()), otherwise, "");
            verdicts.of(user, judged);
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,password_enabled\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true\n",
        ),
        passes(
            "user,arn,user_creation_time,password_enabled\nbot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,false\n",
        ),
    ],
    ..Check::DEFAULT
};
