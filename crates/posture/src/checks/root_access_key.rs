//! The root user has an access key.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, number};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.root-access-key",
    title: "The root user has an access key",
    why: "No policy of the account binds the root user: whoever holds the key holds the account, without a second factor.",
    remedy: "Delete the root user's access keys; use roles for what they did.",
    severity: Severity::Critical,
    posture: &["A01"],
    cis: &["1.4"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html"],
    needs: &["aws.credential-report", "aws.account-settings"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let active = scene
                .reported_keys(&account.id)
                .filter(|key| flag(key, "Active") == Some(true))
                .count();
            let present = number(account, "AccountAccessKeysPresent");
            let judged = if active > 0 || present.is_some_and(|count| count > 0) {
                Judged::fail(format!("active keys: {}", active.max(1)))
            } else if scene.was_read(account, "aws.credential-report") || present.is_some() {
                Judged::pass()
            } else {
                Judged::unknown("aws iam get-credential-report; or aws iam get-account-summary")
            };
            verdicts.of(account, judged);
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,true,2020-01-02T00:00:00+00:00\n",
        ),
        fails(
            r#"{"Account": "111122223333", "SummaryMap": {"AccountAccessKeysPresent": 1, "AccountMFAEnabled": 1}}"#,
        ),
        passes(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,false,N/A\n",
        ),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
