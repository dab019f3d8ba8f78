//! People's own users live where the web origin is.

use portreeve_graph::JewelKind;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::verdicts::{A_PERSON, Judged};

pub(super) const CHECK: Check = Check {
    id: "aws.shared-account",
    title: "People's users live in the account of a crown jewel",
    why: "What a stolen key of a person may do by mistake, it may do to the jewel: nothing but policies stands between.",
    remedy: "Move web origins, wallets and signing keys to accounts of their own, entered by roles only.",
    severity: Severity::Medium,
    posture: &["A11"],
    references: &[
        "https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/organizing-your-aws-environment.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        let kinds = [
            JewelKind::WebOrigin,
            JewelKind::SigningKey,
            JewelKind::WalletSecret,
        ];
        for account in scene.accounts() {
            let mut jewels = kinds.iter().flat_map(|kind| scene.jewels(*kind));
            let Some(jewel) = jewels.find(|jewel| jewel.account == account.account) else {
                continue;
            };
            let users = scene
                .of_kind(EntityKind::User)
                .filter(|user| user.account == account.account);
            let told: Vec<Option<bool>> = users.map(|user| scene.is_person(user)).collect();
            let people = told.iter().filter(|person| **person == Some(true)).count();
            let judged = match people {
                0 if told.contains(&None) => Judged::unknown(A_PERSON),
                0 => Judged::pass(),
                count => Judged::fail(format!(
                    "{} beside {count} users of people",
                    jewel.id.short_name()
                )),
            };
            verdicts.of(account, judged.on([jewel.id.clone()]));
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}]}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "AttachedManagedPolicies": []}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}]}]}, {"UserDetailList": [{"UserName": "bot", "Arn": "arn:aws:iam::111122223333:user/bot", "AttachedManagedPolicies": []}]}, {"ReportFormat": "text/csv", "Content": "user,arn,user_creation_time,password_enabled,mfa_active\nbot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,false,false\n"}]"#,
        ),
        unknown(
            r#"[{"Account": "111122223333", "Buckets": [{"Name": "web", "Tags": [{"Key": "tier", "Value": "web-origin"}]}]}, {"UserDetailList": [{"UserName": "bot", "Arn": "arn:aws:iam::111122223333:user/bot", "AttachedManagedPolicies": []}]}]"#,
        ),
    ],
    ..Check::DEFAULT
};
