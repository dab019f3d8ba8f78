//! EKS clusters with who may enter them.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, put, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_CLUSTERS: Call = Call::new("eks", "ListClusters");
const DESCRIBE_CLUSTER: Call = Call::new("eks", "DescribeCluster");
const LIST_ACCESS_ENTRIES: Call = Call::new("eks", "ListAccessEntries");
const DESCRIBE_ACCESS_ENTRY: Call = Call::new("eks", "DescribeAccessEntry");
const LIST_ASSOCIATED_ACCESS_POLICIES: Call = Call::new("eks", "ListAssociatedAccessPolicies");

pub(super) const SURFACE: Surface = Surface {
    id: "kubernetes-clusters",
    title: "EKS clusters",
    scope: Scope::Region,
    formats: &["aws.kubernetes-clusters"],
    calls: &[
        LIST_CLUSTERS,
        DESCRIBE_CLUSTER,
        LIST_ACCESS_ENTRIES,
        DESCRIBE_ACCESS_ENTRY,
        LIST_ASSOCIATED_ACCESS_POLICIES,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(names) = aws.list(LIST_CLUSTERS, json!({})).await {
        let clusters = names
            .into_iter()
            .map(|name| json!({"name": name}))
            .collect();
        let clusters = aws.each(clusters, async |cluster| describe(aws, cluster).await);
        found.insert("EksClusters".to_owned(), clusters.await);
    }
    found
}

async fn describe(aws: &Caller<'_>, mut cluster: Map<String, Value>) -> Map<String, Value> {
    let name = text(&cluster, "name");
    if let Some(mut answer) = aws
        .one(DESCRIBE_CLUSTER, json!({"name": name}))
        .await
        .found()
        && let Some(Value::Object(described)) = answer.get_mut("cluster").map(Value::take)
    {
        cluster.extend(described);
    }
    if let Some(entries) = aws
        .list(LIST_ACCESS_ENTRIES, json!({"clusterName": name}))
        .await
    {
        let entries = entries
            .into_iter()
            .map(|who| json!({"principalArn": who}))
            .collect();
        let entries = aws.each(entries, async |mut entry| {
            let input = json!({"clusterName": name, "principalArn": text(&entry, "principalArn")});
            if let Some(mut answer) = aws.one(DESCRIBE_ACCESS_ENTRY, input.clone()).await.found()
                && let Some(Value::Object(described)) =
                    answer.get_mut("accessEntry").map(Value::take)
            {
                entry.extend(described);
            }
            let policies = aws.list(LIST_ASSOCIATED_ACCESS_POLICIES, input).await;
            put(&mut entry, "associatedAccessPolicies", policies);
            entry
        });
        cluster.insert("AccessEntries".to_owned(), entries.await);
    }
    cluster
}
