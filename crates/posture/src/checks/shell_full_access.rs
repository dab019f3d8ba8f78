//! CloudShell may carry files in and out.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.shell-full-access",
    title: "CloudShell may be used without limits",
    why: "CloudShell with upload and download is a machine inside, with the person's permissions, that no endpoint sensor sees.",
    remedy: "Detach AWSCloudShellFullAccess; where CloudShell is needed, deny the transfer of files.",
    severity: Severity::Low,
    posture: &["A29"],
    cis: &["1.22"],
    references: &[
        "https://docs.aws.amazon.com/cloudshell/latest/userguide/sec-auth-with-identities.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        let kinds = [EntityKind::User, EntityKind::Group, EntityKind::Role];
        for kind in kinds {
            for holder in scene
                .of_kind(kind)
                .filter(|own| scene.are_policies_seen(own))
            {
                let mut own = scene.policies_of(&holder.id, PolicyLayer::Identity);
                let has =
                    own.any(|policy| policy.name.ends_with(":policy/AWSCloudShellFullAccess"));
                let otherwise = "AWSCloudShellFullAccess is attached";
                verdicts.of(holder, Judged::holds(Some(!has), otherwise, ""));
            }
        }
    },
    examples: &[
        fails(
            r#"{"GroupDetailList": [{"GroupName": "dev", "Arn": "arn:aws:iam::111122223333:group/dev", "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/AWSCloudShellFullAccess", "PolicyName": "AWSCloudShellFullAccess"}]}]}"#,
        ),
        passes(
            r#"{"GroupDetailList": [{"GroupName": "dev", "Arn": "arn:aws:iam::111122223333:group/dev", "AttachedManagedPolicies": []}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
