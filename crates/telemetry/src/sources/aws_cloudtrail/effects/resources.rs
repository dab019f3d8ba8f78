//! Resources with policies of their own, and workloads that act as a role.

use portreeve_model::{Effect, EntityId, EntityKind, Held, PolicyLayer, Spot};
use serde_json::{Value, json};

use super::{
    Call, attribute, deleted, document, made, made_in_part, own_document, resource_policy, set,
    tagged, taken, text,
};

pub(super) fn effects(call: &Call<'_>) -> Option<Vec<Effect>> {
    match call.service {
        "s3" => buckets(call),
        "kms" => keys(call),
        "secretsmanager" => secrets(call),
        "lambda" => functions(call),
        "sqs" => queues(call),
        "sns" => topics(call),
        "ecr" => repositories(call),
        _ => instances(call),
    }
}

fn buckets(call: &Call<'_>) -> Option<Vec<Effect>> {
    let id = EntityId::from(format!("arn:aws:s3:::{}", call.asked_text("bucketName")?));
    Some(match call.operation {
        "CreateBucket" => vec![made(id, EntityKind::Bucket)],
        "DeleteBucket" => vec![deleted(id, EntityKind::Bucket)],
        "PutBucketPolicy" => vec![set(
            resource_policy(&id),
            document(call.asked("bucketPolicy")),
        )],
        // It succeeds where there is none.
        "DeleteBucketPolicy" => vec![set(resource_policy(&id), Held::Nothing)],
        _ => return None,
    })
}

fn keys(call: &Call<'_>) -> Option<Vec<Effect>> {
    Some(match call.operation {
        "CreateKey" => {
            let id = EntityId::from(call.answered_text("keyMetadata.arn")?);
            let policy = match call.asked("policy") {
                Some(given) => document(Some(given)),
                None => Held::told(Some(default_key_policy(call))),
            };
            let mut effects = vec![
                made(id.clone(), EntityKind::Key),
                set(resource_policy(&id), policy),
            ];
            effects.extend(tagged(&id, call.tags("tags")));
            effects
        }
        "PutKeyPolicy" => {
            let id = key_of(call, call.asked_text("keyId")?);
            vec![Effect {
                before: Held::Something,
                ..set(resource_policy(&id), document(call.asked("policy")))
            }]
        }
        "CreateGrant" => {
            let key = key_of(call, call.asked_text("keyId")?);
            let id = call.answered_text("grantId")?;
            vec![Effect {
                before: Held::Nothing,
                ..set(grant(&key, id), Held::told(Some(made_grant(call, id))))
            }]
        }
        "RevokeGrant" => {
            let key = key_of(call, call.asked_text("keyId")?);
            vec![taken(grant(&key, call.asked_text("grantId")?))]
        }
        // By the grant's token a caller tells neither.
        "RetireGrant" => {
            let key = call.answered_text("keyId").or(call.asked_text("keyId"))?;
            let id = call.record.at("additionalEventData.grantId").and_then(text);
            let id = id.or(call.asked_text("grantId"))?;
            vec![taken(grant(&key_of(call, key), id))]
        }
        _ => return None,
    })
}

/// A key, by its number or ARN.
fn key_of(call: &Call<'_>, key: &str) -> EntityId {
    match key.starts_with("arn:") {
        true => key.into(),
        false => call.arn("kms", &format!("key/{key}")).into(),
    }
}

fn grant(key: &EntityId, id: &str) -> Spot {
    own_document(key, PolicyLayer::Grant, &format!("grant:{id}"))
}

/// A grant as `ListGrants` tells of it, from the call that made it. It is the caller's account that
/// counts as having made it.
fn made_grant(call: &Call<'_>, id: &str) -> String {
    let by = call.record.at("userIdentity.accountId").and_then(text);
    let by = super::arn::account_root(by.unwrap_or(call.account), call.region);
    let mut grant = json!({"GrantId": id, "IssuingAccount": by});
    for (name, path) in [
        ("GranteePrincipal", "granteePrincipal"),
        ("RetiringPrincipal", "retiringPrincipal"),
        ("Operations", "operations"),
    ] {
        if let Some(told) = call.asked(path) {
            grant[name] = told.clone();
        }
    }
    for (name, path) in [
        (
            "EncryptionContextEquals",
            "constraints.encryptionContextEquals",
        ),
        (
            "EncryptionContextSubset",
            "constraints.encryptionContextSubset",
        ),
        ("SourceArn", "constraints.sourceArn"),
    ] {
        if let Some(told) = call.asked(path) {
            grant["Constraints"][name] = told.clone();
        }
    }
    grant.to_string()
}

/// The policy of a key that is made by a program without one: "Default key policy" in the KMS
/// developer guide.
fn default_key_policy(call: &Call<'_>) -> String {
    let root = super::arn::account_root(call.account, call.region);
    json!({
        "Version": "2012-10-17", "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions", "Effect": "Allow",
            "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*",
        }],
    })
    .to_string()
}

fn secrets(call: &Call<'_>) -> Option<Vec<Effect>> {
    let answered = call.answered_text("arn").or(call.answered_text("aRN"));
    let id = match (answered, call.asked_text("secretId")) {
        (Some(arn), _) => EntityId::from(arn),
        (None, Some(id)) if id.starts_with("arn:") => id.into(),
        (None, Some(name)) => call.arn("secretsmanager", &format!("secret:{name}")).into(),
        (None, None) => return None,
    };
    Some(match call.operation {
        "CreateSecret" => {
            let mut effects = vec![made(id.clone(), EntityKind::Secret)];
            effects.extend(tagged(&id, call.tags("tags")));
            effects
        }
        "PutResourcePolicy" => vec![set(
            resource_policy(&id),
            document(call.asked("resourcePolicy")),
        )],
        "DeleteResourcePolicy" => vec![set(resource_policy(&id), Held::Nothing)],
        // Without this a deleted secret waits, and can be restored as it was.
        "DeleteSecret" if call.asked("forceDeleteWithoutRecovery") == Some(&Value::Bool(true)) => {
            vec![deleted(id, EntityKind::Secret)]
        }
        _ => return None,
    })
}

fn functions(call: &Call<'_>) -> Option<Vec<Effect>> {
    let name = call.asked_text("functionName")?;
    let id = EntityId::from(match name.split(':').nth(6) {
        // A version or alias behind the name has statements of its own in the same policy.
        Some(plain) if name.starts_with("arn:") => call.arn("lambda", &format!("function:{plain}")),
        _ => call.arn(
            "lambda",
            &format!("function:{}", name.split(':').next().unwrap_or(name)),
        ),
    });
    let runs_as = |role: Option<&str>| {
        let workload = id.clone();
        set(Spot::RunsAs { workload }, Held::told(role))
    };
    Some(match call.operation {
        "CreateFunction" => {
            let role = call.asked_text("role").or(call.answered_text("role"));
            vec![made(id.clone(), EntityKind::Function), runs_as(role)]
        }
        "DeleteFunction" if call.asked("qualifier").is_none() => {
            vec![deleted(id, EntityKind::Function)]
        }
        "UpdateFunctionConfiguration" => {
            vec![runs_as(Some(call.asked_text("role")?))]
        }
        "AddPermission" => {
            let statement = match call.answered("statement") {
                Some(Value::String(text)) => text.clone(),
                _ => asked_permission(call, &id).to_string(),
            };
            vec![set(resource_policy(&id), Held::With(statement.into()))]
        }
        "RemovePermission" => vec![Effect {
            before: Held::Something,
            ..set(
                resource_policy(&id),
                Held::Without(call.asked_text("statementId")?.into()),
            )
        }],
        _ => return None,
    })
}

/// The statement that `AddPermission` adds: "Using resource-based policies for Lambda" in the
/// Lambda developer guide.
fn asked_permission(call: &Call<'_>, id: &EntityId) -> Value {
    let principal = match call.asked_text("principal").unwrap_or_default() {
        "*" => json!("*"),
        name if name.contains(".amazonaws.com") => json!({"Service": name}),
        name => json!({"AWS": name}),
    };
    let mut condition = json!({});
    let mut add = |operator: &str, key: &str, value: Option<&str>| {
        if let Some(value) = value {
            condition[operator][key] = json!(value);
        }
    };
    add(
        "StringEquals",
        "AWS:SourceAccount",
        call.asked_text("sourceAccount"),
    );
    add(
        "StringEquals",
        "aws:PrincipalOrgID",
        call.asked_text("principalOrgID"),
    );
    add(
        "StringEquals",
        "lambda:FunctionUrlAuthType",
        call.asked_text("functionUrlAuthType"),
    );
    add("ArnLike", "AWS:SourceArn", call.asked_text("sourceArn"));
    let resource = match call.asked_text("qualifier") {
        Some(qualifier) => format!("{id}:{qualifier}"),
        None => id.to_string(),
    };
    let mut statement = json!({
        "Sid": call.asked_text("statementId"), "Effect": "Allow", "Principal": principal,
        "Action": call.asked_text("action"), "Resource": resource,
    });
    if condition.as_object().is_some_and(|it| !it.is_empty()) {
        statement["Condition"] = condition;
    }
    statement
}

/// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, as calls name a queue.
fn queue(call: &Call<'_>, url: &str) -> Option<EntityId> {
    let name = url.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(call.arn("sqs", name).into())
}

fn queues(call: &Call<'_>) -> Option<Vec<Effect>> {
    let url = call
        .asked_text("queueUrl")
        .or(call.answered_text("queueUrl"));
    let id = match url {
        Some(url) => queue(call, url)?,
        None => queue(call, call.asked_text("queueName")?)?,
    };
    let given = |path: &str| match call.asked(path) {
        Some(Value::String(text)) if text.is_empty() => Some(Held::Nothing),
        Some(given) => Some(document(Some(given))),
        None => None,
    };
    Some(match call.operation {
        "CreateQueue" => {
            let mut effects = vec![made(id.clone(), EntityKind::Queue)];
            let policy = given("attributes.Policy").or(given("attribute.Policy"));
            effects.extend(policy.map(|policy| set(resource_policy(&id), policy)));
            effects
        }
        "DeleteQueue" => vec![deleted(id, EntityKind::Queue)],
        "SetQueueAttributes" => vec![set(resource_policy(&id), given("attributes.Policy")?)],
        "AddPermission" => vec![added(call, &id, "sqs:", "actions", "accountIds")],
        "RemovePermission" => vec![removed(call, &id)?],
        _ => return None,
    })
}

fn topics(call: &Call<'_>) -> Option<Vec<Effect>> {
    let arn = call
        .asked_text("topicArn")
        .or(call.answered_text("topicArn"))?;
    let id = EntityId::from(arn);
    Some(match call.operation {
        // It also succeeds for a topic that is there; a new one gets a policy that is not told.
        "CreateTopic" => vec![set(super::entity(id, EntityKind::Topic), Held::Something)],
        "DeleteTopic" => vec![set(super::entity(id, EntityKind::Topic), Held::Nothing)],
        "SetTopicAttributes" if call.asked_text("attributeName") == Some("Policy") => {
            vec![set(
                resource_policy(&id),
                document(call.asked("attributeValue")),
            )]
        }
        "AddPermission" => vec![added(call, &id, "sns:", "actionName", "aWSAccountId")],
        "RemovePermission" => vec![removed(call, &id)?],
        _ => return None,
    })
}

/// The statement that `AddPermission` of queues and topics adds.
fn added(call: &Call<'_>, id: &EntityId, service: &str, actions: &str, accounts: &str) -> Effect {
    let list = |name: &str| -> Vec<String> {
        let plural = format!("{name}s");
        let found = call.asked(name).or(call.asked(&plural));
        match found {
            Some(Value::Array(list)) => list.iter().filter_map(text).map(str::to_owned).collect(),
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        }
    };
    let actions: Vec<String> = list(actions)
        .iter()
        .map(|action| format!("{service}{action}"))
        .collect();
    let statement = json!({
        "Sid": call.asked_text("label"), "Effect": "Allow", "Principal": {"AWS": list(accounts)},
        "Action": actions, "Resource": id.as_str(),
    });
    set(
        resource_policy(id),
        Held::With(statement.to_string().into()),
    )
}

fn removed(call: &Call<'_>, id: &EntityId) -> Option<Effect> {
    Some(set(
        resource_policy(id),
        Held::Without(call.asked_text("label")?.into()),
    ))
}

fn repositories(call: &Call<'_>) -> Option<Vec<Effect>> {
    let name = call.asked_text("repositoryName")?;
    let id = EntityId::from(call.arn("ecr", &format!("repository/{name}")));
    Some(match call.operation {
        "CreateRepository" => vec![made(id, EntityKind::ImageRepository)],
        "DeleteRepository" => vec![deleted(id, EntityKind::ImageRepository)],
        "SetRepositoryPolicy" => vec![set(
            resource_policy(&id),
            document(call.asked("policyText")),
        )],
        "DeleteRepositoryPolicy" => vec![taken(resource_policy(&id))],
        _ => return None,
    })
}

fn instances(call: &Call<'_>) -> Option<Vec<Effect>> {
    let arn = |id: &str| EntityId::from(call.arn("ec2", &format!("instance/{id}")));
    let profile = |id: &EntityId, to: Held| set(attribute(id, "IamInstanceProfile"), to);
    Some(match call.operation {
        "RunInstances" => {
            let items = call.answered("instancesSet.items")?.as_array()?;
            let mut effects = Vec::new();
            for item in items {
                let Some(id) = item.get("instanceId").and_then(text).map(arn) else {
                    continue;
                };
                // A launch template may give the profile: then the response tells it.
                let given = item.pointer("/iamInstanceProfile/arn").and_then(text);
                effects.push(made_in_part(id.clone(), EntityKind::Instance));
                effects.push(profile(
                    &id,
                    given.map_or(Held::Nothing, |arn| Held::told(Some(arn))),
                ));
            }
            effects
        }
        "TerminateInstances" => {
            let items = call.asked("instancesSet.items")?.as_array()?;
            items
                .iter()
                .filter_map(|item| Some(arn(item.get("instanceId").and_then(text)?)))
                .map(|id| set(super::entity(id, EntityKind::Instance), Held::Nothing))
                .collect()
        }
        "AssociateIamInstanceProfile"
        | "ReplaceIamInstanceProfileAssociation"
        | "DisassociateIamInstanceProfile" => {
            let part = |name: &str| {
                let told = format!(
                    "{}Response.iamInstanceProfileAssociation.{name}",
                    call.operation
                );
                call.answered_text(&told)
                    .or(call.answered_text(&format!("iamInstanceProfileAssociation.{name}")))
            };
            let id = arn(part("instanceId")?);
            let after = match call.operation {
                "DisassociateIamInstanceProfile" => Held::Nothing,
                _ => Held::told(part("iamInstanceProfile.arn")),
            };
            vec![profile(&id, after)]
        }
        _ => return None,
    })
}
