//! Glue jobs and development endpoints, SageMaker notebooks. Arguments are left out.

use serde_json::{Value, json};

use crate::caller::{Caller, put, remove, text};
use crate::surface::{Call, Found, Scope, Surface};

const GET_JOBS: Call = Call::new("glue", "GetJobs");
const GET_DEV_ENDPOINTS: Call = Call::new("glue", "GetDevEndpoints");
const LIST_NOTEBOOK_INSTANCES: Call = Call::new("sagemaker", "ListNotebookInstances");
const DESCRIBE_NOTEBOOK_INSTANCE: Call = Call::new("sagemaker", "DescribeNotebookInstance");

pub(super) const SURFACE: Surface = Surface {
    id: "data-jobs",
    title: "Glue jobs and SageMaker notebooks",
    scope: Scope::Region,
    formats: &["aws.data-jobs"],
    calls: &[
        GET_JOBS,
        GET_DEV_ENDPOINTS,
        LIST_NOTEBOOK_INSTANCES,
        DESCRIBE_NOTEBOOK_INSTANCE,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    for (name, call) in [("Jobs", GET_JOBS), ("DevEndpoints", GET_DEV_ENDPOINTS)] {
        let list = aws.list(call, json!({})).await.map(|list| {
            let mut list = Value::Array(list);
            for member in ["DefaultArguments", "NonOverridableArguments", "Arguments"] {
                remove(&mut list, member);
            }
            list
        });
        put(&mut found, name, list);
    }
    if let Some(notebooks) = aws.list(LIST_NOTEBOOK_INSTANCES, json!({})).await {
        let notebooks = aws.each(notebooks, async |mut notebook| {
            let input = json!({"NotebookInstanceName": text(&notebook, "NotebookInstanceName")});
            if let Some(described) = aws.one(DESCRIBE_NOTEBOOK_INSTANCE, input).await.found()
                && let Some(described) = described.as_object()
            {
                notebook.extend(described.clone());
            }
            notebook
        });
        found.insert("NotebookInstances".to_owned(), notebooks.await);
    }
    found
}
