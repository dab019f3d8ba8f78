//! Terraform's resources that hold data, keys and messages.

use portreeve_model::{Entity, EntityKind};

use super::Translate;
use super::context::Context;
use super::instance::Instance;
use crate::reader::Reader;

pub(super) const READERS: &[(&str, Translate)] = &[
    ("aws_s3_bucket", bucket),
    ("aws_s3_bucket_policy", |one, context, reader| {
        of_another(
            one,
            "bucket",
            "aws_s3_bucket",
            EntityKind::Bucket,
            context,
            reader,
        )
    }),
    ("aws_s3_bucket_public_access_block", public_access_block),
    ("aws_s3_bucket_versioning", versioning),
    ("aws_s3_bucket_website_configuration", website),
    ("aws_kms_key", |one, context, reader| {
        own(one, EntityKind::Key, KEY, context, reader)
    }),
    ("aws_kms_external_key", |one, context, reader| {
        own(one, EntityKind::Key, KEY, context, reader)
    }),
    ("aws_kms_key_policy", |one, context, reader| {
        of_another(
            one,
            "key_id",
            "aws_kms_key",
            EntityKind::Key,
            context,
            reader,
        )
    }),
    ("aws_kms_alias", alias),
    ("aws_kms_grant", grant),
    ("aws_secretsmanager_secret", |one, context, reader| {
        own(one, EntityKind::Secret, SECRET, context, reader)
    }),
    (
        "aws_secretsmanager_secret_policy",
        |one, context, reader| {
            of_another(
                one,
                "secret_arn",
                "aws_secretsmanager_secret",
                EntityKind::Secret,
                context,
                reader,
            )
        },
    ),
    ("aws_ssm_parameter", |one, context, reader| {
        own(one, EntityKind::Parameter, PARAMETER, context, reader)
    }),
    ("aws_sqs_queue", |one, context, reader| {
        own(one, EntityKind::Queue, &[], context, reader)
    }),
    ("aws_sqs_queue_policy", |one, context, reader| {
        of_another(
            one,
            "queue_url",
            "aws_sqs_queue",
            EntityKind::Queue,
            context,
            reader,
        )
    }),
    ("aws_sns_topic", |one, context, reader| {
        own(
            one,
            EntityKind::Topic,
            &[("display_name", "DisplayName")],
            context,
            reader,
        )
    }),
    ("aws_sns_topic_policy", |one, context, reader| {
        of_another(
            one,
            "arn",
            "aws_sns_topic",
            EntityKind::Topic,
            context,
            reader,
        )
    }),
    ("aws_dynamodb_table", |one, context, reader| {
        own(one, EntityKind::Database, &[], context, reader)
    }),
    ("aws_dynamodb_resource_policy", |one, context, reader| {
        of_another(
            one,
            "resource_arn",
            "aws_dynamodb_table",
            EntityKind::Database,
            context,
            reader,
        )
    }),
    ("aws_db_instance", |one, context, reader| {
        own(one, EntityKind::Database, &[], context, reader)
    }),
    ("aws_rds_cluster", |one, context, reader| {
        own(one, EntityKind::Database, &[], context, reader)
    }),
    ("aws_ecr_repository", |one, context, reader| {
        own(
            one,
            EntityKind::ImageRepository,
            &[("image_tag_mutability", "imageTagMutability")],
            context,
            reader,
        )
    }),
    ("aws_ecr_repository_policy", |one, context, reader| {
        of_another(
            one,
            "repository",
            "aws_ecr_repository",
            EntityKind::ImageRepository,
            context,
            reader,
        )
    }),
];

const KEY: &[(&str, &str)] = &[
    ("customer_master_key_spec", "KeySpec"),
    ("key_usage", "KeyUsage"),
    ("description", "Description"),
    ("multi_region", "MultiRegion"),
];
const SECRET: &[(&str, &str)] = &[
    ("name", "Name"),
    ("description", "Description"),
    ("kms_key_id", "KmsKeyId"),
];
/// Never the value, which the state holds too.
const PARAMETER: &[(&str, &str)] = &[
    ("name", "Name"),
    ("type", "Type"),
    ("description", "Description"),
    ("key_id", "KeyId"),
];

/// A resource with a policy of its own.
fn own(
    one: &Instance<'_>,
    kind: EntityKind,
    kept: &[(&str, &str)],
    context: &Context,
    reader: &mut Reader<'_>,
) {
    let Some(id) = context.id(one).map(str::to_owned) else {
        return;
    };
    let entity = one.entity(&id, kind, kept, context.account(one), reader);
    reader.add(entity);
    // Where the configuration has none the provider computes what is there: that of a new one is
    // AWS's default.
    if !one.is_unknown("policy") || context.is_configured(one, "policy") {
        one.own_policy("policy", &id, kind, reader);
    } else if kind == EntityKind::Key {
        default_key_policy(&id, reader);
    }
}

/// What AWS gives a key without a policy: "Default key policy", AWS KMS developer guide.
fn default_key_policy(id: &str, reader: &mut Reader<'_>) {
    let Some([partition, _, _, account, _]) = crate::arn::parts(id) else {
        return;
    };
    let text = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"Enable IAM User Permissions\",\
         \"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:{partition}:iam::{account}:root\"}},\
         \"Action\":\"kms:*\",\"Resource\":\"*\"}}]}}"
    );
    let layer = portreeve_model::PolicyLayer::Resource;
    reader.policy(id, layer, "resource policy", text.into());
}

/// A policy in a resource of its own.
fn of_another(
    one: &Instance<'_>,
    attribute: &str,
    kind: &str,
    entity: EntityKind,
    context: &Context,
    reader: &mut Reader<'_>,
) {
    if let Some(id) = context.named(one, attribute, kind, reader) {
        one.own_policy("policy", &id, entity, reader);
    }
}

fn bucket(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let Some(id) = context.id(one).map(str::to_owned) else {
        return;
    };
    let kept = &[("region", "BucketRegion"), ("website_endpoint", "Website")];
    let mut entity = one.entity(&id, EntityKind::Bucket, kept, context.account(one), reader);
    if let Some(website) = entity.attributes.get_mut("Website") {
        *website = "true".to_owned();
    }
    reader.add(entity);
    if !one.is_unknown("policy") {
        one.own_policy("policy", &id, EntityKind::Bucket, reader);
    }
}

/// Attributes of a resource that another one sets.
fn set(
    one: &Instance<'_>,
    of: &str,
    kind: &str,
    entity: EntityKind,
    attributes: Vec<(&str, String)>,
    context: &Context,
    reader: &mut Reader<'_>,
) {
    let Some(id) = context.named(one, of, kind, reader) else {
        return;
    };
    let mut entity = Entity::new(id, entity);
    entity.inferred = true;
    for (name, value) in attributes {
        entity.attributes.insert(name.to_owned(), value);
    }
    reader.add(entity);
}

fn public_access_block(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let flags = [
        ("block_public_acls", "BlockPublicAcls"),
        ("ignore_public_acls", "IgnorePublicAcls"),
        ("block_public_policy", "BlockPublicPolicy"),
        ("restrict_public_buckets", "RestrictPublicBuckets"),
    ];
    let flags = flags
        .iter()
        .filter_map(|(name, attribute)| Some((*attribute, one.text(name, reader)?.into_owned())));
    let flags = flags.collect();
    set(
        one,
        "bucket",
        "aws_s3_bucket",
        EntityKind::Bucket,
        flags,
        context,
        reader,
    );
}

fn versioning(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let blocks = one.blocks("versioning_configuration", reader);
    let status = blocks
        .first()
        .and_then(|block| block.text("status", reader));
    let status = status.map(|status| ("Versioning", status.into_owned()));
    let status = status.into_iter().collect();
    set(
        one,
        "bucket",
        "aws_s3_bucket",
        EntityKind::Bucket,
        status,
        context,
        reader,
    );
}

fn website(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let website = vec![("Website", "true".to_owned())];
    set(
        one,
        "bucket",
        "aws_s3_bucket",
        EntityKind::Bucket,
        website,
        context,
        reader,
    );
}

fn alias(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let name = one.text("name", reader);
    let alias = name.map(|name| ("Aliases", name.into_owned()));
    let alias = alias.into_iter().collect();
    let of = match one.values.get("target_key_arn") {
        Some(_) => "target_key_arn",
        None => "target_key_id",
    };
    set(
        one,
        of,
        "aws_kms_key",
        EntityKind::Key,
        alias,
        context,
        reader,
    );
}

fn grant(one: &Instance<'_>, context: &Context, reader: &mut Reader<'_>) {
    let grantee = one.text("grantee_principal", reader);
    let line = grantee.map(|grantee| {
        let line = format!("{grantee}: {}", one.texts("operations").join(", "));
        ("Grants", line)
    });
    let line = line.into_iter().collect();
    set(
        one,
        "key_id",
        "aws_kms_key",
        EntityKind::Key,
        line,
        context,
        reader,
    );
}
