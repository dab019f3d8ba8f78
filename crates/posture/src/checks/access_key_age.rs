//! An access key is old.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes};
use crate::scene::{flag, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.access-key-age",
    title: "An access key is old",
    why: "A key lies in files, images and chats of every year that it was valid; each of them opens the account.",
    remedy: "Replace the key by a role; where that cannot be, make a new key and delete this one.",
    severity: Severity::High,
    posture: &["A01"],
    cis: &["1.14"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html",
    ],
    needs: &["aws.credential-report"],
    limits: &[Limit {
        name: "days",
        default: 90,
        meaning: "days for which a key may be valid",
    }],
    judge: |scene, verdicts| {
        let days = scene.limit(CHECK.id, "days");
        for user in scene.of_kind(EntityKind::User).chain(scene.accounts()) {
            for key in scene.reported_keys(&user.id) {
                if flag(key, "Active") != Some(true) {
                    continue;
                }
                let age = text(key, "LastRotated").and_then(|time| scene.days_since(time));
                let judged = match age {
                    None => Judged::unknown("the age of the key: aws iam get-credential-report"),
                    Some(age) if age <= days => Judged::pass(),
                    // People's keys lie on laptops.
                    Some(age) if scene.is_human(&user.id) => {
                        Judged::fail(format!("{age} days old, and a person's"))
                            .graver(Severity::Critical)
                    }
                    Some(age) => Judged::fail(format!("{age} days old")),
                };
                verdicts.of(key, judged.on([user.id.clone()]));
            }
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\nbot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,true,2024-01-01T00:00:00+00:00\n",
        ),
        passes(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\nbot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,true,2026-02-01T00:00:00+00:00\n",
        ),
    ],
};
