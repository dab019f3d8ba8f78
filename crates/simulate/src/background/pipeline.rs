use std::rc::Rc;

use serde_json::json;

use super::portal::session_token;
use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, DEV, WEB};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{DAY, HOUR, MINUTE};

/// The issuer of the code host's tokens.
const ISSUER: &str = "token.actions.githubusercontent.com";

/// The program with which runners fetch their credentials.
pub(crate) fn pipeline_client() -> Client {
    Client::fixed(
        "aws-sdk-js/3.716.0 ua/2.1 os/linux#6.8.0-1021-azure lang/js md/nodejs#20.18.1 api/sts#3.716.0 aws-credentials-for-github-actions",
    )
}

fn runner_line() -> Client {
    Client::command_line(
        "2.24.0 md/awscrt#0.23.8",
        "os/linux#6.8.0-1021-azure md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.24 md/prompt#off",
    )
}

fn terraform() -> Client {
    Client::fixed(
        "APN/1.0 HashiCorp/1.0 Terraform/1.10.5 (+https://www.terraform.io) terraform-provider-aws/5.84.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.33.0 ua/2.1 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64",
    )
}

fn docker() -> Client {
    Client::fixed(
        "docker/27.5.1 go/go1.22.11 git-commit/4c9b3b0 kernel/6.8.0-1021-azure os/linux arch/amd64 UpstreamClient(Docker-Client/27.5.1 \\(linux\\))",
    )
}

/// A job of a pipeline that has taken a role.
struct Job {
    account: Account,
    identity: Rc<Identity>,
    address: String,
    started: i64,
}

impl Job {
    /// Takes the role by the job's token and records that.
    fn start(
        stage: &Stage,
        account: Account,
        role: &str,
        subject: &str,
        started: i64,
        dice: &mut Dice,
        out: &mut Delivery<'_>,
    ) -> Self {
        let role = stage.organisation.role(account, role);
        let address = network::runner(dice);
        let (key, token) = (format!("ASIA{}", dice.base32(16)), session_token(dice));
        let name = "GitHubActions";
        let minted = Minted {
            key: &key,
            token: &token,
            expires: started + HOUR,
        };
        let request = json!({"durationSeconds": 3600});
        let call = Call::assume_role(
            "sts:AssumeRoleWithWebIdentity",
            &role,
            name,
            &minted,
            request,
        );
        let mut call = call;
        call.response["subjectFromWebIdentityToken"] = subject.into();
        call.response["audience"] = "sts.amazonaws.com".into();
        call.response["provider"] =
            format!("arn:aws:iam::{}:oidc-provider/{ISSUER}", account.id).into();
        let caller = Caller::new(
            &Identity::web_identity(subject),
            &address,
            &pipeline_client(),
        );
        out.benign(dice, started, account, &caller, &call);
        let provider = format!("arn:aws:iam::{}:oidc-provider/{ISSUER}", account.id);
        let identity =
            Identity::role_session(&role, name, &key, started, Extra::WebIdentity(&provider));
        let job = Self {
            account,
            identity,
            address,
            started,
        };
        let who = Call::named("sts:GetCallerIdentity");
        out.benign(dice, started + 2, account, &job.by(&runner_line()), &who);
        job
    }

    fn by(&self, client: &Client) -> Caller {
        Caller::new(&self.identity, &self.address, client)
    }
}

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("deploys", day);
    let deploys = if day.weekend {
        dice.between(0, 1)
    } else {
        stage.amount(&mut dice, 3, 6).max(1)
    };
    for number in 0..deploys {
        // The first deploy that the logs hold brings the bundle that later matters.
        let brings_bundle = number == 0 && stage.place_of(day) < 3;
        deploy(stage, day, number, brings_bundle, &mut dice, out);
    }
    // Every second week an older release is put back: new names, so only the page changes.
    if !day.weekend && day.number() % 14 == 5 {
        roll_back(stage, day, &mut dice, out);
    }
    let mut dice = stage.stream("plans", day);
    let plans = if day.weekend {
        stage.amount(&mut dice, 1, 1)
    } else {
        stage.amount(&mut dice, 4, 8)
    };
    for _ in 0..plans {
        plan(stage, day, &mut dice, out);
    }
    let mut dice = stage.stream("images", day);
    let builds = if day.weekend {
        stage.amount(&mut dice, 0, 2)
    } else {
        stage.amount(&mut dice, 8, 14)
    };
    for _ in 0..builds {
        build(stage, day, &mut dice, out);
    }
}

fn working_time(day: Day, dice: &mut Dice) -> i64 {
    day.midnight + dice.between(7 * HOUR + 20 * MINUTE, 17 * HOUR)
}

/// How large the page of a release is: the same whenever that release is put in place.
fn page_size(stage: &Stage, day: Day, number: i64) -> i64 {
    let mut dice = stage
        .seeds
        .stream("page", day.number() * 100 + number as u64);
    dice.between(5_400, 5_600)
}

fn deploy(
    stage: &Stage,
    day: Day,
    number: i64,
    brings_bundle: bool,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let started = working_time(day, dice);
    let job = Job::start(
        stage,
        WEB,
        "gha-deploy",
        "repo:halyard/web:environment:production",
        started,
        dice,
        out,
    );
    let caller = job.by(&runner_line());
    let bucket = &stage.organisation.web_bucket;
    let mut at = job.started + 40;
    let objects = stage.length(dice, 120, 400).max(24);
    for object in 0..objects {
        let key = match object % 8 {
            0 if object == 0 && brings_bundle => stage.organisation.web_bundle.clone(),
            0 => format!(
                "_next/static/chunks/pages/{}-{}.js",
                dice.pick(&["_app", "index", "vault", "sign", "history"]),
                dice.hex(16)
            ),
            1 => format!("_next/static/css/{}.css", dice.hex(16)),
            2 => format!("_next/static/media/{}.woff2", dice.hex(16)),
            _ => format!(
                "_next/static/chunks/{}-{}.js",
                dice.below(900) + 100,
                dice.hex(16)
            ),
        };
        let bytes = dice.between(2_000, 180_000);
        out.benign(
            dice,
            at,
            WEB,
            &caller,
            &Call::object("s3:PutObject", bucket, &key, bytes),
        );
        if object % 6 == 5 {
            at += 1;
        }
    }
    let page = page_size(stage, day, number);
    finish_release(stage, &caller, page, at + 2, dice, out);
}

fn roll_back(stage: &Stage, day: Day, dice: &mut Dice, out: &mut Delivery<'_>) {
    let started = working_time(day, dice);
    let job = Job::start(
        stage,
        WEB,
        "gha-deploy",
        "repo:halyard/web:environment:production",
        started,
        dice,
        out,
    );
    // The first release of the last working day before: each has one.
    let mut before = Day::at(day.midnight - DAY);
    while before.weekend {
        before = Day::at(before.midnight - DAY);
    }
    let page = page_size(stage, before, 0);
    let at = job.started + 30;
    finish_release(stage, &job.by(&runner_line()), page, at, dice, out);
}

/// The page that names the bundles is replaced last, then the caches are told.
fn finish_release(
    stage: &Stage,
    caller: &Caller,
    page: i64,
    at: i64,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let organisation = &stage.organisation;
    let page = Call::object("s3:PutObject", &organisation.web_bucket, "index.html", page);
    out.benign(dice, at, WEB, caller, &page);
    let told = invalidation(&organisation.distribution, dice);
    out.benign(dice, at + 4, WEB, caller, &told);
}

/// The clearing of a distribution's caches.
pub(crate) fn invalidation(distribution: &str, dice: &mut Dice) -> Call {
    let reference = format!(
        "cli-{}-{}",
        dice.below(1_000_000_000),
        dice.below(1_000_000)
    );
    Call::named("cloudfront:CreateInvalidation").request(json!({
        "distributionId": distribution,
        "invalidationBatch": {"callerReference": reference, "paths": {"items": ["/*"], "quantity": 1}},
    }))
}

fn plan(stage: &Stage, day: Day, dice: &mut Dice, out: &mut Delivery<'_>) {
    const READS: [&str; 22] = [
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeRouteTables",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:GetPolicyVersion",
        "s3:GetBucketPolicy",
        "s3:GetBucketVersioning",
        "s3:GetBucketEncryption",
        "s3:GetBucketPublicAccessBlock",
        "ecs:DescribeServices",
        "ecr:DescribeRepositories",
        "lambda:GetFunction20150331v2",
        "kms:DescribeKey",
        "cloudfront:GetDistribution",
        "route53:ListResourceRecordSets",
        "elasticloadbalancing:DescribeLoadBalancers",
    ];
    let account = dice.pick(&[WEB, WEB, DEV]);
    let started = working_time(day, dice);
    let subject = dice.pick(&[
        "repo:halyard/infrastructure:pull_request",
        "repo:halyard/infrastructure:pull_request",
        "repo:halyard/infrastructure:ref:refs/heads/main",
    ]);
    let job = Job::start(stage, account, "gha-terraform", subject, started, dice, out);
    let caller = job.by(&terraform());
    let mut at = job.started + 25;
    // Most plans are of one part; one in eight is of all that there is.
    let whole = dice.permille(125 * stage.volume.min(1000) / 1000);
    let (fewest, most) = if whole { (400, 1_400) } else { (70, 170) };
    for number in 0..dice.between(fewest, most) {
        let name = dice.pick(&READS);
        let mut call = if name.starts_with("s3:") {
            Call::bucket(
                name,
                dice.pick(&[
                    "halyard-build-cache",
                    "halyard-app-logs",
                    "halyard-reports",
                    stage.organisation.web_bucket.as_str(),
                ]),
            )
        } else if name.starts_with("iam:") {
            Call::named(name).request(json!({"roleName": format!("svc-{}", dice.pick(&["api", "ledger", "quotes", "kyc", "risk"]))}))
        } else {
            Call::named(name)
        };
        match dice.below(1000) {
            0..=24 => call = call.denied(&job.identity),
            25..=35 => call = call.failed("ThrottlingException", "Rate exceeded"),
            _ => {}
        }
        out.benign(dice, at, account, &caller, &call);
        if number % 9 == 8 {
            at += 1;
        }
    }
    if subject.ends_with("/main") {
        for name in [
            "ecs:UpdateService",
            "cloudwatch:PutMetricAlarm",
            "ec2:CreateTags",
        ] {
            at += dice.between(2, 9);
            out.benign(dice, at, account, &caller, &Call::named(name));
        }
    }
}

fn build(stage: &Stage, day: Day, dice: &mut Dice, out: &mut Delivery<'_>) {
    const REPOSITORIES: [&str; 8] = [
        "web-edge", "web-edge", "api", "ledger", "quotes", "rates", "risk", "notify",
    ];
    let repository = dice.pick(&REPOSITORIES);
    let started = working_time(day, dice);
    let code = if repository == "web-edge" {
        "web"
    } else {
        repository
    };
    let preview = dice.permille(400);
    let (role, subject, tag) = if preview {
        let branch = format!(
            "{}/{}",
            dice.pick(&["feature", "chore", "fix"]),
            dice.pick(&[
                "cart", "copy", "locale", "banner", "retry", "limits", "upgrade"
            ])
        );
        (
            "gha-preview",
            format!("repo:halyard/{code}:ref:refs/heads/{branch}"),
            format!("preview-{}", dice.hex(7)),
        )
    } else {
        (
            "gha-build",
            format!("repo:halyard/{code}:ref:refs/heads/main"),
            dice.hex(40),
        )
    };
    let job = Job::start(stage, WEB, role, &subject, started, dice, out);
    let mut at = job.started + dice.between(2 * MINUTE, 6 * MINUTE);
    out.benign(
        dice,
        at,
        WEB,
        &job.by(&runner_line()),
        &Call::named("ecr:GetAuthorizationToken"),
    );
    let caller = job.by(&docker());
    let layers = push_layers(dice);
    let mut calls = upload(repository, &layers, dice);
    let digest = dice.hex(64);
    calls.push(Call::put_image(WEB.id, repository, &tag, &digest, &layers));
    if !preview && dice.permille(300) {
        calls.push(Call::put_image(
            WEB.id, repository, "stable", &digest, &layers,
        ));
    }
    for call in calls {
        at += dice.between(1, 6);
        out.benign(dice, at, job.account, &caller, &call);
    }
}

/// The digests of an image's layers.
pub(crate) fn push_layers(dice: &mut Dice) -> Vec<String> {
    (0..dice.between(4, 7)).map(|_| dice.hex(64)).collect()
}

/// The address at which a layer of an image is fetched.
pub(crate) fn layer(account: &str, repository: &str, digest: &str) -> Call {
    Call::repository(
        "ecr:GetDownloadUrlForLayer",
        account,
        repository,
        json!({"layerDigest": format!("sha256:{digest}")}),
    )
}

fn upload(repository: &str, layers: &[String], dice: &mut Dice) -> Vec<Call> {
    let digests: Vec<_> = layers
        .iter()
        .map(|layer| format!("sha256:{layer}"))
        .collect();
    let mut calls = vec![Call::repository(
        "ecr:BatchCheckLayerAvailability",
        WEB.id,
        repository,
        json!({"layerDigests": digests}),
    )];
    for digest in digests.iter().take(dice.between(1, 2) as usize) {
        let id = dice.uuid();
        calls.push(Call::repository(
            "ecr:InitiateLayerUpload",
            WEB.id,
            repository,
            json!({}),
        ));
        calls.push(Call::repository(
            "ecr:UploadLayerPart",
            WEB.id,
            repository,
            json!({"uploadId": id, "partFirstByte": 0, "partLastByte": 2_811_477}),
        ));
        calls.push(Call::repository(
            "ecr:CompleteLayerUpload",
            WEB.id,
            repository,
            json!({"uploadId": id, "layerDigests": [digest]}),
        ));
    }
    calls
}
