//! Settings of a region: encryption of new volumes, the log of Session Manager, trust anchors.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const GET_EBS_ENCRYPTION_BY_DEFAULT: Call = Call::new("ec2", "GetEbsEncryptionByDefault");
const GET_DOCUMENT: Call = Call::new("ssm", "GetDocument");
const LIST_TRUST_ANCHORS: Call = Call::new("rolesanywhere", "ListTrustAnchors");

/// The document that holds the preferences of Session Manager
/// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html>).
const PREFERENCES: &str = "SSM-SessionManagerRunShell";

pub(super) const SURFACE: Surface = Surface {
    id: "region-settings",
    title: "settings of regions",
    scope: Scope::Region,
    formats: &["aws.account-settings", "aws.identity-providers"],
    calls: &[
        GET_EBS_ENCRYPTION_BY_DEFAULT,
        GET_DOCUMENT,
        LIST_TRUST_ANCHORS,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    let name = "EbsEncryptionByDefault";
    aws.add(
        &mut found,
        name,
        GET_EBS_ENCRYPTION_BY_DEFAULT,
        json!({}),
        name,
    )
    .await;
    let input = json!({"Name": PREFERENCES});
    aws.add(&mut found, "SessionPreferences", GET_DOCUMENT, input, "")
        .await;
    put(
        &mut found,
        "trustAnchors",
        aws.list(LIST_TRUST_ANCHORS, json!({})).await,
    );
    found
}
