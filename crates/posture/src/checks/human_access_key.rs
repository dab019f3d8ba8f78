//! A person has a long-lived access key.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.human-access-key",
    title: "A person has a long-lived access key",
    why: "It lies in a file on a laptop, and malware that reads files has it for as long as it is valid.",
    remedy: "Let people sign in through Identity Center, and delete their keys.",
    severity: Severity::High,
    posture: &["A01"],
    cis: &["1.21"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
    needs: &["aws.credential-report"],
    judge: |scene, verdicts| {
        for user in scene.of_kind(EntityKind::User) {
            if !scene.is_human(&user.id) {
                continue;
            }
            let mut keys = scene.reported_keys(&user.id);
            let active = keys.any(|key| flag(key, "Active") == Some(true));
            let otherwise = "has an active access key beside a password or a second factor";
            verdicts.of(user, Judged::holds(Some(!active), otherwise, ""));
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,true,true\n",
        ),
        passes(
            "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,true,false\nbot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,false,false,true\n",
        ),
    ],
    ..Check::DEFAULT
};
