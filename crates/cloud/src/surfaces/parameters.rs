//! SSM parameters. Values are never asked for.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_PARAMETERS: Call = Call::new("ssm", "DescribeParameters");

pub(super) const SURFACE: Surface = Surface {
    id: "parameters",
    title: "SSM parameters",
    scope: Scope::Region,
    formats: &["aws.parameters"],
    calls: &[DESCRIBE_PARAMETERS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    let parameters = aws.list(DESCRIBE_PARAMETERS, json!({})).await;
    put(&mut found, "Parameters", parameters);
    found
}
