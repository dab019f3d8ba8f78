//! A machine's role leads to a wallet's key.

use portreeve_graph::JewelKind;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.node-reaches-signing",
    title: "A machine's role leads to a wallet's key",
    why: "Every process and pod on the machine is then a signer, and so is whoever breaks into one.",
    remedy: "Give the signer a role of its own (IRSA, Pod Identity or its own machine), and take the key from the machine's.",
    severity: Severity::Critical,
    posture: &["A18"],
    references: &[
        "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
    ],
    needs: &["aws.instances"],
    judge: |scene, verdicts| {
        for instance in scene.of_kind(EntityKind::Instance) {
            if scene.roles_of(&instance.id).is_empty() {
                continue;
            }
            let paths = scene.graph.paths_to_jewels(instance.id.as_str());
            let to = paths.iter().find(|path| {
                let kind = scene.jewel(&path.to);
                matches!(kind, Some(JewelKind::SigningKey | JewelKind::WalletSecret))
            });
            let judged = match to {
                None if !scene.are_policies_seen(instance) => {
                    Judged::unknown("aws iam get-account-authorization-details")
                }
                None => Judged::pass(),
                Some(path) => {
                    let steps = path.steps.len();
                    let name = path.to.short_name();
                    Judged::fail(format!("{name} is {steps} steps from it"))
                }
            };
            verdicts.of(instance, judged);
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/node"}}], "InstanceProfiles": [{"Arn": "arn:aws:iam::111122223333:instance-profile/node", "InstanceProfileName": "node", "Roles": [{"Arn": "arn:aws:iam::111122223333:role/node"}]}], "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/node"}, "Action": "kms:Sign", "Resource": "*"}]}}]}, {"RoleDetailList": [{"RoleName": "node", "Arn": "arn:aws:iam::111122223333:role/node", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}, "AttachedManagedPolicies": []}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/node"}}], "InstanceProfiles": [{"Arn": "arn:aws:iam::111122223333:instance-profile/node", "InstanceProfileName": "node", "Roles": [{"Arn": "arn:aws:iam::111122223333:role/node"}]}], "Keys": [{"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "KeySpec": "ECC_SECG_P256K1", "Policy": {"Statement": []}}]}, {"RoleDetailList": [{"RoleName": "node", "Arn": "arn:aws:iam::111122223333:role/node", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}, "AttachedManagedPolicies": []}]}]"#,
        ),
    ],
    ..Check::DEFAULT
};
