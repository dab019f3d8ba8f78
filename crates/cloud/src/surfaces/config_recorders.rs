//! AWS Config recorders.

use serde_json::{Value, json};

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_RECORDERS: Call = Call::new("config", "DescribeConfigurationRecorders");
const DESCRIBE_RECORDER_STATUS: Call = Call::new("config", "DescribeConfigurationRecorderStatus");

pub(super) const SURFACE: Surface = Surface {
    id: "config-recorders",
    title: "AWS Config recorders",
    scope: Scope::Region,
    formats: &["aws.config-recorders"],
    calls: &[DESCRIBE_RECORDERS, DESCRIBE_RECORDER_STATUS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    for (name, call) in [
        ("ConfigurationRecorders", DESCRIBE_RECORDERS),
        ("ConfigurationRecordersStatus", DESCRIBE_RECORDER_STATUS),
    ] {
        let answer = aws.one(call, json!({})).await.found();
        let list =
            answer.map(|mut answer| answer.get_mut(name).map_or_else(|| json!([]), Value::take));
        put(&mut found, name, list);
    }
    found
}
