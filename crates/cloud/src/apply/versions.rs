//! Managed policies, whose text is that of their default version.

use serde_json::{Value, json};

use super::calls::{Aws, MARKER, missing};
use super::thing::Present;
use crate::caller::at;
use crate::client::CallError;

pub(super) async fn managed(aws: &Aws<'_>, arn: &str) -> Result<Present, CallError> {
    let policy = aws
        .call("iam", "GetPolicy", json!({"PolicyArn": arn}))
        .await?;
    let version = at(&policy, "Policy.DefaultVersionId")
        .cloned()
        .unwrap_or_default();
    let input = json!({"PolicyArn": arn, "VersionId": version});
    let answer = aws.call("iam", "GetPolicyVersion", input).await?;
    Ok(Present {
        state: at(&answer, "PolicyVersion.Document")
            .cloned()
            .unwrap_or_default(),
        detail: json!({"VersionId": version}),
    })
}

/// A change makes a new version; going back makes the old one the default again and deletes the new.
pub(super) async fn write_managed(
    aws: &Aws<'_>,
    arn: &str,
    to: &Value,
    was: &Present,
) -> Result<(), CallError> {
    let old = was.detail.get("VersionId").cloned().unwrap_or_default();
    if !super::same(to, &was.state) {
        let versions = aws
            .list(
                ("iam", "ListPolicyVersions"),
                json!({"PolicyArn": arn}),
                "Versions",
                MARKER,
            )
            .await?;
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        if versions.len() >= 5 {
            let reason = "the policy has five versions, which is the most: delete one that is not the default";
            return Err(missing("iam:CreatePolicyVersion", reason));
        }
        let input =
            json!({"PolicyArn": arn, "PolicyDocument": to.to_string(), "SetAsDefault": true});
        return aws
            .call("iam", "CreatePolicyVersion", input)
            .await
            .map(|_| ());
    }
    let present = managed(aws, arn).await?;
    let new = present.detail.get("VersionId").cloned().unwrap_or_default();
    if new != old {
        aws.call(
            "iam",
            "SetDefaultPolicyVersion",
            json!({"PolicyArn": arn, "VersionId": old}),
        )
        .await?;
        aws.call(
            "iam",
            "DeletePolicyVersion",
            json!({"PolicyArn": arn, "VersionId": new}),
        )
        .await?;
    }
    Ok(())
}
