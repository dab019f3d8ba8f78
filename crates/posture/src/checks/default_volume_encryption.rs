//! New disks are not encrypted in a region.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;
use portreeve_model::EntityId;

pub(super) const CHECK: Check = Check {
    id: "aws.default-volume-encryption",
    title: "New disks are not encrypted by default in a region",
    why: "Disks that are made in a hurry, or by an intruder to copy one, are then in the clear.",
    remedy: "Turn on encryption by default in every region.",
    severity: Severity::Low,
    cis: &["2.2.1"],
    references: &["https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html"],
    needs: &["aws.account-settings"],
    judge: |scene, verdicts| {
        for account in scene.accounts() {
            let number = account.account.as_deref().unwrap_or_default();
            let told: Vec<(&str, bool)> = account
                .attributes
                .iter()
                .filter_map(|(name, value)| {
                    let region = name.strip_prefix("EbsEncryptionByDefault:")?;
                    Some((region, value.eq_ignore_ascii_case("true")))
                })
                .collect();
            let regions = scene.regions(account);
            let untold = regions
                .iter()
                .filter(|own| !told.iter().any(|(region, _)| region == *own));
            if told.is_empty() && regions.is_empty() {
                let missing = "aws ec2 get-ebs-encryption-by-default (in each region)";
                verdicts.of(account, Judged::unknown(missing));
            }
            let mut judge = |region: &str, judged| {
                let id = EntityId::from(format!("{number}/{region}"));
                verdicts.at(&id, account.account.clone(), judged);
            };
            for region in untold {
                let missing = "aws ec2 get-ebs-encryption-by-default (in each region)";
                judge(region, Judged::unknown(missing));
            }
            for (region, on) in &told {
                judge(
                    region,
                    Judged::holds(Some(*on), "encryption by default is off", ""),
                );
            }
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "EbsEncryptionByDefault": false}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "EbsEncryptionByDefault": true}"#,
        ),
    ],
    ..Check::DEFAULT
};
