//! Domain names registered with Route 53.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_DOMAINS: Call = Call::new("route53domains", "ListDomains");

/// The only region that the service is in
/// (<https://docs.aws.amazon.com/general/latest/gr/r53.html>).
const REGION: &str = "us-east-1";

pub(super) const SURFACE: Surface = Surface {
    id: "domains",
    title: "registered domain names",
    scope: Scope::Account,
    formats: &["aws.domains"],
    calls: &[LIST_DOMAINS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    // Other partitions register no names.
    if aws.partition() == "aws" {
        let domains = aws.in_region(REGION).list(LIST_DOMAINS, json!({})).await;
        put(&mut found, "Domains", domains);
    }
    found
}
