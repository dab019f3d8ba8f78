//! What people look at and do, by permission set.

use serde_json::json;

use crate::call::Call;
use crate::dice::Dice;
use crate::organisation::WEB;
use crate::session::Identity;
use crate::stage::Stage;

/// A call as a person makes it: now and then refused, throttled, or on what does not exist.
pub(super) fn human_call(stage: &Stage, name: &str, identity: &Identity, dice: &mut Dice) -> Call {
    let organisation = &stage.organisation;
    let (name, bucket_like) = match name.split_once('@') {
        Some((name, on)) => (name, Some(on)),
        None => (name, None),
    };
    let mut call = match bucket_like {
        Some("distribution") => Call::named(name).request(json!({"id": organisation.distribution})),
        Some("repository") => Call::repository(name, WEB.id, dice.pick(&["web-edge", "api", "ledger", "quotes"]), json!({"maxResults": 100})),
        Some("bucket") => Call::bucket(name, dice.pick(&["halyard-build-cache", "halyard-app-logs", "halyard-reports", "halyard-media-dev"])),
        Some("object") => {
            let key = format!("reports/{}/{}.csv", dice.below(12) + 1, dice.hex(8));
            Call::object(name, dice.pick(&["halyard-reports", "halyard-build-cache"]), &key, dice.between(900, 90_000))
        }
        Some("log") => Call::named(name).request(json!({"logGroupName": format!("/halyard/{}", dice.pick(&["api", "ledger", "quotes", "web-edge"]))})),
        Some("role") => Call::named(name).request(json!({"roleName": format!("svc-{}", dice.pick(&["api", "ledger", "quotes", "rates"]))})),
        _ => Call::named(name),
    };
    match dice.below(1000) {
        0..=29 => call = call.denied(identity),
        30..=34 => call = call.failed("ThrottlingException", "Rate exceeded"),
        35..=39 if call.operation == "GetObject" => {
            call = call.failed("NoSuchKey", "The specified key does not exist.")
        }
        35..=38 => {
            call = call.failed(
                "ResourceNotFoundException",
                "The requested resource does not exist.",
            )
        }
        _ => {}
    }
    call
}

/// What people look at in the console, by permission set.
pub(super) fn pages(set: &str) -> &'static [&'static str] {
    match set {
        "WebDeploy" => &[
            "cloudwatch:DescribeAlarms",
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents@log",
            "cloudwatch:GetMetricData",
            "ecs:ListServices",
            "ecs:DescribeServices",
            "ecr:DescribeRepositories",
            "cloudfront:ListInvalidations@distribution",
        ],
        "Developer" => &[
            "lambda:ListFunctions20150331",
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents@log",
            "dynamodb:ListTables",
            "sqs:ListQueues",
            "cloudwatch:GetMetricData",
            "states:ListStateMachines",
            "s3:ListBuckets",
            "s3:GetBucketLocation@bucket",
        ],
        "PlatformEngineer" => &[
            "ec2:DescribeInstances",
            "ec2:DescribeVolumes",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeTags",
            "autoscaling:DescribeAutoScalingGroups",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTargetHealth",
            "eks:DescribeCluster",
            "rds:DescribeDBInstances",
            "iam:ListRoles",
            "iam:GetRole@role",
            "cloudwatch:DescribeAlarms",
            "s3:GetBucketTagging@bucket",
        ],
        "SecurityAudit" => &[
            "guardduty:ListFindings",
            "securityhub:GetFindings",
            "access-analyzer:ListFindings",
            "iam:ListUsers",
            "iam:ListRoles",
            "iam:GetAccountSummary",
            "cloudtrail:LookupEvents",
            "config:DescribeComplianceByConfigRule",
            "s3:GetBucketPolicy@bucket",
        ],
        "Billing" => &[
            "ce:GetCostAndUsage",
            "ce:GetCostForecast",
            "budgets:ViewBudget",
            "organizations:ListAccounts",
        ],
        "SignerOperator" => &[
            "kms:ListAliases",
            "kms:DescribeKey",
            "cloudwatch:GetMetricData",
            "logs:FilterLogEvents@log",
            "ecs:DescribeServices",
        ],
        _ => &[
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents@log",
            "cloudwatch:GetMetricData",
            "cloudwatch:DescribeAlarms",
            "rds:DescribeDBInstances",
            "ecs:DescribeServices",
        ],
    }
}

/// What people do on the command line, by permission set.
pub(super) fn lines(set: &str) -> &'static [&'static str] {
    match set {
        "WebDeploy" => &[
            "sts:GetCallerIdentity",
            "logs:FilterLogEvents@log",
            "logs:StartQuery@log",
            "logs:GetQueryResults",
            "ecr:DescribeImages@repository",
            "ecs:DescribeServices",
            "ecs:ListTasks",
            "cloudformation:DescribeStacks",
            "cloudfront:GetInvalidation@distribution",
        ],
        "Developer" => &[
            "sts:GetCallerIdentity",
            "logs:FilterLogEvents@log",
            "logs:StartQuery@log",
            "lambda:ListFunctions20150331",
            "s3:GetObject@object",
            "s3:ListBuckets",
            "dynamodb:DescribeTable",
            "sqs:GetQueueAttributes",
            "ecr:DescribeImages@repository",
            "ecr:GetAuthorizationToken",
            "cloudformation:DescribeStackEvents",
            "ssm:GetParameter",
        ],
        "PlatformEngineer" => &[
            "sts:GetCallerIdentity",
            "eks:DescribeCluster",
            "ec2:DescribeInstances",
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
            "ecs:UpdateService",
            "ecs:DescribeServices",
            "autoscaling:DescribeAutoScalingGroups",
            "logs:FilterLogEvents@log",
            "ssm:DescribeParameters",
            "cloudformation:DescribeStacks",
            "iam:GetRole@role",
            "route53:ListHostedZones",
            "ec2:CreateTags",
        ],
        "SecurityAudit" => &[
            "sts:GetCallerIdentity",
            "iam:ListUsers",
            "iam:GetRole@role",
            "cloudtrail:LookupEvents",
            "access-analyzer:ListFindings",
            "guardduty:ListFindings",
        ],
        "SignerOperator" => &[
            "sts:GetCallerIdentity",
            "kms:DescribeKey",
            "ecs:DescribeServices",
            "logs:FilterLogEvents@log",
        ],
        _ => &[
            "sts:GetCallerIdentity",
            "logs:FilterLogEvents@log",
            "logs:StartQuery@log",
            "s3:GetObject@object",
            "rds:DescribeDBInstances",
            "ecs:DescribeServices",
        ],
    }
}
