//! GuardDuty detectors.

use serde_json::json;

use crate::caller::Caller;
use crate::surface::{Call, Found, Scope, Surface};

const LIST_DETECTORS: Call = Call::new("guardduty", "ListDetectors");
const GET_DETECTOR: Call = Call::new("guardduty", "GetDetector");

pub(super) const SURFACE: Surface = Surface {
    id: "detectors",
    title: "GuardDuty detectors",
    scope: Scope::Region,
    formats: &["aws.detectors"],
    calls: &[LIST_DETECTORS, GET_DETECTOR],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(ids) = aws.list(LIST_DETECTORS, json!({})).await {
        let detectors = ids.iter().map(|id| json!({"DetectorId": id})).collect();
        let detectors = aws.each(detectors, async |mut detector| {
            let input = json!({"DetectorId": detector.get("DetectorId")});
            if let Some(described) = aws.one(GET_DETECTOR, input).await.found()
                && let Some(described) = described.as_object()
            {
                detector.extend(described.clone());
            }
            detector
        });
        found.insert("Detectors".to_owned(), detectors.await);
        found.insert("DetectorIds".to_owned(), ids.into());
    }
    found
}
