//! Passwords never have to be changed.

use portreeve_model::Severity;

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::{number, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.password-age",
    title: "Passwords never expire",
    why: "A password that was stolen years ago still opens the account.",
    remedy: "Let passwords of IAM users expire, or better have no IAM users with passwords.",
    severity: Severity::Low,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
    ],
    needs: &["aws.password-policy"],
    limits: &[Limit {
        name: "days",
        default: 90,
        meaning: "days for which a password may be used",
    }],
    judge: |scene, verdicts| {
        let wanted = scene.limit(CHECK.id, "days");
        for account in scene.accounts() {
            if text(account, "PasswordPolicy").is_none() {
                continue;
            }
            // 0 stands for never, as in the console.
            let age = number(account, "MaxPasswordAge").filter(|days| *days > 0);
            let judged = match age {
                Some(days) if days <= wanted => Judged::pass(),
                Some(days) => Judged::fail(format!("a password holds for {days} days")),
                None => Judged::fail("a password holds for ever"),
            };
            verdicts.of(account, judged);
        }
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "PasswordPolicy": {"MaxPasswordAge": 365}}"#),
        fails(r#"{"Account": "111122223333", "PasswordPolicy": {"MinimumPasswordLength": 14}}"#),
        passes(r#"{"Account": "111122223333", "PasswordPolicy": {"MaxPasswordAge": 90}}"#),
        unknown(r#"{"Account": "111122223333", "SummaryMap": {"AccountMFAEnabled": 1}}"#),
    ],
    ..Check::DEFAULT
};
