//! A key's material is never renewed.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.key-rotation",
    title: "A key's material is never renewed",
    why: "One key for all years is one secret whose loss opens all years.",
    remedy: "Turn automatic rotation on.",
    severity: Severity::Low,
    cis: &["3.6"],
    references: &["https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"],
    needs: &["aws.keys"],
    judge: |scene, verdicts| {
        for key in scene.of_kind(EntityKind::Key) {
            // AWS rotates its own; keys that sign, and those whose material was brought, cannot be.
            let spec = text(key, "KeySpec").or(text(key, "CustomerMasterKeySpec"));
            let rotates = text(key, "KeyManager") != Some("AWS")
                && text(key, "Origin").is_none_or(|origin| origin == "AWS_KMS")
                && text(key, "KeyState").is_none_or(|state| state == "Enabled")
                && spec.is_none_or(|spec| spec == "SYMMETRIC_DEFAULT");
            if rotates {
                let missing = "aws kms get-key-rotation-status --key-id ID";
                let on = flag(key, "KeyRotationEnabled");
                verdicts.of(key, Judged::holds(on, "rotation is off", missing));
            }
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "SYMMETRIC_DEFAULT", "KeyManager": "CUSTOMER", "KeyRotationEnabled": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "SYMMETRIC_DEFAULT", "KeyManager": "CUSTOMER", "KeyRotationEnabled": true}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "SYMMETRIC_DEFAULT", "KeyManager": "CUSTOMER"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
