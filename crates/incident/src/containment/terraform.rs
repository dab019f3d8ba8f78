//! The Terraform that makes a change, with the block that imports what is there.
//!
//! Resources and arguments are those of the AWS provider (6.x); `import` blocks need Terraform 1.5.

use portreeve_graph::cut::{Change, Edit};
use portreeve_model::{EntityId, PolicyLayer};
use serde_json::Value;

use crate::text::clean;

/// The configuration that makes a change; none where Terraform has no resource for it, or it can
/// only be told by what is taken out of a configuration.
pub(super) fn of(change: &Change) -> Option<String> {
    let label = format!("cut_{}", change.id);
    match &change.edit {
        Edit::Document {
            target,
            layer,
            name,
            before,
            after,
            ..
        } => document(
            &label,
            (target, *layer, name),
            before.is_some(),
            after.as_deref(),
        ),
        Edit::Attachment {
            target,
            policy,
            attached: false,
            ..
        } => Some(format!(
            "# Take out of the configuration what attaches {} to {}:\n# {}",
            clean(policy),
            clean(target.as_str()),
            attachment(target)?
        )),
        Edit::Membership {
            user,
            group,
            member: false,
        } => Some(format!(
            "# Take group {} out of the aws_iam_user_group_membership of user {}, or the user out of\n\
             # the group's aws_iam_group_membership.",
            clean(group.short_name()),
            clean(user.short_name())
        )),
        Edit::AccessKey { user, key, active } => Some(format!(
            "# In the aws_iam_access_key of user {} with the id {}:\nstatus = {}",
            clean(user.short_name()),
            clean(key.as_str()),
            text(if *active { "Active" } else { "Inactive" })
        )),
        _ => None,
    }
}

fn attachment(target: &EntityId) -> Option<&'static str> {
    let id = target.as_str();
    let kinds = [
        (":permissionSet/", "aws_ssoadmin_managed_policy_attachment"),
        (":role/", "aws_iam_role_policy_attachment"),
        (":user/", "aws_iam_user_policy_attachment"),
        (":group/", "aws_iam_group_policy_attachment"),
    ];
    kinds
        .into_iter()
        .find(|(part, _)| id.contains(part))
        .map(|(_, kind)| kind)
}

/// A quoted text of Terraform.
fn text(value: &str) -> String {
    let escaped = clean(value)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}

/// A policy as an argument: what would be a template of Terraform's stays itself.
fn policy(document: &str) -> String {
    let value: Value = serde_json::from_str(document).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
    let pretty = pretty.replace("${", "$${").replace("%{", "%%{");
    let indented = pretty
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect::<String>();
    format!("<<-JSON\n{indented}  JSON")
}

/// A resource, and the import of what is there already.
fn resource(kind: &str, label: &str, id: Option<&str>, arguments: &[(&str, String)]) -> String {
    let width = arguments
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    let lines: String = arguments
        .iter()
        .map(|(name, value)| format!("  {name:width$} = {value}\n"))
        .collect();
    let import = id.map_or_else(String::new, |id| {
        format!(
            "# Where the configuration has it already, edit it there and leave out the import.\nimport {{\n  to = {kind}.{label}\n  id = {}\n}}\n\n",
            text(id)
        )
    });
    format!("{import}resource \"{kind}\" \"{label}\" {{\n{lines}}}")
}

/// The arguments of a role or managed policy: name, path where it has one, and one more. Another
/// path would make another resource.
fn named<'n>(target: &EntityId, more: (&'n str, String)) -> Vec<(&'n str, String)> {
    let mut arguments = vec![("name", text(target.short_name()))];
    let path = target.full_name().strip_suffix(target.short_name());
    if let Some(path) = path.filter(|path| !path.is_empty()) {
        arguments.push(("path", text(&format!("/{path}"))));
    }
    arguments.push(more);
    arguments
}

fn document(
    label: &str,
    (target, layer, name): (&EntityId, PolicyLayer, &str),
    exists: bool,
    after: Option<&str>,
) -> Option<String> {
    let id = target.as_str();
    let short = target.short_name();
    let imported = |id: &str| exists.then(|| id.to_owned());
    if layer == PolicyLayer::Identity && id != name && id.contains(":permissionSet/") {
        let instance = id.rsplit(":permissionSet/").next()?.split('/').next()?;
        let instance = format!("arn:aws:sso:::instance/{instance}");
        return Some(resource(
            "aws_ssoadmin_permission_set_inline_policy",
            label,
            imported(&format!("{id},{instance}")).as_deref(),
            &[
                ("instance_arn", text(&instance)),
                ("permission_set_arn", text(id)),
                ("inline_policy", policy(after?)),
            ],
        ));
    }
    if layer == PolicyLayer::Identity && id == name {
        return Some(resource(
            "aws_iam_policy",
            label,
            imported(id).as_deref(),
            &named(target, ("policy", policy(after?))),
        ));
    }
    if layer == PolicyLayer::Identity {
        let kind = ["user", "role", "group"]
            .into_iter()
            .find(|kind| id.contains(&format!(":{kind}/")))?;
        let kind_of_policy = format!("aws_iam_{kind}_policy");
        let Some(after) = after else {
            return Some(format!(
                "# Take out of the configuration the {kind_of_policy} {} of {kind} {}.",
                clean(name),
                clean(short)
            ));
        };
        return Some(resource(
            &kind_of_policy,
            label,
            imported(&format!("{short}:{name}")).as_deref(),
            &[
                ("name", text(name)),
                (kind, text(short)),
                ("policy", policy(after)),
            ],
        ));
    }
    if layer == PolicyLayer::Trust {
        return Some(resource(
            "aws_iam_role",
            label,
            imported(short).as_deref(),
            &named(target, ("assume_role_policy", policy(after?))),
        ));
    }
    if layer == PolicyLayer::Grant {
        return Some(format!(
            "# Take out of the configuration the aws_kms_grant {} of key {}.",
            clean(name.strip_prefix("grant:").unwrap_or(name)),
            clean(short)
        ));
    }
    if layer == PolicyLayer::ServiceControl {
        let account = target.aws_account().unwrap_or_default();
        let made = resource(
            "aws_organizations_policy",
            label,
            None,
            &[("name", text(name)), ("content", policy(after?))],
        );
        let attached = resource(
            "aws_organizations_policy_attachment",
            label,
            None,
            &[
                ("policy_id", format!("aws_organizations_policy.{label}.id")),
                ("target_id", text(account)),
            ],
        );
        return Some(format!("{made}\n\n{attached}"));
    }
    let service = id.split(':').nth(2)?;
    let (kind, argument, of) = match service {
        "s3" => ("aws_s3_bucket_policy", "bucket", short),
        "kms" => ("aws_kms_key_policy", "key_id", short),
        "secretsmanager" => ("aws_secretsmanager_secret_policy", "secret_arn", id),
        "sns" => ("aws_sns_topic_policy", "arn", id),
        "ecr" => (
            "aws_ecr_repository_policy",
            "repository",
            target.full_name(),
        ),
        "dynamodb" => ("aws_dynamodb_resource_policy", "resource_arn", id),
        _ => return None,
    };
    let Some(after) = after else {
        return Some(format!(
            "# Take out of the configuration the {kind} of {}.",
            clean(of)
        ));
    };
    Some(resource(
        kind,
        label,
        imported(of).as_deref(),
        &[(argument, text(of)), ("policy", policy(after))],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_template_stays_itself() {
        let change = Change {
            id: "1".to_owned(),
            kinds: Vec::new(),
            titles: Vec::new(),
            cost: 1,
            account: None,
            edit: Edit::Document {
                target: "arn:aws:iam::111122223333:user/ada".into(),
                layer: PolicyLayer::Identity,
                name: "own \"keys\"".to_owned(),
                before: Some("{}".into()),
                after: Some(r#"{"Statement":[{"Resource":"user/${aws:username}"}]}"#.into()),
                copies: Vec::new(),
            },
        };
        assert_eq!(
            of(&change).unwrap(),
            r#"# Where the configuration has it already, edit it there and leave out the import.
import {
  to = aws_iam_user_policy.cut_1
  id = "ada:own \"keys\""
}

resource "aws_iam_user_policy" "cut_1" {
  name   = "own \"keys\""
  user   = "ada"
  policy = <<-JSON
    {
      "Statement": [
        {
          "Resource": "user/$${aws:username}"
        }
      ]
    }
  JSON
}"#
        );
    }
}
