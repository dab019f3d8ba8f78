//! Step Functions state machines. Definitions are left out.

use serde_json::json;

use crate::caller::{Caller, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_STATE_MACHINES: Call =
    Call::new("stepfunctions", "ListStateMachines").allowed_by("states:ListStateMachines");
const DESCRIBE_STATE_MACHINE: Call =
    Call::new("stepfunctions", "DescribeStateMachine").allowed_by("states:DescribeStateMachine");

pub(super) const SURFACE: Surface = Surface {
    id: "state-machines",
    title: "Step Functions state machines",
    scope: Scope::Region,
    formats: &["aws.state-machines"],
    calls: &[LIST_STATE_MACHINES, DESCRIBE_STATE_MACHINE],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(machines) = aws.list(LIST_STATE_MACHINES, json!({})).await {
        let machines = aws.each(machines, async |mut machine| {
            let input = json!({"stateMachineArn": text(&machine, "stateMachineArn")});
            if let Some(described) = aws.one(DESCRIBE_STATE_MACHINE, input).await.found()
                && let Some(described) = described.as_object()
            {
                machine.extend(described.clone());
                machine.remove("definition");
            }
            machine
        });
        found.insert("StateMachines".to_owned(), machines.await);
    }
    found
}
