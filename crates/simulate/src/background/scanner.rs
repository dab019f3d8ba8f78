use serde_json::json;

use super::portal::session_token;
use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::network;
use crate::organisation::{ACCOUNTS, GLOBAL_REGION, HOME_REGION, VENDOR, WEB};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

const READS: [&str; 36] = [
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "ec2:DescribeSnapshots",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeImages",
    "iam:ListUsers",
    "iam:ListRoles",
    "iam:ListPolicies",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountPasswordPolicy",
    "iam:GetCredentialReport",
    "iam:ListMFADevices",
    "iam:ListAccessKeys",
    "s3:ListBuckets",
    "s3:GetBucketPolicy",
    "s3:GetBucketAcl",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetBucketLogging",
    "s3:GetBucketPublicAccessBlock",
    "cloudfront:ListDistributions",
    "cloudfront:GetDistributionConfig",
    "lambda:ListFunctions20150331",
    "lambda:GetPolicy20150331v2",
    "kms:ListKeys",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "rds:DescribeDBInstances",
    "rds:DescribeDBSnapshots",
    "ecr:DescribeRepositories",
    "secretsmanager:ListSecrets",
    "cloudtrail:DescribeTrails",
    "guardduty:ListDetectors",
];

/// The posture vendor reads everything each night, by a role that asks for an external id.
pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("scanner", day);
    let client = Client::fixed(
        "Boto3/1.35.81 md/Botocore#1.35.81 ua/2.0 os/linux#5.15.0-1073-aws md/arch#x86_64 lang/python#3.11.11 md/pyimpl#CPython cfg/retry-mode#adaptive Botocore/1.35.81",
    );
    let vendor_role = format!(
        "AROA{}:scan",
        stage.seeds.stream("vendor role", 0).base32(17)
    );
    for (place, account) in ACCOUNTS.into_iter().enumerate() {
        let started =
            day.midnight + HOUR + place as i64 * 20 * MINUTE + dice.between(0, 4 * MINUTE);
        let address = network::SCANNER[place % 2];
        let role = stage.organisation.role(account, "posture-vendor-audit");
        let (key, token) = (format!("ASIA{}", dice.base32(16)), session_token(&mut dice));
        let minted = Minted {
            key: &key,
            token: &token,
            expires: started + HOUR,
        };
        let external = stage.seeds.stream("external id", 0).uuid();
        let call = Call::assume_role(
            "sts:AssumeRole",
            &role,
            "scan",
            &minted,
            json!({"externalId": external, "durationSeconds": 3600}),
        );
        let vendor = Identity::other_account(VENDOR, &vendor_role);
        out.benign(
            &mut dice,
            started,
            account,
            &Caller::new(&vendor, address, &client),
            &call,
        );
        let session = Identity::role_session(&role, "scan", &key, started, Extra::None);
        let caller = Caller::new(&session, address, &client);
        let most = if account == WEB { 760 } else { 320 };
        let mut at = started + 3;
        for number in 0..stage.amount(&mut dice, most - 80, most + 80) {
            let name = READS[number as usize % READS.len()];
            let mut call = if name.starts_with("s3:GetBucket") {
                Call::bucket(
                    name,
                    dice.pick(&[
                        "halyard-build-cache",
                        "halyard-app-logs",
                        "halyard-reports",
                        stage.organisation.web_bucket.as_str(),
                    ]),
                )
            } else {
                Call::named(name)
            };
            if name.starts_with("ec2:") || name.starts_with("rds:") || name.starts_with("lambda:") {
                call = call.region(if number % 3 == 0 {
                    GLOBAL_REGION
                } else {
                    HOME_REGION
                });
            }
            match dice.below(1000) {
                0..=64 => call = call.denied(&session),
                65..=74 => call = call.failed("ThrottlingException", "Rate exceeded"),
                _ => {}
            }
            out.benign(&mut dice, at, account, &caller, &call);
            // However much there is, it is read within the hour that the session lives.
            if number % (2 * stage.repeated(1)) == 1 {
                at += dice.between(0, 3);
            }
        }
    }
}
