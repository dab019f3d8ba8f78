//! AWS Organizations: the tree of accounts, service and resource control policies.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, Seen, put, text};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_ORGANIZATION: Call = Call::new("organizations", "DescribeOrganization");
const LIST_ROOTS: Call = Call::new("organizations", "ListRoots");
const LIST_ACCOUNTS_FOR_PARENT: Call = Call::new("organizations", "ListAccountsForParent");
const LIST_UNITS_FOR_PARENT: Call = Call::new("organizations", "ListOrganizationalUnitsForParent");
const LIST_POLICIES: Call = Call::new("organizations", "ListPolicies");
const DESCRIBE_POLICY: Call = Call::new("organizations", "DescribePolicy");
const LIST_TARGETS_FOR_POLICY: Call = Call::new("organizations", "ListTargetsForPolicy");

pub(super) const SURFACE: Surface = Surface {
    id: "organization",
    title: "AWS Organizations",
    scope: Scope::Organization,
    formats: &["aws.organizations"],
    calls: &[
        DESCRIBE_ORGANIZATION,
        LIST_ROOTS,
        LIST_ACCOUNTS_FOR_PARENT,
        LIST_UNITS_FOR_PARENT,
        LIST_POLICIES,
        DESCRIBE_POLICY,
        LIST_TARGETS_FOR_POLICY,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

/// The kinds of policies that decide on access. Others say nothing of it.
const KINDS: &[&str] = &["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    match aws.one(DESCRIBE_ORGANIZATION, json!({})).await {
        Seen::Found(mut answer) => {
            put(
                &mut found,
                "Organization",
                answer.get_mut("Organization").map(Value::take),
            );
        }
        // The account is in no organization: there is nothing more to ask.
        Seen::Absent => return found,
        Seen::Unseen => {}
    }
    let Some(roots) = aws.list(LIST_ROOTS, json!({})).await else {
        return found;
    };
    let (mut units, mut accounts) = (Vec::new(), Vec::new());
    let mut parents: Vec<String> = ids(&roots);
    let kinds = enabled(&roots);
    found.insert("Roots".to_owned(), roots.into());
    while let Some(parent) = parents.pop() {
        let input = json!({"ParentId": parent});
        let below = aws.list(LIST_ACCOUNTS_FOR_PARENT, input.clone()).await;
        accounts.extend(
            below
                .into_iter()
                .flatten()
                .map(|account| under(account, &parent)),
        );
        let below = aws
            .list(LIST_UNITS_FOR_PARENT, input)
            .await
            .unwrap_or_default();
        parents.extend(ids(&below));
        units.extend(below.into_iter().map(|unit| under(unit, &parent)));
    }
    found.insert("Accounts".to_owned(), accounts.into());
    found.insert("OrganizationalUnits".to_owned(), units.into());
    let mut policies = Some(Vec::new());
    for kind in kinds {
        let listed = aws.list(LIST_POLICIES, json!({"Filter": kind})).await;
        match (policies.as_mut(), listed) {
            (Some(policies), Some(listed)) => policies.extend(listed),
            _ => policies = None,
        }
    }
    if let Some(policies) = policies {
        let policies = aws.each(policies, async |policy| describe(aws, policy).await);
        found.insert("Policies".to_owned(), policies.await);
    }
    found
}

async fn describe(aws: &Caller<'_>, summary: Map<String, Value>) -> Map<String, Value> {
    let input = json!({"PolicyId": text(&summary, "Id")});
    let mut policy = Map::new();
    if let Seen::Found(mut answer) = aws.one(DESCRIBE_POLICY, input.clone()).await {
        put(
            &mut policy,
            "Content",
            answer.pointer_mut("/Policy/Content").map(Value::take),
        );
    }
    put(
        &mut policy,
        "Targets",
        aws.list(LIST_TARGETS_FOR_POLICY, input).await,
    );
    policy.insert("PolicySummary".to_owned(), Value::Object(summary));
    policy
}

fn ids(nodes: &[Value]) -> Vec<String> {
    let ids = nodes.iter().filter_map(|node| node.get("Id")?.as_str());
    ids.map(str::to_owned).collect()
}

fn under(mut node: Value, parent: &str) -> Value {
    node["ParentId"] = parent.into();
    node
}

/// The kinds of policies that are in force; asking for another is an error.
fn enabled(roots: &[Value]) -> Vec<&'static str> {
    let types: Vec<&Value> = roots
        .iter()
        .filter_map(|root| root.get("PolicyTypes")?.as_array())
        .flatten()
        .collect();
    let on = |kind: &str| {
        types.iter().any(|entry| {
            let has = |name: &str, value: &str| entry.get(name).is_some_and(|found| found == value);
            has("Type", kind) && has("Status", "ENABLED")
        })
    };
    KINDS.iter().copied().filter(|kind| on(kind)).collect()
}
