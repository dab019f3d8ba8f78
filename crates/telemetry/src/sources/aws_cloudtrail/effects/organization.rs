//! Organizations and Identity Center: guard rails, the tree of accounts, permission sets and their
//! assignments. Their calls are recorded in the management account, or where the service is
//! administered.

use portreeve_model::{Effect, EntityId, EntityKind, Held, PolicyLayer, Relation, Spot};

use super::{Call, arn, attachment, attribute, deleted, document, made, own_document, set, taken};

pub(super) fn effects(call: &Call<'_>) -> Option<Vec<Effect>> {
    match call.service {
        "organizations" => organizations(call),
        _ => identity_center(call),
    }
}

fn organizations(call: &Call<'_>) -> Option<Vec<Effect>> {
    Some(match call.operation {
        "AttachPolicy" | "DetachPolicy" => {
            let policy = call.asked_text("policyId")?;
            let target = node(call, call.asked_text("targetId")?);
            let spot = attachment(&target, layer(policy), policy);
            let (before, after) = match call.operation {
                // Both fail where nothing is to be changed: `DuplicatePolicyAttachmentException`
                // and `PolicyNotAttachedException`.
                "AttachPolicy" => (Held::Nothing, Held::there()),
                _ => (Held::there(), Held::Nothing),
            };
            vec![Effect {
                spot,
                before,
                after,
            }]
        }
        "CreatePolicy" | "UpdatePolicy" => {
            let id = EntityId::from(
                call.answered_text("policy.policySummary.arn")
                    .or(call.asked_text("policyId"))?,
            );
            let spot = own_document(&id, layer(id.as_str()), id.as_str());
            let before = match call.operation {
                "CreatePolicy" => Held::Nothing,
                // A new name or description leaves the text as it is.
                _ if call.asked("content").is_none() => return None,
                _ => Held::Something,
            };
            vec![Effect {
                spot,
                before,
                after: document(call.asked("content")),
            }]
        }
        "DeletePolicy" => {
            let id = EntityId::from(call.asked_text("policyId")?);
            vec![taken(own_document(&id, layer(id.as_str()), id.as_str()))]
        }
        "MoveAccount" => {
            let child = node(call, call.asked_text("accountId")?);
            let inside = |parent: &str| {
                Spot::Relation(Relation::Contains {
                    parent: parent.into(),
                    child: child.clone(),
                })
            };
            vec![
                Effect {
                    before: Held::there(),
                    ..taken(inside(call.asked_text("sourceParentId")?))
                },
                Effect {
                    before: Held::Nothing,
                    ..set(
                        inside(call.asked_text("destinationParentId")?),
                        Held::there(),
                    )
                },
            ]
        }
        "CreateOrganizationalUnit" => {
            let id = EntityId::from(call.answered_text("organizationalUnit.id")?);
            let inside = Relation::Contains {
                parent: call.asked_text("parentId")?.into(),
                child: id.clone(),
            };
            vec![
                made(id.clone(), EntityKind::OrganizationalUnit),
                set(attribute(&id, "Name"), Held::told(call.asked_text("name"))),
                set(Spot::Relation(inside), Held::there()),
            ]
        }
        "DeleteOrganizationalUnit" => {
            let id = call.asked_text("organizationalUnitId")?;
            vec![deleted(id, EntityKind::OrganizationalUnit)]
        }
        _ => return None,
    })
}

/// Accounts go by the id that they have everywhere, roots and units by their own.
fn node(call: &Call<'_>, id: &str) -> EntityId {
    if arn::is_account(id) {
        arn::account_root(id, call.region).into()
    } else {
        id.into()
    }
}

/// The layer of an organization's policy, as far as its id tells.
fn layer(policy: &str) -> PolicyLayer {
    if policy.contains("resource_control_policy") || policy.starts_with("p-RCP") {
        PolicyLayer::ResourceControl
    } else {
        PolicyLayer::ServiceControl
    }
}

fn identity_center(call: &Call<'_>) -> Option<Vec<Effect>> {
    let set_arn = call
        .asked_text("permissionSetArn")
        .or(call.answered_text("permissionSet.permissionSetArn"))?;
    let id = EntityId::from(set_arn);
    let inline = || own_document(&id, PolicyLayer::Identity, "inline policy");
    let managed = |policy: &str| attachment(&id, PolicyLayer::Identity, policy);
    Some(vec![match call.operation {
        "CreatePermissionSet" => {
            let name = Held::told(call.asked_text("name"));
            return Some(vec![
                made(id.clone(), EntityKind::PermissionSet),
                set(attribute(&id, "Name"), name),
            ]);
        }
        "DeletePermissionSet" => deleted(id, EntityKind::PermissionSet),
        "PutInlinePolicyToPermissionSet" => set(inline(), document(call.asked("inlinePolicy"))),
        "DeleteInlinePolicyFromPermissionSet" => set(inline(), Held::Nothing),
        "AttachManagedPolicyToPermissionSet" => {
            set(managed(call.asked_text("managedPolicyArn")?), Held::there())
        }
        "DetachManagedPolicyFromPermissionSet" => {
            set(managed(call.asked_text("managedPolicyArn")?), Held::Nothing)
        }
        "CreateAccountAssignment" | "DeleteAccountAssignment" => {
            let account = call.asked_text("targetId")?;
            let principal = call.asked_text("principalId")?;
            let spot = attribute(&id, &format!("Assignment:{account}:{principal}"));
            let is_new = call.operation.starts_with("Create");
            set(
                spot,
                if is_new {
                    Held::told(Some("assigned"))
                } else {
                    Held::Nothing
                },
            )
        }
        _ => return None,
    }])
}
