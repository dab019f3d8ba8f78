//! S3 buckets with their policies and settings.

use portreeve_model::{Entity, EntityKind, PolicyLayer};

use crate::format::FormatFile;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.buckets",
    title: "S3 buckets with policy and public access settings",
    command: "aws s3api list-buckets (with get-bucket-policy, get-public-access-block, get-bucket-versioning, get-bucket-tagging, get-bucket-website, get-bucket-encryption, get-bucket-logging, get-bucket-acl, get-object-lock-configuration of each)",
    without: "which buckets there are, who outside the account reaches them, and which are open to the public",
    recognise,
    read,
    ..FormatFile::DEFAULT
};

fn recognise(document: &Object<'_>) -> bool {
    document.get("Buckets").is_some_and(|buckets| {
        let first = buckets.elements().next();
        buckets.is_array() && first.is_none_or(|bucket| bucket.get("Name").is_some())
    })
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut buckets = document.list("Buckets", reader);
    while let Some(bucket) = buckets.next(reader) {
        let Some(name) = bucket.required(&["Name"], reader) else {
            continue;
        };
        let id = format!("arn:aws:s3:::{name}");
        let mut entity = Entity::new(id.as_str(), EntityKind::Bucket);
        let account = bucket.first(&["Account", "AccountId"], reader);
        entity.account = account
            .map(|account| account.into_owned())
            .or_else(|| reader.account.clone());
        entity.tags = bucket.tags(reader);
        tag_set(&bucket, &mut entity, reader);
        bucket.keep(
            &["CreationDate", "BucketRegion", "LocationConstraint"],
            &mut entity,
            reader,
        );
        settings(&bucket, &mut entity, reader);
        if bucket.has("Policy") {
            let seen = match bucket.document("Policy", reader) {
                Some(policy) => {
                    reader.policy(id.as_str(), PolicyLayer::Resource, "bucket policy", policy);
                    "given"
                }
                None if bucket.get("Policy").is_none() => "none",
                None => "unreadable",
            };
            entity
                .attributes
                .insert("Policy".to_owned(), seen.to_owned());
        }
        reader.add(entity);
    }
}

/// `get-bucket-tagging` gives `{"TagSet": […]}`.
fn tag_set(bucket: &Object<'_>, entity: &mut Entity, reader: &mut Reader<'_>) {
    for name in ["Tagging", "Tags"] {
        let wrapped = bucket.get(name).filter(|tags| tags.get("TagSet").is_some());
        if wrapped.is_some()
            && let Some(tagging) = bucket.object(name, reader)
        {
            entity.tags.remove("TagSet");
            entity.tags.extend(tagging.tags(reader));
        }
    }
}

fn settings(bucket: &Object<'_>, entity: &mut Entity, reader: &mut Reader<'_>) {
    for name in ["PublicAccessBlock", "PublicAccessBlockConfiguration"] {
        let Some(mut block) = bucket.object(name, reader) else {
            continue;
        };
        if let Some(inner) = block.object("PublicAccessBlockConfiguration", reader) {
            block = inner;
        }
        let flags = [
            "BlockPublicAcls",
            "IgnorePublicAcls",
            "BlockPublicPolicy",
            "RestrictPublicBuckets",
        ];
        block.keep(&flags, entity, reader);
    }
    for name in ["PublicAccessBlock", "PublicAccessBlockConfiguration"] {
        if bucket.has(name) {
            let given = bucket.get(name).map_or("none", |_| "given");
            let name = "PublicAccessBlock".to_owned();
            entity.attributes.insert(name, given.to_owned());
        }
    }
    versioning(bucket, entity);
    let locked = ["ObjectLock", "ObjectLockConfiguration"];
    if let Some(name) = locked.into_iter().find(|name| bucket.has(name)) {
        let mode = [
            format!("{name}.Rule.DefaultRetention.Mode"),
            format!("{name}.ObjectLockConfiguration.Rule.DefaultRetention.Mode"),
        ];
        let mode = mode.iter().find_map(|path| bucket.get(path)?.string());
        let on = bucket.get(name).map_or("none", |_| "enabled");
        let mode = mode.map_or_else(|| on.to_owned(), String::from);
        entity.attributes.insert("ObjectLock".to_owned(), mode);
    }
    for (attribute, names) in [
        (
            "Encryption",
            ["Encryption", "ServerSideEncryptionConfiguration"],
        ),
        ("Logging", ["Logging", "LoggingEnabled"]),
    ] {
        if let Some(name) = names.into_iter().find(|name| bucket.has(name)) {
            // `get-bucket-logging` answers with an empty object where it is off.
            let given = bucket.get(name).filter(|value| value.text.trim() != "{}");
            let given = given.map_or("none", |_| "given");
            entity
                .attributes
                .insert(attribute.to_owned(), given.to_owned());
        }
    }
    let mut whole = Entity::new(entity.id.clone(), EntityKind::Bucket);
    bucket.keep_whole(&["Acl.Grants", "Grants"], &mut whole, reader);
    if let Some(grants) = whole.attributes.into_values().next() {
        entity.attributes.insert("Grants".to_owned(), grants);
    }
    let website = bucket
        .get("Website")
        .or(bucket.get("WebsiteConfiguration"))
        .is_some_and(|website| website.text != "false");
    if website {
        entity
            .attributes
            .insert("Website".to_owned(), "true".to_owned());
    }
}

/// `get-bucket-versioning` says nothing of a bucket that never had it.
fn versioning(bucket: &Object<'_>, entity: &mut Entity) {
    if !bucket.has("Versioning") {
        return;
    }
    let text = |path: &str| Some(bucket.get(path)?.string()?.into_owned());
    let status = text("Versioning.Status").or_else(|| text("Versioning"));
    let second_factor = text("Versioning.MFADelete").or_else(|| text("MFADelete"));
    for (name, value, absent) in [
        ("Versioning", status, "none"),
        ("MFADelete", second_factor, "Disabled"),
    ] {
        let value = value.unwrap_or_else(|| absent.to_owned());
        entity.attributes.insert(name.to_owned(), value);
    }
}
