//! Short passwords are allowed.

use portreeve_model::Severity;

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::{number, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.password-length",
    title: "Passwords may be short",
    why: "Short passwords of IAM users are guessed, and sprayed from lists.",
    remedy: "Set the account's minimum password length to 14 or more.",
    severity: Severity::Medium,
    cis: &["1.8"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
    ],
    needs: &["aws.password-policy"],
    limits: &[Limit {
        name: "characters",
        default: 14,
        meaning: "characters that a password needs",
    }],
    judge: |scene, verdicts| {
        let wanted = scene.limit(CHECK.id, "characters");
        for account in scene.accounts() {
            let judged = match text(account, "PasswordPolicy") {
                None => continue,
                Some("none") => Judged::fail("no password policy is set: the default asks for 8"),
                Some(_) => match number(account, "MinimumPasswordLength") {
                    Some(length) if length >= wanted => Judged::pass(),
                    Some(length) => Judged::fail(format!("{length} characters are enough")),
                    None => Judged::fail("no minimum length is set"),
                },
            };
            verdicts.of(account, judged);
        }
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "PasswordPolicy": {"MinimumPasswordLength": 8}}"#),
        fails(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
        passes(r#"{"Account": "111122223333", "PasswordPolicy": {"MinimumPasswordLength": 14}}"#),
        unknown(r#"{"Account": "111122223333", "SummaryMap": {"AccountMFAEnabled": 1}}"#),
    ],
    ..Check::DEFAULT
};
