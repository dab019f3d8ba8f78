//! The root user signs in without a second factor.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::number;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.root-mfa",
    title: "The root user has no second factor",
    why: "A password is the one thing between an intruder and everything in the account.",
    remedy: "Register a hardware security key for the root user.",
    severity: Severity::Critical,
    posture: &["A02"],
    cis: &["1.5"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html"],
    needs: &["aws.credential-report", "aws.account-settings"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let reported = scene.was_read(account, "aws.credential-report").then(|| {
                let mut factors = scene.credentials(&account.id, EntityKind::MfaDevice);
                factors.next().is_some()
            });
            let counted = number(account, "AccountMFAEnabled").map(|count| count > 0);
            let missing = "aws iam get-credential-report; or aws iam get-account-summary";
            let enabled = reported.or(counted);
            verdicts.of(
                account,
                Judged::holds(enabled, "no second factor is active", missing),
            );
        }
    },
    examples: &[
        fails(
            "user,arn,user_creation_time,mfa_active\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,false\n",
        ),
        passes(
            "user,arn,user_creation_time,mfa_active\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,true\n",
        ),
        fails(r#"{"Account": "111122223333", "SummaryMap": {"AccountMFAEnabled": 0}}"#),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
