//! Identity and Access Management. Calls are those of its API reference; IAM's own page "Logging
//! IAM and AWS STS API calls with AWS CloudTrail" shows their records.

use portreeve_model::{Effect, EntityId, EntityKind, Held, PolicyLayer, Relation, Spot};
use serde_json::Value;

use super::{
    Call, attachment, attribute, deleted, document, entity, made, made_in_part, own_document, set,
    tag, tagged, taken, text,
};

/// Kinds of principals: the word in operations, the request parameter, the ARN's part, the member
/// of the response.
const KINDS: [(&str, &str, &str, EntityKind); 3] = [
    ("User", "userName", "user", EntityKind::User),
    ("Role", "roleName", "role", EntityKind::Role),
    ("Group", "groupName", "group", EntityKind::Group),
];

pub(super) fn effects(call: &Call<'_>) -> Option<Vec<Effect>> {
    let operation = call.operation;
    match operation {
        "CreateServiceLinkedRole" => return service_linked_role(call),
        "UpdateAssumeRolePolicy" => {
            let role = principal(call, "Role")?.0;
            let trust = document(call.asked("policyDocument"));
            let before = Held::Something;
            let spot = own_document(&role, PolicyLayer::Trust, "");
            return Some(vec![Effect {
                spot,
                before,
                after: trust,
            }]);
        }
        "AddUserToGroup" => return member(call, Held::there()),
        "RemoveUserFromGroup" => return member(call, Held::Nothing),
        "CreateAccessKey" => return key(call),
        "UpdateAccessKey" => {
            let key = EntityId::from(call.asked_text("accessKeyId")?);
            let status = call.asked_text("status");
            return Some(vec![set(attribute(&key, "Status"), Held::told(status))]);
        }
        "DeleteAccessKey" => {
            let key = call.asked_text("accessKeyId")?;
            return Some(vec![deleted(key, EntityKind::AccessKey)]);
        }
        "CreateLoginProfile" => {
            let user = principal(call, "User")?.0;
            let password = EntityId::from(format!("password:{user}"));
            let proves = Relation::Proves {
                credential: password.clone(),
                principal: user,
            };
            return Some(vec![
                made(password, EntityKind::Password),
                set(Spot::Relation(proves), Held::there()),
            ]);
        }
        "DeleteLoginProfile" => {
            let user = principal(call, "User")?.0;
            let password = format!("password:{user}");
            return Some(vec![deleted(password, EntityKind::Password)]);
        }
        _ => {}
    }
    if operation.contains("InstanceProfile") {
        return instance_profile(call);
    }
    if let Some(kind) = operation
        .strip_prefix("Put")
        .or(operation.strip_prefix("Delete"))
        .and_then(|rest| rest.strip_suffix("PermissionsBoundary"))
    {
        let subject = principal(call, kind)?.0;
        let spot = Spot::Boundary { subject };
        return Some(vec![if operation.starts_with("Put") {
            set(spot, Held::told(call.asked_text("permissionsBoundary")))
        } else {
            taken(spot)
        }]);
    }
    if let Some((verb, kind)) = operation.strip_suffix("Policy").and_then(|rest| {
        KINDS
            .iter()
            .find_map(|kind| Some((rest.strip_suffix(kind.0)?, kind.0)))
    }) {
        return policy_of(call, verb, kind);
    }
    match operation {
        "CreatePolicy"
        | "DeletePolicy"
        | "CreatePolicyVersion"
        | "DeletePolicyVersion"
        | "SetDefaultPolicyVersion"
        | "TagPolicy"
        | "UntagPolicy" => managed_policy(call),
        _ => {
            let verbs = ["Create", "Delete", "Update", "Tag", "Untag"];
            let verb = verbs.iter().find(|verb| operation.starts_with(**verb))?;
            let kind = KINDS
                .iter()
                .find(|kind| operation == format!("{verb}{}", kind.0))?;
            of_principal(call, verb, kind.0)
        }
    }
}

/// The principal of a kind that a call is about: by the ARN in the response, else by its name.
fn principal(call: &Call<'_>, kind: &str) -> Option<(EntityId, EntityKind)> {
    let (_, parameter, part, entity) = KINDS.iter().find(|known| known.0 == kind)?;
    if let Some(arn) = call.answered_text(&format!("{part}.arn")) {
        return Some((arn.into(), *entity));
    }
    let name = call.asked_text(parameter)?;
    let path = match call.operation.starts_with("Create") {
        true => call.asked_text("path").unwrap_or_default(),
        // Other calls do not tell the path.
        false => "",
    };
    Some((call.iam(part, path, name), *entity))
}

/// `PutRolePolicy`, `DetachUserPolicy` and their like.
fn policy_of(call: &Call<'_>, verb: &str, kind: &str) -> Option<Vec<Effect>> {
    let subject = principal(call, kind)?.0;
    let inline = || {
        Some(own_document(
            &subject,
            PolicyLayer::Identity,
            call.asked_text("policyName")?,
        ))
    };
    let managed = || {
        Some(attachment(
            &subject,
            PolicyLayer::Identity,
            call.asked_text("policyArn")?,
        ))
    };
    Some(vec![match verb {
        "Put" => set(inline()?, document(call.asked("policyDocument"))),
        "Delete" => taken(inline()?),
        "Attach" => set(managed()?, Held::there()),
        // "Detaches": it fails where the policy is not attached, and an attachment says no more.
        "Detach" => Effect {
            before: Held::there(),
            ..taken(managed()?)
        },
        _ => return None,
    }])
}

/// Whether the call also succeeds for one who is a member, or is none, is not documented.
fn member(call: &Call<'_>, after: Held) -> Option<Vec<Effect>> {
    let member = principal(call, "User")?.0;
    let group = call.iam("group", "", call.asked_text("groupName")?);
    Some(vec![set(
        Spot::Relation(Relation::MemberOf { member, group }),
        after,
    )])
}

/// A user, role or group is made, deleted, renamed or tagged.
fn of_principal(call: &Call<'_>, verb: &str, kind: &str) -> Option<Vec<Effect>> {
    let (id, entity_kind) = principal(call, kind)?;
    let mut effects = Vec::new();
    match verb {
        "Create" => {
            effects.push(made(id.clone(), entity_kind));
            if kind == "Role" {
                let trust = document(call.asked("assumeRolePolicyDocument"));
                effects.push(set(own_document(&id, PolicyLayer::Trust, ""), trust));
            }
            if let Some(boundary) = call.asked_text("permissionsBoundary") {
                let spot = Spot::Boundary {
                    subject: id.clone(),
                };
                effects.push(set(spot, Held::told(Some(boundary))));
            }
            effects.extend(tagged(&id, call.tags("tags")));
        }
        "Delete" => effects.push(deleted(id, entity_kind)),
        "Update" => {
            // A new name or path makes another ARN, to which all that was attached moves.
            let (_, _, part, _) = KINDS.iter().find(|known| known.0 == kind)?;
            let name = call.asked_text(&format!("new{kind}Name"));
            let path = call.asked_text("newPath");
            if name.is_none() && path.is_none() {
                return None;
            }
            let old = id.short_name();
            let renamed = call.iam(part, path.unwrap_or_default(), name.unwrap_or(old));
            effects.push(deleted(id.clone(), entity_kind));
            effects.push(made_in_part(renamed, entity_kind));
        }
        "Tag" => effects.extend(tagged(&id, call.tags("tags"))),
        "Untag" => effects.extend(untagged(call, &id)),
        _ => return None,
    }
    Some(effects)
}

/// Keys that are taken off need not have been there.
fn untagged(call: &Call<'_>, id: &EntityId) -> Vec<Effect> {
    let keys = call.asked("tagKeys").and_then(Value::as_array);
    keys.into_iter()
        .flatten()
        .filter_map(text)
        .map(|key| set(tag(id, key), Held::Nothing))
        .collect()
}

fn managed_policy(call: &Call<'_>) -> Option<Vec<Effect>> {
    let arn = match call.asked_text("policyArn") {
        Some(arn) => EntityId::from(arn),
        None => match call.answered_text("policy.arn") {
            Some(arn) => arn.into(),
            None => call.iam(
                "policy",
                call.asked_text("path").unwrap_or_default(),
                call.asked_text("policyName")?,
            ),
        },
    };
    let text = || document(call.asked("policyDocument"));
    let own = || own_document(&arn, PolicyLayer::Identity, arn.as_str());
    let version = |name: &str| Spot::Version {
        policy: arn.clone(),
        version: name.to_owned(),
    };
    Some(match call.operation {
        "CreatePolicy" => {
            let first = call
                .answered_text("policy.defaultVersionId")
                .unwrap_or("v1");
            let mut effects = vec![
                made(arn.clone(), EntityKind::Policy),
                set(own(), text()),
                set(version(first), text()),
            ];
            effects.extend(tagged(&arn, call.tags("tags")));
            effects
        }
        "DeletePolicy" => vec![deleted(arn, EntityKind::Policy)],
        "CreatePolicyVersion" => {
            let is_true = |value: &Value| value.as_bool() == Some(true) || value == "true";
            let mut effects = Vec::new();
            if let Some(name) = call.answered_text("policyVersion.versionId") {
                effects.push(set(version(name), text()));
            }
            if call.asked("setAsDefault").is_some_and(is_true) {
                effects.push(Effect {
                    before: Held::Something,
                    ..set(own(), text())
                });
            }
            effects
        }
        "SetDefaultPolicyVersion" => vec![Effect {
            spot: own(),
            before: Held::Something,
            after: Held::Version(call.asked_text("versionId")?.into()),
        }],
        "TagPolicy" => tagged(&arn, call.tags("tags")).collect(),
        "UntagPolicy" => untagged(call, &arn),
        // A version that is deleted is none that holds.
        _ => return None,
    })
}

/// A role that a service makes for itself: what it may do is the service's, and not told.
fn service_linked_role(call: &Call<'_>) -> Option<Vec<Effect>> {
    let id = EntityId::from(call.answered_text("role.arn")?);
    let trust = document(call.answered("role.assumeRolePolicyDocument"));
    Some(vec![
        made_in_part(id.clone(), EntityKind::Role),
        set(own_document(&id, PolicyLayer::Trust, ""), trust),
    ])
}

fn key(call: &Call<'_>) -> Option<Vec<Effect>> {
    let id = EntityId::from(call.answered_text("accessKey.accessKeyId")?);
    let user = call
        .answered_text("accessKey.userName")
        .or(call.asked_text("userName"));
    let told = |name: &str, value: Option<&str>| set(attribute(&id, name), Held::told(value));
    let status = call.answered_text("accessKey.status").unwrap_or("Active");
    let mut effects = vec![
        made(id.clone(), EntityKind::AccessKey),
        told("Status", Some(status)),
    ];
    if let Some(name) = user {
        effects.push(told("UserName", Some(name)));
        let proves = Relation::Proves {
            credential: id.clone(),
            principal: call.iam("user", "", name),
        };
        effects.push(set(Spot::Relation(proves), Held::there()));
    }
    Some(effects)
}

fn instance_profile(call: &Call<'_>) -> Option<Vec<Effect>> {
    let name = call.asked_text("instanceProfileName")?;
    let id = match call.answered_text("instanceProfile.arn") {
        Some(arn) => EntityId::from(arn),
        None => call.iam("instance-profile", "", name),
    };
    let role = attribute(&id, "Role");
    Some(match call.operation {
        "CreateInstanceProfile" => vec![
            made(id.clone(), EntityKind::Other),
            set(
                attribute(&id, "InstanceProfileName"),
                Held::told(Some(name)),
            ),
        ],
        "DeleteInstanceProfile" => vec![taken(entity(id, EntityKind::Other))],
        // A profile has one role at most.
        "AddRoleToInstanceProfile" => {
            let arn = principal(call, "Role")?.0;
            vec![Effect {
                spot: role,
                before: Held::Nothing,
                after: Held::told(Some(arn.as_str())),
            }]
        }
        "RemoveRoleFromInstanceProfile" => {
            let arn = principal(call, "Role")?.0;
            vec![Effect {
                spot: role,
                before: Held::told(Some(arn.as_str())),
                after: Held::Nothing,
            }]
        }
        _ => return None,
    })
}
