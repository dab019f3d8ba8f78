//! Anyone may use a key.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.key-public",
    title: "A key's policy lets anyone use it",
    why: "Encryption with a key that everyone may use protects from nobody.",
    remedy: "Name the principals, or narrow `*` by `kms:CallerAccount` or the organization.",
    severity: Severity::High,
    posture: &["A19"],
    references: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"],
    needs: &["aws.keys"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Key), |key| {
            if text(key, "Policy").is_none_or(|policy| policy != "given") {
                return Judged::unknown("aws kms get-key-policy --key-id ID --policy-name default");
            }
            let mut policies = scene.policies_of(&key.id, PolicyLayer::Resource);
            let open = policies.any(|policy| {
                let statements = policy.statements();
                statements.iter().any(|statement| {
                    statement.allows && statement.is_for_anyone() && statement.conditions.is_empty()
                })
            });
            Judged::holds(
                Some(!open),
                "a statement allows anyone, without a condition",
                "",
            )
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "111122223333"}}}]}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
