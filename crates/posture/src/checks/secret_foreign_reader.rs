//! Another account may read a secret.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.secret-foreign-reader",
    title: "Another account may read a secret",
    why: "Whoever breaks in there reads it, and the log of it is theirs.",
    remedy: "Name the own roles in the secret's policy.",
    severity: Severity::High,
    posture: &["A22"],
    references: &[
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html",
    ],
    needs: &["aws.secrets"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Secret), |secret| {
            if text(secret, "Policy").is_none_or(|policy| policy == "unreadable") {
                return Judged::unknown("aws secretsmanager get-resource-policy --secret-id ARN");
            }
            let mut foreign = Vec::new();
            for policy in scene.policies_of(&secret.id, PolicyLayer::Resource) {
                for statement in policy.statements() {
                    if statement.allows && statement.covers("secretsmanager:GetSecretValue") {
                        foreign.extend(scene.strangers(secret, &statement));
                    }
                }
            }
            match foreign.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("may read: {}", foreign.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp", "ResourcePolicy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}}]}"#,
        ),
        passes(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp", "ResourcePolicy": null}]}"#,
        ),
        unknown(
            r#"{"SecretList": [{"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1b2c3", "Name": "smtp"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
