//! Which calls only data events show, and which reach many resources without naming them.

/// Services whose use of resources is told by data events: the service of the resources' ARNs, what
/// its calls act on, and the calls. From the CloudTrail user guide, "Logging data events"; what is not
/// here is a management event.
const DATA_EVENTS: &[(&str, &str, &[&str])] = &[
    (
        "s3",
        "objects",
        &[
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateMultipartUpload",
            "DeleteObject",
            "DeleteObjectTagging",
            "DeleteObjects",
            "GetObject",
            "GetObjectAcl",
            "GetObjectAttributes",
            "GetObjectTagging",
            "GetObjectTorrent",
            "HeadBucket",
            "HeadObject",
            "ListMultipartUploads",
            "ListObjectVersions",
            "ListObjects",
            "ListObjectsV2",
            "ListParts",
            "PutObject",
            "PutObjectAcl",
            "PutObjectTagging",
            "RestoreObject",
            "SelectObjectContent",
            "UploadPart",
            "UploadPartCopy",
        ],
    ),
    ("lambda", "invocations", &["Invoke", "InvokeAsync"]),
    (
        "dynamodb",
        "items",
        &[
            "BatchExecuteStatement",
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "ExecuteTransaction",
            "GetItem",
            "GetRecords",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        ],
    ),
    ("sns", "messages", &["Publish", "PublishBatch"]),
    (
        "sqs",
        "messages",
        &[
            "ChangeMessageVisibility",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        ],
    ),
    (
        "kinesis",
        "records",
        &[
            "GetRecords",
            "GetShardIterator",
            "PutRecord",
            "PutRecords",
            "SubscribeToShard",
        ],
    ),
    (
        "ebs",
        "blocks of snapshots",
        &[
            "CompleteSnapshot",
            "GetSnapshotBlock",
            "ListChangedBlocks",
            "ListSnapshotBlocks",
            "PutSnapshotBlock",
        ],
    ),
    (
        "rds-data",
        "statements",
        &[
            "BatchExecuteStatement",
            "BeginTransaction",
            "CommitTransaction",
            "ExecuteStatement",
        ],
    ),
];

/// What the data events of a service tell, for a resource of that service; `None` where all of its
/// calls are management events. Blocks of snapshots are read through another service than the one that
/// names the snapshot.
pub(super) fn data_events(service: &str, resource: &str) -> Option<(&'static str, &'static str)> {
    let service = match (service, resource) {
        ("ec2", part) if part.starts_with("snapshot/") => "ebs",
        ("rds", part) if part.starts_with("cluster:") => "rds-data",
        (service, _) => service,
    };
    DATA_EVENTS
        .iter()
        .find(|(name, ..)| *name == service)
        .map(|(name, what, _)| (*name, *what))
}

/// The service whose data events an action is one of.
pub(crate) fn is_data_event(action: &str) -> Option<&'static str> {
    let (service, operation) = action.split_once(':')?;
    let (name, _, operations) = DATA_EVENTS.iter().find(|(name, ..)| *name == service)?;
    operations.contains(&operation).then_some(*name)
}

/// All services with data events, with what those tell.
pub(super) fn data_services() -> impl Iterator<Item = (&'static str, &'static str)> {
    DATA_EVENTS.iter().map(|(name, what, _)| (*name, *what))
}

/// How near to a resource a call on many must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// On the bucket that holds the object.
    Bucket,
    /// In the account of the resource.
    Account,
}

/// A call that may act on a resource without naming it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bulk {
    pub(super) action: &'static str,
    /// The service of the resources that it reaches.
    pub(super) service: &'static str,
    pub(super) reach: Reach,
    /// Whether it may read, change or delete the resource; else it tells its name at most.
    pub(super) touches: bool,
    pub(super) says: &'static str,
}

const fn bulk(
    action: &'static str,
    service: &'static str,
    reach: Reach,
    touches: bool,
    says: &'static str,
) -> Bulk {
    Bulk {
        action,
        service,
        reach,
        touches,
        says,
    }
}

/// From the API references of the services: calls whose records name no single resource.
const BULK: &[Bulk] = &[
    bulk(
        "s3:ListObjects",
        "s3",
        Reach::Bucket,
        false,
        "lists names and sizes of the bucket's objects",
    ),
    bulk(
        "s3:ListObjectsV2",
        "s3",
        Reach::Bucket,
        false,
        "lists names and sizes of the bucket's objects",
    ),
    bulk(
        "s3:ListObjectVersions",
        "s3",
        Reach::Bucket,
        false,
        "lists names and versions of the bucket's objects",
    ),
    bulk(
        "s3:DeleteObjects",
        "s3",
        Reach::Bucket,
        true,
        "deletes many objects; the record names the bucket alone",
    ),
    bulk(
        "s3:DeleteBucket",
        "s3",
        Reach::Bucket,
        true,
        "deletes the bucket",
    ),
    bulk(
        "s3:PutBucketReplication",
        "s3",
        Reach::Bucket,
        true,
        "has the bucket's objects copied elsewhere",
    ),
    bulk(
        "s3:PutBucketLifecycle",
        "s3",
        Reach::Bucket,
        true,
        "may have objects of the bucket deleted",
    ),
    bulk(
        "s3:PutBucketPolicy",
        "s3",
        Reach::Bucket,
        false,
        "changes who may use the bucket's objects",
    ),
    bulk(
        "s3:CreateJob",
        "s3",
        Reach::Account,
        true,
        "starts a batch job on a list of objects",
    ),
    bulk(
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager",
        Reach::Account,
        true,
        "reads many secrets by a filter",
    ),
    bulk(
        "secretsmanager:ListSecrets",
        "secretsmanager",
        Reach::Account,
        false,
        "lists names of secrets",
    ),
    bulk(
        "ssm:GetParametersByPath",
        "ssm",
        Reach::Account,
        true,
        "reads all parameters below a path",
    ),
    bulk(
        "ssm:DescribeParameters",
        "ssm",
        Reach::Account,
        false,
        "lists names of parameters",
    ),
    bulk(
        "dynamodb:BatchGetItem",
        "dynamodb",
        Reach::Account,
        true,
        "reads items of many tables",
    ),
    bulk(
        "dynamodb:BatchWriteItem",
        "dynamodb",
        Reach::Account,
        true,
        "writes items of many tables",
    ),
    bulk(
        "dynamodb:TransactGetItems",
        "dynamodb",
        Reach::Account,
        true,
        "reads items of many tables",
    ),
    bulk(
        "dynamodb:TransactWriteItems",
        "dynamodb",
        Reach::Account,
        true,
        "writes items of many tables",
    ),
    bulk(
        "dynamodb:ExecuteStatement",
        "dynamodb",
        Reach::Account,
        true,
        "runs a statement on a table that the record may not name",
    ),
    bulk(
        "dynamodb:BatchExecuteStatement",
        "dynamodb",
        Reach::Account,
        true,
        "runs statements on tables that the record may not name",
    ),
    bulk(
        "dynamodb:ListTables",
        "dynamodb",
        Reach::Account,
        false,
        "lists names of tables",
    ),
    bulk(
        "athena:StartQueryExecution",
        "s3",
        Reach::Account,
        true,
        "reads objects through a query",
    ),
    bulk(
        "kms:ListKeys",
        "kms",
        Reach::Account,
        false,
        "lists ids of keys",
    ),
    bulk(
        "lambda:ListFunctions",
        "lambda",
        Reach::Account,
        false,
        "lists functions with their settings",
    ),
];

/// What an action does to resources of a service that it does not name.
pub(super) fn bulk_on(action: &str, service: &str) -> Option<&'static Bulk> {
    // Lambda's records have the version of its interface behind the name: `ListFunctions20150331`.
    let action = match action.starts_with("lambda:") {
        true => action.trim_end_matches(|end: char| end.is_ascii_digit()),
        false => action,
    };
    BULK.iter()
        .find(|bulk| bulk.action == action && bulk.service == service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_events_are_told_from_management_events() {
        assert_eq!(is_data_event("s3:GetObject"), Some("s3"));
        assert_eq!(is_data_event("s3:GetBucketPolicy"), None);
        assert_eq!(is_data_event("kms:Decrypt"), None);
        assert_eq!(
            data_events("lambda", "function:a").unwrap().1,
            "invocations"
        );
        assert_eq!(data_events("ec2", "snapshot/snap-1").unwrap().0, "ebs");
        assert_eq!(data_events("ec2", "instance/i-1"), None);
        assert_eq!(data_events("secretsmanager", "secret:a"), None);
    }

    #[test]
    fn bulk_calls_are_of_known_services() {
        assert!(bulk_on("s3:DeleteObjects", "s3").unwrap().touches);
        assert!(!bulk_on("s3:ListObjectsV2", "s3").unwrap().touches);
        assert!(bulk_on("s3:DeleteObjects", "kms").is_none());
        assert!(bulk_on("lambda:ListFunctions20150331", "lambda").is_some());
        for (number, one) in BULK.iter().enumerate() {
            assert!(one.action.contains(':') && !one.says.is_empty());
            let again = BULK.iter().skip(number + 1);
            assert!(again.clone().all(|other| other.action != one.action));
        }
    }
}
