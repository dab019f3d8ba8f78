use serde_json::json;

use super::pipeline::{layer, push_layers};
use super::portal::session_token;
use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, DEV, SIGN, WEB};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// The services that run in the production cluster.
pub(crate) const SERVICES: [&str; 16] = [
    "api", "ledger", "quotes", "rates", "risk", "kyc", "notify", "search", "reports", "batch",
    "payments", "support", "metrics", "audit", "sessions", "limits",
];

/// The functions of the production and development accounts.
pub(crate) const FUNCTIONS: [&str; 10] = [
    "image-resize",
    "webhook",
    "audit-export",
    "digest-mail",
    "thumbnails",
    "cleanup",
    "rates-import",
    "tax-report",
    "alert-router",
    "invoice",
];

/// The role of the production cluster's instances.
pub(crate) const NODE_ROLE: &str = "prod-core-node";

fn agent() -> Client {
    Client::fixed("aws-sdk-go/1.55.5 (go1.22.7; linux; amd64) amazon-ssm-agent/3.3.1611.0")
}

fn runtime() -> Client {
    Client::fixed(
        "aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.4 md/GOOS#linux md/GOARCH#amd64 exec-env/AWS_ECS_EC2 api/secretsmanager#1.34.7",
    )
}

fn script() -> Client {
    Client::fixed(
        "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#6.1.119-129.201.amzn2023.x86_64 md/arch#x86_64 lang/python#3.12.8 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.35.99",
    )
}

/// The session of an instance of the production cluster at a time. Instances get a new one every
/// six hours.
pub(crate) fn node_session(stage: &Stage, node: usize, time: i64) -> Caller {
    let organisation = &stage.organisation;
    let instance = &organisation.nodes[node % organisation.nodes.len()];
    let turn = time.div_euclid(6 * HOUR);
    let mut dice = stage.seeds.stream(&format!("node {instance}"), turn as u64);
    let key = format!("ASIA{}", dice.base32(16));
    let role = organisation.role(WEB, NODE_ROLE);
    let identity = Identity::role_session(&role, instance, &key, turn * 6 * HOUR, Extra::Instance);
    Caller::new(&identity, network::CLUSTER[node % 2], &runtime())
}

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    nodes(stage, day, out);
    service_starts(stage, day, out);
    services(stage, day, out);
    functions(stage, day, out);
    signer(stage, day, out);
    scaling(stage, day, out);
}

fn any_time(day: Day, dice: &mut Dice) -> i64 {
    day.midnight + dice.below(86_400) as i64
}

/// Instances report themselves and pull images.
fn nodes(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("nodes", day);
    for node in 0..stage.organisation.nodes.len() {
        for _ in 0..stage.amount(&mut dice, 60, 90) {
            let at = any_time(day, &mut dice);
            let caller = Caller {
                client: agent(),
                ..node_session(stage, node, at)
            };
            let instance = &stage.organisation.nodes[node];
            let call = Call::named("ssm:UpdateInstanceInformation").request(json!({
                "instanceId": instance, "agentVersion": "3.3.1611.0", "agentStatus": "Active",
                "platformType": "Linux", "platformName": "Amazon Linux", "platformVersion": "2023",
            }));
            out.benign(&mut dice, at, WEB, &caller, &call);
        }
    }
}

/// When tasks start, their instance pulls the image and reads the secrets that they need.
fn service_starts(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("starts", day);
    let starts = if day.weekend {
        stage.amount(&mut dice, 2, 4)
    } else {
        stage.amount(&mut dice, 7, 12)
    };
    let plain: Vec<_> = stage
        .organisation
        .secrets
        .iter()
        .filter(|(.., wallet)| !wallet)
        .collect();
    for number in 0..starts {
        // The web front end runs what is called stable, the services each a build of their own.
        let (service, tag) = if number % 5 == 1 {
            ("web-edge", "stable".to_owned())
        } else {
            (dice.pick(&SERVICES), dice.hex(40))
        };
        let layers = push_layers(&mut dice);
        let mut at = any_time(day, &mut dice);
        let tasks = dice.between(4, 10);
        let first = dice.below(plain.len() as u64 - 5) as usize;
        for _ in 0..tasks {
            let node = dice.below(stage.organisation.nodes.len() as u64) as usize;
            let caller = node_session(stage, node, at);
            out.benign(
                &mut dice,
                at,
                WEB,
                &caller,
                &Call::named("ecr:GetAuthorizationToken"),
            );
            let image = Call::repository(
                "ecr:BatchGetImage",
                WEB.id,
                service,
                json!({"imageIds": [{"imageTag": tag}]}),
            );
            out.benign(&mut dice, at + 1, WEB, &caller, &image);
            // An instance mostly has the layers already.
            for digest in layers.iter().take(dice.below(3) as usize) {
                let fetch = layer(WEB.id, service, digest);
                out.benign(&mut dice, at + 1, WEB, &caller, &fetch);
            }
            for (_, arn, _) in &plain[first..first + dice.between(2, 4) as usize] {
                at += dice.between(0, 2);
                out.benign(&mut dice, at, WEB, &caller, &Call::secret(arn));
            }
        }
    }
}

/// Services with roles of their own, taken by the cluster's tokens.
fn services(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("services", day);
    for service in SERVICES.into_iter().chain(["wallet-relayer"]) {
        for _ in 0..stage.amount(&mut dice, 2, 5) {
            let at = any_time(day, &mut dice);
            let role = stage.organisation.role(WEB, &format!("svc-{service}"));
            let key = format!("ASIA{}", dice.base32(16));
            let token = session_token(&mut dice);
            let address = dice.pick(&network::CLUSTER);
            let subject = format!("system:serviceaccount:{service}:{service}");
            let name = format!("{service}-{}", dice.hex(10));
            let minted = Minted {
                key: &key,
                token: &token,
                expires: at + HOUR,
            };
            let call = Call::assume_role(
                "sts:AssumeRoleWithWebIdentity",
                &role,
                &name,
                &minted,
                json!({"durationSeconds": 3600}),
            );
            let provider = format!(
                "oidc.eks.eu-west-1.amazonaws.com/id/{}",
                stage.seeds.stream("cluster", 0).hex(32).to_uppercase()
            );
            let identity = Identity::token(&provider, &subject);
            out.benign(
                &mut dice,
                at,
                WEB,
                &Caller::new(&identity, address, &runtime()),
                &call,
            );
            let session = Identity::role_session(
                &role,
                &name,
                &key,
                at,
                Extra::WebIdentity(&format!("arn:aws:iam::{}:oidc-provider/{provider}", WEB.id)),
            );
            let caller = Caller::new(&session, address, &runtime());
            for _ in 0..stage.length(&mut dice, 1, 5) {
                let later = at + dice.between(5, 55 * MINUTE);
                let call = service_call(stage, service, &mut dice);
                out.benign(&mut dice, later, WEB, &caller, &call);
            }
        }
    }
}

fn service_call(stage: &Stage, service: &str, dice: &mut Dice) -> Call {
    if service == "wallet-relayer" {
        let name = dice.pick(&[
            "halyard/wallet/hot-relayer",
            "halyard/wallet/fee-payer",
            "halyard/wallet/gas-tank",
        ]);
        return Call::secret(stage.organisation.secret(name));
    }
    match dice.below(8) {
        0 => Call::named("sqs:GetQueueAttributes").request(json!({"queueUrl": format!("https://sqs.eu-west-1.amazonaws.com/{}/{service}", WEB.id)})),
        1 => Call::named("dynamodb:DescribeTable").request(json!({"tableName": service})),
        2 => Call::named("ssm:GetParameter").request(json!({"name": format!("/halyard/{service}/config"), "withDecryption": true})),
        3 => {
            let key = format!("{service}/{}.json", dice.hex(12));
            let call = Call::object("s3:GetObject", "halyard-reports", &key, dice.between(400, 9_000));
            if dice.permille(60) { call.failed("NoSuchKey", "The specified key does not exist.") } else { call }
        }
        4 => {
            let key = format!("{service}/{}.json", dice.hex(12));
            Call::object("s3:PutObject", "halyard-reports", &key, dice.between(400, 9_000))
        }
        5 => Call::named("kms:Decrypt").request(json!({"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {"service": service}})),
        6 => Call::named("logs:CreateLogStream").request(json!({"logGroupName": format!("/halyard/{service}"), "logStreamName": dice.uuid()})),
        _ => Call::named("cloudwatch:PutMetricData").request(json!({"namespace": format!("Halyard/{service}")})),
    }
}

/// Functions: the provider takes their role, then they write their logs.
fn functions(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("functions", day);
    for account in [WEB, DEV] {
        for function in FUNCTIONS {
            for _ in 0..stage.amount(&mut dice, 6, 14) {
                let at = any_time(day, &mut dice);
                let role = stage.organisation.role(account, &format!("fn-{function}"));
                let key = format!("ASIA{}", dice.base32(16));
                let token = session_token(&mut dice);
                let minted = Minted {
                    key: &key,
                    token: &token,
                    expires: at + 12 * HOUR,
                };
                let call = Call::assume_role("sts:AssumeRole", &role, function, &minted, json!({}));
                out.benign(
                    &mut dice,
                    at,
                    account,
                    &Caller::service("lambda.amazonaws.com"),
                    &call,
                );
                let session = Identity::role_session(&role, function, &key, at, Extra::None);
                let call = Call::named("logs:CreateLogStream").request(json!({
                    "logGroupName": format!("/aws/lambda/{function}"),
                    "logStreamName": format!("{}/[$LATEST]{}", crate::time::format(at, "%Y/%m/%d"), dice.hex(32)),
                }));
                out.benign(
                    &mut dice,
                    at + 1,
                    account,
                    &Caller::new(&session, network::CLUSTER[1], &script()),
                    &call,
                );
            }
        }
    }
}

/// Withdrawals: signatures by the signer's role, more by day than by night, a batch at two.
fn signer(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("signer", day);
    let role = stage.organisation.role(SIGN, "signer");
    let batch = stage.amount(&mut dice, 30, 70);
    let single = stage.amount(
        &mut dice,
        if day.weekend { 180 } else { 320 },
        if day.weekend { 280 } else { 520 },
    );
    for number in 0..batch + single {
        let at = if number < batch {
            day.midnight + 2 * HOUR + number * 2
        } else {
            // The mean of two draws is thick around the middle of the day.
            day.midnight + (dice.between(0, 86_399) + dice.between(0, 86_399)) / 2
        };
        let turn = at.div_euclid(6 * HOUR);
        let key = format!(
            "ASIA{}",
            stage.seeds.stream("signer session", turn as u64).base32(16)
        );
        let identity = Identity::role_session(
            &role,
            &stage.organisation.signer_instance,
            &key,
            turn * 6 * HOUR,
            Extra::Instance,
        );
        let call = Call::named("kms:Sign")
            .request(json!({"keyId": stage.organisation.signing_key, "messageType": "DIGEST", "signingAlgorithm": "ECDSA_SHA_256"}))
            .resources(json!([{"accountId": SIGN.id, "type": "AWS::KMS::Key", "ARN": stage.organisation.signing_key}]));
        out.benign(
            &mut dice,
            at,
            SIGN,
            &Caller::new(&identity, network::CLUSTER[2], &runtime()),
            &call,
        );
    }
}

/// The cluster grows in the morning and shrinks in the evening.
fn scaling(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("scaling", day);
    for account in [WEB, DEV] {
        let role = stage.organisation.service_role(
            account,
            "autoscaling.amazonaws.com",
            "AWSServiceRoleForAutoScaling",
        );
        for (name, hour) in [("ec2:RunInstances", 7), ("ec2:TerminateInstances", 19)] {
            for _ in 0..stage.amount(&mut dice, 2, 5) {
                let at = day.midnight + hour * HOUR + dice.between(0, 80 * MINUTE);
                scale(stage, account, &role, name, at, &mut dice, out);
            }
        }
    }
}

fn scale(
    stage: &Stage,
    account: Account,
    role: &crate::organisation::Role,
    name: &str,
    at: i64,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let service = "autoscaling.amazonaws.com";
    let key = format!("ASIA{}", dice.base32(16));
    let identity = Identity::role_session(
        role,
        "AutoScaling",
        &key,
        at - 20,
        Extra::InvokedBy(service),
    );
    let caller = Caller::by_service(&identity, service);
    let instance = format!("i-0{}", dice.hex(16));
    let call = if name == "ec2:RunInstances" {
        let image = format!("ami-0{}", stage.seeds.stream("machine image", 0).hex(16));
        Call::named(name)
            .request(json!({"instancesSet": {"items": [{"imageId": image, "minCount": 1, "maxCount": 1}]}, "instanceType": "m6i.xlarge"}))
            .response(json!({"instancesSet": {"items": [{"instanceId": instance, "imageId": image, "instanceState": {"code": 0, "name": "pending"}}]}, "ownerId": account.id}))
    } else {
        Call::named(name).request(json!({"instancesSet": {"items": [{"instanceId": instance}]}}))
    };
    out.benign(dice, at, account, &caller, &call);
    if name == "ec2:RunInstances" {
        let tags = json!({"resourcesSet": {"items": [{"resourceId": instance}]}, "tagSet": {"items": [{"key": "aws:autoscaling:groupName", "value": "prod-core"}]}});
        out.benign(
            dice,
            at + 2,
            account,
            &caller,
            &Call::named("ec2:CreateTags").request(tags),
        );
    }
}
