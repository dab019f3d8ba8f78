//! From calls, as CloudTrail names them, to the IAM actions that they need; and which actions a log
//! cannot show.
//!
//! Sources: "Required permissions for Amazon S3 API operations" (S3 user guide), the Service
//! Authorization Reference, and "Logging data events" (CloudTrail user guide).

/// Services whose calls come from another source than their actions are named by.
const SERVICES: &[(&str, &str)] = &[
    ("monitoring", "cloudwatch"),
    ("email", "ses"),
    ("tagging", "tag"),
    ("airflow-env", "airflow"),
    ("ecr-public", "ecr-public"),
    ("ssm-sap", "ssm-sap"),
];

/// Calls that need other actions than they are called. What is not listed needs its own name.
const OTHERS: &[(&str, &str, &[&str])] = &[
    ("s3", "HeadObject", &["GetObject"]),
    ("s3", "SelectObjectContent", &["GetObject"]),
    ("s3", "CopyObject", &["GetObject", "PutObject"]),
    ("s3", "UploadPartCopy", &["GetObject", "PutObject"]),
    ("s3", "CreateMultipartUpload", &["PutObject"]),
    ("s3", "UploadPart", &["PutObject"]),
    ("s3", "CompleteMultipartUpload", &["PutObject"]),
    ("s3", "PostObject", &["PutObject"]),
    ("s3", "DeleteObjects", &["DeleteObject"]),
    ("s3", "HeadBucket", &["ListBucket"]),
    ("s3", "ListObjects", &["ListBucket"]),
    ("s3", "ListObjectsV2", &["ListBucket"]),
    ("s3", "ListObjectVersions", &["ListBucketVersions"]),
    ("s3", "ListBuckets", &["ListAllMyBuckets"]),
    (
        "s3",
        "ListMultipartUploads",
        &["ListBucketMultipartUploads"],
    ),
    ("s3", "ListParts", &["ListMultipartUploadParts"]),
    (
        "s3",
        "GetPublicAccessBlock",
        &["GetBucketPublicAccessBlock"],
    ),
    (
        "s3",
        "PutPublicAccessBlock",
        &["PutBucketPublicAccessBlock"],
    ),
    (
        "s3",
        "DeletePublicAccessBlock",
        &["PutBucketPublicAccessBlock"],
    ),
    (
        "s3",
        "DeleteBucketPublicAccessBlock",
        &["PutBucketPublicAccessBlock"],
    ),
    ("s3", "GetBucketEncryption", &["GetEncryptionConfiguration"]),
    ("s3", "PutBucketEncryption", &["PutEncryptionConfiguration"]),
    (
        "s3",
        "DeleteBucketEncryption",
        &["PutEncryptionConfiguration"],
    ),
    ("s3", "GetBucketLifecycle", &["GetLifecycleConfiguration"]),
    (
        "s3",
        "GetBucketLifecycleConfiguration",
        &["GetLifecycleConfiguration"],
    ),
    ("s3", "PutBucketLifecycle", &["PutLifecycleConfiguration"]),
    (
        "s3",
        "PutBucketLifecycleConfiguration",
        &["PutLifecycleConfiguration"],
    ),
    (
        "s3",
        "DeleteBucketLifecycle",
        &["PutLifecycleConfiguration"],
    ),
    (
        "s3",
        "GetBucketReplication",
        &["GetReplicationConfiguration"],
    ),
    (
        "s3",
        "PutBucketReplication",
        &["PutReplicationConfiguration"],
    ),
    (
        "s3",
        "DeleteBucketReplication",
        &["PutReplicationConfiguration"],
    ),
    (
        "s3",
        "GetBucketNotificationConfiguration",
        &["GetBucketNotification"],
    ),
    (
        "s3",
        "PutBucketNotificationConfiguration",
        &["PutBucketNotification"],
    ),
    (
        "s3",
        "GetBucketAccelerateConfiguration",
        &["GetAccelerateConfiguration"],
    ),
    (
        "s3",
        "PutBucketAccelerateConfiguration",
        &["PutAccelerateConfiguration"],
    ),
    ("s3", "DeleteBucketTagging", &["PutBucketTagging"]),
    ("s3", "DeleteBucketCors", &["PutBucketCORS"]),
    ("lambda", "Invoke", &["InvokeFunction"]),
    ("kms", "ReEncrypt", &["ReEncryptFrom", "ReEncryptTo"]),
    ("sns", "PublishBatch", &["Publish"]),
    ("sqs", "SendMessageBatch", &["SendMessage"]),
    ("sqs", "DeleteMessageBatch", &["DeleteMessage"]),
    (
        "sqs",
        "ChangeMessageVisibilityBatch",
        &["ChangeMessageVisibility"],
    ),
    ("dynamodb", "TransactGetItems", &["GetItem"]),
    (
        "dynamodb",
        "TransactWriteItems",
        &["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"],
    ),
    ("ecs", "DiscoverPollEndpoint", &["DiscoverPollEndpoint"]),
    // Nobody needs a permission for it.
    ("sts", "GetCallerIdentity", &[]),
    ("sts", "GetSessionToken", &[]),
];

/// Sources of events that are no calls of an API.
const NO_CALLS: &[&str] = &["signin", "sso-oauth", "portal", "health", "apigateway"];

/// The IAM actions that a call needs; none where it needs none, or is no call.
///
/// ```
/// use portreeve_telemetry::permissions;
///
/// assert_eq!(permissions("s3", "HeadObject"), ["s3:GetObject"]);
/// assert_eq!(permissions("lambda", "UpdateFunctionCode20150331v2"), ["lambda:UpdateFunctionCode"]);
/// assert!(permissions("sts", "GetCallerIdentity").is_empty());
/// ```
pub fn permissions(service: &str, operation: &str) -> Vec<String> {
    if NO_CALLS.contains(&service) {
        return Vec::new();
    }
    let named = SERVICES.iter().find(|(source, _)| *source == service);
    let service = named.map_or(service, |(_, name)| name);
    let operation = without_version(operation);
    let other = OTHERS
        .iter()
        .find(|(of, name, _)| *of == service && *name == operation);
    match other {
        Some((_, _, names)) => names
            .iter()
            .map(|name| format!("{service}:{name}"))
            .collect(),
        None => vec![format!("{service}:{operation}")],
    }
}

/// A call's name without the version of its API: `GetFunction20150331v2`,
/// `CreateDistribution2020_05_31`.
fn without_version(operation: &str) -> &str {
    let versioned = |text: &str| {
        let plain: String = text.chars().filter(char::is_ascii_digit).collect();
        plain.len() == 8 && plain.starts_with("20")
    };
    let end = operation
        .rfind('v')
        .filter(|at| {
            let number = &operation[at + 1..];
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
        .unwrap_or(operation.len());
    let body = &operation[..end];
    let start =
        body.trim_end_matches(|character: char| character.is_ascii_digit() || character == '_');
    if versioned(&body[start.len()..]) {
        start
    } else {
        operation
    }
}

/// Why a log may be silent of an action that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// It is a data event, which a trail leaves out unless it is told not to.
    DataEvent,
    /// It is logged under the name of the call that it is part of, or not at all.
    Unlogged,
}

impl Silence {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Silence::DataEvent => "its data events are not in the logs",
            Silence::Unlogged => "CloudTrail logs it under another call, or not at all",
        }
    }
}

/// Actions of which a log may be silent, and why. A name may end with `*`.
pub const SILENT: &[(&str, Silence)] = &[
    ("s3:GetObject*", Silence::DataEvent),
    ("s3:PutObject*", Silence::DataEvent),
    ("s3:DeleteObject*", Silence::DataEvent),
    ("s3:ListBucket", Silence::DataEvent),
    ("s3:ListBucketVersions", Silence::DataEvent),
    ("s3:ListBucketMultipartUploads", Silence::DataEvent),
    ("s3:ListMultipartUploadParts", Silence::DataEvent),
    ("s3:AbortMultipartUpload", Silence::DataEvent),
    ("s3:RestoreObject", Silence::DataEvent),
    ("s3:Replicate*", Silence::DataEvent),
    ("lambda:InvokeFunction", Silence::DataEvent),
    ("lambda:InvokeFunctionUrl", Silence::DataEvent),
    ("lambda:InvokeAsync", Silence::DataEvent),
    ("dynamodb:GetItem", Silence::DataEvent),
    ("dynamodb:PutItem", Silence::DataEvent),
    ("dynamodb:UpdateItem", Silence::DataEvent),
    ("dynamodb:DeleteItem", Silence::DataEvent),
    ("dynamodb:Query", Silence::DataEvent),
    ("dynamodb:Scan", Silence::DataEvent),
    ("dynamodb:Batch*", Silence::DataEvent),
    ("dynamodb:ConditionCheckItem", Silence::DataEvent),
    ("dynamodb:PartiQL*", Silence::DataEvent),
    ("dynamodb:GetRecords", Silence::DataEvent),
    ("dynamodb:GetShardIterator", Silence::DataEvent),
    ("sqs:SendMessage", Silence::DataEvent),
    ("sqs:ReceiveMessage", Silence::DataEvent),
    ("sqs:DeleteMessage", Silence::DataEvent),
    ("sqs:ChangeMessageVisibility", Silence::DataEvent),
    ("sns:Publish", Silence::DataEvent),
    ("cloudwatch:PutMetricData", Silence::DataEvent),
    ("cloudwatch:GetMetric*", Silence::DataEvent),
    ("logs:PutLogEvents", Silence::DataEvent),
    ("logs:GetLogEvents", Silence::DataEvent),
    ("logs:FilterLogEvents", Silence::DataEvent),
    ("kinesis:PutRecord*", Silence::DataEvent),
    ("kinesis:GetRecords", Silence::DataEvent),
    ("kinesis:GetShardIterator", Silence::DataEvent),
    ("kinesis:SubscribeToShard", Silence::DataEvent),
    ("rds-data:*", Silence::DataEvent),
    ("iam:PassRole", Silence::Unlogged),
    ("sts:TagSession", Silence::Unlogged),
    ("sts:SetSourceIdentity", Silence::Unlogged),
    ("ec2:CreateTags", Silence::Unlogged),
    ("firehose:PutRecord*", Silence::Unlogged),
    ("xray:Put*", Silence::Unlogged),
    ("ssmmessages:*", Silence::Unlogged),
    ("ec2messages:*", Silence::Unlogged),
    ("execute-api:*", Silence::Unlogged),
    ("rds-db:*", Silence::Unlogged),
    ("es:ESHttp*", Silence::Unlogged),
    ("aoss:APIAccessAll", Silence::Unlogged),
    ("kafka-cluster:*", Silence::Unlogged),
    ("elasticfilesystem:Client*", Silence::Unlogged),
    ("eks:AccessKubernetesApi", Silence::Unlogged),
    ("eks-auth:AssumeRoleForPodIdentity", Silence::Unlogged),
    ("iot:Connect", Silence::Unlogged),
    ("iot:Publish", Silence::Unlogged),
    ("iot:Receive", Silence::Unlogged),
    ("iot:Subscribe", Silence::Unlogged),
    ("s3-object-lambda:*", Silence::Unlogged),
];

/// Whether an action is one whose use only data events show.
pub fn is_data_event(action: &str) -> bool {
    SILENT.iter().any(|(pattern, why)| {
        *why == Silence::DataEvent
            && match pattern.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => action == *pattern,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_need_the_actions_of_the_reference() {
        assert_eq!(permissions("s3", "ListObjectsV2"), ["s3:ListBucket"]);
        assert_eq!(
            permissions("s3", "CopyObject"),
            ["s3:GetObject", "s3:PutObject"]
        );
        assert_eq!(
            permissions("monitoring", "PutMetricData"),
            ["cloudwatch:PutMetricData"]
        );
        assert_eq!(
            permissions("cloudfront", "CreateDistribution2020_05_31"),
            ["cloudfront:CreateDistribution"]
        );
        assert_eq!(permissions("iam", "CreateUser"), ["iam:CreateUser"]);
        assert_eq!(
            permissions("ec2", "DescribeInstancesV2"),
            ["ec2:DescribeInstancesV2"]
        );
        assert!(permissions("signin", "ConsoleLogin").is_empty());
    }

    #[test]
    fn data_events_are_told_by_name_or_beginning() {
        assert!(is_data_event("s3:GetObjectTagging"));
        assert!(is_data_event("sns:Publish"));
        assert!(!is_data_event("s3:GetBucketPolicy"));
        assert!(!is_data_event("iam:PassRole"));
    }
}
