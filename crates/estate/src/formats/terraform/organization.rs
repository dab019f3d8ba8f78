//! Terraform's resources of Organizations and Identity Center.

use std::sync::Arc;

use portreeve_model::{Entity, EntityKind, PolicyLayer, Relation};

use super::Translate;
use super::context::Context;
use super::instance::{Instance, Text};
use crate::arn;
use crate::reader::Reader;

pub(super) const READERS: &[(&str, Translate)] = &[
    ("aws_organizations_organization", organization),
    (
        "aws_organizations_organizational_unit",
        |one, context, reader| node(one, EntityKind::OrganizationalUnit, context, reader),
    ),
    ("aws_organizations_account", |one, context, reader| {
        node(one, EntityKind::Account, context, reader)
    }),
    ("aws_organizations_policy", policy),
    ("aws_organizations_policy_attachment", attachment),
    ("aws_ssoadmin_permission_set", permission_set),
    ("aws_ssoadmin_permission_set_inline_policy", set_inline),
    ("aws_ssoadmin_managed_policy_attachment", set_managed),
    ("aws_ssoadmin_permissions_boundary_attachment", set_boundary),
    ("aws_ssoadmin_account_assignment", assignment),
    ("aws_identitystore_user", person),
    ("aws_identitystore_group", people),
    ("aws_identitystore_group_membership", membership),
];

/// Accounts go by the id that they have everywhere, roots and units by their own.
fn node_id(id: &str) -> String {
    match arn::is_account(id) {
        true => arn::account(id),
        false => id.to_owned(),
    }
}

fn contains(parent: &str, child: &str, reader: &mut Reader<'_>) {
    reader.relate(Relation::Contains {
        parent: node_id(parent).into(),
        child: node_id(child).into(),
    });
}

fn organization(one: &Instance<'_>, _: &Context, reader: &mut Reader<'_>) {
    let management = one.text("master_account_id", reader);
    if let Some(management) = management.filter(|account| arn::is_account(account)) {
        let id = arn::account(&management);
        let mut entity = Entity::new(id.as_str(), EntityKind::Account);
        if let Some(organization) = one.text("id", reader) {
            let name = "OrganizationId".to_owned();
            entity.attributes.insert(name, organization.into_owned());
        }
        reader.add(entity);
        reader.relate(Relation::ManagementAccount { account: id.into() });
    }
    for root in one.blocks("roots", reader) {
        if let Some(id) = root.text("id", reader) {
            reader.add(Entity::new(&*id, EntityKind::Organization));
        }
    }
}

fn node(one: &Instance<'_>, kind: EntityKind, _: &Context, reader: &mut Reader<'_>) {
    let id = one.text("id", reader);
    let id = id.map_or_else(|| one.address.clone(), |id| node_id(&id));
    let entity = one.entity(&id, kind, &[("name", "Name")], None, reader);
    reader.add(entity);
    if let Some(parent) = one.text("parent_id", reader) {
        contains(&parent, &id, reader);
    }
}

fn layer(id: &str) -> Option<PolicyLayer> {
    if id.contains("/service_control_policy/") {
        Some(PolicyLayer::ServiceControl)
    } else if id.contains("/resource_control_policy/") {
        Some(PolicyLayer::ResourceControl)
    } else {
        None
    }
}

fn policy(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = context.id(one) else {
        return;
    };
    let Some(layer) = layer(id) else {
        return;
    };
    if let Text::Given(text) = one.policy("content", reader) {
        reader.define(layer, id, text);
    }
}

fn attachment(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(target) = one.text("target_id", reader) else {
        return;
    };
    let kind = "aws_organizations_policy";
    let id = context.named(one, "policy_id", kind, reader);
    if let Some((id, layer)) = id.and_then(|id| layer(&id).map(|layer| (id, layer))) {
        reader.attach(node_id(&target), layer, &id);
    }
}

fn permission_set(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = context.id(one) else {
        return;
    };
    let kept = &[
        ("name", "Name"),
        ("description", "Description"),
        ("session_duration", "SessionDuration"),
    ];
    let entity = one.entity(id, EntityKind::PermissionSet, kept, None, reader);
    reader.add(entity);
}

fn set_of(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) -> Option<String> {
    let kind = "aws_ssoadmin_permission_set";
    context.named(one, "permission_set_arn", kind, reader)
}

fn set_inline(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(set) = set_of(one, context, reader) else {
        return;
    };
    let text = match one.policy("inline_policy", reader) {
        Text::Given(text) => text,
        Text::Unknown => Arc::from(""),
        Text::None => return,
    };
    reader.policy(set, PolicyLayer::Identity, "inline policy", text);
}

fn set_managed(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let set = set_of(one, context, reader);
    let policy = context.named(one, "managed_policy_arn", "aws_iam_policy", reader);
    if let (Some(set), Some(policy)) = (set, policy) {
        reader.attach(set, PolicyLayer::Identity, &policy);
    }
}

fn set_boundary(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(set) = set_of(one, context, reader) else {
        return;
    };
    for block in one.blocks("permissions_boundary", reader) {
        if let Some(policy) = block.text("managed_policy_arn", reader) {
            reader.attach(set.as_str(), PolicyLayer::Boundary, &policy);
        }
    }
}

fn identity(kind: &str, id: &str) -> String {
    format!("arn:aws:identitystore:::{kind}/{id}")
}

/// Kept as an attribute of the permission set, from which `complete` finds the role in the account.
fn assignment(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let (set, account) = (set_of(one, context, reader), one.text("target_id", reader));
    let account = account.filter(|account| arn::is_account(account));
    let (Some(set), Some(account)) = (set, account) else {
        return;
    };
    let group = one
        .text("principal_type", reader)
        .is_some_and(|kind| kind == "GROUP");
    let kind = if group { "group" } else { "user" };
    let Some(principal) = one.text("principal_id", reader) else {
        return;
    };
    let mut entity = Entity::new(set, EntityKind::PermissionSet);
    entity.attributes.insert(
        format!("Assignment:{account}:{}", identity(kind, &principal)),
        "assigned".to_owned(),
    );
    reader.add(entity);
}

fn person(one: &Instance<'_>, _: &Context, reader: &mut Reader<'_>) {
    if let Some(id) = one.text("user_id", reader) {
        let kept = &[("user_name", "UserName"), ("display_name", "DisplayName")];
        let entity = one.entity(
            &identity("user", &id),
            EntityKind::Person,
            kept,
            None,
            reader,
        );
        reader.add(entity);
    }
}

fn people(one: &Instance<'_>, _: &Context, reader: &mut Reader<'_>) {
    if let Some(id) = one.text("group_id", reader) {
        let kept = &[("display_name", "DisplayName")];
        let id = identity("group", &id);
        let entity = one.entity(&id, EntityKind::PersonGroup, kept, None, reader);
        reader.add(entity);
    }
}

fn membership(one: &Instance<'_>, _: &Context, reader: &mut Reader<'_>) {
    let (group, member) = (one.text("group_id", reader), one.text("member_id", reader));
    if let (Some(group), Some(member)) = (group, member) {
        reader.relate(Relation::MemberOf {
            member: identity("user", &member).into(),
            group: identity("group", &group).into(),
        });
    }
}
