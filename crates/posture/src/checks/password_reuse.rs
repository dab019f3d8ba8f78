//! Old passwords may be used again.

use portreeve_model::Severity;

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::{number, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.password-reuse",
    title: "Old passwords may be used again",
    why: "A password that leaked once opens the account again when its owner returns to it.",
    remedy: "Remember the last 24 passwords in the account's password policy.",
    severity: Severity::Low,
    cis: &["1.9"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
    ],
    needs: &["aws.password-policy"],
    limits: &[Limit {
        name: "passwords",
        default: 24,
        meaning: "former passwords that are refused",
    }],
    judge: |scene, verdicts| {
        let wanted = scene.limit(CHECK.id, "passwords");
        for account in scene.accounts() {
            if text(account, "PasswordPolicy").is_none() {
                continue;
            }
            let judged = match number(account, "PasswordReusePrevention") {
                Some(count) if count >= wanted => Judged::pass(),
                Some(count) => Judged::fail(format!("only the last {count} are refused")),
                None => Judged::fail("every former password may be used again"),
            };
            verdicts.of(account, judged);
        }
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "PasswordPolicy": {"PasswordReusePrevention": 5}}"#),
        fails(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
        passes(r#"{"Account": "111122223333", "PasswordPolicy": {"PasswordReusePrevention": 24}}"#),
        unknown(r#"{"Account": "111122223333", "SummaryMap": {"AccountMFAEnabled": 1}}"#),
    ],
    ..Check::DEFAULT
};
