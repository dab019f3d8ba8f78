//! What is the organization's own: service control policies, permission sets and their assignments.

use serde_json::{Value, json};

use super::calls::{Aws, NEXT, has, on, parsed};
use super::thing::Present;
use crate::caller::at;
use crate::client::CallError;
use crate::endpoint::parts_of_arn;

/// A service control policy by its name: its id, its text, whether it is on the account.
pub(super) async fn control(
    aws: &Aws<'_>,
    account: &str,
    name: &str,
) -> Result<Option<(String, Value, bool)>, CallError> {
    let filter = json!({"Filter": "SERVICE_CONTROL_POLICY"});
    let policies = aws
        .list(("organizations", "ListPolicies"), filter, "Policies", NEXT)
        .await?;
    let found = policies.iter().find(|policy| {
        let is = |member: &str| policy.get(member).is_some_and(|found| found == name);
        is("Name") || is("Arn")
    });
    let Some(id) = found.and_then(|policy| policy.get("Id")?.as_str()) else {
        return Ok(None);
    };
    let described = aws
        .call("organizations", "DescribePolicy", json!({"PolicyId": id}))
        .await?;
    let call = ("organizations", "ListTargetsForPolicy");
    let targets = aws
        .list(call, json!({"PolicyId": id}), "Targets", NEXT)
        .await?;
    let on_account = has(&targets, "TargetId", account);
    Ok(Some((
        id.to_owned(),
        parsed(at(&described, "Policy.Content")),
        on(&on_account),
    )))
}

pub(super) async fn write_control(
    aws: &Aws<'_>,
    account: &str,
    name: &str,
    to: &Value,
    was: &Present,
) -> Result<(), CallError> {
    let found = control(aws, account, name).await?;
    if to.is_null() {
        let Some((id, _, attached)) = found else {
            return Ok(());
        };
        if attached {
            let input = json!({"PolicyId": id, "TargetId": account});
            aws.call("organizations", "DetachPolicy", input).await?;
        }
        let was_there = was.detail.get("PolicyId").is_some_and(|id| !id.is_null());
        if !was_there {
            aws.call("organizations", "DeletePolicy", json!({"PolicyId": id}))
                .await?;
        }
        return Ok(());
    }
    let (id, attached) = match found {
        Some((id, content, attached)) => {
            if !super::same(&content, to) {
                let input = json!({"PolicyId": id, "Content": to.to_string()});
                aws.call("organizations", "UpdatePolicy", input).await?;
            }
            (id, attached)
        }
        None => {
            let input = json!({
                "Name": name, "Description": "Cuts attack paths", "Type": "SERVICE_CONTROL_POLICY",
                "Content": to.to_string(),
            });
            let made = aws.call("organizations", "CreatePolicy", input).await?;
            let id = at(&made, "Policy.PolicySummary.Id").and_then(Value::as_str);
            (id.unwrap_or_default().to_owned(), false)
        }
    };
    if !attached {
        let input = json!({"PolicyId": id, "TargetId": account});
        aws.call("organizations", "AttachPolicy", input).await?;
    }
    Ok(())
}

/// The input that names a permission set: `arn:aws:sso:::permissionSet/ssoins-…/ps-…` tells its
/// instance.
pub(super) fn of_set(set: &str) -> Value {
    let instance = set.split('/').nth(1).unwrap_or_default();
    let partition = parts_of_arn(set).map_or("aws", |parts| parts[0]);
    json!({
        "InstanceArn": format!("arn:{partition}:sso:::instance/{instance}"),
        "PermissionSetArn": set,
    })
}

pub(super) async fn provision(aws: &Aws<'_>, set: &str) -> Result<(), CallError> {
    let mut input = of_set(set);
    input["TargetType"] = json!("ALL_PROVISIONED_ACCOUNTS");
    aws.call("sso-admin", "ProvisionPermissionSet", input)
        .await
        .map(|_| ())
}

/// The input that names the permission set of this name; `None` where there is none.
pub(super) async fn assignment(aws: &Aws<'_>, name: &str) -> Result<Option<Value>, CallError> {
    let instances = aws
        .list(("sso-admin", "ListInstances"), json!({}), "Instances", NEXT)
        .await?;
    for instance in instances {
        let of = json!({"InstanceArn": instance.get("InstanceArn")});
        let sets = aws
            .list(
                ("sso-admin", "ListPermissionSets"),
                of,
                "PermissionSets",
                NEXT,
            )
            .await?;
        for set in sets.iter().filter_map(Value::as_str) {
            let described = aws
                .call("sso-admin", "DescribePermissionSet", of_set(set))
                .await?;
            if at(&described, "PermissionSet.Name").is_some_and(|found| found == name) {
                return Ok(Some(of_set(set)));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_set_tells_its_instance() {
        let input = of_set("arn:aws:sso:::permissionSet/ssoins-1/ps-2");
        assert_eq!(input["InstanceArn"], "arn:aws:sso:::instance/ssoins-1");
    }
}
