//! EC2 instances and launch templates. User data is left out: it holds secrets.

use serde_json::{Value, json};

use crate::caller::{Caller, put, remove};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_INSTANCES: Call = Call::new("ec2", "DescribeInstances");
const DESCRIBE_LAUNCH_TEMPLATE_VERSIONS: Call = Call::new("ec2", "DescribeLaunchTemplateVersions");

pub(super) const SURFACE: Surface = Surface {
    id: "instances",
    title: "EC2 instances and launch templates",
    scope: Scope::Region,
    formats: &["aws.instances"],
    calls: &[DESCRIBE_INSTANCES, DESCRIBE_LAUNCH_TEMPLATE_VERSIONS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    let reservations = aws.list(DESCRIBE_INSTANCES, json!({"MaxResults": 1000}));
    put(&mut found, "Reservations", reservations.await);
    let input = json!({"Versions": ["$Default"], "MaxResults": 200});
    let templates = aws.list(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, input).await;
    let templates = templates.map(|templates| {
        let mut templates = Value::Array(templates);
        remove(&mut templates, "LaunchTemplateData.UserData");
        templates
    });
    put(&mut found, "LaunchTemplateVersions", templates);
    found
}
