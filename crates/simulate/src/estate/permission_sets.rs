use serde_json::Value;

use super::iam::{allow, document};
use crate::organisation::{SIGN, WEB};
use crate::stage::Stage;

/// A permission set's inline policy, and the provider's policies attached to it.
pub(super) fn permission_set(
    stage: &Stage,
    name: &str,
) -> (Option<Value>, &'static [&'static str]) {
    let organisation = &stage.organisation;
    let bucket = format!("arn:aws:s3:::{}", organisation.web_bucket);
    let objects = format!("{bucket}/*");
    let distribution = format!(
        "arn:aws:cloudfront::{}:distribution/{}",
        WEB.id, organisation.distribution
    );
    let look = [
        "sts:GetCallerIdentity",
        "logs:Describe*",
        "logs:FilterLogEvents",
        "logs:StartQuery",
        "logs:GetQueryResults",
        "cloudwatch:Get*",
        "cloudwatch:List*",
        "cloudwatch:Describe*",
        "ecs:Describe*",
        "ecs:List*",
        "ecr:Describe*",
        "cloudformation:Describe*",
    ];
    let statements = match name {
        "WebDeploy" => vec![
            allow(&look, &["*"]),
            allow(
                &[
                    "iam:ListUsers",
                    "iam:ListRoles",
                    "iam:GetRole",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListMFADevices",
                    "ec2:Describe*",
                    "lambda:List*",
                    "kms:ListAliases",
                    "s3:ListAllMyBuckets",
                    "cloudfront:List*",
                    "cloudfront:Get*",
                ],
                &["*"],
            ),
            allow(
                &[
                    "s3:ListBucket",
                    "s3:GetBucketLocation",
                    "s3:GetBucketAcl",
                    "s3:GetBucketPolicy",
                    "s3:GetBucketVersioning",
                    "s3:GetBucketWebsite",
                ],
                &[&bucket],
            ),
            allow(&["s3:GetObject", "s3:PutObject"], &[&objects]),
            allow(&["cloudfront:CreateInvalidation"], &[&distribution]),
        ],
        "PlatformEngineer" => vec![
            allow(&look, &["*"]),
            allow(
                &[
                    "ec2:Describe*",
                    "ec2:CreateTags",
                    "ec2:RebootInstances",
                    "autoscaling:*",
                    "elasticloadbalancing:Describe*",
                    "eks:Describe*",
                    "eks:List*",
                    "ecs:UpdateService",
                    "ssm:DescribeParameters",
                    "rds:Describe*",
                    "route53:List*",
                    "iam:Get*",
                    "iam:List*",
                    "s3:GetBucketTagging",
                ],
                &["*"],
            ),
            allow(
                &["sts:AssumeRole"],
                &[&organisation.role(SIGN, "platform-operations").arn],
            ),
        ],
        "Developer" => vec![
            allow(&look, &["*"]),
            allow(
                &[
                    "lambda:*Function*",
                    "lambda:Get*",
                    "lambda:List*",
                    "dynamodb:*",
                    "sqs:*",
                    "states:*",
                    "s3:ListAllMyBuckets",
                    "ssm:GetParameter*",
                    "ecr:GetAuthorizationToken",
                ],
                &["*"],
            ),
            allow(
                &["s3:*"],
                &["arn:aws:s3:::halyard-*-dev", "arn:aws:s3:::halyard-*-dev/*"],
            ),
        ],
        "ProdReadOnly" => vec![
            allow(&look, &["*"]),
            allow(&["rds:Describe*"], &["*"]),
            allow(&["s3:GetObject"], &["arn:aws:s3:::halyard-reports/*"]),
        ],
        "SignerOperator" => vec![
            allow(&look, &["*"]),
            allow(&["kms:ListAliases", "kms:DescribeKey"], &["*"]),
        ],
        "SecurityAudit" => return (None, &["SecurityAudit"]),
        "Billing" => return (None, &["Billing"]),
        _ => return (None, &["AdministratorAccess"]),
    };
    (Some(document(statements)), &[])
}
