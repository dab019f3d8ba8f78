//! Policies of resources, by the service that keeps them.

use serde_json::{Value, json};

use super::calls::{Aws, parsed};
use crate::caller::at;
use crate::client::CallError;
use crate::endpoint::parts_of_arn;

/// Services whose resources have policies of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Bucket,
    Key,
    Secret,
    Repository,
    Topic,
    Queue,
}

impl Store {
    pub(super) fn of(id: &str) -> Option<Store> {
        Some(match parts_of_arn(id)?[1] {
            "s3" => Store::Bucket,
            "kms" => Store::Key,
            "secretsmanager" => Store::Secret,
            "ecr" => Store::Repository,
            "sns" => Store::Topic,
            "sqs" => Store::Queue,
            _ => return None,
        })
    }

    pub(super) async fn read(self, aws: &Aws<'_>, id: &str) -> Result<Value, CallError> {
        let name = last(id);
        let (service, operation, input, path) = match self {
            Store::Bucket => ("s3", "GetBucketPolicy", json!({"Bucket": name}), "Policy"),
            Store::Key => (
                "kms",
                "GetKeyPolicy",
                json!({"KeyId": id, "PolicyName": "default"}),
                "Policy",
            ),
            Store::Secret => (
                "secretsmanager",
                "GetResourcePolicy",
                json!({"SecretId": id}),
                "ResourcePolicy",
            ),
            Store::Repository => (
                "ecr",
                "GetRepositoryPolicy",
                json!({"repositoryName": repository(id)}),
                "policyText",
            ),
            Store::Topic => (
                "sns",
                "GetTopicAttributes",
                json!({"TopicArn": id}),
                "Attributes.Policy",
            ),
            Store::Queue => {
                let input =
                    json!({"QueueUrl": queue(aws, name).await?, "AttributeNames": ["Policy"]});
                ("sqs", "GetQueueAttributes", input, "Attributes.Policy")
            }
        };
        let answer = aws.ask(service, operation, input).await?;
        Ok(parsed(answer.as_ref().and_then(|answer| at(answer, path))))
    }

    pub(super) async fn write(self, aws: &Aws<'_>, id: &str, to: &Value) -> Result<(), CallError> {
        let name = last(id);
        let text = if to.is_null() {
            String::new()
        } else {
            to.to_string()
        };
        let (service, operation, input) = match (self, to.is_null()) {
            (Store::Bucket, true) => ("s3", "DeleteBucketPolicy", json!({"Bucket": name})),
            (Store::Bucket, false) => (
                "s3",
                "PutBucketPolicy",
                json!({"Bucket": name, "Policy": text}),
            ),
            (Store::Key, _) => (
                "kms",
                "PutKeyPolicy",
                json!({"KeyId": id, "PolicyName": "default", "Policy": text}),
            ),
            (Store::Secret, true) => (
                "secretsmanager",
                "DeleteResourcePolicy",
                json!({"SecretId": id}),
            ),
            (Store::Secret, false) => (
                "secretsmanager",
                "PutResourcePolicy",
                json!({"SecretId": id, "ResourcePolicy": text}),
            ),
            (Store::Repository, true) => (
                "ecr",
                "DeleteRepositoryPolicy",
                json!({"repositoryName": repository(id)}),
            ),
            (Store::Repository, false) => (
                "ecr",
                "SetRepositoryPolicy",
                json!({"repositoryName": repository(id), "policyText": text}),
            ),
            (Store::Topic, _) => (
                "sns",
                "SetTopicAttributes",
                json!({"TopicArn": id, "AttributeName": "Policy", "AttributeValue": text}),
            ),
            (Store::Queue, _) => {
                let input =
                    json!({"QueueUrl": queue(aws, name).await?, "Attributes": {"Policy": text}});
                ("sqs", "SetQueueAttributes", input)
            }
        };
        aws.call(service, operation, input).await.map(|_| ())
    }
}

fn last(id: &str) -> &str {
    id.rsplit(':').next().unwrap_or_default()
}

fn repository(id: &str) -> &str {
    last(id).strip_prefix("repository/").unwrap_or_default()
}

async fn queue(aws: &Aws<'_>, name: &str) -> Result<Value, CallError> {
    let answer = aws
        .call("sqs", "GetQueueUrl", json!({"QueueName": name}))
        .await?;
    Ok(answer.get("QueueUrl").cloned().unwrap_or_default())
}
