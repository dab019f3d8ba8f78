//! S3 buckets with their policies and settings.

use portreeve_model::{Entity, EntityKind, PolicyLayer};

use crate::format::FormatFile;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.buckets",
    title: "S3 buckets with policy and public access settings",
    command: "aws s3api list-buckets (with get-bucket-policy, get-public-access-block, get-bucket-versioning, get-bucket-tagging, get-bucket-website of each)",
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
    let versioning = bucket.get("Versioning.Status").or(bucket.get("Versioning"));
    let versioning = versioning.and_then(|value| value.scalar());
    if let Some(versioning) = versioning {
        entity
            .attributes
            .insert("Versioning".to_owned(), versioning.into_owned());
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
