//! A user has two active access keys.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.two-access-keys",
    title: "A user has two active access keys",
    why: "The second key is where an intruder keeps his own: a rotation that removes the first leaves it.",
    remedy: "Keep one key, and delete the other.",
    severity: Severity::Low,
    posture: &["A01"],
    cis: &["1.13"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    ],
    needs: &["aws.credential-report"],
    judge: |scene, verdicts| {
        for user in scene.of_kind(EntityKind::User) {
            let keys = scene.reported_keys(&user.id);
            let active = keys.filter(|key| flag(key, "Active") == Some(true)).count();
            if active > 0 {
                let otherwise = "both of its access keys are active";
                verdicts.of(user, Judged::holds(Some(active < 2), otherwise, ""));
            }
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,access_key_1_active,access_key_2_active\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,true\n",
        ),
        passes(
            "user,arn,user_creation_time,access_key_1_active,access_key_2_active\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,false\n",
        ),
    ],
    ..Check::DEFAULT
};
