//! A wallet's key exists outside KMS.

use portreeve_graph::JewelKind;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.signing-key-origin",
    title: "A wallet's key exists outside KMS",
    why: "Material that was imported lies where it was made: whoever finds it there signs without KMS.",
    remedy: "Make the key in KMS or a hardware module, and move the funds to it.",
    severity: Severity::High,
    posture: &["A21"],
    references: &["https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html"],
    needs: &["aws.keys"],
    judge: |scene, verdicts| {
        let keys = scene.jewels(JewelKind::SigningKey);
        for key in keys.filter(|key| key.kind == EntityKind::Key) {
            let own = text(key, "Origin").map(|origin| origin != "EXTERNAL");
            let judged = Judged::holds(
                own,
                "its material was imported",
                "aws kms describe-key --key-id ID",
            );
            verdicts.of(key, judged);
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Origin": "EXTERNAL"}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Origin": "AWS_KMS"}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
