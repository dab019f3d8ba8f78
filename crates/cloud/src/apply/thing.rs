//! What an edit edits: how its present state is read, and how another is put in its place.

use portreeve_graph::cut::Edit;
use portreeve_model::{EntityId, PolicyLayer};
use serde_json::{Value, json};

use super::calls::{Aws, MARKER, NEXT, has, missing, on, parsed};
use super::organization::{assignment, control, of_set, provision, write_control};
use super::stores::Store;
use super::versions::{managed, write_managed};
use crate::caller::at;
use crate::client::CallError;
use crate::endpoint::parts_of_arn;

/// One thing of one account that an edit changes. Its state is a policy document, `null` where there
/// is none, or whether it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// An inline policy of a user, role or group.
    Inline {
        kind: Kind,
        holder: String,
        name: String,
    },
    /// A managed policy.
    Managed { arn: String },
    /// A role's trust policy.
    Trust { role: String },
    /// A resource's policy.
    Resource { store: Store, id: String },
    /// A permission set's inline policy.
    Set { set: String },
    /// A service control policy of this name on an account.
    Control { account: String, name: String },
    /// Whether a managed policy is attached to a user, role or group.
    Attached {
        kind: Kind,
        holder: String,
        policy: String,
    },
    /// Whether an AWS-managed policy is in a permission set.
    SetAttached { set: String, policy: String },
    /// Whether a user is in a group.
    Member { user: String, group: String },
    /// Whether a key is active.
    AccessKey { user: String, key: String },
    /// Whether a person or group has a permission set, by its name, in an account.
    Assigned {
        principal: String,
        is_group: bool,
        set: String,
        account: String,
    },
}

/// Kinds of principals of IAM, as its operations name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Role,
    Group,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::User => "User",
            Kind::Role => "Role",
            Kind::Group => "Group",
        }
    }
}

/// A state, and what is needed to go back to it that is no part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Present {
    pub(super) state: Value,
    /// The version of a managed policy; whether a service control policy was there.
    pub(super) detail: Value,
}

impl Thing {
    /// What an edit edits; why this program cannot, where it cannot.
    pub(super) fn of(edit: &Edit) -> Result<Thing, String> {
        match edit {
            Edit::Document {
                target,
                layer,
                name,
                after,
                before,
                ..
            } => document(target, *layer, name, before.is_none() || after.is_none()),
            Edit::Attachment { target, policy, .. } => {
                if target.as_str().contains(":permissionSet/") {
                    return match EntityId::from(policy.as_str()).aws_account() {
                        Some(_) => Err("a permission set refers to a customer's policy by name: edit it in Identity Center".to_owned()),
                        None => Ok(Thing::SetAttached {
                            set: target.as_str().to_owned(),
                            policy: policy.clone(),
                        }),
                    };
                }
                let (kind, holder) = holder(target)?;
                Ok(Thing::Attached {
                    kind,
                    holder,
                    policy: policy.clone(),
                })
            }
            Edit::Membership { user, group, .. } => Ok(Thing::Member {
                user: user.short_name().to_owned(),
                group: group.short_name().to_owned(),
            }),
            Edit::AccessKey { user, key, .. } => Ok(Thing::AccessKey {
                user: user.short_name().to_owned(),
                key: key.as_str().to_owned(),
            }),
            Edit::WorkloadRole { .. } => {
                Err("what takes the role's place is for a person to say".to_owned())
            }
            Edit::Assignment { person, role, .. } => {
                let unknown = || "the role is not one of Identity Center's".to_owned();
                let name = role
                    .short_name()
                    .strip_prefix("AWSReservedSSO_")
                    .ok_or_else(unknown)?;
                let (set, _) = name.rsplit_once('_').ok_or_else(unknown)?;
                Ok(Thing::Assigned {
                    principal: person.short_name().to_owned(),
                    is_group: person.as_str().contains(":group/"),
                    set: set.to_owned(),
                    account: role.aws_account().ok_or_else(unknown)?.to_owned(),
                })
            }
        }
    }

    /// The region to call in; `None` for what has none.
    pub(super) fn region(&self) -> Option<&str> {
        match self {
            Thing::Resource { id, .. } => parts_of_arn(id)
                .map(|parts| parts[2])
                .filter(|region| !region.is_empty()),
            _ => None,
        }
    }

    /// Whether it is the organization's own, changed from the user's own account.
    pub(super) fn is_of_organization(&self) -> bool {
        matches!(
            self,
            Thing::Set { .. }
                | Thing::Control { .. }
                | Thing::SetAttached { .. }
                | Thing::Assigned { .. }
        )
    }

    /// How it is now.
    pub(super) async fn read(&self, aws: &Aws<'_>) -> Result<Present, CallError> {
        let state = match self {
            Thing::Inline { kind, holder, name } => {
                let word = kind.word();
                let input = json!({format!("{word}Name"): holder, "PolicyName": name});
                let answer = aws.ask("iam", &format!("Get{word}Policy"), input).await?;
                answer
                    .and_then(|answer| answer.get("PolicyDocument").cloned())
                    .unwrap_or_default()
            }
            Thing::Managed { arn } => return managed(aws, arn).await,
            Thing::Trust { role } => {
                let answer = aws
                    .call("iam", "GetRole", json!({"RoleName": role}))
                    .await?;
                at(&answer, "Role.AssumeRolePolicyDocument")
                    .cloned()
                    .unwrap_or_default()
            }
            Thing::Resource { store, id } => store.read(aws, id).await?,
            Thing::Set { set } => {
                let answer = aws
                    .call("sso-admin", "GetInlinePolicyForPermissionSet", of_set(set))
                    .await?;
                parsed(answer.get("InlinePolicy"))
            }
            Thing::Control { account, name } => {
                let found = control(aws, account, name).await?;
                let detail = json!({"PolicyId": found.as_ref().map(|(id, ..)| id.clone())});
                let state = match found {
                    Some((_, content, true)) => content,
                    _ => Value::Null,
                };
                return Ok(Present { state, detail });
            }
            Thing::Attached {
                kind,
                holder,
                policy,
            } => {
                let word = kind.word();
                let operation = format!("ListAttached{word}Policies");
                let input = json!({format!("{word}Name"): holder});
                let list = aws
                    .list(("iam", &operation), input, "AttachedPolicies", MARKER)
                    .await?;
                has(&list, "PolicyArn", policy)
            }
            Thing::SetAttached { set, policy } => {
                let call = ("sso-admin", "ListManagedPoliciesInPermissionSet");
                let list = aws
                    .list(call, of_set(set), "AttachedManagedPolicies", NEXT)
                    .await?;
                has(&list, "Arn", policy)
            }
            Thing::Member { user, group } => {
                let input = json!({"UserName": user});
                let list = aws
                    .list(("iam", "ListGroupsForUser"), input, "Groups", MARKER)
                    .await?;
                has(&list, "GroupName", group)
            }
            Thing::AccessKey { user, key } => {
                let input = json!({"UserName": user});
                let call = ("iam", "ListAccessKeys");
                let list = aws.list(call, input, "AccessKeyMetadata", MARKER).await?;
                let found = list
                    .iter()
                    .find(|entry| entry.get("AccessKeyId").is_some_and(|id| id == key));
                // A key that is gone opens nothing, and cannot come back.
                json!(found.is_some_and(|entry| {
                    entry.get("Status").is_some_and(|status| status == "Active")
                }))
            }
            Thing::Assigned {
                principal,
                set,
                account,
                ..
            } => {
                let input = assignment(aws, set).await?;
                let mut input = input.unwrap_or_else(|| json!({}));
                input["AccountId"] = json!(account);
                let call = ("sso-admin", "ListAccountAssignments");
                let list = aws.list(call, input, "AccountAssignments", NEXT).await?;
                has(&list, "PrincipalId", principal)
            }
        };
        Ok(Present {
            state,
            detail: Value::Null,
        })
    }

    /// Does what follows the change itself, where a run was killed between the two.
    pub(super) async fn settle(&self, aws: &Aws<'_>) -> Result<(), CallError> {
        match self {
            Thing::Set { set } | Thing::SetAttached { set, .. } => provision(aws, set).await,
            _ => Ok(()),
        }
    }

    /// Takes away what a change brought beside the state, where the state is the old one.
    pub(super) async fn tidy(&self, aws: &Aws<'_>, was: &Present) -> Result<(), CallError> {
        match self {
            Thing::Control { account, name } => {
                write_control(aws, account, name, &was.state, was).await
            }
            _ => Ok(()),
        }
    }

    /// Puts a state in the place of the present one. `was` is what was there before the first change:
    /// where `to` is that state again, things that only the change brought are taken away too.
    pub(super) async fn write(
        &self,
        aws: &Aws<'_>,
        to: &Value,
        was: &Present,
    ) -> Result<(), CallError> {
        match self {
            Thing::Inline { kind, holder, name } => {
                let word = kind.word();
                let mut input = json!({format!("{word}Name"): holder, "PolicyName": name});
                let verb = if to.is_null() { "Delete" } else { "Put" };
                if !to.is_null() {
                    input["PolicyDocument"] = json!(to.to_string());
                }
                aws.call("iam", &format!("{verb}{word}Policy"), input)
                    .await?;
            }
            Thing::Managed { arn } => write_managed(aws, arn, to, was).await?,
            Thing::Trust { role } => {
                let input = json!({"RoleName": role, "PolicyDocument": to.to_string()});
                aws.call("iam", "UpdateAssumeRolePolicy", input).await?;
            }
            Thing::Resource { store, id } => store.write(aws, id, to).await?,
            Thing::Set { set } => {
                let mut input = of_set(set);
                if to.is_null() {
                    aws.call("sso-admin", "DeleteInlinePolicyFromPermissionSet", input)
                        .await?;
                } else {
                    input["InlinePolicy"] = json!(to.to_string());
                    aws.call("sso-admin", "PutInlinePolicyToPermissionSet", input)
                        .await?;
                }
                provision(aws, set).await?;
            }
            Thing::Control { account, name } => write_control(aws, account, name, to, was).await?,
            Thing::Attached {
                kind,
                holder,
                policy,
            } => {
                let word = kind.word();
                let verb = if on(to) { "Attach" } else { "Detach" };
                let input = json!({format!("{word}Name"): holder, "PolicyArn": policy});
                aws.call("iam", &format!("{verb}{word}Policy"), input)
                    .await?;
            }
            Thing::SetAttached { set, policy } => {
                let operation = if on(to) {
                    "AttachManagedPolicyToPermissionSet"
                } else {
                    "DetachManagedPolicyFromPermissionSet"
                };
                let mut input = of_set(set);
                input["ManagedPolicyArn"] = json!(policy);
                aws.call("sso-admin", operation, input).await?;
                provision(aws, set).await?;
            }
            Thing::Member { user, group } => {
                let operation = if on(to) {
                    "AddUserToGroup"
                } else {
                    "RemoveUserFromGroup"
                };
                let input = json!({"UserName": user, "GroupName": group});
                aws.call("iam", operation, input).await?;
            }
            Thing::AccessKey { user, key } => {
                let status = if on(to) { "Active" } else { "Inactive" };
                let input = json!({"UserName": user, "AccessKeyId": key, "Status": status});
                aws.call("iam", "UpdateAccessKey", input).await?;
            }
            Thing::Assigned {
                principal,
                is_group,
                set,
                account,
            } => {
                let Some(mut input) = assignment(aws, set).await? else {
                    return Err(missing(
                        "sso:DescribePermissionSet",
                        &format!("no permission set is called {set}"),
                    ));
                };
                input["TargetId"] = json!(account);
                input["TargetType"] = json!("AWS_ACCOUNT");
                input["PrincipalId"] = json!(principal);
                input["PrincipalType"] = json!(if *is_group { "GROUP" } else { "USER" });
                let operation = if on(to) {
                    "CreateAccountAssignment"
                } else {
                    "DeleteAccountAssignment"
                };
                aws.call("sso-admin", operation, input).await?;
            }
        }
        Ok(())
    }
}

fn document(
    target: &EntityId,
    layer: PolicyLayer,
    name: &str,
    comes_or_goes: bool,
) -> Result<Thing, String> {
    let id = target.as_str();
    match layer {
        PolicyLayer::Identity if id == name => match comes_or_goes {
            true => Err("a managed policy is made and deleted by a person".to_owned()),
            false => Ok(Thing::Managed { arn: id.to_owned() }),
        },
        PolicyLayer::Identity if id.contains(":permissionSet/") => {
            Ok(Thing::Set { set: id.to_owned() })
        }
        PolicyLayer::Identity => {
            let (kind, holder) = holder(target)?;
            Ok(Thing::Inline {
                kind,
                holder,
                name: name.to_owned(),
            })
        }
        PolicyLayer::Trust if !comes_or_goes => Ok(Thing::Trust {
            role: target.short_name().to_owned(),
        }),
        PolicyLayer::Trust => Err("a role cannot be without a trust policy".to_owned()),
        PolicyLayer::ServiceControl => match target.aws_account() {
            Some(account) => Ok(Thing::Control {
                account: account.to_owned(),
                name: name.to_owned(),
            }),
            None => {
                Err("the policy is on a unit of the organization, not on an account".to_owned())
            }
        },
        PolicyLayer::Grant => Err(
            "a grant cannot be brought back with the id that it had: revoke it by hand".to_owned(),
        ),
        PolicyLayer::Resource => Store::of(id)
            .map(|store| Thing::Resource {
                store,
                id: id.to_owned(),
            })
            .ok_or_else(|| {
                "the policy of this kind of resource is not edited as a whole".to_owned()
            }),
        _ => Err(format!(
            "a {} policy is not edited by this program",
            layer.as_str()
        )),
    }
}

/// A user, role or group that can be edited in its account.
fn holder(target: &EntityId) -> Result<(Kind, String), String> {
    let name = target.short_name();
    let resource = target.as_str().splitn(6, ':').nth(5).unwrap_or_default();
    let kind = match resource.split('/').next() {
        Some("user") => Kind::User,
        Some("role") if name.starts_with("AWSReservedSSO_") => {
            return Err(
                "Identity Center made the role: its permission set is what to edit".to_owned(),
            );
        }
        Some("role") => Kind::Role,
        Some("group") => Kind::Group,
        _ => return Err("the target is no user, role or group".to_owned()),
    };
    Ok((kind, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(target: &str, layer: PolicyLayer, name: &str) -> Result<Thing, String> {
        super::document(&EntityId::from(target), layer, name, false)
    }

    #[test]
    fn edits_lead_to_what_they_edit() {
        let role = "arn:aws:iam::111122223333:role/work/deploy";
        assert_eq!(
            document(role, PolicyLayer::Identity, "inline"),
            Ok(Thing::Inline {
                kind: Kind::Role,
                holder: "deploy".to_owned(),
                name: "inline".to_owned()
            })
        );
        assert_eq!(
            document(role, PolicyLayer::Trust, "trust policy"),
            Ok(Thing::Trust {
                role: "deploy".to_owned()
            })
        );
        let policy = "arn:aws:iam::111122223333:policy/deploy";
        assert_eq!(
            document(policy, PolicyLayer::Identity, policy),
            Ok(Thing::Managed {
                arn: policy.to_owned()
            })
        );
        let queue = document(
            "arn:aws:sqs:eu-west-1:111122223333:jobs",
            PolicyLayer::Resource,
            "resource policy",
        )
        .unwrap();
        assert_eq!(queue.region(), Some("eu-west-1"));
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        assert!(document(function, PolicyLayer::Resource, "resource policy").is_err());
        let reserved =
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Web_0a1b";
        assert!(document(reserved, PolicyLayer::Identity, "x").is_err());
    }
}
