//! Terraform's resources that run something as a role.

use std::collections::BTreeMap;

use portreeve_model::{Entity, EntityKind, PolicyLayer, Relation};
use serde_json::{Map, Value, json};

use super::Translate;
use super::context::Context;
use super::instance::Instance;
use crate::arn;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const READERS: &[(&str, Translate)] = &[
    ("aws_lambda_function", function),
    ("aws_lambda_function_url", function_url),
    // Read together by `invocations`.
    ("aws_lambda_permission", |_, _, _| {}),
    ("aws_instance", |one, context, reader| {
        on_profile(one, EntityKind::Instance, context, reader)
    }),
    ("aws_launch_template", launch_template),
    ("aws_ecs_task_definition", task_definition),
    ("aws_ecs_service", service),
    ("aws_ecs_cluster", |one, context, reader| {
        as_roles(one, EntityKind::Cluster, &[], context, reader)
    }),
    ("aws_codebuild_project", build_project),
    ("aws_cloudformation_stack", |one, context, reader| {
        as_roles(one, EntityKind::Stack, &["iam_role_arn"], context, reader)
    }),
    ("aws_sfn_state_machine", |one, context, reader| {
        as_roles(one, EntityKind::DataJob, &["role_arn"], context, reader)
    }),
    ("aws_glue_job", |one, context, reader| {
        as_roles(one, EntityKind::DataJob, &["role_arn"], context, reader)
    }),
    ("aws_glue_dev_endpoint", |one, context, reader| {
        as_roles(one, EntityKind::DataJob, &["role_arn"], context, reader)
    }),
    ("aws_sagemaker_notebook_instance", |one, context, reader| {
        as_roles(one, EntityKind::DataJob, &["role_arn"], context, reader)
    }),
    ("aws_apprunner_service", application),
    ("aws_cloudfront_distribution", distribution),
];

/// Adds the workload, which acts as the roles that some attributes name.
fn workload(
    one: &Instance<'_>,
    kind: EntityKind,
    roles: &[&str],
    context: &Context,
    reader: &mut Reader<'_>,
) -> Option<Entity> {
    let id = context.id(one)?.to_owned();
    let kept = &[("name", "Name"), ("description", "Description")];
    let entity = one.entity(&id, kind, kept, context.account(one), reader);
    for role in roles {
        if let Some(role) = context.named(one, role, "aws_iam_role", reader) {
            reader.runs_as(&id, &role);
        }
    }
    Some(entity)
}

fn as_roles(
    one: &Instance<'_>,
    kind: EntityKind,
    roles: &[&str],
    context: &Context,
    reader: &mut Reader<'_>,
) {
    if let Some(entity) = workload(one, kind, roles, context, reader) {
        reader.add(entity);
    }
}

fn function(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(mut entity) = workload(one, EntityKind::Function, &["role"], context, reader) else {
        return;
    };
    for (name, attribute) in [("runtime", "Runtime"), ("package_type", "PackageType")] {
        if let Some(text) = one.text(name, reader) {
            entity
                .attributes
                .insert(attribute.to_owned(), text.into_owned());
        }
    }
    if let Some(image) = one.text("image_uri", reader) {
        reader.pulls(entity.id.as_str(), &image);
    }
    reader.add(entity);
}

fn function_url(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = context.named(one, "function_name", "aws_lambda_function", reader) else {
        return;
    };
    let mut entity = Entity::new(id, EntityKind::Function);
    entity.inferred = true;
    if let Some(kind) = one.text("authorization_type", reader) {
        let name = "FunctionUrlAuthType".to_owned();
        entity.attributes.insert(name, kind.into_owned());
    }
    reader.add(entity);
}

/// Each permission is a statement of the function's policy, see `AddPermission`, AWS Lambda API
/// reference.
pub(super) fn invocations(instances: &[Instance<'_>], context: &Context, reader: &mut Reader<'_>) {
    let mut policies: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let permissions = instances
        .iter()
        .filter(|one| one.kind == "aws_lambda_permission");
    for one in permissions {
        let function = context.named(one, "function_name", "aws_lambda_function", reader);
        let (Some(function), Some(action)) = (function, one.text("action", reader)) else {
            continue;
        };
        let principal = one.text("principal", reader).unwrap_or_default();
        let principal = match &*principal {
            "*" => json!("*"),
            service if service.contains(".amazon") => json!({"Service": service}),
            account => json!({"AWS": account}),
        };
        let mut tests = Map::new();
        for (name, operator, key) in [
            ("source_arn", "ArnLike", "aws:SourceArn"),
            ("source_account", "StringEquals", "aws:SourceAccount"),
            ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
            (
                "function_url_auth_type",
                "StringEquals",
                "lambda:FunctionUrlAuthType",
            ),
        ] {
            let value = one.text(name, reader).map(|text| text.into_owned());
            // One that is known later stands in the way as well: nothing has an empty source.
            let value = value.or_else(|| one.is_unknown(name).then(|| one.address.clone()));
            if let Some(value) = value
                && let Some(test) = tests
                    .entry(operator)
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
            {
                test.insert(key.to_owned(), value.into());
            }
        }
        let mut statement = json!({
            "Effect": "Allow", "Principal": principal, "Action": action, "Resource": function,
        });
        if let Some(sid) = one.text("statement_id", reader) {
            statement["Sid"] = sid.into();
        }
        if !tests.is_empty() {
            statement["Condition"] = tests.into();
        }
        policies.entry(function).or_default().push(statement);
    }
    for (function, statements) in policies {
        let mut entity = Entity::new(function.as_str(), EntityKind::Function);
        entity.inferred = true;
        entity
            .attributes
            .insert("Policy".to_owned(), "given".to_owned());
        reader.add(entity);
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        reader.policy(
            function,
            PolicyLayer::Resource,
            "resource policy",
            policy.into(),
        );
    }
}

/// The instance profile, whose role `complete` finds.
fn profile(one: &Instance<'_>, entity: &mut Entity, context: &Context, reader: &mut Reader<'_>) {
    let name = "IamInstanceProfile".to_owned();
    let kind = "aws_iam_instance_profile";
    let whole = one
        .values
        .get("iam_instance_profile")
        .is_none_or(|value| !value.is_array());
    if whole && let Some(profile) = context.named(one, "iam_instance_profile", kind, reader) {
        entity.attributes.insert(name, profile);
        return;
    }
    for block in one.blocks_if_listed("iam_instance_profile", reader) {
        let given = block.first(&["arn", "name"], reader);
        if let Some(id) = given.and_then(|given| context.called(one, &given, kind)) {
            entity.attributes.insert(name.clone(), id);
        } else if let Some(id) = context.referred(one, "iam_instance_profile", kind) {
            entity.attributes.insert(name.clone(), id);
        }
    }
}

fn on_profile(one: &Instance<'_>, kind: EntityKind, context: &Context, reader: &mut Reader<'_>) {
    if let Some(mut entity) = workload(one, kind, &[], context, reader) {
        profile(one, &mut entity, context, reader);
        reader.add(entity);
    }
}

fn launch_template(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    on_profile(one, EntityKind::LaunchTemplate, context, reader);
}

fn task_definition(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let roles = ["task_role_arn", "execution_role_arn"];
    let Some(mut entity) = workload(one, EntityKind::Task, &roles, context, reader) else {
        return;
    };
    let mut images = Vec::new();
    // A list of containers as JSON text.
    let text = one
        .text("container_definitions", reader)
        .unwrap_or_default();
    let containers = crate::json::values(&text).next();
    for container in containers.into_iter().flat_map(|list| list.elements()) {
        if let Some(image) = container.get("image").and_then(|image| image.string()) {
            reader.pulls(entity.id.as_str(), &image);
            images.push(image.into_owned());
        }
    }
    if !images.is_empty() {
        entity
            .attributes
            .insert("Images".to_owned(), images.join(", "));
    }
    reader.add(entity);
}

fn service(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(mut entity) = workload(one, EntityKind::ContainerService, &[], context, reader) else {
        return;
    };
    let kind = "aws_ecs_task_definition";
    if let Some(definition) = context.named(one, "task_definition", kind, reader) {
        // Under the name that `complete` looks for.
        entity
            .attributes
            .insert("taskDefinition".to_owned(), definition);
    }
    reader.add(entity);
}

fn build_project(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let kind = EntityKind::BuildProject;
    let Some(entity) = workload(one, kind, &["service_role"], context, reader) else {
        return;
    };
    for block in one.blocks("environment", reader) {
        if let Some(image) = block.text("image", reader) {
            reader.pulls(entity.id.as_str(), &image);
        }
    }
    reader.add(entity);
}

fn application(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(entity) = workload(one, EntityKind::Application, &[], context, reader) else {
        return;
    };
    let role = |block: &Object<'_>, name: &str, reader: &mut Reader<'_>| {
        let role = block.text(name, reader)?;
        context.called(one, &role, "aws_iam_role")
    };
    for block in one.blocks("instance_configuration", reader) {
        if let Some(role) = role(&block, "instance_role_arn", reader) {
            reader.runs_as(entity.id.as_str(), &role);
        }
    }
    for source in one.blocks("source_configuration", reader) {
        let mut repositories = source.list("image_repository", reader);
        while let Some(repository) = repositories.next(reader) {
            if let Some(image) = repository.text("image_identifier", reader) {
                reader.pulls(entity.id.as_str(), &image);
            }
        }
    }
    reader.add(entity);
}

fn distribution(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let kind = EntityKind::Distribution;
    let Some(entity) = workload(one, kind, &[], context, reader) else {
        return;
    };
    for block in one.blocks("origin", reader) {
        let domain = block.text("domain_name", reader);
        let bucket = domain.as_deref().and_then(arn::bucket_of_domain);
        let bucket = bucket.or_else(|| context.referred(one, "origin", "aws_s3_bucket"));
        let origin = match (bucket, domain) {
            (Some(bucket), _) => {
                reader.infer(bucket.as_str(), EntityKind::Bucket);
                bucket
            }
            (None, Some(domain)) => {
                reader.infer(&*domain, EntityKind::Other);
                domain.into_owned()
            }
            (None, None) => continue,
        };
        reader.relate(Relation::Serves {
            distribution: entity.id.clone(),
            origin: origin.into(),
        });
    }
    reader.add(entity);
}
