//! CodeBuild projects. Environment variables are left out.

use serde_json::{Value, json};

use crate::caller::{Caller, Seen, put, remove, take};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_PROJECTS: Call = Call::new("codebuild", "ListProjects");
const BATCH_GET_PROJECTS: Call = Call::new("codebuild", "BatchGetProjects");

/// As many projects are described by one call.
const AT_ONCE: usize = 100;

pub(super) const SURFACE: Surface = Surface {
    id: "build-projects",
    title: "CodeBuild projects",
    scope: Scope::Region,
    formats: &["aws.build-projects"],
    calls: &[LIST_PROJECTS, BATCH_GET_PROJECTS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(names) = aws.list(LIST_PROJECTS, json!({})).await {
        put(&mut found, "Projects", describe(aws, &names).await);
    }
    found
}

/// `None` where some of them are not seen.
async fn describe(aws: &Caller<'_>, names: &[Value]) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for some in names.chunks(AT_ONCE) {
        match aws.one(BATCH_GET_PROJECTS, json!({"names": some})).await {
            Seen::Found(mut answer) => {
                remove(&mut answer, "projects.environment.environmentVariables");
                if let Some(Value::Array(list)) = take(&mut answer, "projects") {
                    all.extend(list);
                }
            }
            Seen::Absent => {}
            Seen::Unseen => return None,
        }
    }
    Some(all)
}
