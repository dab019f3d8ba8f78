//! The root user is used for daily work.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.root-use",
    title: "The root user was used lately",
    why: "Each use is a chance to steal a session that no policy limits.",
    remedy: "Do the work with a role; keep the root user for what only it can do, with an alarm on its use.",
    severity: Severity::Medium,
    posture: &["A15"],
    cis: &["1.7"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html"],
    needs: &["aws.credential-report"],
    limits: &[Limit {
        name: "days",
        default: 30,
        meaning: "days for which the root user should be unused",
    }],
    judge: |scene, verdicts| {
        let days = scene.limit(CHECK.id, "days");
        for account in scene.accounts() {
            if !scene.was_read(account, "aws.credential-report") {
                continue;
            }
            let keys = scene.credentials(&account.id, EntityKind::AccessKey);
            let uses = keys
                .chain(scene.credentials(&account.id, EntityKind::Password))
                .filter_map(|credential| text(credential, "LastUsed"));
            let latest = uses.filter_map(|time| scene.days_since(time)).min();
            let judged = match latest {
                Some(ago) if ago <= days => Judged::fail(format!("last used {ago} days ago")),
                _ => Judged::pass(),
            };
            verdicts.of(account, judged);
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,password_last_used\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,2026-02-20T00:00:00+00:00\n",
        ),
        passes(
            "user,arn,user_creation_time,password_last_used\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,2024-02-20T00:00:00+00:00\n",
        ),
    ],
};
