//! An access key has not been used for long.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes};
use crate::scene::{flag, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.unused-access-key",
    title: "An access key is active and unused",
    why: "Nobody notices when a key that nobody uses is used by someone else.",
    remedy: "Deactivate the key, and delete it when nothing breaks.",
    severity: Severity::Medium,
    posture: &["A01"],
    cis: &["1.12"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html",
    ],
    needs: &["aws.credential-report"],
    limits: &[Limit {
        name: "days",
        default: 45,
        meaning: "days after which an unused key should be gone",
    }],
    judge: |scene, verdicts| {
        let days = scene.limit(CHECK.id, "days");
        for user in scene.of_kind(EntityKind::User).chain(scene.accounts()) {
            for key in scene.reported_keys(&user.id) {
                if flag(key, "Active") != Some(true) {
                    continue;
                }
                // A key that was never used is as old as it is.
                let used = text(key, "LastUsed").or(text(key, "LastRotated"));
                let ago = used.and_then(|time| scene.days_since(time));
                let judged = match ago {
                    None => Judged::unknown("when the key was used: aws iam get-credential-report"),
                    Some(ago) if ago <= days => Judged::pass(),
                    Some(ago) => Judged::fail(format!("unused for {ago} days")),
                };
                verdicts.of(key, judged.on([user.id.clone()]));
            }
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2024-01-01T00:00:00+00:00,2025-01-01T00:00:00+00:00\n",
        ),
        passes(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2024-01-01T00:00:00+00:00,2026-02-20T00:00:00+00:00\n",
        ),
        passes(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\nana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,2026-02-20T00:00:00+00:00,N/A\n",
        ),
    ],
};
