//! A user got an access key on the day it was made, and never another.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::scene::{flag, text, timestamp};
use crate::verdicts::Judged;

/// Within how many seconds of the user's creation a key counts as made with it.
const TOGETHER: i64 = 10;

pub(super) const CHECK: Check = Check {
    id: "aws.access-key-at-creation",
    title: "An access key was made with its user",
    why: "Keys that are made by default are keys that nobody asked for, and nobody misses.",
    remedy: "Delete the key if it is unused; make keys only where a role cannot do.",
    severity: Severity::Low,
    posture: &["A01"],
    cis: &["1.11"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    ],
    needs: &["aws.credential-report"],
    judge: |scene, verdicts| {
        let users = scene.of_kind(EntityKind::User).chain(scene.accounts());
        for user in users {
            let made = text(user, "CreateDate").and_then(timestamp);
            for key in scene.reported_keys(&user.id) {
                if flag(key, "Active") != Some(true) {
                    continue;
                }
                let rotated = text(key, "LastRotated").and_then(timestamp);
                let apart = made
                    .zip(rotated)
                    .map(|(made, rotated)| (rotated.as_second() - made.as_second()).abs());
                let otherwise = "was made with the user, and is still active";
                let missing = "times of creation: aws iam get-credential-report";
                let judged = Judged::holds(apart.map(|apart| apart > TOGETHER), otherwise, missing);
                verdicts.of(key, judged.on([user.id.clone()]));
            }
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2021-01-01T00:00:00+00:00\n",
        ),
        passes(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2025-12-01T00:00:00+00:00\n",
        ),
    ],
    ..Check::DEFAULT
};
