use serde_json::json;

use crate::call::Call;
use crate::delivery::Delivery;
use crate::organisation::{ACCOUNTS, SIGN, WEB};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::HOUR;

/// The provider's services at work for their customer.
pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    recorders(stage, day, out);
    log_delivery(stage, day, out);
    content(stage, day, out);
    replication(stage, day, out);
}

/// Config, GuardDuty and load balancing look around with their own roles.
fn recorders(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    const WATCHERS: [(&str, &str, i64, &[&str]); 3] = [
        (
            "config.amazonaws.com",
            "AWSServiceRoleForConfig",
            90,
            &[
                "ec2:DescribeInstances",
                "ec2:DescribeVolumes",
                "ec2:DescribeSecurityGroups",
                "iam:GetRole",
                "iam:GetUser",
                "lambda:ListFunctions20150331",
                "s3:GetBucketPolicy",
                "kms:DescribeKey",
                "config:PutEvaluations",
            ],
        ),
        (
            "guardduty.amazonaws.com",
            "AWSServiceRoleForAmazonGuardDuty",
            25,
            &[
                "ec2:DescribeInstances",
                "ec2:DescribeImages",
                "organizations:ListAccounts",
            ],
        ),
        (
            "elasticloadbalancing.amazonaws.com",
            "AWSServiceRoleForElasticLoadBalancing",
            40,
            &[
                "ec2:DescribeInstances",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
            ],
        ),
    ];
    let mut dice = stage.stream("recorders", day);
    for account in ACCOUNTS {
        for (service, name, calls, pool) in WATCHERS {
            let role = stage.organisation.service_role(account, service, name);
            for _ in 0..stage.amount(&mut dice, calls / 2, calls) {
                let at = day.midnight + dice.below(86_400) as i64;
                let turn = at.div_euclid(HOUR);
                let key = format!(
                    "ASIA{}",
                    stage
                        .seeds
                        .stream(&format!("{service} {}", account.id), turn as u64)
                        .base32(16)
                );
                let session = if service.starts_with("config") {
                    "AWSConfig-Describe"
                } else {
                    "Session"
                };
                let identity = Identity::role_session(
                    &role,
                    session,
                    &key,
                    turn * HOUR,
                    Extra::InvokedBy(service),
                );
                let name = dice.pick(pool);
                let mut call = if name.starts_with("s3:") {
                    Call::bucket(
                        name,
                        dice.pick(&["halyard-build-cache", "halyard-app-logs", "halyard-reports"]),
                    )
                } else {
                    Call::named(name)
                };
                if name == "s3:GetBucketPolicy" && dice.permille(200) {
                    call = call.failed("NoSuchBucketPolicy", "The bucket policy does not exist");
                }
                out.benign(
                    &mut dice,
                    at,
                    account,
                    &Caller::by_service(&identity, service),
                    &call,
                );
            }
        }
    }
}

/// The trail encrypts what it delivers.
fn log_delivery(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("log delivery", day);
    let key = format!(
        "arn:aws:kms:eu-west-1:{}:key/{}",
        ACCOUNTS[0].id,
        stage.seeds.stream("trail key", 0).uuid()
    );
    for account in ACCOUNTS {
        for _ in 0..stage.amount(&mut dice, 24, 40) {
            let at = day.midnight + dice.below(86_400) as i64;
            let call = Call::named("kms:GenerateDataKey")
                .request(json!({"keyId": key, "keySpec": "AES_256", "encryptionContext": {"aws:cloudtrail:arn": format!("arn:aws:cloudtrail:eu-west-1:{}:trail/organisation", ACCOUNTS[0].id)}}))
                .resources(json!([{"accountId": ACCOUNTS[0].id, "type": "AWS::KMS::Key", "ARN": key}]));
            out.benign(
                &mut dice,
                at,
                account,
                &Caller::service("cloudtrail.amazonaws.com"),
                &call,
            );
        }
    }
}

/// The distribution fetches from its origin what its caches do not hold.
fn content(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("content", day);
    let caller = Caller::service("cloudfront.amazonaws.com");
    for _ in 0..stage.amount(&mut dice, 150, 260) {
        let at = day.midnight + dice.below(86_400) as i64;
        let key = match dice.below(6) {
            0 => "index.html".to_owned(),
            1 => stage.organisation.web_bundle.clone(),
            _ => format!(
                "_next/static/chunks/{}-{}.js",
                dice.below(900) + 100,
                dice.hex(16)
            ),
        };
        let mut call = Call::object(
            "s3:GetObject",
            &stage.organisation.web_bucket,
            &key,
            dice.between(2_000, 180_000),
        );
        if dice.permille(15) {
            call = call.failed("NoSuchKey", "The specified key does not exist.");
        }
        out.benign(&mut dice, at, WEB, &caller, &call);
    }
}

/// Replication of the report bucket, read and write; checks of the keys' health. (What a lifecycle
/// rule deletes no trail shows.)
fn replication(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("replication", day);
    let role = stage.organisation.role(WEB, "s3-replication");
    for _ in 0..stage.amount(&mut dice, 30, 60) {
        let at = day.midnight + dice.below(86_400) as i64;
        let turn = at.div_euclid(HOUR);
        let key = format!(
            "ASIA{}",
            stage.seeds.stream("replication", turn as u64).base32(16)
        );
        let identity = Identity::role_session(
            &role,
            "s3-replication",
            &key,
            turn * HOUR,
            Extra::InvokedBy("s3.amazonaws.com"),
        );
        let object = format!("reports/{}.json", dice.hex(12));
        let call = Call::object(
            "s3:GetObject",
            "halyard-reports",
            &object,
            dice.between(400, 9_000),
        );
        let caller = Caller::by_service(&identity, "s3.amazonaws.com");
        out.benign(&mut dice, at, WEB, &caller, &call);
        let copy = Call::object(
            "s3:PutObject",
            "halyard-reports-replica",
            &object,
            dice.between(400, 9_000),
        );
        out.benign(&mut dice, at + 1, WEB, &caller, &copy);
    }
    for _ in 0..stage.amount(&mut dice, 10, 20) {
        let at = day.midnight + dice.below(86_400) as i64;
        let call = Call::named("kms:DescribeKey")
            .request(json!({"keyId": stage.organisation.signing_key}));
        out.benign(
            &mut dice,
            at,
            SIGN,
            &Caller::service("kms.amazonaws.com"),
            &call,
        );
    }
}
