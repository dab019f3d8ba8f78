//! A person may sign with a wallet's key.

use portreeve_graph::{Circumstances, JewelKind};
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.signing-key-holder",
    title: "A person may sign with a wallet's key",
    why: "A stolen session signs a transfer, and no transfer comes back.",
    remedy: "Let one workload's role alone sign, from its own network (`aws:SourceVpce`), and name it in the key's policy instead of the account.",
    severity: Severity::Critical,
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
            let given = Circumstances::default();
            let who = scene.people_who_may(&["kms:Sign"], key.id.as_str(), &given);
            verdicts.of(key, Judged::nobody(who, "may sign"));
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ana"}, "Action": "kms:Sign", "Resource": "*"}]}}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana"}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/signer"}, "Action": "kms:Sign", "Resource": "*"}]}}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana"}]}]"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
