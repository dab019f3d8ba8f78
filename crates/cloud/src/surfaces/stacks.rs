//! CloudFormation stacks. Parameters and outputs are left out: they may hold secrets.

use serde_json::{Value, json};

use crate::caller::{Caller, put, remove};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_STACKS: Call = Call::new("cloudformation", "DescribeStacks");

pub(super) const SURFACE: Surface = Surface {
    id: "stacks",
    title: "CloudFormation stacks",
    scope: Scope::Region,
    formats: &["aws.stacks"],
    calls: &[DESCRIBE_STACKS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    let stacks = aws.list(DESCRIBE_STACKS, json!({})).await;
    let stacks = stacks.map(|stacks| {
        let mut stacks = Value::Array(stacks);
        remove(&mut stacks, "Parameters");
        remove(&mut stacks, "Outputs");
        stacks
    });
    put(&mut found, "Stacks", stacks);
    found
}
