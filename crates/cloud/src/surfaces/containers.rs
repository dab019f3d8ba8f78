//! ECS task definitions, clusters, services and running tasks. Environments are left out.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, Seen, put, remove, take};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_TASK_DEFINITIONS: Call = Call::new("ecs", "ListTaskDefinitions");
const DESCRIBE_TASK_DEFINITION: Call = Call::new("ecs", "DescribeTaskDefinition");
const LIST_CLUSTERS: Call = Call::new("ecs", "ListClusters");
const LIST_SERVICES: Call = Call::new("ecs", "ListServices");
const DESCRIBE_SERVICES: Call = Call::new("ecs", "DescribeServices");
const LIST_TASKS: Call = Call::new("ecs", "ListTasks");
const DESCRIBE_TASKS: Call = Call::new("ecs", "DescribeTasks");

/// As many services are described by one call, and as many tasks.
const SERVICES: usize = 10;
const TASKS: usize = 100;

pub(super) const SURFACE: Surface = Surface {
    id: "containers",
    title: "ECS task definitions, services and tasks",
    scope: Scope::Region,
    formats: &["aws.containers"],
    calls: &[
        LIST_TASK_DEFINITIONS,
        DESCRIBE_TASK_DEFINITION,
        LIST_CLUSTERS,
        LIST_SERVICES,
        DESCRIBE_SERVICES,
        LIST_TASKS,
        DESCRIBE_TASKS,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(definitions) = aws.list(LIST_TASK_DEFINITIONS, json!({})).await {
        let wanted = definitions.into_iter().map(|arn| json!({"arn": arn}));
        let described = aws.each(wanted.collect(), async |definition| {
            let input = json!({"taskDefinition": definition.get("arn")});
            define(aws, input).await.unwrap_or_default()
        });
        let described = without_empty(described.await);
        found.insert("TaskDefinitions".to_owned(), described);
    }
    let Some(clusters) = aws.list(LIST_CLUSTERS, json!({})).await else {
        return found;
    };
    let (mut services, mut tasks) = (Some(Vec::new()), Some(Vec::new()));
    for cluster in &clusters {
        let of = json!({"cluster": cluster});
        let names = aws.list(LIST_SERVICES, of.clone()).await;
        let described = describe(aws, cluster, names, "services", SERVICES, DESCRIBE_SERVICES);
        add(&mut services, described.await);
        let names = aws.list(LIST_TASKS, of).await;
        let described = describe(aws, cluster, names, "tasks", TASKS, DESCRIBE_TASKS);
        add(&mut tasks, described.await);
    }
    let clusters = clusters.into_iter().map(|arn| json!({"clusterArn": arn}));
    found.insert("Clusters".to_owned(), clusters.collect());
    put(&mut found, "Services", services);
    put(&mut found, "Tasks", tasks);
    found
}

async fn define(aws: &Caller<'_>, input: Value) -> Option<Map<String, Value>> {
    let mut answer = aws.one(DESCRIBE_TASK_DEFINITION, input).await.found()?;
    remove(
        &mut answer,
        "taskDefinition.containerDefinitions.environment",
    );
    match take(&mut answer, "taskDefinition")? {
        Value::Object(definition) => Some(definition),
        _ => None,
    }
}

/// Describes what was listed, so many at a time; `None` where some of it is not seen.
async fn describe(
    aws: &Caller<'_>,
    cluster: &Value,
    names: Option<Vec<Value>>,
    member: &str,
    at_once: usize,
    call: Call,
) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for some in names?.chunks(at_once) {
        let mut input = json!({"cluster": cluster});
        input[member] = some.into();
        match aws.one(call, input).await {
            Seen::Found(mut answer) => {
                remove(
                    &mut answer,
                    "tasks.overrides.containerOverrides.environment",
                );
                if let Some(Value::Array(list)) = take(&mut answer, member) {
                    all.extend(list);
                }
            }
            Seen::Absent => {}
            Seen::Unseen => return None,
        }
    }
    Some(all)
}

fn add(all: &mut Option<Vec<Value>>, some: Option<Vec<Value>>) {
    match (all.as_mut(), some) {
        (Some(all), Some(some)) => all.extend(some),
        _ => *all = None,
    }
}

fn without_empty(list: Value) -> Value {
    match list {
        Value::Array(list) => {
            let full = |value: &Value| value.as_object().is_some_and(|object| !object.is_empty());
            list.into_iter().filter(full).collect()
        }
        other => other,
    }
}
