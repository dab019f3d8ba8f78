use serde_json::json;

use super::own_user::{console_login, user_id};
use super::portal::session_token;
use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Seeds;
use crate::network;
use crate::organisation::{DEV, MANAGEMENT, WEB};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// What does not happen every day.
pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    robots(stage, day, out);
    if day.number() % 7 == 3 {
        rotation(stage, day, out);
    }
    if (9..12).contains(&stage.place_of(day)) && !day.weekend {
        penetration_test(stage, day, out);
    }
    if day.number() % 19 == 7 {
        break_glass(stage, day, out);
    }
    backup(stage, day, out);
}

/// IAM users with keys that machines hold: one in the office, one at a partner.
fn robots(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("robots", day);
    let client = Client::fixed(
        "Boto3/1.28.62 md/Botocore#1.31.62 ua/2.0 os/linux#5.15.0-130-generic md/arch#x86_64 lang/python#3.10.12 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.31.62",
    );
    for (account, name, address, pool) in [
        (
            WEB,
            "legacy-metrics",
            network::OFFICE,
            [
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "ec2:DescribeInstances",
            ],
        ),
        (
            DEV,
            "build-mirror",
            network::OFFICE,
            [
                "ecr:GetAuthorizationToken",
                "ecr:DescribeImages",
                "s3:ListBuckets",
            ],
        ),
        (
            WEB,
            "partner-upload",
            network::PARTNER,
            ["s3:ListBuckets", "sts:GetCallerIdentity", "s3:ListBuckets"],
        ),
    ] {
        let id = user_id(stage, account, name);
        let caller = Caller::new(
            &Identity::user(
                account.id,
                name,
                &id,
                &long_lived_key(stage.seeds, account.id, name),
            ),
            address,
            &client,
        );
        for _ in 0..stage.amount(&mut dice, 20, 40) {
            let at = day.midnight + dice.below(86_400) as i64;
            let call = Call::named(dice.pick(&pool));
            out.benign(&mut dice, at, account, &caller, &call);
        }
    }
}

/// The long-lived key of an IAM user.
pub(crate) fn long_lived_key(seeds: Seeds, account: &str, name: &str) -> String {
    format!(
        "AKIA{}",
        seeds.stream(&format!("key {account} {name}"), 0).base32(16)
    )
}

/// A function renews the machines' keys each week.
fn rotation(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("rotation", day);
    let at = day.midnight + 4 * HOUR + dice.between(0, 10 * MINUTE);
    let role = stage.organisation.role(WEB, "key-rotation");
    let (key, token) = (format!("ASIA{}", dice.base32(16)), session_token(&mut dice));
    let minted = Minted {
        key: &key,
        token: &token,
        expires: at + 12 * HOUR,
    };
    let call = Call::assume_role("sts:AssumeRole", &role, "key-rotation", &minted, json!({}));
    out.benign(
        &mut dice,
        at,
        WEB,
        &Caller::service("lambda.amazonaws.com"),
        &call,
    );
    let session = Identity::role_session(&role, "key-rotation", &key, at, Extra::None);
    let client = Client::fixed(
        "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#6.1.119-129.201.amzn2023.x86_64 md/arch#x86_64 lang/python#3.12.8 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.35.99",
    );
    let caller = Caller::new(&session, network::CLUSTER[1], &client);
    for (step, user) in ["mail-sender", "desk-export", "status-page"]
        .into_iter()
        .enumerate()
    {
        let new = format!("AKIA{}", dice.base32(16));
        let old = format!("AKIA{}", dice.base32(16));
        let when = at + 5 + step as i64 * 9;
        let create = Call::named("iam:CreateAccessKey").request(json!({"userName": user})).response(json!({
            "accessKey": {"accessKeyId": new, "userName": user, "status": "Active", "createDate": crate::time::spoken(when)},
        }));
        let retire = Call::named("iam:UpdateAccessKey")
            .request(json!({"userName": user, "accessKeyId": old, "status": "Inactive"}));
        let store = Call::named("secretsmanager:PutSecretValue")
            .request(json!({"secretId": format!("halyard/robots/{user}")}));
        for (offset, call) in [create, store, retire].into_iter().enumerate() {
            out.benign(&mut dice, when + 2 * offset as i64, WEB, &caller, &call);
        }
    }
}

/// The announced test of the development account: the testers' own system, and many refusals.
fn penetration_test(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("penetration test", day);
    let name = "pentest-announced";
    let id = user_id(stage, DEV, name);
    let identity = Identity::user(
        DEV.id,
        name,
        &id,
        &long_lived_key(stage.seeds, DEV.id, name),
    );
    let caller = Caller::new(&identity, network::PENETRATION_TEST, &Client::kali());
    let mut at = day.midnight + 9 * HOUR + dice.between(0, 30 * MINUTE);
    for number in 0..stage.length(&mut dice, 50, 90) {
        let pool = [
            "iam:ListUsers",
            "iam:ListRoles",
            "s3:ListBuckets",
            "lambda:ListFunctions20150331",
            "ec2:DescribeInstances",
            "iam:ListPolicies",
            "secretsmanager:ListSecrets",
            "ssm:DescribeParameters",
            "kms:ListKeys",
        ];
        let name = if number == 0 {
            "sts:GetCallerIdentity"
        } else {
            dice.pick(&pool)
        };
        let mut call = Call::named(name);
        if number > 0 && dice.permille(450) {
            call = call.denied(&identity);
        }
        out.benign(&mut dice, at, DEV, &caller, &call);
        at += dice.between(4, 200);
    }
}

/// The emergency user's monthly trial: one sign-in with a hardware token.
fn break_glass(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("break glass", day);
    let name = "break-glass";
    let id = user_id(stage, MANAGEMENT, name);
    let at = day.midnight + 10 * HOUR + dice.between(0, HOUR);
    let person = &stage.organisation.engineers[stage.organisation.engineers.len() - 2];
    let login = Identity::user_in_console(MANAGEMENT.id, name, &id, None);
    let device = format!("arn:aws:iam::{}:mfa/break-glass-token", MANAGEMENT.id);
    out.benign(
        &mut dice,
        at,
        MANAGEMENT,
        &Caller::new(&login, network::OFFICE, &person.browser),
        &console_login(&device),
    );
    let key = format!("ASIA{}", dice.base32(16));
    let session = Identity::user_in_console(MANAGEMENT.id, name, &id, Some((&key, at)));
    let caller = Caller::new(&session, network::OFFICE, &person.browser);
    for step in 0..4 {
        let call = Call::named(dice.pick(&[
            "iam:GetAccountSummary",
            "organizations:DescribeOrganization",
            "iam:ListMFADevices",
        ]));
        out.benign(&mut dice, at + 20 + step * 11, MANAGEMENT, &caller, &call);
    }
}

/// Nightly snapshots.
fn backup(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("backup", day);
    let service = "backup.amazonaws.com";
    let role = stage.organisation.role(WEB, "backup-operator");
    let at = day.midnight + 3 * HOUR;
    let key = format!("ASIA{}", dice.base32(16));
    let identity =
        Identity::role_session(&role, "AWSBackup", &key, at - 5, Extra::InvokedBy(service));
    for step in 0..stage.length(&mut dice, 8, 14) {
        let call = Call::named(dice.pick(&[
            "rds:DescribeDBInstances",
            "ec2:CreateSnapshot",
            "ec2:DescribeSnapshots",
        ]));
        out.benign(
            &mut dice,
            at + step * 30,
            WEB,
            &Caller::by_service(&identity, service),
            &call,
        );
    }
}
