//! SQS queues with their policies.

use serde_json::json;

use crate::caller::Caller;
use crate::surface::{Call, Found, Scope, Surface};

const LIST_QUEUES: Call = Call::new("sqs", "ListQueues");
const GET_QUEUE_ATTRIBUTES: Call = Call::new("sqs", "GetQueueAttributes");

pub(super) const SURFACE: Surface = Surface {
    id: "queues",
    title: "SQS queues",
    scope: Scope::Region,
    formats: &["aws.queues"],
    calls: &[LIST_QUEUES, GET_QUEUE_ATTRIBUTES],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(urls) = aws.list(LIST_QUEUES, json!({"MaxResults": 1000})).await {
        let queues = urls.into_iter().map(|url| json!({"QueueUrl": url}));
        let queues = aws.each(queues.collect(), async |mut queue| {
            let mut input = json!({"AttributeNames": ["All"]});
            input["QueueUrl"] = queue.get("QueueUrl").cloned().unwrap_or_default();
            if let Some(answer) = aws.one(GET_QUEUE_ATTRIBUTES, input).await.found()
                && let Some(attributes) = answer.get("Attributes").and_then(|all| all.as_object())
            {
                queue.extend(attributes.clone());
                // A queue that answers and names no policy has none.
                queue.entry("Policy").or_insert(serde_json::Value::Null);
            }
            queue
        });
        found.insert("Queues".to_owned(), queues.await);
    }
    found
}
