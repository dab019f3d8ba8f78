//! The commands of the AWS CLI that make an edit.
//!
//! Names come from inventories, which an intruder may have had a hand in: each is put in single
//! quotes, and what the shell or the terminal would act on is taken out of it.

use portreeve_authz::aws::{GrantConstraint, KmsGrant};
use portreeve_graph::cut::Edit;
use portreeve_model::{EntityId, PolicyLayer};
use serde_json::{Value, json};

use crate::text::{clean, quote};

/// A command, and what to know before it is run.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) command: Option<String>,
    pub(super) caveat: Option<String>,
}

impl Command {
    fn new(command: String) -> Self {
        Self {
            command: Some(command),
            caveat: None,
        }
    }

    fn but(self, caveat: &str) -> Self {
        Self {
            caveat: Some(caveat.to_owned()),
            ..self
        }
    }

    fn none(caveat: &str) -> Self {
        Self::default().but(caveat)
    }
}

pub(super) fn of(edit: &Edit) -> Command {
    match edit {
        Edit::Document {
            target,
            layer,
            name,
            before,
            after,
            ..
        } => document(target, *layer, name, before.as_deref(), after.as_deref()),
        Edit::Attachment {
            target,
            policy,
            attached,
            ..
        } => attachment(target, policy, *attached),
        Edit::Membership {
            user,
            group,
            member,
        } => {
            let verb = if *member {
                "add-user-to-group"
            } else {
                "remove-user-from-group"
            };
            Command::new(format!(
                "aws iam {verb} --user-name {} --group-name {}",
                quote(user.short_name()),
                quote(group.short_name())
            ))
        }
        Edit::AccessKey { user, key, active } => Command::new(format!(
            "aws iam update-access-key --user-name {} --access-key-id {} --status {}",
            quote(user.short_name()),
            quote(key.as_str()),
            if *active { "Active" } else { "Inactive" }
        ))
        .but("Whatever else works with this key stops. Sessions that were taken with it live on."),
        Edit::WorkloadRole {
            workload,
            role,
            runs,
        } => workload_role(workload, role, *runs),
        Edit::Assignment {
            person,
            role,
            assigned,
        } => assignment(person, role, *assigned),
    }
}

/// A policy on one line, as an argument of the shell.
fn argument(document: &str) -> String {
    let policy: Result<Value, _> = serde_json::from_str(document);
    quote(&policy.map_or_else(|_| document.to_owned(), |policy| policy.to_string()))
}

/// `user`, `role` or `group`, for an ARN of one.
fn iam_kind(id: &EntityId) -> Option<&'static str> {
    let resource = id.as_str().splitn(6, ':').nth(5)?;
    ["user", "role", "group"]
        .into_iter()
        .find(|kind| resource.split('/').next() == Some(*kind))
}

fn document(
    target: &EntityId,
    layer: PolicyLayer,
    name: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Command {
    match layer {
        PolicyLayer::Identity if target.as_str() == name => managed(target, after),
        PolicyLayer::Identity if target.as_str().contains(":permissionSet/") => set(target, after),
        PolicyLayer::Identity if target.short_name().starts_with("AWSReservedSSO_") => {
            Command::none(
                "The role cannot be edited in its account: edit the permission set in Identity \
                 Center that it was made of, and provision it again.",
            )
        }
        PolicyLayer::Identity => inline(target, name, after),
        PolicyLayer::Trust => match after {
            Some(after) => Command::new(format!(
                "aws iam update-assume-role-policy --role-name {} --policy-document {}",
                quote(target.short_name()),
                argument(after)
            ))
            .but("Sessions of the role that exist live on until they end."),
            None => Command::none("A role cannot be without a trust policy."),
        },
        PolicyLayer::Grant => grant(target, name, after),
        PolicyLayer::ServiceControl => control(target, name, before, after),
        _ => resource(target, after),
    }
}

/// A grant is revoked for good: to make it again gives it another id.
fn grant(key: &EntityId, name: &str, after: Option<&str>) -> Command {
    let id = name.strip_prefix("grant:").unwrap_or(name);
    let on = format!("--key-id {}", quote(key.as_str()));
    let Some(after) = after else {
        return Command::new(format!(
            "aws kms revoke-grant {on} --grant-id {}",
            quote(id)
        ))
        .but("It counts within minutes. A grant that an AWS service made is in use by the service's resource.");
    };
    let Ok(grant) = KmsGrant::from_json(after) else {
        return Command::none("The grant is not understood.");
    };
    let operations: Vec<String> = grant.operations.iter().map(|name| quote(name)).collect();
    let mut line = format!(
        "aws kms create-grant {on} --grantee-principal {} --operations {}",
        quote(&grant.grantee),
        operations.join(" ")
    );
    let constraint = match &grant.constraint {
        GrantConstraint::None => None,
        GrantConstraint::Equals(pairs) => Some(json!({"EncryptionContextEquals": pairs})),
        GrantConstraint::Subset(pairs) => Some(json!({"EncryptionContextSubset": pairs})),
    };
    if let Some(constraint) = constraint {
        line.push_str(&format!(
            " --constraints {}",
            quote(&constraint.to_string())
        ));
    }
    if let Some(retiring) = &grant.retiring {
        line.push_str(&format!(" --retiring-principal {}", quote(retiring)));
    }
    Command::new(line).but("The grant gets another id than it had.")
}

fn managed(policy: &EntityId, after: Option<&str>) -> Command {
    let Some(after) = after else {
        return Command::none("Detach the policy from all who hold it, then delete it.");
    };
    Command::new(format!(
        "aws iam create-policy-version --policy-arn {} --policy-document {} --set-as-default",
        quote(policy.as_str()),
        argument(after)
    ))
    .but(
        "It holds for all who have the policy. A policy has five versions at most: delete an old \
         one where there are five. The version that was the default before stays, to go back to.",
    )
}

fn inline(target: &EntityId, name: &str, after: Option<&str>) -> Command {
    let Some(kind) = iam_kind(target) else {
        return Command::none("The target is no user, role or group.");
    };
    let who = format!(
        "--{kind}-name {} --policy-name {}",
        quote(target.short_name()),
        quote(name)
    );
    Command::new(match after {
        Some(after) => {
            format!(
                "aws iam put-{kind}-policy {who} --policy-document {}",
                argument(after)
            )
        }
        None => format!("aws iam delete-{kind}-policy {who}"),
    })
}

/// The instance of Identity Center that a permission set is of.
fn instance(set: &EntityId) -> Option<String> {
    let instance = set
        .as_str()
        .rsplit(":permissionSet/")
        .next()?
        .split('/')
        .next()?;
    instance
        .starts_with("ssoins-")
        .then(|| format!("arn:aws:sso:::instance/{instance}"))
}

fn set_arguments(set: &EntityId) -> String {
    let instance = instance(set);
    format!(
        "--instance-arn {} --permission-set-arn {}",
        instance.map_or_else(|| "INSTANCE_ARN".to_owned(), |instance| quote(&instance)),
        quote(set.as_str())
    )
}

/// A change of a permission set, then its provisioning.
fn provisioned(set: &EntityId, command: &str) -> Command {
    Command::new(format!(
        "{command} && aws sso-admin provision-permission-set {} --target-type \
         ALL_PROVISIONED_ACCOUNTS",
        set_arguments(set)
    ))
    .but(
        "It holds for all who have the permission set, in all accounts that it is provisioned in. \
         It reaches the management account too, which service control policies do not.",
    )
}

fn set(set: &EntityId, after: Option<&str>) -> Command {
    let which = set_arguments(set);
    provisioned(
        set,
        &match after {
            Some(after) => format!(
                "aws sso-admin put-inline-policy-to-permission-set {which} --inline-policy {}",
                argument(after)
            ),
            None => format!("aws sso-admin delete-inline-policy-from-permission-set {which}"),
        },
    )
}

fn control(account: &EntityId, name: &str, before: Option<&str>, after: Option<&str>) -> Command {
    let target = quote(account.aws_account().unwrap_or_default());
    match (before, after) {
        (None, Some(after)) => Command::new(format!(
            "aws organizations attach-policy --target-id {target} --policy-id \"$(aws organizations \
             create-policy --type SERVICE_CONTROL_POLICY --name {} --description {} --content {} \
             --query Policy.PolicySummary.Id --output text)\"",
            quote(name),
            quote("Cuts attack paths"),
            argument(after)
        ))
        .but("Run it in the management account, whose own principals it does not bind."),
        (Some(_), Some(after)) => Command::new(format!(
            "aws organizations update-policy --policy-id POLICY_ID --content {}",
            argument(after)
        ))
        .but("`aws organizations list-policies-for-target` tells the POLICY_ID."),
        (_, None) => Command::new(format!(
            "aws organizations detach-policy --target-id {target} --policy-id POLICY_ID"
        ))
        .but("`aws organizations list-policies-for-target` tells the POLICY_ID."),
    }
}

/// The policy of a resource, by its service.
fn resource(target: &EntityId, after: Option<&str>) -> Command {
    let id = target.as_str();
    let mut parts = id.splitn(6, ':');
    let (service, region) = (
        parts.nth(2).unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let region_option = match region {
        "" => String::new(),
        region => format!(" --region {}", quote(region)),
    };
    let command = match (service, after) {
        ("s3", Some(after)) => format!(
            "aws s3api put-bucket-policy --bucket {} --policy {}",
            quote(target.short_name()),
            argument(after)
        ),
        ("s3", None) => {
            format!(
                "aws s3api delete-bucket-policy --bucket {}",
                quote(target.short_name())
            )
        }
        ("kms", Some(after)) => format!(
            "aws kms put-key-policy{region_option} --key-id {} --policy-name default --policy {}",
            quote(id),
            argument(after)
        ),
        ("secretsmanager", Some(after)) => format!(
            "aws secretsmanager put-resource-policy{region_option} --secret-id {} \
             --resource-policy {}",
            quote(id),
            argument(after)
        ),
        ("secretsmanager", None) => format!(
            "aws secretsmanager delete-resource-policy{region_option} --secret-id {}",
            quote(id)
        ),
        ("ecr", Some(after)) => format!(
            "aws ecr set-repository-policy{region_option} --repository-name {} --policy-text {}",
            quote(target.full_name()),
            argument(after)
        ),
        ("ecr", None) => format!(
            "aws ecr delete-repository-policy{region_option} --repository-name {}",
            quote(target.full_name())
        ),
        ("sns", Some(after)) => format!(
            "aws sns set-topic-attributes{region_option} --topic-arn {} --attribute-name Policy \
             --attribute-value {}",
            quote(id),
            argument(after)
        ),
        ("sqs", after) => {
            let attributes = json!({"Policy": after.unwrap_or_default()}).to_string();
            let name = id.rsplit(':').next().unwrap_or_default();
            let account = target.aws_account().unwrap_or_default();
            let url = format!("https://sqs.{region}.amazonaws.com/{account}/{name}");
            format!(
                "aws sqs set-queue-attributes{region_option} --queue-url {} --attributes {}",
                quote(&url),
                quote(&attributes)
            )
        }
        ("dynamodb", Some(after)) => format!(
            "aws dynamodb put-resource-policy{region_option} --resource-arn {} --policy {}",
            quote(id),
            argument(after)
        ),
        ("dynamodb", None) => format!(
            "aws dynamodb delete-resource-policy{region_option} --resource-arn {}",
            quote(id)
        ),
        ("lambda", _) => {
            return Command::none(
                "The policy of a function is edited statement by statement: `aws lambda \
                 remove-permission` with the id of each statement that goes, `add-permission` for \
                 each that comes.",
            );
        }
        _ => {
            return Command::none(
                "There is no command that is known for the policy of this kind of resource: edit \
                 it in the console.",
            );
        }
    };
    Command::new(command)
}

fn attachment(target: &EntityId, policy: &str, attached: bool) -> Command {
    let verb = if attached { "attach" } else { "detach" };
    if target.as_str().contains(":permissionSet/") {
        let which = set_arguments(target);
        let is_own = EntityId::from(policy).aws_account().is_some();
        let (preposition, name) = (
            if attached { "to" } else { "from" },
            EntityId::from(policy).short_name().to_owned(),
        );
        let command = if is_own {
            let reference = json!({"Name": name}).to_string();
            format!(
                "aws sso-admin {verb}-customer-managed-policy-reference-{preposition}-permission-set \
                 {which} --customer-managed-policy-reference {}",
                quote(&reference)
            )
        } else {
            format!(
                "aws sso-admin {verb}-managed-policy-{preposition}-permission-set {which} \
                 --managed-policy-arn {}",
                quote(policy)
            )
        };
        return provisioned(target, &command);
    }
    match iam_kind(target) {
        Some("role") if target.short_name().starts_with("AWSReservedSSO_") => Command::none(
            "The role cannot be edited in its account: detach the policy from the permission set \
             in Identity Center that it was made of, and provision it again.",
        ),
        Some(kind) => Command::new(format!(
            "aws iam {verb}-{kind}-policy --{kind}-name {} --policy-arn {}",
            quote(target.short_name()),
            quote(policy)
        )),
        None => Command::none("The target is no user, role or group."),
    }
}

fn workload_role(workload: &EntityId, role: &EntityId, runs: bool) -> Command {
    let id = workload.as_str();
    let name = workload.short_name();
    if id.contains(":instance/") && !runs {
        return Command::new(format!(
            "aws ec2 disassociate-iam-instance-profile --association-id \"$(aws ec2 \
             describe-iam-instance-profile-associations --filters Name=instance-id,Values={} \
             --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)\"",
            quote(name)
        ))
        .but(
            "Credentials that the machine has been given live on until they end. Whatever runs on \
             it loses what the role gives.",
        );
    }
    if id.contains(":instance/") {
        return Command::new(format!(
            "aws ec2 associate-iam-instance-profile --instance-id {} --iam-instance-profile \
             Name=INSTANCE_PROFILE",
            quote(name)
        ))
        .but("The instance profile is the one that holds the role.");
    }
    if id.contains(":function:") && runs {
        return Command::new(format!(
            "aws lambda update-function-configuration --function-name {} --role {}",
            quote(id),
            quote(role.as_str())
        ));
    }
    Command::none(&format!(
        "{} cannot be without a role: give it one that allows only what it needs, in the place of \
         {}.",
        clean(name),
        clean(role.short_name())
    ))
}

fn assignment(person: &EntityId, role: &EntityId, assigned: bool) -> Command {
    let verb = if assigned { "create" } else { "delete" };
    let kind = if person.as_str().contains(":group/") {
        "GROUP"
    } else {
        "USER"
    };
    Command::new(format!(
        "aws sso-admin {verb}-account-assignment --instance-arn INSTANCE_ARN --permission-set-arn \
         PERMISSION_SET_ARN --target-type AWS_ACCOUNT --target-id {} --principal-type {kind} \
         --principal-id {}",
        quote(role.aws_account().unwrap_or_default()),
        quote(person.short_name())
    ))
    .but(
        "Where the set is assigned to a group, take the person out of the group. Sessions that \
         exist live on for as long as the permission set lets them.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(target: &str, layer: PolicyLayer, name: &str, after: Option<&str>) -> Edit {
        Edit::Document {
            target: target.into(),
            layer,
            name: name.to_owned(),
            before: None,
            after: after.map(Into::into),
            copies: Vec::new(),
        }
    }

    #[test]
    fn each_place_of_a_policy_has_its_command() {
        let command = |target: &str, layer, name: &str, after| {
            of(&edit(target, layer, name, after))
                .command
                .unwrap_or_default()
        };
        let document = Some(r#"{"Statement": []}"#);
        let role = "arn:aws:iam::111122223333:role/path/deploy";
        assert_eq!(
            command(role, PolicyLayer::Identity, "p", document),
            r#"aws iam put-role-policy --role-name 'deploy' --policy-name 'p' --policy-document '{"Statement":[]}'"#
        );
        assert_eq!(
            command(role, PolicyLayer::Identity, "p", None),
            "aws iam delete-role-policy --role-name 'deploy' --policy-name 'p'"
        );
        let managed = "arn:aws:iam::111122223333:policy/p";
        assert!(
            command(managed, PolicyLayer::Identity, managed, document).contains("--set-as-default")
        );
        let set = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
        assert!(
            command(set, PolicyLayer::Identity, "AwsSSOInlinePolicy", document)
                .contains("--instance-arn 'arn:aws:sso:::instance/ssoins-1'")
        );
        let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
        assert!(
            command(queue, PolicyLayer::Resource, "queue policy", document)
                .contains("'https://sqs.eu-west-1.amazonaws.com/111122223333/jobs'")
        );
    }

    #[test]
    fn a_grant_is_revoked_and_made_again() {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
        let command = |after| {
            of(&edit(key, PolicyLayer::Grant, "grant:g-1", after))
                .command
                .unwrap_or_default()
        };
        assert_eq!(
            command(None),
            format!("aws kms revoke-grant --key-id '{key}' --grant-id 'g-1'")
        );
        let role = "arn:aws:iam::111122223333:role/app";
        let grant = json!({
            "GrantId": "g-1", "GranteePrincipal": role, "Operations": ["Sign", "Verify"],
            "Constraints": {"EncryptionContextSubset": {"team": "pay"}},
        })
        .to_string();
        assert_eq!(
            command(Some(&grant)),
            format!(
                "aws kms create-grant --key-id '{key}' --grantee-principal '{role}' --operations 'Sign' 'Verify' \
                 --constraints '{{\"EncryptionContextSubset\":{{\"team\":\"pay\"}}}}'"
            )
        );
        assert_eq!(command(Some("{}")), "");
    }

    #[test]
    fn a_name_is_never_more_than_an_argument() {
        let target = "arn:aws:iam::111122223333:user/x'; rm -rf ~ #";
        let command = of(&edit(target, PolicyLayer::Identity, "$(id)", None)).command;
        assert_eq!(
            command.as_deref(),
            Some(
                r"aws iam delete-user-policy --user-name 'x'\''; rm -rf ~ #' --policy-name '$(id)'"
            )
        );
    }
}
