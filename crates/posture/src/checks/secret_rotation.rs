//! A secret is never changed.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{flag, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.secret-rotation",
    title: "A secret is never changed",
    why: "Whoever read it once has it still.",
    remedy: "Turn rotation on, or change it by hand and note when.",
    severity: Severity::Medium,
    posture: &["A22"],
    references: &[
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",
    ],
    needs: &["aws.secrets"],
    judge: |scene, verdicts| {
        for secret in scene.of_kind(EntityKind::Secret) {
            // A service that owns a secret changes it by itself.
            if text(secret, "OwningService").is_some() {
                continue;
            }
            // `list-secrets` leaves the member out of secrets that were never rotated; other exports
            // never have it.
            let listed = text(secret, "LastChangedDate").map(|_| false);
            let on = flag(secret, "RotationEnabled").or(listed);
            let missing = "aws secretsmanager list-secrets";
            verdicts.of(secret, Judged::holds(on, "rotation is off", missing));
        }
    },
    examples: &[
        fails(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp", "LastChangedDate": "2025-01-01T00:00:00Z"}]}"#,
        ),
        passes(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp", "RotationEnabled": true}]}"#,
        ),
        unknown(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
