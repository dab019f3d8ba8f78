//! IAM: users, groups, roles and their policies; keys, second factors, instance profiles.

use serde_json::{Value, json};

use crate::caller::{Caller, put, remove, text};
use crate::surface::{Call, Found, Scope, Surface};

const GET_ACCOUNT_AUTHORIZATION_DETAILS: Call = Call::new("iam", "GetAccountAuthorizationDetails");
const LIST_ACCESS_KEYS: Call = Call::new("iam", "ListAccessKeys");
const LIST_VIRTUAL_MFA_DEVICES: Call = Call::new("iam", "ListVirtualMFADevices");
const LIST_INSTANCE_PROFILES: Call = Call::new("iam", "ListInstanceProfiles");

pub(super) const SURFACE: Surface = Surface {
    id: "iam",
    title: "IAM users, groups, roles and policies",
    scope: Scope::Account,
    formats: &[
        "aws.account-authorization-details",
        "aws.access-keys",
        "aws.mfa-devices",
    ],
    calls: &[
        GET_ACCOUNT_AUTHORIZATION_DETAILS,
        LIST_ACCESS_KEYS,
        LIST_VIRTUAL_MFA_DEVICES,
        LIST_INSTANCE_PROFILES,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let details = aws.pages(GET_ACCOUNT_AUTHORIZATION_DETAILS, json!({"MaxItems": 1000}));
    let mut found = match details.await {
        Some(Value::Object(found)) => found,
        _ => Found::new(),
    };
    let users = match found.get("UserDetailList") {
        Some(Value::Array(users)) => users.clone(),
        _ => Vec::new(),
    };
    let keys = aws.each(users, async |user| {
        let input = json!({"UserName": text(&user, "UserName")});
        let mut keys = Found::new();
        put(&mut keys, "Keys", aws.list(LIST_ACCESS_KEYS, input).await);
        keys
    });
    let Value::Array(keys) = keys.await else {
        return found;
    };
    let keys = keys
        .into_iter()
        .filter_map(|mut keys| match keys.get_mut("Keys")?.take() {
            Value::Array(keys) => Some(keys),
            _ => None,
        });
    let keys: Vec<Value> = keys.flatten().collect();
    found.insert("AccessKeyMetadata".to_owned(), keys.into());
    let devices = aws.list(LIST_VIRTUAL_MFA_DEVICES, json!({})).await;
    // Only the call that makes a device answers with its seed; should another, it is not kept.
    let devices = devices.map(|devices| {
        let mut devices = Value::Array(devices);
        remove(&mut devices, "Base32StringSeed");
        remove(&mut devices, "QRCodePNG");
        devices
    });
    put(&mut found, "VirtualMFADevices", devices);
    let profiles = aws.list(LIST_INSTANCE_PROFILES, json!({})).await;
    put(&mut found, "InstanceProfiles", profiles);
    found
}
