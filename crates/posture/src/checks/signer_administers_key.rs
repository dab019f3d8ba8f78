//! Who signs also decides who signs.

use portreeve_graph::{Circumstances, JewelKind};
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.signer-administers-key",
    title: "Who signs with a wallet's key also decides who may",
    why: "One stolen role then approves and signs: there is no second person between.",
    remedy: "Give `kms:PutKeyPolicy` and `kms:CreateGrant` to others than `kms:Sign`.",
    severity: Severity::High,
    posture: &["A20"],
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
            let given = Circumstances::default();
            let all = || {
                scene
                    .of_kind(EntityKind::User)
                    .chain(scene.of_kind(EntityKind::Role))
            };
            let mut who = scene.who_of(all(), &["kms:Sign"], key.id.as_str(), &given);
            let rules = ["kms:PutKeyPolicy", "kms:CreateGrant"];
            let ruling = scene.who_of(all(), &rules, key.id.as_str(), &given);
            who.allowed.retain(|id| ruling.allowed.contains(id));
            who.depends
                .retain(|id| ruling.allowed.contains(id) || ruling.depends.contains(id));
            verdicts.of(key, Judged::nobody(who, "may sign and change who may"));
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/signer"}, "Action": "kms:*", "Resource": "*"}]}}]}, {"RoleDetailList": [{"RoleName": "signer", "Arn": "arn:aws:iam::111122223333:role/signer", "AssumeRolePolicyDocument": {"Statement": []}, "AttachedManagedPolicies": []}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/signer"}, "Action": "kms:Sign", "Resource": "*"}]}}]}, {"RoleDetailList": [{"RoleName": "signer", "Arn": "arn:aws:iam::111122223333:role/signer", "AssumeRolePolicyDocument": {"Statement": []}, "AttachedManagedPolicies": []}]}]"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
