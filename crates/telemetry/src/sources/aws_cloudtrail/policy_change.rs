use std::borrow::Cow;

use portreeve_model::{PolicyChange, PolicyChangeKind, PolicyLayer};
use portreeve_record::{FieldId, Fields, Record, Value};
use serde_json::json;

use super::wanted::text;

/// Declares the request parameters that say what a policy becomes.
macro_rules! parameters {
    ($($name:ident: $path:literal,)*) => {
        /// The request parameters that say what a policy becomes, interned.
        #[derive(Debug)]
        pub(super) struct PolicyParameters {
            $($name: FieldId,)*
        }

        impl PolicyParameters {
            pub(super) fn new(fields: &mut Fields) -> Self {
                Self { $($name: fields.intern(concat!("requestParameters.", $path)),)* }
            }
        }
    };
}

parameters! {
    policy_document: "policyDocument",
    trust_document: "assumeRolePolicyDocument",
    policy_name: "policyName",
    policy_arn: "policyArn",
    as_default: "setAsDefault",
    group: "groupName",
    bucket_policy: "bucketPolicy",
    policy: "policy",
    resource_policy: "resourcePolicy",
    policy_text: "policyText",
    queue_policy: "attributes.Policy",
    attribute_name: "attributeName",
    attribute_value: "attributeValue",
    principal: "principal",
    action: "action",
    source_account: "sourceAccount",
    principal_organization: "principalOrgID",
    url_auth: "functionUrlAuthType",
    grantee: "granteePrincipal",
    operations: "operations",
    accounts: "aWSAccountIds",
    accounts_of_queue: "accountIds",
    actions: "actionNames",
    actions_of_queue: "actions",
}

/// Whom operations of IAM are about, by a part of their names: what the ARN holds.
const SUBJECTS: &[(&str, &str)] = &[
    ("User", ":user/"),
    ("Role", ":role/"),
    ("Group", ":group/"),
    ("PolicyVersion", ":policy/"),
];

impl PolicyParameters {
    /// The change that a call made to who may do what, where its record tells the whole of it.
    /// `targets` are what the call acted on.
    pub(super) fn read<'a>(
        &self,
        record: &'a dyn Record,
        service: &str,
        operation: &str,
        targets: &[Cow<'_, str>],
    ) -> Option<PolicyChange<'a>> {
        use PolicyLayer::{Identity, Resource, Trust};
        let get = |field| text(record, field);
        // Some records hold the document as JSON, others as a text that holds JSON.
        let document = |field| {
            record.values(field).iter().find_map(|value| match value {
                Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(&**text)),
                Value::Object(text) => Some(Cow::Borrowed(*text)),
                _ => None,
            })
        };
        let put = |layer, name: &'a str, field| {
            Some(PolicyChangeKind::Put {
                layer,
                name: name.into(),
                document: document(field)?,
            })
        };
        let inline_name = get(self.policy_name).unwrap_or_default();
        let kind = match (service, operation) {
            ("iam", "PutUserPolicy" | "PutRolePolicy" | "PutGroupPolicy") => {
                put(Identity, inline_name, self.policy_document)
            }
            ("iam", "AttachUserPolicy" | "AttachRolePolicy" | "AttachGroupPolicy") => {
                Some(PolicyChangeKind::Attach {
                    policy: get(self.policy_arn)?.into(),
                })
            }
            ("iam", "CreatePolicyVersion") => {
                let default = record.values(self.as_default).iter().any(|value| {
                    matches!(value, Value::Bool(true))
                        || value.as_str().is_some_and(|text| text == "true")
                });
                if !default {
                    return None;
                }
                Some(PolicyChangeKind::Version {
                    document: document(self.policy_document)?,
                })
            }
            ("iam", "UpdateAssumeRolePolicy") => put(Trust, "", self.policy_document),
            ("iam", "CreateRole") => put(Trust, "", self.trust_document),
            ("iam", "AddUserToGroup") => Some(PolicyChangeKind::Join {
                group: get(self.group)?.into(),
            }),
            ("iam", "DeleteRolePermissionsBoundary" | "DeleteUserPermissionsBoundary") => {
                Some(PolicyChangeKind::RemoveBoundary)
            }
            ("s3", "PutBucketPolicy") => put(Resource, "", self.bucket_policy),
            ("kms", "PutKeyPolicy") => put(Resource, "", self.policy),
            ("kms", "CreateGrant") => {
                let operations = texts(record, self.operations);
                Some(statement(json!({
                    "Principal": {"AWS": get(self.grantee)?},
                    "Action": operations.iter().map(|it| format!("kms:{it}")).collect::<Vec<_>>(),
                })))
            }
            ("secretsmanager", "PutResourcePolicy") => put(Resource, "", self.resource_policy),
            ("ecr", "SetRepositoryPolicy") => put(Resource, "", self.policy_text),
            ("sqs", "SetQueueAttributes") => put(Resource, "", self.queue_policy),
            ("sns", "SetTopicAttributes") if get(self.attribute_name) == Some("Policy") => {
                put(Resource, "", self.attribute_value)
            }
            ("sns" | "sqs", "AddPermission") => {
                let either = |one, other| {
                    let found = texts(record, one);
                    if found.is_empty() {
                        texts(record, other)
                    } else {
                        found
                    }
                };
                let accounts = either(self.accounts, self.accounts_of_queue);
                let actions = either(self.actions, self.actions_of_queue);
                let actions: Vec<String> = actions
                    .iter()
                    .map(|action| format!("{service}:{action}"))
                    .collect();
                Some(statement(
                    json!({"Principal": {"AWS": accounts}, "Action": actions}),
                ))
            }
            ("lambda", operation) if operation.starts_with("AddPermission2015") => {
                Some(self.function_permission(record)?)
            }
            _ => None,
        }?;
        // A call of IAM's names a policy or a group beside whom it is about.
        let subject = match SUBJECTS.iter().find(|(part, _)| operation.contains(part)) {
            Some((_, kind)) if service == "iam" => {
                targets.iter().find(|target| target.contains(kind))
            }
            _ => targets.first(),
        }?;
        Some(PolicyChange {
            subject: Cow::Owned(subject.to_string()),
            kind,
        })
    }

    /// "Using resource-based policies for Lambda" in the Lambda developer guide: the parameters of
    /// `AddPermission` become a statement.
    fn function_permission(&self, record: &dyn Record) -> Option<PolicyChangeKind<'static>> {
        let get = |field| text(record, field);
        let principal = get(self.principal)?;
        let principal = if principal == "*" {
            json!("*")
        } else if principal.contains(".amazonaws.com") {
            json!({"Service": principal})
        } else {
            json!({"AWS": principal})
        };
        let mut condition = serde_json::Map::new();
        let mut equals = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                condition.insert(key.to_owned(), json!(value));
            }
        };
        equals("aws:SourceAccount", get(self.source_account));
        equals("aws:PrincipalOrgID", get(self.principal_organization));
        equals("lambda:FunctionUrlAuthType", get(self.url_auth));
        let mut made = json!({"Principal": principal, "Action": get(self.action)?});
        if !condition.is_empty() {
            made["Condition"] = json!({"StringEquals": condition});
        }
        Some(statement(made))
    }
}

fn texts(record: &dyn Record, field: FieldId) -> Vec<String> {
    let mut found = Vec::new();
    for value in record.values(field) {
        match value {
            Value::String(text) => found.push(text.to_string()),
            Value::Array(_) => found.extend(
                value
                    .elements()
                    .filter_map(|element| element.as_str().map(str::to_owned)),
            ),
            _ => {}
        }
    }
    found
}

/// One more statement on a resource, with what is the same in all of them.
fn statement(mut statement: serde_json::Value) -> PolicyChangeKind<'static> {
    statement["Effect"] = "Allow".into();
    statement["Resource"] = "*".into();
    PolicyChangeKind::Add {
        layer: PolicyLayer::Resource,
        document: json!({"Version": "2012-10-17", "Statement": [statement]})
            .to_string()
            .into(),
    }
}
