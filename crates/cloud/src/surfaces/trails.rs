//! CloudTrail trails: what they select, and whether they log.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, at, text};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_TRAILS: Call = Call::new("cloudtrail", "DescribeTrails");
const GET_TRAIL_STATUS: Call = Call::new("cloudtrail", "GetTrailStatus");
const GET_EVENT_SELECTORS: Call = Call::new("cloudtrail", "GetEventSelectors");
const GET_INSIGHT_SELECTORS: Call = Call::new("cloudtrail", "GetInsightSelectors");

pub(super) const SURFACE: Surface = Surface {
    id: "trails",
    title: "CloudTrail trails",
    scope: Scope::Region,
    formats: &["aws.trails"],
    calls: &[
        DESCRIBE_TRAILS,
        GET_TRAIL_STATUS,
        GET_EVENT_SELECTORS,
        GET_INSIGHT_SELECTORS,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    // A trail of all regions is told in its own; the others would only repeat it.
    let input = json!({"includeShadowTrails": false});
    let trails = aws.one(DESCRIBE_TRAILS, input).await.found();
    let trails = trails.and_then(|mut answer| match answer.get_mut("trailList")?.take() {
        Value::Array(trails) => Some(trails),
        _ => None,
    });
    if let Some(trails) = trails {
        let trails = aws.each(trails, async |trail| describe(aws, trail).await);
        found.insert("Trails".to_owned(), trails.await);
    }
    found
}

async fn describe(aws: &Caller<'_>, mut trail: Map<String, Value>) -> Map<String, Value> {
    let id = text(&trail, "TrailARN");
    let of = json!({"TrailName": id});
    aws.add(
        &mut trail,
        "Status",
        GET_TRAIL_STATUS,
        json!({"Name": id}),
        "",
    )
    .await;
    if let Some(answer) = aws.one(GET_EVENT_SELECTORS, of.clone()).await.found() {
        for name in ["EventSelectors", "AdvancedEventSelectors"] {
            trail.insert(
                name.to_owned(),
                at(&answer, name).cloned().unwrap_or_default(),
            );
        }
    }
    let name = "InsightSelectors";
    aws.add(&mut trail, name, GET_INSIGHT_SELECTORS, of, name)
        .await;
    trail
}
