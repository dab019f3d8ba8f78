//! SNS topics with their policies.

use serde_json::json;

use crate::caller::{Caller, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_TOPICS: Call = Call::new("sns", "ListTopics");
const GET_TOPIC_ATTRIBUTES: Call = Call::new("sns", "GetTopicAttributes");

pub(super) const SURFACE: Surface = Surface {
    id: "topics",
    title: "SNS topics",
    scope: Scope::Region,
    formats: &["aws.topics"],
    calls: &[LIST_TOPICS, GET_TOPIC_ATTRIBUTES],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(topics) = aws.list(LIST_TOPICS, json!({})).await {
        let topics = aws.each(topics, async |mut topic| {
            let input = json!({"TopicArn": text(&topic, "TopicArn")});
            if let Some(answer) = aws.one(GET_TOPIC_ATTRIBUTES, input).await.found()
                && let Some(attributes) = answer.get("Attributes").and_then(|all| all.as_object())
            {
                topic.extend(attributes.clone());
                topic.entry("Policy").or_insert(serde_json::Value::Null);
            }
            topic
        });
        found.insert("Topics".to_owned(), topics.await);
    }
    found
}
