use serde_json::{Value, json};

use super::iam::{Gathered, Identities, Login, allow, document, trust_service};
use super::permission_sets::permission_set;
use crate::background::{ARCHIVE_BUCKET, FUNCTIONS, LOAD_TEST_USER, NODE_ROLE, SERVICES};
use crate::organisation::{
    Account, DEV, HOME_REGION, MANAGEMENT, PERMISSION_SETS, SIGN, VENDOR, WEB,
};
use crate::stage::Stage;

/// The identities of one account.
pub(super) fn identities(stage: &Stage, account: Account) -> Gathered {
    let mut iam = Identities::new(account, stage.seeds);
    everywhere(stage, account, &mut iam);
    if account == WEB {
        pipelines(stage, &mut iam);
        workloads(stage, &mut iam);
        people_of_old(stage, &mut iam);
    } else if account == SIGN {
        signing(stage, &mut iam);
    } else if account == DEV {
        development(stage, &mut iam);
    } else {
        let admin = iam.provided("AdministratorAccess");
        iam.user("break-glass", Login::Password, &[], vec![], vec![admin]);
        iam.user(
            "billing-export",
            Login::Key,
            &[],
            vec![(
                "export",
                document(vec![allow(&["ce:Get*", "cur:Describe*"], &["*"])]),
            )],
            vec![],
        );
    }
    iam.finish()
}

/// What every account has: permission-set roles, service-linked roles, the vendor's role.
fn everywhere(stage: &Stage, account: Account, iam: &mut Identities) {
    let organisation = &stage.organisation;
    let provider = format!(
        "arn:aws:iam::{}:saml-provider/AWSSSO_{}_DO_NOT_DELETE",
        account.id,
        stage.seeds.stream("saml", 0).hex(16)
    );
    for set in PERMISSION_SETS {
        if !set.grants.iter().any(|(granted, _)| *granted == account) {
            continue;
        }
        let trust = document(vec![json!({
            "Effect": "Allow", "Principal": {"Federated": provider},
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        })]);
        let (inline, attached) = permission_set(stage, set.name);
        let attached = attached.iter().map(|name| iam.provided(name)).collect();
        let inline = inline
            .map(|body| vec![("AwsSSOInlinePolicy", body)])
            .unwrap_or_default();
        iam.role(
            &organisation.reserved_role(account, set.name),
            trust,
            inline,
            attached,
        );
    }
    for (service, name) in SERVICE_ROLES {
        let actions = [format!("{}:*", service.trim_end_matches(".amazonaws.com"))];
        let body = document(vec![allow(&["ec2:Describe*", &actions[0]], &["*"])]);
        iam.role(
            &organisation.service_role(account, service, name),
            trust_service(&[service]),
            vec![("service", body)],
            vec![],
        );
    }
    let external = stage.seeds.stream("external id", 0).uuid();
    let trust = document(vec![json!({
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{VENDOR}:root")}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external}},
    })]);
    let audit = iam.provided("SecurityAudit");
    iam.role(
        &organisation.role(account, "posture-vendor-audit"),
        trust,
        vec![],
        vec![audit],
    );
    if account != MANAGEMENT {
        let trust = document(vec![
            json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", MANAGEMENT.id)}, "Action": "sts:AssumeRole"}),
        ]);
        let admin = iam.provided("AdministratorAccess");
        iam.role(
            &organisation.role(account, "OrganizationAccountAccessRole"),
            trust,
            vec![],
            vec![admin],
        );
    }
}

const SERVICE_ROLES: [(&str, &str); 6] = [
    ("config.amazonaws.com", "AWSServiceRoleForConfig"),
    (
        "guardduty.amazonaws.com",
        "AWSServiceRoleForAmazonGuardDuty",
    ),
    (
        "elasticloadbalancing.amazonaws.com",
        "AWSServiceRoleForElasticLoadBalancing",
    ),
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    ("cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail"),
];

fn trust_pipeline(account: Account, operator: &str, subjects: &[&str]) -> Value {
    let issuer = "token.actions.githubusercontent.com";
    let subjects: Value = match subjects {
        [one] => (*one).into(),
        many => many.into(),
    };
    let mut condition = json!({"StringEquals": {format!("{issuer}:aud"): "sts.amazonaws.com"}});
    condition[operator][format!("{issuer}:sub")] = subjects;
    document(vec![json!({
        "Effect": "Allow", "Principal": {"Federated": format!("arn:aws:iam::{}:oidc-provider/{issuer}", account.id)},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition,
    })])
}

const PUSH: [&str; 7] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
];

/// What the code host's pipelines may do in production. The preview role's trust is too wide: any
/// branch of any repository.
fn pipelines(stage: &Stage, iam: &mut Identities) {
    let organisation = &stage.organisation;
    let objects = format!("arn:aws:s3:::{}/*", organisation.web_bucket);
    let distribution = format!(
        "arn:aws:cloudfront::{}:distribution/{}",
        WEB.id, organisation.distribution
    );
    let body = document(vec![
        allow(&["s3:PutObject", "s3:DeleteObject"], &[&objects]),
        allow(&["cloudfront:CreateInvalidation"], &[&distribution]),
    ]);
    let trust = trust_pipeline(
        WEB,
        "StringEquals",
        &["repo:halyard/web:environment:production"],
    );
    iam.role(
        &organisation.role(WEB, "gha-deploy"),
        trust,
        vec![("deploy", body)],
        vec![],
    );

    let repository = |name: &str| format!("arn:aws:ecr:{HOME_REGION}:{}:repository/{name}", WEB.id);
    let token = || allow(&["ecr:GetAuthorizationToken"], &["*"]);
    let body = document(vec![token(), allow(&PUSH, &[&repository("web-edge")])]);
    let trust = trust_pipeline(WEB, "StringLike", &["repo:halyard/*:*"]);
    iam.role(
        &organisation.role(WEB, "gha-preview"),
        trust,
        vec![("push-previews", body)],
        vec![],
    );
    let body = document(vec![token(), allow(&PUSH, &[&repository("*")])]);
    let trust = trust_pipeline(WEB, "StringLike", &["repo:halyard/*:ref:refs/heads/main"]);
    iam.role(
        &organisation.role(WEB, "gha-build"),
        trust,
        vec![("push-releases", body)],
        vec![],
    );
    terraform(stage, WEB, iam);
}

fn terraform(stage: &Stage, account: Account, iam: &mut Identities) {
    let subjects = [
        "repo:halyard/infrastructure:pull_request",
        "repo:halyard/infrastructure:ref:refs/heads/main",
    ];
    let body = document(vec![allow(
        &[
            "ec2:Describe*",
            "ec2:CreateTags",
            "iam:Get*",
            "iam:List*",
            "s3:GetBucket*",
            "ecs:Describe*",
            "ecs:UpdateService",
            "ecr:Describe*",
            "lambda:Get*",
            "kms:DescribeKey",
            "cloudfront:Get*",
            "route53:List*",
            "elasticloadbalancing:Describe*",
            "cloudwatch:PutMetricAlarm",
        ],
        &["*"],
    )]);
    iam.role(
        &stage.organisation.role(account, "gha-terraform"),
        trust_pipeline(account, "StringEquals", &subjects),
        vec![("plan", body)],
        vec![],
    );
}

fn workloads(stage: &Stage, iam: &mut Identities) {
    let organisation = &stage.organisation;
    // The instances' role may read every secret: what runs on an instance inherits that.
    let secrets = format!(
        "arn:aws:secretsmanager:{HOME_REGION}:{}:secret:halyard/*",
        WEB.id
    );
    let body = document(vec![allow(&["secretsmanager:GetSecretValue"], &[&secrets])]);
    let attached = [
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonSSMManagedInstanceCore",
    ]
    .map(|name| iam.provided(name))
    .to_vec();
    let trust = trust_service(&["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]);
    iam.role_with_profile(
        &organisation.role(WEB, NODE_ROLE),
        trust,
        vec![("read-secrets", body)],
        attached,
        true,
    );

    let cluster = format!(
        "oidc.eks.{HOME_REGION}.amazonaws.com/id/{}",
        stage.seeds.stream("cluster", 0).hex(32).to_uppercase()
    );
    for service in SERVICES.into_iter().chain(["wallet-relayer"]) {
        let trust = document(vec![json!({
            "Effect": "Allow", "Principal": {"Federated": format!("arn:aws:iam::{}:oidc-provider/{cluster}", WEB.id)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {format!("{cluster}:sub"): format!("system:serviceaccount:{service}:{service}"), format!("{cluster}:aud"): "sts.amazonaws.com"}},
        })]);
        let body = if service == "wallet-relayer" {
            let wallet = format!(
                "arn:aws:secretsmanager:{HOME_REGION}:{}:secret:halyard/wallet/*",
                WEB.id
            );
            document(vec![allow(&["secretsmanager:GetSecretValue"], &[&wallet])])
        } else {
            service_policy(WEB, service)
        };
        iam.role(
            &organisation.role(WEB, &format!("svc-{service}")),
            trust,
            vec![("own-data", body)],
            vec![],
        );
    }
    functions(stage, WEB, iam);
    let users: Vec<_> = ROTATED
        .iter()
        .map(|user| format!("arn:aws:iam::{}:user/{user}", WEB.id))
        .collect();
    let users: Vec<_> = users.iter().map(String::as_str).collect();
    let stored = format!(
        "arn:aws:secretsmanager:{HOME_REGION}:{}:secret:halyard/robots/*",
        WEB.id
    );
    let body = document(vec![
        allow(
            &[
                "iam:CreateAccessKey",
                "iam:UpdateAccessKey",
                "iam:DeleteAccessKey",
                "iam:ListAccessKeys",
            ],
            &users,
        ),
        allow(&["secretsmanager:PutSecretValue"], &[&stored]),
    ]);
    iam.role(
        &organisation.role(WEB, "key-rotation"),
        trust_service(&["lambda.amazonaws.com"]),
        vec![("rotate", body)],
        vec![],
    );
    let body = document(vec![allow(
        &[
            "ec2:CreateSnapshot",
            "ec2:DescribeSnapshots",
            "rds:Describe*",
            "rds:CreateDBSnapshot",
        ],
        &["*"],
    )]);
    iam.role(
        &organisation.role(WEB, "backup-operator"),
        trust_service(&["backup.amazonaws.com"]),
        vec![("backup", body)],
        vec![],
    );
    let body = document(vec![allow(
        &[
            "s3:GetObjectVersionForReplication",
            "s3:GetObject",
            "s3:ReplicateObject",
        ],
        &[
            "arn:aws:s3:::halyard-reports/*",
            "arn:aws:s3:::halyard-reports-replica/*",
        ],
    )]);
    iam.role(
        &organisation.role(WEB, "s3-replication"),
        trust_service(&["s3.amazonaws.com"]),
        vec![("replicate", body)],
        vec![],
    );
    for (name, service, action) in DATA_ROLES {
        let body = document(vec![allow(&[action], &["arn:aws:s3:::halyard-reports/*"])]);
        let trust = trust_service(&[service]);
        iam.role(
            &organisation.role(WEB, name),
            trust,
            vec![("reports", body)],
            vec![],
        );
    }
}

/// Roles that the provider's data services act as: name, service, what they may do on the reports.
const DATA_ROLES: [(&str, &str, &str); 7] = [
    ("reports-crawler", "glue.amazonaws.com", "s3:GetObject"),
    ("reports-query", "athena.amazonaws.com", "s3:GetObject"),
    ("reports-stream", "firehose.amazonaws.com", "s3:PutObject"),
    ("events-bus", "events.amazonaws.com", "s3:PutObject"),
    ("flow-logs", "vpc-flow-logs.amazonaws.com", "s3:PutObject"),
    ("mail-receipts", "ses.amazonaws.com", "s3:PutObject"),
    ("load-test", "ecs-tasks.amazonaws.com", "s3:GetObject"),
];

/// The machines' users whose keys are renewed each week.
const ROTATED: [&str; 3] = ["mail-sender", "desk-export", "status-page"];

fn service_policy(account: Account, service: &str) -> Value {
    let at = |kind: &str, rest: &str| format!("arn:aws:{kind}:{HOME_REGION}:{}:{rest}", account.id);
    document(vec![
        allow(
            &[
                "sqs:GetQueueAttributes",
                "sqs:SendMessage",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
            ],
            &[&at("sqs", service)],
        ),
        allow(
            &[
                "dynamodb:DescribeTable",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
            ],
            &[&at("dynamodb", &format!("table/{service}"))],
        ),
        allow(
            &["ssm:GetParameter"],
            &[&at("ssm", &format!("parameter/halyard/{service}/*"))],
        ),
        allow(
            &["s3:GetObject", "s3:PutObject"],
            &[&format!("arn:aws:s3:::halyard-reports/{service}/*")],
        ),
        allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            &[&at("logs", &format!("log-group:/halyard/{service}:*"))],
        ),
        allow(&["cloudwatch:PutMetricData"], &["*"]),
    ])
}

fn functions(stage: &Stage, account: Account, iam: &mut Identities) {
    for function in FUNCTIONS {
        let basic = iam.provided("AWSLambdaBasicExecutionRole");
        let queue = format!("arn:aws:sqs:{HOME_REGION}:{}:{function}", account.id);
        let body = document(vec![allow(
            &["sqs:ReceiveMessage", "sqs:DeleteMessage"],
            &[&queue],
        )]);
        let role = stage.organisation.role(account, &format!("fn-{function}"));
        iam.role(
            &role,
            trust_service(&["lambda.amazonaws.com"]),
            vec![("queue", body)],
            vec![basic],
        );
    }
}

/// IAM users that are left from before Identity Center, and those of machines.
fn people_of_old(stage: &Stage, iam: &mut Identities) {
    let bucket = format!("arn:aws:s3:::{}", stage.organisation.web_bucket);
    let without_factor = json!({
        "Sid": "NothingWithoutSecondFactor", "Effect": "Deny",
        "NotAction": ["iam:GetUser", "iam:ListMFADevices", "sts:GetSessionToken", "sts:GetCallerIdentity"],
        "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    });
    let body = document(vec![
        allow(
            &[
                "s3:ListAllMyBuckets",
                "cloudfront:List*",
                "cloudfront:Get*",
                "cloudwatch:*",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "ecs:Describe*",
                "ecs:List*",
                "ecr:Describe*",
            ],
            &["*"],
        ),
        allow(
            &[
                "s3:ListBucket",
                "s3:GetBucketLocation",
                "s3:GetBucketPolicy",
                "s3:GetBucketVersioning",
                "s3:GetBucketWebsite",
            ],
            &[&bucket],
        ),
        allow(&["s3:GetObject", "s3:PutObject"], &[&format!("{bucket}/*")]),
        without_factor,
    ]);
    iam.group("legacy-developers", vec![("legacy", body)]);
    iam.group(
        "robots",
        vec![(
            "observe",
            document(vec![allow(
                &[
                    "cloudwatch:Get*",
                    "cloudwatch:List*",
                    "ec2:DescribeInstances",
                ],
                &["*"],
            )]),
        )],
    );
    iam.user(
        &stage.organisation.early_bird.user_name,
        Login::Both,
        &["legacy-developers"],
        vec![],
        vec![],
    );
    iam.user("legacy-metrics", Login::Key, &["robots"], vec![], vec![]);
    let inbox = document(vec![
        allow(&["s3:ListAllMyBuckets"], &["*"]),
        allow(&["s3:PutObject"], &["arn:aws:s3:::halyard-partner-inbox/*"]),
    ]);
    iam.user(
        "partner-upload",
        Login::Key,
        &[],
        vec![("inbox", inbox)],
        vec![],
    );
    for user in ROTATED {
        let body = document(vec![allow(&["ses:SendEmail", "ses:SendRawEmail"], &["*"])]);
        iam.user(user, Login::Key, &[], vec![("send", body)], vec![]);
    }
}

fn signing(stage: &Stage, iam: &mut Identities) {
    let organisation = &stage.organisation;
    let body = document(vec![allow(
        &["kms:Sign", "kms:GetPublicKey"],
        &[&organisation.signing_key],
    )]);
    let core = iam.provided("AmazonSSMManagedInstanceCore");
    iam.role_with_profile(
        &organisation.role(SIGN, "signer"),
        trust_service(&["ec2.amazonaws.com"]),
        vec![("sign", body)],
        vec![core],
        true,
    );
    let engineers = organisation.reserved_role(WEB, "PlatformEngineer").arn;
    let trust = document(vec![
        json!({"Effect": "Allow", "Principal": {"AWS": engineers}, "Action": "sts:AssumeRole"}),
    ]);
    let body = document(vec![allow(
        &[
            "ecs:Describe*",
            "ec2:Describe*",
            "logs:Describe*",
            "logs:FilterLogEvents",
            "cloudwatch:Describe*",
            "kms:ListAliases",
        ],
        &["*"],
    )]);
    iam.role(
        &organisation.role(SIGN, "platform-operations"),
        trust,
        vec![("operate", body)],
        vec![],
    );
}

fn development(stage: &Stage, iam: &mut Identities) {
    functions(stage, DEV, iam);
    terraform(stage, DEV, iam);
    for service in SERVICES {
        let trust = trust_service(&["ecs-tasks.amazonaws.com"]);
        iam.role(
            &stage.organisation.role(DEV, &format!("svc-{service}")),
            trust,
            vec![("own-data", service_policy(DEV, service))],
            vec![],
        );
    }
    for team in ["web", "platform", "backend", "wallet", "data", "security"] {
        let root = format!("arn:aws:iam::{}:root", DEV.id);
        let trust = document(vec![
            json!({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}),
        ]);
        let own = [
            format!("arn:aws:s3:::halyard-{team}-dev"),
            format!("arn:aws:s3:::halyard-{team}-dev/*"),
        ];
        let body = document(vec![allow(&["s3:*"], &[&own[0], &own[1]])]);
        let role = stage.organisation.role(DEV, &format!("sandbox-{team}"));
        iam.role(&role, trust, vec![("own-bucket", body)], vec![]);
    }
    iam.group(
        "sandbox",
        vec![(
            "look",
            document(vec![allow(
                &["ec2:Describe*", "s3:ListAllMyBuckets"],
                &["*"],
            )]),
        )],
    );
    let mirror = document(vec![allow(
        &[
            "ecr:GetAuthorizationToken",
            "ecr:DescribeImages",
            "s3:ListAllMyBuckets",
        ],
        &["*"],
    )]);
    iam.user(
        "build-mirror",
        Login::Key,
        &[],
        vec![("mirror", mirror)],
        vec![],
    );
    let archive = [
        format!("arn:aws:s3:::{ARCHIVE_BUCKET}"),
        format!("arn:aws:s3:::{ARCHIVE_BUCKET}/*"),
    ];
    let load = document(vec![
        allow(
            &[
                "ec2:RunInstances",
                "ec2:TerminateInstances",
                "ec2:Describe*",
            ],
            &["*"],
        ),
        allow(&["s3:ListAllMyBuckets"], &["*"]),
        allow(
            &["s3:GetObject", "s3:ListBucket"],
            &[&archive[0], &archive[1]],
        ),
    ]);
    iam.user(
        LOAD_TEST_USER,
        Login::Key,
        &[],
        vec![("load", load)],
        vec![],
    );
    iam.user(
        "pentest-announced",
        Login::Key,
        &["sandbox"],
        vec![(
            "test",
            document(vec![allow(
                &["iam:List*", "lambda:List*", "secretsmanager:ListSecrets"],
                &["*"],
            )]),
        )],
        vec![],
    );
    for user in ["workshop-1", "workshop-2", "demo-uploader"] {
        iam.user(user, Login::Key, &["sandbox"], vec![], vec![]);
    }
}
