//! KMS keys with their policies, grants, tags and aliases, and the public keys of those that sign for wallets.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, Seen, put, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_KEYS: Call = Call::new("kms", "ListKeys");
const LIST_ALIASES: Call = Call::new("kms", "ListAliases");
const DESCRIBE_KEY: Call = Call::new("kms", "DescribeKey");
const GET_KEY_POLICY: Call = Call::new("kms", "GetKeyPolicy");
const LIST_GRANTS: Call = Call::new("kms", "ListGrants");
const LIST_RESOURCE_TAGS: Call = Call::new("kms", "ListResourceTags");
const GET_KEY_ROTATION_STATUS: Call = Call::new("kms", "GetKeyRotationStatus");
const GET_PUBLIC_KEY: Call = Call::new("kms", "GetPublicKey");

pub(super) const SURFACE: Surface = Surface {
    id: "keys",
    title: "KMS keys",
    scope: Scope::Region,
    formats: &["aws.keys", "aws.public-keys"],
    calls: &[
        LIST_KEYS,
        LIST_ALIASES,
        DESCRIBE_KEY,
        GET_KEY_POLICY,
        LIST_GRANTS,
        LIST_RESOURCE_TAGS,
        GET_KEY_ROTATION_STATUS,
        GET_PUBLIC_KEY,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(keys) = aws.list(LIST_KEYS, json!({})).await {
        let keys = aws.each(keys, async |key| describe(aws, key).await).await;
        found.insert("Keys".to_owned(), keys);
    }
    put(
        &mut found,
        "Aliases",
        aws.list(LIST_ALIASES, json!({})).await,
    );
    found
}

async fn describe(aws: &Caller<'_>, mut key: Map<String, Value>) -> Map<String, Value> {
    let id = text(&key, "KeyId");
    let input = json!({"KeyId": id});
    if let Seen::Found(mut answer) = aws.one(DESCRIBE_KEY, input.clone()).await
        && let Some(Value::Object(metadata)) = answer.get_mut("KeyMetadata").map(Value::take)
    {
        key.extend(metadata);
    }
    // `default` is the only name that a key policy has.
    let policy = json!({"KeyId": id, "PolicyName": "default"});
    aws.add(&mut key, "Policy", GET_KEY_POLICY, policy, "Policy")
        .await;
    // Other keys do not rotate, and AWS refuses the question.
    let rotates = ["KeySpec", "KeyManager", "Origin"].map(|name| text(&key, name));
    if rotates == ["SYMMETRIC_DEFAULT", "CUSTOMER", "AWS_KMS"] {
        let name = "KeyRotationEnabled";
        aws.add(&mut key, name, GET_KEY_ROTATION_STATUS, input.clone(), name)
            .await;
    }
    // The address that it signs for follows from it; of a key that is to be deleted AWS gives none.
    let deleted = text(&key, "KeyState") == "PendingDeletion";
    if text(&key, "KeySpec") == "ECC_SECG_P256K1" && !deleted {
        aws.add(
            &mut key,
            "PublicKey",
            GET_PUBLIC_KEY,
            input.clone(),
            "PublicKey",
        )
        .await;
    }
    put(
        &mut key,
        "Grants",
        aws.list(LIST_GRANTS, input.clone()).await,
    );
    put(&mut key, "Tags", aws.list(LIST_RESOURCE_TAGS, input).await);
    key
}
