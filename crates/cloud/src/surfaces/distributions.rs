//! CloudFront distributions.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_DISTRIBUTIONS: Call = Call::new("cloudfront", "ListDistributions");

pub(super) const SURFACE: Surface = Surface {
    id: "distributions",
    title: "CloudFront distributions",
    scope: Scope::Account,
    formats: &["aws.distributions"],
    calls: &[LIST_DISTRIBUTIONS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    let distributions = aws.list(LIST_DISTRIBUTIONS, json!({})).await;
    let list = distributions.map(|items| json!({"Items": items}));
    put(&mut found, "DistributionList", list);
    found
}
