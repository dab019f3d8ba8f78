//! Terraform's resources of IAM.

use std::sync::Arc;

use portreeve_model::{EntityKind, PolicyLayer, Relation};

use super::Translate;
use super::context::Context;
use super::instance::{Instance, Text};
use crate::reader::Reader;

pub(super) const READERS: &[(&str, Translate)] = &[
    ("aws_iam_role", role),
    ("aws_iam_service_linked_role", role),
    ("aws_iam_user", user),
    ("aws_iam_group", group),
    ("aws_iam_policy", policy),
    ("aws_iam_role_policy", |one, context, reader| {
        inline(one, "role", context, reader)
    }),
    ("aws_iam_user_policy", |one, context, reader| {
        inline(one, "user", context, reader)
    }),
    ("aws_iam_group_policy", |one, context, reader| {
        inline(one, "group", context, reader)
    }),
    ("aws_iam_role_policy_attachment", |one, context, reader| {
        attachment(one, "role", context, reader)
    }),
    ("aws_iam_user_policy_attachment", |one, context, reader| {
        attachment(one, "user", context, reader)
    }),
    ("aws_iam_group_policy_attachment", |one, context, reader| {
        attachment(one, "group", context, reader)
    }),
    ("aws_iam_policy_attachment", attachments),
    ("aws_iam_group_membership", group_membership),
    ("aws_iam_user_group_membership", user_membership),
    ("aws_iam_instance_profile", instance_profile),
    ("aws_iam_access_key", access_key),
    ("aws_iam_user_login_profile", password),
    ("aws_iam_virtual_mfa_device", second_factor),
    ("aws_iam_openid_connect_provider", provider),
    ("aws_iam_saml_provider", provider),
];

const LIFE: &[(&str, &str)] = &[
    ("create_date", "CreateDate"),
    ("description", "Description"),
];

/// The entity of a principal with its boundary and what is written into the resource itself.
fn principal(
    one: &Instance<'_>,
    kind: EntityKind,
    context: &Context,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let id = context.id(one)?.to_owned();
    let entity = one.entity(&id, kind, LIFE, context.account(one), reader);
    reader.add(entity);
    match context.named(one, "permissions_boundary", "aws_iam_policy", reader) {
        Some(boundary) => reader.attach(id.as_str(), PolicyLayer::Boundary, &boundary),
        None if one.is_unknown("permissions_boundary") => {
            unseen(&id, PolicyLayer::Boundary, one, reader);
        }
        None => {}
    }
    Some(id)
}

/// A policy that is there, and of which nothing else is known.
fn unseen(subject: &str, layer: PolicyLayer, one: &Instance<'_>, reader: &mut Reader<'_>) {
    reader.policy(subject, layer, one.address.as_str(), Arc::from(""));
}

fn role(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = principal(one, EntityKind::Role, context, reader) else {
        return;
    };
    match one.policy("assume_role_policy", reader) {
        Text::Given(text) => reader.policy(id.as_str(), PolicyLayer::Trust, "trust policy", text),
        Text::Unknown => reader.policy(
            id.as_str(),
            PolicyLayer::Trust,
            "trust policy",
            Arc::from(""),
        ),
        Text::None => {}
    }
    for policy in context.all_named(one, "managed_policy_arns", "aws_iam_policy") {
        reader.attach(id.as_str(), PolicyLayer::Identity, &policy);
    }
    // Where the role writes none of its own, the provider computes what is there: other resources
    // tell of them.
    for block in one.blocks("inline_policy", reader) {
        let Some(name) = block.text("name", reader).filter(|name| !name.is_empty()) else {
            continue;
        };
        let unknown =
            one.is_unknown("inline_policy") && context.is_configured(one, "inline_policy");
        match block.document("policy", reader) {
            Some(text) => reader.policy(id.as_str(), PolicyLayer::Identity, name, text),
            None if unknown => {
                reader.policy(id.as_str(), PolicyLayer::Identity, name, Arc::from(""))
            }
            None => {}
        }
    }
}

fn user(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    principal(one, EntityKind::User, context, reader);
}

fn group(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    if let Some(id) = context.id(one) {
        let entity = one.entity(id, EntityKind::Group, LIFE, context.account(one), reader);
        reader.add(entity);
    }
}

fn policy(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = context.id(one).map(str::to_owned) else {
        return;
    };
    // Looked-up policies of AWS are none of the estate.
    if !id.contains("::aws:policy/") {
        let kept = &[("name", "PolicyName"), ("description", "Description")];
        let entity = one.entity(&id, EntityKind::Policy, kept, context.account(one), reader);
        reader.add(entity);
    }
    if let Text::Given(text) = one.policy("policy", reader) {
        reader.define(PolicyLayer::Identity, &id, text);
    }
}

/// The kind of resource behind the attribute that names a principal.
fn kind_of(attribute: &str) -> &'static str {
    match attribute {
        "role" | "roles" => "aws_iam_role",
        "user" | "users" => "aws_iam_user",
        _ => "aws_iam_group",
    }
}

fn inline(one: &Instance<'_>, of: &str, context: &Context, reader: &mut Reader<'_>) {
    let Some(subject) = context.named(one, of, kind_of(of), reader) else {
        return;
    };
    let name = one.text("name", reader);
    let name = name.map_or_else(|| one.address.clone(), |name| name.into_owned());
    match one.policy("policy", reader) {
        Text::Given(text) => reader.policy(subject, PolicyLayer::Identity, name, text),
        Text::Unknown => reader.policy(subject, PolicyLayer::Identity, name, Arc::from("")),
        Text::None => {}
    }
}

fn attachment(one: &Instance<'_>, of: &str, context: &Context, reader: &mut Reader<'_>) {
    let Some(subject) = context.named(one, of, kind_of(of), reader) else {
        return;
    };
    match context.named(one, "policy_arn", "aws_iam_policy", reader) {
        Some(policy) => reader.attach(subject, PolicyLayer::Identity, &policy),
        None => unseen(&subject, PolicyLayer::Identity, one, reader),
    }
}

fn attachments(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    for of in ["roles", "users", "groups"] {
        for subject in context.all_named(one, of, kind_of(of)) {
            match context.named(one, "policy_arn", "aws_iam_policy", reader) {
                Some(policy) => reader.attach(subject, PolicyLayer::Identity, &policy),
                None => unseen(&subject, PolicyLayer::Identity, one, reader),
            }
        }
    }
}

fn join(user: Option<String>, group: Option<String>, reader: &mut Reader<'_>) {
    if let (Some(user), Some(group)) = (user, group) {
        reader.relate(Relation::MemberOf {
            member: user.into(),
            group: group.into(),
        });
    }
}

fn group_membership(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let group = context.named(one, "group", "aws_iam_group", reader);
    for user in context.all_named(one, "users", "aws_iam_user") {
        join(Some(user), group.clone(), reader);
    }
}

fn user_membership(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let user = context.named(one, "user", "aws_iam_user", reader);
    for group in context.all_named(one, "groups", "aws_iam_group") {
        join(user.clone(), Some(group), reader);
    }
}

fn instance_profile(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = context.id(one).map(str::to_owned) else {
        return;
    };
    let kept = &[("name", "InstanceProfileName")];
    let mut entity = one.entity(&id, EntityKind::Other, kept, context.account(one), reader);
    if let Some(role) = context.named(one, "role", "aws_iam_role", reader) {
        reader.infer(role.as_str(), EntityKind::Role);
        entity.attributes.insert("Role".to_owned(), role);
    }
    reader.add(entity);
}

/// Never the secret, which the state holds too.
fn access_key(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let user = context.named(one, "user", "aws_iam_user", reader);
    let id = one.text("id", reader);
    let id = id.map_or_else(|| format!("key:{}", one.address), |id| id.into_owned());
    let Some(user) = user else {
        return;
    };
    let kept = &[("create_date", "CreateDate"), ("status", "Status")];
    let entity = one.entity(
        &id,
        EntityKind::AccessKey,
        kept,
        context.account(one),
        reader,
    );
    reader.add(entity);
    proves(&id, &user, reader);
}

fn proves(credential: &str, principal: &str, reader: &mut Reader<'_>) {
    reader.relate(Relation::Proves {
        credential: credential.into(),
        principal: principal.into(),
    });
}

fn password(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    if let Some(user) = context.named(one, "user", "aws_iam_user", reader) {
        let id = format!("password:{user}");
        let entity = one.entity(&id, EntityKind::Password, &[], context.account(one), reader);
        reader.add(entity);
        proves(&id, &user, reader);
    }
}

fn second_factor(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let id = one.text("arn", reader);
    let id = id.map_or_else(|| format!("mfa:{}", one.address), |id| id.into_owned());
    let entity = one.entity(
        &id,
        EntityKind::MfaDevice,
        &[],
        context.account(one),
        reader,
    );
    reader.add(entity);
    if let Some(user) = context.named(one, "user_name", "aws_iam_user", reader) {
        proves(&id, &user, reader);
    }
}

fn provider(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    if let Some(id) = context.id(one) {
        let entity = one.entity(id, EntityKind::External, &[("url", "Url")], None, reader);
        reader.add(entity);
    }
}
