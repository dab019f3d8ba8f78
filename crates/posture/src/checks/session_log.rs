//! What is typed on machines is not logged.

use portreeve_model::{EntityId, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.session-log",
    title: "What is typed in Session Manager is not logged",
    why: "That a shell was opened is logged; what was done in it is not.",
    remedy: "Name a bucket or a log group in Session Manager's preferences.",
    severity: Severity::Low,
    posture: &["A29"],
    references: &[
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html",
    ],
    needs: &["aws.account-settings"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let number = account.account.as_deref().unwrap_or_default();
            let mut told = false;
            for (name, place) in &account.attributes {
                let Some(region) = name.strip_prefix("SessionLog:") else {
                    continue;
                };
                told = true;
                let id = EntityId::from(format!("{number}/{region}"));
                let judged = Judged::holds(Some(place != "none"), "no place is named", "");
                verdicts.at(&id, account.account.clone(), judged);
            }
            if !told && scene.was_read(account, "aws.account-settings") {
                let missing = "aws ssm get-document --name SSM-SessionManagerRunShell";
                verdicts.of(account, Judged::unknown(missing));
            }
        }
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Region": "eu-west-1", "SessionPreferences": null}"#),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "SessionPreferences": {"Name": "SSM-SessionManagerRunShell", "Content": "{\"inputs\": {\"s3BucketName\": \"session-logs\"}}"}}"#,
        ),
    ],
    ..Check::DEFAULT
};
