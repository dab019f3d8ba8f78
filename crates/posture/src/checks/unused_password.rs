//! A password has not been used for long.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.unused-password",
    title: "A password is valid and unused",
    why: "The account of someone who left, or who never came, is one that nobody watches.",
    remedy: "Remove the user's console password.",
    severity: Severity::Medium,
    cis: &["1.12"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html",
    ],
    needs: &["aws.credential-report"],
    limits: &[Limit {
        name: "days",
        default: 45,
        meaning: "days after which an unused password should be gone",
    }],
    judge: |scene, verdicts| {
        let days = scene.limit(CHECK.id, "days");
        for user in scene.of_kind(EntityKind::User) {
            for password in scene.credentials(&user.id, EntityKind::Password) {
                let used = text(password, "LastUsed")
                    .or(text(password, "LastChanged"))
                    .or(text(user, "CreateDate"));
                let judged = match used.and_then(|time| scene.days_since(time)) {
                    None => {
                        Judged::unknown("when the password was used: aws iam get-credential-report")
                    }
                    Some(ago) if ago <= days => Judged::pass(),
                    Some(ago) => Judged::fail(format!("unused for {ago} days")),
                };
                verdicts.of(user, judged);
            }
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,password_enabled,password_last_used\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2025-01-01T00:00:00+00:00\n",
        ),
        passes(
            "user,arn,user_creation_time,password_enabled,password_last_used\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2026-02-20T00:00:00+00:00\n",
        ),
    ],
    ..Check::DEFAULT
};
