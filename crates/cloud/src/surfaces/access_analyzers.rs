//! IAM Access Analyzer's analyzers.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_ANALYZERS: Call =
    Call::new("accessanalyzer", "ListAnalyzers").allowed_by("access-analyzer:ListAnalyzers");

pub(super) const SURFACE: Surface = Surface {
    id: "access-analyzers",
    title: "IAM Access Analyzer's analyzers",
    scope: Scope::Region,
    formats: &["aws.access-analyzers"],
    calls: &[LIST_ANALYZERS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    put(
        &mut found,
        "analyzers",
        aws.list(LIST_ANALYZERS, json!({})).await,
    );
    found
}
