//! What the access list of a bucket grants to the public.

use portreeve_model::Entity;
use serde_json::Value;

use crate::scene::{Scene, flag, items, json};

/// Groups of S3 that anyone is in, or anyone with an AWS account.
const PUBLIC: [&str; 2] = [
    "/groups/global/AllUsers",
    "/groups/global/AuthenticatedUsers",
];

/// To which public groups a bucket's access list grants any of some permissions. Nothing where the
/// list is not known.
pub(crate) fn granted_to_public(bucket: &Entity, permissions: &[&str]) -> Option<Vec<String>> {
    let grants = json(bucket, "Grants")?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let granted = items(&grants).iter().filter(|grant| {
        let permission = grant.get("Permission").and_then(Value::as_str);
        permission.is_some_and(|permission| permissions.contains(&permission))
    });
    let mut found: Vec<String> = granted
        .filter_map(|grant| {
            let group = text(grant.get("Grantee")?.get("URI"))?;
            let end = PUBLIC.into_iter().find(|end| group.ends_with(end))?;
            Some(end.rsplit('/').next().unwrap_or(end).to_owned())
        })
        .collect();
    found.dedup();
    Some(found)
}

/// Whether S3 ignores what the access list grants to the public.
pub(crate) fn is_ignored(scene: &Scene<'_>, bucket: &Entity) -> bool {
    let account = scene.account_of(bucket);
    let on = |entity: &Entity| flag(entity, "IgnorePublicAcls") == Some(true);
    on(bucket) || account.is_some_and(on)
}
