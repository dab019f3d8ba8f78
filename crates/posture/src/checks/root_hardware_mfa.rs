//! The root user's second factor is an app on someone's phone.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.root-hardware-mfa",
    title: "The root user's second factor is virtual",
    why: "A code from an app can be asked for on a false page and replayed; a hardware key answers only the real one.",
    remedy: "Register a hardware security key for the root user and remove the virtual device.",
    severity: Severity::Medium,
    posture: &["A02"],
    cis: &["1.6"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-fido-mfa-for-root.html"],
    needs: &["aws.mfa-devices"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            if !scene.was_read(account, "aws.mfa-devices") {
                continue;
            }
            // Only virtual devices have an ARN; the credential report's own has none.
            let virtual_device = scene
                .credentials(&account.id, EntityKind::MfaDevice)
                .any(|device| device.id.as_str().contains(":mfa/"));
            let otherwise = "a virtual device is registered for the root user";
            verdicts.of(account, Judged::holds(Some(!virtual_device), otherwise, ""));
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/root-account-mfa-device", "User": {"Arn": "arn:aws:iam::111122223333:root"}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
