//! A wallet's key is kept as a secret that can be read.

use portreeve_graph::JewelKind;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.wallet-secret",
    title: "A wallet's key is kept where it can be read",
    why: "Who reads it once signs for ever, wherever he is, and no log shows it.",
    remedy: "Sign with a KMS key or a hardware module, which never gives the key away.",
    severity: Severity::Critical,
    posture: &["A21"],
    references: &[
        "https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html",
    ],
    needs: &["aws.secrets", "aws.parameters"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let formats = ["aws.secrets", "aws.parameters"];
            let unread = formats
                .iter()
                .find(|format| !scene.was_read(account, format));
            if let Some(format) = unread {
                verdicts.of(account, Judged::unknown(format!("{format} of the account")));
            }
        }
        let secrets = scene
            .of_kind(EntityKind::Secret)
            .chain(scene.of_kind(EntityKind::Parameter));
        for secret in secrets {
            let wallet = scene.jewel(&secret.id) == Some(JewelKind::WalletSecret);
            let reason = "its name, description or tags say that it holds a wallet's key";
            verdicts.of(secret, Judged::holds(Some(!wallet), reason, ""));
        }
    },
    examples: &[
        fails(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hot-wallet-a1b2c3", "Name": "hot-wallet"}]}"#,
        ),
        passes(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
