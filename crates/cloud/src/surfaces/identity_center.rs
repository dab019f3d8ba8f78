//! IAM Identity Center: people, groups, permission sets and who has them in which account.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, Seen, put, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_INSTANCES: Call =
    Call::new("sso-admin", "ListInstances").allowed_by("sso:ListInstances");
const LIST_PERMISSION_SETS: Call =
    Call::new("sso-admin", "ListPermissionSets").allowed_by("sso:ListPermissionSets");
const DESCRIBE_PERMISSION_SET: Call =
    Call::new("sso-admin", "DescribePermissionSet").allowed_by("sso:DescribePermissionSet");
const LIST_MANAGED_POLICIES: Call = Call::new("sso-admin", "ListManagedPoliciesInPermissionSet")
    .allowed_by("sso:ListManagedPoliciesInPermissionSet");
const LIST_CUSTOMER_POLICIES: Call = Call::new(
    "sso-admin",
    "ListCustomerManagedPolicyReferencesInPermissionSet",
)
.allowed_by("sso:ListCustomerManagedPolicyReferencesInPermissionSet");
const GET_INLINE_POLICY: Call = Call::new("sso-admin", "GetInlinePolicyForPermissionSet")
    .allowed_by("sso:GetInlinePolicyForPermissionSet");
const GET_BOUNDARY: Call = Call::new("sso-admin", "GetPermissionsBoundaryForPermissionSet")
    .allowed_by("sso:GetPermissionsBoundaryForPermissionSet");
const LIST_ACCOUNTS: Call = Call::new("sso-admin", "ListAccountsForProvisionedPermissionSet")
    .allowed_by("sso:ListAccountsForProvisionedPermissionSet");
const LIST_ASSIGNMENTS: Call =
    Call::new("sso-admin", "ListAccountAssignments").allowed_by("sso:ListAccountAssignments");
const LIST_USERS: Call = Call::new("identitystore", "ListUsers");
const LIST_GROUPS: Call = Call::new("identitystore", "ListGroups");
const LIST_GROUP_MEMBERSHIPS: Call = Call::new("identitystore", "ListGroupMemberships");

pub(super) const SURFACE: Surface = Surface {
    id: "identity-center",
    title: "IAM Identity Center",
    scope: Scope::Organization,
    formats: &["aws.identity-center"],
    calls: &[
        LIST_INSTANCES,
        LIST_PERMISSION_SETS,
        DESCRIBE_PERMISSION_SET,
        LIST_MANAGED_POLICIES,
        LIST_CUSTOMER_POLICIES,
        GET_INLINE_POLICY,
        GET_BOUNDARY,
        LIST_ACCOUNTS,
        LIST_ASSIGNMENTS,
        LIST_USERS,
        LIST_GROUPS,
        LIST_GROUP_MEMBERSHIPS,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut all = Found::new();
    let instances = aws.list(LIST_INSTANCES, json!({})).await;
    for instance in instances.unwrap_or_default() {
        let of = |name: &str| {
            instance
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        people(aws, of("IdentityStoreId"), &mut all).await;
        sets(aws, of("InstanceArn"), &mut all).await;
    }
    all
}

/// Adds elements to a list that may be there from another instance.
fn extend(all: &mut Found, name: &str, list: Option<Vec<Value>>) {
    let Some(list) = list else { return };
    match all.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(all) => all.extend(list),
        other => *other = Value::Array(list),
    }
}

async fn people(aws: &Caller<'_>, store: &str, all: &mut Found) {
    let of = json!({"IdentityStoreId": store});
    extend(all, "Users", aws.list(LIST_USERS, of.clone()).await);
    let Some(groups) = aws.list(LIST_GROUPS, of).await else {
        return;
    };
    for group in &groups {
        let id = group.get("GroupId").cloned().unwrap_or_default();
        let input = json!({"IdentityStoreId": store, "GroupId": id});
        let members = aws.list(LIST_GROUP_MEMBERSHIPS, input).await;
        extend(all, "GroupMemberships", members);
    }
    extend(all, "Groups", Some(groups));
}

async fn sets(aws: &Caller<'_>, instance: &str, all: &mut Found) {
    let of = json!({"InstanceArn": instance});
    let Some(sets) = aws.list(LIST_PERMISSION_SETS, of).await else {
        return;
    };
    for set in &sets {
        let input = json!({"InstanceArn": instance, "PermissionSetArn": set});
        let accounts = aws.list(LIST_ACCOUNTS, input.clone()).await;
        for account in accounts.unwrap_or_default() {
            let mut input = input.clone();
            input["AccountId"] = account;
            let assignments = aws.list(LIST_ASSIGNMENTS, input).await;
            extend(all, "AccountAssignments", assignments);
        }
    }
    let sets = sets.into_iter().map(|set| json!({"PermissionSetArn": set}));
    let described = aws.each(sets.collect(), async |set| {
        describe(aws, instance, set).await
    });
    if let Value::Array(described) = described.await {
        extend(all, "PermissionSets", Some(described));
    }
}

async fn describe(
    aws: &Caller<'_>,
    instance: &str,
    mut set: Map<String, Value>,
) -> Map<String, Value> {
    let input =
        json!({"InstanceArn": instance, "PermissionSetArn": text(&set, "PermissionSetArn")});
    if let Seen::Found(mut answer) = aws.one(DESCRIBE_PERMISSION_SET, input.clone()).await
        && let Some(Value::Object(described)) = answer.get_mut("PermissionSet").map(Value::take)
    {
        set.extend(described);
    }
    let managed = aws.list(LIST_MANAGED_POLICIES, input.clone()).await;
    put(&mut set, "AttachedManagedPolicies", managed);
    let customer = aws.list(LIST_CUSTOMER_POLICIES, input.clone()).await;
    put(&mut set, "CustomerManagedPolicies", customer);
    aws.add(
        &mut set,
        "InlinePolicy",
        GET_INLINE_POLICY,
        input.clone(),
        "InlinePolicy",
    )
    .await;
    let path = "PermissionsBoundary";
    aws.add(&mut set, path, GET_BOUNDARY, input, path).await;
    set
}
