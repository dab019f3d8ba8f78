//! Secrets Manager secrets with their policies. Values are never asked for.

use serde_json::json;

use crate::caller::{Caller, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_SECRETS: Call = Call::new("secretsmanager", "ListSecrets");
const GET_RESOURCE_POLICY: Call = Call::new("secretsmanager", "GetResourcePolicy");

pub(super) const SURFACE: Surface = Surface {
    id: "secrets",
    title: "Secrets Manager secrets",
    scope: Scope::Region,
    formats: &["aws.secrets"],
    calls: &[LIST_SECRETS, GET_RESOURCE_POLICY],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(secrets) = aws.list(LIST_SECRETS, json!({})).await {
        let secrets = aws.each(secrets, async |mut secret| {
            let input = json!({"SecretId": text(&secret, "ARN")});
            let path = "ResourcePolicy";
            aws.add(&mut secret, "Policy", GET_RESOURCE_POLICY, input, path)
                .await;
            secret
        });
        found.insert("Secrets".to_owned(), secrets.await);
    }
    found
}
