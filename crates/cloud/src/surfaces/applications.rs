//! App Runner services. Environment variables are left out.

use serde_json::{Value, json};

use crate::caller::{Caller, remove, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_SERVICES: Call = Call::new("apprunner", "ListServices");
const DESCRIBE_SERVICE: Call = Call::new("apprunner", "DescribeService");

pub(super) const SURFACE: Surface = Surface {
    id: "applications",
    title: "App Runner services",
    scope: Scope::Region,
    formats: &["aws.applications"],
    calls: &[LIST_SERVICES, DESCRIBE_SERVICE],
    collect: |aws| Box::pin(collect(aws)),
};

/// Where variables stand: of an image, and of code.
const VARIABLES: &[&str] = &[
    "Service.SourceConfiguration.ImageRepository.ImageConfiguration.RuntimeEnvironmentVariables",
    "Service.SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues.RuntimeEnvironmentVariables",
];

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(services) = aws.list(LIST_SERVICES, json!({})).await {
        let services = aws.each(services, async |mut service| {
            let input = json!({"ServiceArn": text(&service, "ServiceArn")});
            if let Some(mut answer) = aws.one(DESCRIBE_SERVICE, input).await.found() {
                for path in VARIABLES {
                    remove(&mut answer, path);
                }
                if let Some(Value::Object(described)) = answer.get_mut("Service").map(Value::take) {
                    service.extend(described);
                }
            }
            service
        });
        found.insert("Applications".to_owned(), services.await);
    }
    found
}
