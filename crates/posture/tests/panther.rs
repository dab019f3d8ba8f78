//! Labelled configurations of a public rule collection (panther-analysis, Apache-2.0): for each of
//! its rules, resources of which it says whether they comply. The table in `docs/checks.md` is this
//! test's.
#![allow(clippy::print_stdout)]

mod common;
#[path = "panther/convert.rs"]
mod convert;

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::Estate;
use portreeve_posture::Settings;
use serde_json::Value;

/// Their rule, our check, and the number with which it asks the same.
type Same = (&'static str, &'static str, Option<(&'static str, i64)>);

const SAME: &[Same] = &[
    ("AWS.AMI.Private", "aws.image-public", None),
    ("AWS.AccessKey.Rotation", "aws.access-key-age", None),
    (
        "AWS.AccessKey.Unused",
        "aws.unused-access-key",
        Some(("days", 90)),
    ),
    (
        "AWS.AccessKeys.AccountCreation",
        "aws.access-key-at-creation",
        None,
    ),
    ("AWS.CMK.KeyRotation", "aws.key-rotation", None),
    ("AWS.CloudTrail.CloudWatchLogs", "aws.trail-log-group", None),
    ("AWS.CloudTrail.Enabled", "aws.trail-enabled", None),
    ("AWS.CloudTrail.LogEncryption", "aws.trail-encryption", None),
    ("AWS.CloudTrail.LogValidation", "aws.trail-validation", None),
    ("AWS.Config.GlobalResources", "aws.config-global", None),
    (
        "AWS.Config.RecordAllResourceTypes",
        "aws.config-all-types",
        None,
    ),
    ("AWS.Config.RecordingEnabled", "aws.config-recorder", None),
    ("AWS.Config.RecordingNoErrors", "aws.config-errors", None),
    ("AWS.EC2.CDEVolumeEncrypted", "aws.volume-encryption", None),
    ("AWS.EC2.Volume.Encryption", "aws.volume-encryption", None),
    (
        "AWS.EC2.Volume.Snapshot.Encrypted",
        "aws.snapshot-encryption",
        None,
    ),
    ("AWS.GuardDuty.Enabled", "aws.guardduty", None),
    (
        "AWS.IAM.Policy.AdministrativePrivileges",
        "aws.administrator-policy",
        None,
    ),
    ("AWS.IAM.Policy.AssignedToUser", "aws.user-policy", None),
    (
        "AWS.IAM.Role.GitHubActionsTrust",
        "aws.pipeline-trust",
        None,
    ),
    ("AWS.IAM.User.MFA", "aws.user-mfa", None),
    ("AWS.KMS.RestrictsUsage", "aws.key-public", None),
    ("AWS.Lambda.PublicAccess", "aws.function-public", None),
    (
        "AWS.NetworkACL.RestrictedSSH",
        "aws.network-list-administration",
        None,
    ),
    (
        "AWS.Password.Unused",
        "aws.unused-password",
        Some(("days", 90)),
    ),
    (
        "AWS.PasswordPolicy.ComplexityGuidelines",
        "aws.password-characters",
        None,
    ),
    (
        "AWS.PasswordPolicy.PasswordAgeLimit",
        "aws.password-age",
        None,
    ),
    (
        "AWS.PasswordPolicy.PasswordReuse",
        "aws.password-reuse",
        None,
    ),
    (
        "AWS.RDS.Instance.AutoMinorVersionUpgradeEnabled",
        "aws.database-upgrade",
        None,
    ),
    (
        "AWS.RDS.Instance.Encryption",
        "aws.database-encryption",
        None,
    ),
    ("AWS.RDS.Instance.PublicAccess", "aws.database-public", None),
    (
        "AWS.RDS.Instance.SnapshotPublicAccess",
        "aws.database-snapshot-public",
        None,
    ),
    ("AWS.RDS.InstanceBackup", "aws.database-backup", None),
    (
        "AWS.RDS.InstanceBackupRetentionAcceptable",
        "aws.database-backup",
        Some(("days", 7)),
    ),
    ("AWS.RootAccount.AccessKeys", "aws.root-access-key", None),
    ("AWS.RootAccount.HardwareMFA", "aws.root-hardware-mfa", None),
    ("AWS.RootAccount.MFA", "aws.root-mfa", None),
    (
        "AWS.S3.Bucket.ActionRestrictions",
        "aws.bucket-action-wildcard",
        None,
    ),
    ("AWS.S3.Bucket.Encryption", "aws.bucket-encryption", None),
    ("AWS.S3.Bucket.Logging", "aws.bucket-logging", None),
    ("AWS.S3.Bucket.MFADelete", "aws.bucket-mfa-delete", None),
    (
        "AWS.S3.Bucket.PolicyAllowWithNotPrincipal",
        "aws.bucket-not-principal",
        None,
    ),
    (
        "AWS.S3.Bucket.PolicyConfusedDeputyProtection",
        "aws.bucket-service-source",
        None,
    ),
    (
        "AWS.S3.Bucket.PrincipalRestrictions",
        "aws.bucket-public-policy",
        None,
    ),
    (
        "AWS.S3.Bucket.PublicAccessBlock",
        "aws.bucket-public-access-block",
        None,
    ),
    ("AWS.S3.Bucket.PublicRead", "aws.bucket-public-read", None),
    ("AWS.S3.Bucket.PublicWrite", "aws.bucket-public-write", None),
    (
        "AWS.S3.Bucket.SecureAccess",
        "aws.bucket-secure-transport",
        None,
    ),
    ("AWS.S3.Bucket.Versioning", "aws.bucket-versioning", None),
    (
        "AWS.S3.BucketObjectLockConfigured",
        "aws.bucket-object-lock",
        None,
    ),
    (
        "AWS.SecurityGroup.AdministrativeIngress",
        "aws.security-group-administration",
        None,
    ),
    ("AWS.VPC.FlowLogs", "aws.flow-logs", None),
];

/// Labels that differ, with why.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "AWS.AccessKeys.AccountCreation",
        "Root User Access Key Created At Account Creation",
        "the key is not active any more: it opens nothing",
    ),
    (
        "AWS.AccessKeys.AccountCreation",
        "User Access Key Not Created At Account Creation",
        "the key is active and the report has no time of it: not shown, so neither passed nor failed",
    ),
    (
        "AWS.EC2.Volume.Snapshot.Encrypted",
        "Volume Snapshot Encrypted",
        "one of the volume's two snapshots is not encrypted; the rule looks at the other",
    ),
    (
        "AWS.IAM.Role.GitHubActionsTrust",
        "Allowed repo",
        "`repo:OWNER/NAME:*` is told as medium: any branch and any pull request gets in",
    ),
    (
        "AWS.IAM.Role.GitHubActionsTrust",
        "Valid GitHub Actions Trust Relationship",
        "`repo:OWNER/NAME:*` is told as medium: any branch and any pull request gets in",
    ),
    (
        "AWS.RDS.Instance.Encryption",
        "KMS Key Does Not Exist",
        "`StorageEncrypted` is true and the key is null, which RDS never says; the check asks whether it is encrypted",
    ),
    (
        "AWS.S3.Bucket.PublicAccessBlock",
        "Public Access Block Configuration Is Set",
        "two of the four settings are off; the benchmark asks for all four",
    ),
    (
        "AWS.S3.Bucket.SecureAccess",
        "Bucket Uses Explicit Deny",
        "plain HTTP is denied for two actions only: objects are still read over it by whoever may read",
    ),
    (
        "AWS.SecurityGroup.AdministrativeIngress",
        "Inbound IP Permission On All IPs On Acceptable Ports",
        "the rule is of protocol -1, for which EC2 opens every port whatever ports are written",
    ),
];

#[test]
fn the_checks_agree_with_the_labels() {
    let Some(folder) = common::shared("data/panther_policies") else {
        return;
    };
    let catalogue = portreeve_graph::Catalogue::default();
    let mut agree = 0;
    let mut all = 0;
    let mut rows: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut differ = BTreeSet::new();
    let mut left = BTreeMap::<String, usize>::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let rule = row["rule_id"].as_str().unwrap();
            let test = row["test_name"].as_str().unwrap();
            let expected = row["expected"].as_bool().unwrap();
            let same = SAME.iter().find(|(own, _, _)| *own == rule);
            let kind = row["resource_type"].as_str().unwrap();
            // What the rule looks up elsewhere is not in the data.
            let mocked = row["mocks"].as_bool() == Some(true);
            let exports = convert::inventory(kind, &row["resource"]).filter(|_| !mocked);
            let (Some((_, check, limit)), Some(exports)) = (same, exports) else {
                *left.entry(rule.to_owned()).or_default() += 1;
                continue;
            };
            let mut settings = Settings::default();
            if let Some((name, value)) = limit {
                let key = ((*check).to_owned(), (*name).to_owned());
                settings.limits.insert(key, *value);
            }
            let mut estate = Estate::default();
            for export in &exports {
                let letters = portreeve_estate::read("export", export.as_bytes(), &mut estate);
                assert_eq!(letters, [], "{rule} {test}: {export}");
            }
            portreeve_estate::complete(&mut estate);
            let posture = common::posture(&estate, &catalogue, &settings);
            let counts = posture
                .checks
                .iter()
                .find(|own| own.id == *check)
                .unwrap()
                .counts;
            // What is not shown is neither: it agrees with no label.
            let said = match (counts.failed, counts.unknown) {
                (0, 0) => Some(true),
                (0, _) => None,
                _ => Some(false),
            };
            let row = rows.entry(rule.to_owned()).or_default();
            row.1 += 1;
            all += 1;
            if said == Some(expected) {
                agree += 1;
                row.0 += 1;
            } else {
                println!("differs: {rule} | {test}: expected {expected}, said {said:?}");
                differ.insert((rule.to_owned(), test.to_owned()));
            }
        }
    }
    for (rule, (agree, all)) in &rows {
        println!("{rule}: {agree} of {all}");
    }
    println!("{agree} of {all} labels agree; not covered: {left:?}");
    assert!(agree * 10 >= all * 9, "{agree} of {all}");
    let explained: BTreeSet<(String, String)> = EXPLAINED
        .iter()
        .map(|(rule, test, _)| ((*rule).to_owned(), (*test).to_owned()))
        .collect();
    assert_eq!(differ, explained);
}
