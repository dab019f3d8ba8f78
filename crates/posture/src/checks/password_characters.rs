//! Passwords of one kind of character are allowed.

use portreeve_model::Severity;

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::{flag, number, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.password-characters",
    title: "Passwords may be simple",
    why: "Passwords of few kinds of characters are on the lists that are tried first.",
    remedy: "Ask for lower and upper case, digits and symbols in the account's password policy.",
    severity: Severity::Low,
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
            if text(account, "PasswordPolicy").is_none() {
                continue;
            }
            let mut lacking: Vec<String> = [
                ("RequireLowercaseCharacters", "lower case"),
                ("RequireUppercaseCharacters", "upper case"),
                ("RequireNumbers", "digits"),
                ("RequireSymbols", "symbols"),
            ]
            .into_iter()
            .filter(|(name, _)| flag(account, name) != Some(true))
            .map(|(_, what)| what.to_owned())
            .collect();
            if number(account, "MinimumPasswordLength").is_none_or(|length| length < wanted) {
                lacking.push(format!("{wanted} characters"));
            }
            let judged = match lacking.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("not asked for: {}", lacking.join(", "))),
            };
            verdicts.of(account, judged);
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "PasswordPolicy": {"MinimumPasswordLength": 14, "RequireLowercaseCharacters": true, "RequireUppercaseCharacters": true, "RequireNumbers": true, "RequireSymbols": false}}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "PasswordPolicy": {"MinimumPasswordLength": 14, "RequireLowercaseCharacters": true, "RequireUppercaseCharacters": true, "RequireNumbers": true, "RequireSymbols": true}}"#,
        ),
        unknown(r#"{"Account": "111122223333", "SummaryMap": {"AccountMFAEnabled": 1}}"#),
    ],
    ..Check::DEFAULT
};
