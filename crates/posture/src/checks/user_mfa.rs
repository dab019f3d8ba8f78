//! A person signs in to the console with a password alone.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.user-mfa",
    title: "A user signs in without a second factor",
    why: "A phished password is a session; with a second factor it is not yet one.",
    remedy: "Register a security key for the user, or move the person to Identity Center.",
    severity: Severity::High,
    posture: &["A02"],
    cis: &["1.10"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html"],
    needs: &["aws.credential-report"],
    judge: |scene, verdicts| {
        for user in scene.of_kind(EntityKind::User) {
            let has = |kind| scene.credentials(&user.id, kind).next().is_some();
            if !has(EntityKind::Password) {
                continue;
            }
            let otherwise = "has a password and no second factor";
            let judged = Judged::holds(Some(has(EntityKind::MfaDevice)), otherwise, "");
            verdicts.of(user, judged);
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,password_enabled,mfa_active\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,false\n",
        ),
        passes(
            "user,arn,user_creation_time,password_enabled,mfa_active\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,true\nbot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,false,false\n",
        ),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
