//! IAM's credential report: passwords, second factors, age and use of keys.

use std::time::Duration;

use serde_json::json;

use crate::caller::{Caller, Seen};
use crate::surface::{Call, Found, Scope, Surface};

const GENERATE_CREDENTIAL_REPORT: Call = Call::new("iam", "GenerateCredentialReport");
const GET_CREDENTIAL_REPORT: Call = Call::new("iam", "GetCredentialReport");

/// How often it is asked whether the report is ready, and the wait between: three minutes in all.
const ASKED: u32 = 90;
const WAIT: Duration = Duration::from_secs(2);

pub(super) const SURFACE: Surface = Surface {
    id: "credential-report",
    title: "IAM's credential report",
    scope: Scope::Account,
    formats: &["aws.credential-report"],
    calls: &[GENERATE_CREDENTIAL_REPORT, GET_CREDENTIAL_REPORT],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    for _ in 0..ASKED {
        match aws.one(GENERATE_CREDENTIAL_REPORT, json!({})).await {
            Seen::Found(answer) if answer.get("State").is_some_and(|state| state == "COMPLETE") => {
                let report = aws.one(GET_CREDENTIAL_REPORT, json!({})).await.found();
                let report = report.as_ref().and_then(|report| report.as_object());
                return report.cloned().unwrap_or_default();
            }
            Seen::Found(_) => tokio::time::sleep(WAIT).await,
            Seen::Absent | Seen::Unseen => return Found::new(),
        }
    }
    aws.miss(
        GET_CREDENTIAL_REPORT,
        "NotReady",
        "the report was not ready after three minutes",
    );
    Found::new()
}
