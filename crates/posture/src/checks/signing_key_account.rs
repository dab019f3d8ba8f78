//! A wallet's key leaves it to the account who may sign.

use portreeve_graph::JewelKind;
use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

/// Condition keys that pin the caller or his network.
const PINS: [&str; 6] = [
    "aws:principalarn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "kms:viaservice",
    "aws:userid",
    "kms:recipientattestation:imagesha384",
];

pub(super) const CHECK: Check = Check {
    id: "aws.signing-key-account",
    title: "A wallet's key lets the whole account sign",
    why: "Where the key's policy trusts the account, every policy in it, present and to come, can grant signing.",
    remedy: "Name the signer's role, pin its network, and leave the account administration without `kms:Sign`.",
    severity: Severity::High,
    posture: &["A19"],
    references: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"],
    needs: &["aws.keys"],
    judge: |scene, verdicts| {
        let keys = scene.jewels(JewelKind::SigningKey);
        for key in keys.filter(|key| key.kind == EntityKind::Key) {
            if text(key, "Policy").is_none_or(|policy| policy != "given") {
                let missing = "aws kms get-key-policy --key-id ID --policy-name default";
                verdicts.of(key, Judged::unknown(missing));
                continue;
            }
            let mut policies = scene.policies_of(&key.id, PolicyLayer::Resource);
            let wide = policies.any(|policy| {
                let statements = policy.statements();
                statements.iter().any(|statement| {
                    let account = statement.of_type("AWS").any(|id| {
                        id == "*"
                            || id.ends_with(":root")
                            || id.bytes().all(|byte| byte.is_ascii_digit())
                    });
                    statement.allows
                        && (account || statement.is_for_anyone())
                        && statement.covers("kms:Sign")
                        && !statement.is_on_any(&PINS)
                })
            });
            let otherwise = "its policy lets the account sign";
            verdicts.of(key, Judged::holds(Some(!wide), otherwise, ""));
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": ["kms:Describe*", "kms:PutKeyPolicy"], "Resource": "*"}, {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/signer"}, "Action": "kms:Sign", "Resource": "*"}]}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
