//! S3 buckets with their policies and settings.

use serde_json::{Map, Value, json};

use crate::caller::{Caller, text};
use crate::surface::{Call, Found, Scope, Surface};

const LIST_BUCKETS: Call = Call::new("s3", "ListBuckets").allowed_by("s3:ListAllMyBuckets");
const GET_BUCKET_POLICY: Call = Call::new("s3", "GetBucketPolicy");
const GET_PUBLIC_ACCESS_BLOCK: Call =
    Call::new("s3", "GetPublicAccessBlock").allowed_by("s3:GetBucketPublicAccessBlock");
const GET_BUCKET_VERSIONING: Call = Call::new("s3", "GetBucketVersioning");
const GET_BUCKET_TAGGING: Call = Call::new("s3", "GetBucketTagging");
const GET_BUCKET_WEBSITE: Call = Call::new("s3", "GetBucketWebsite");
const GET_BUCKET_ENCRYPTION: Call =
    Call::new("s3", "GetBucketEncryption").allowed_by("s3:GetEncryptionConfiguration");
const GET_BUCKET_LOGGING: Call = Call::new("s3", "GetBucketLogging");
const GET_BUCKET_ACL: Call = Call::new("s3", "GetBucketAcl");
const GET_OBJECT_LOCK_CONFIGURATION: Call =
    Call::new("s3", "GetObjectLockConfiguration").allowed_by("s3:GetBucketObjectLockConfiguration");

pub(super) const SURFACE: Surface = Surface {
    id: "buckets",
    title: "S3 buckets",
    scope: Scope::Account,
    formats: &["aws.buckets"],
    calls: &[
        LIST_BUCKETS,
        GET_BUCKET_POLICY,
        GET_PUBLIC_ACCESS_BLOCK,
        GET_BUCKET_VERSIONING,
        GET_BUCKET_TAGGING,
        GET_BUCKET_WEBSITE,
        GET_BUCKET_ENCRYPTION,
        GET_BUCKET_LOGGING,
        GET_BUCKET_ACL,
        GET_OBJECT_LOCK_CONFIGURATION,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    // Only an answer in pages tells each bucket's region.
    if let Some(buckets) = aws.list(LIST_BUCKETS, json!({"MaxBuckets": 1000})).await {
        let buckets = aws.each(buckets, async |bucket| describe(aws, bucket).await);
        found.insert("Buckets".to_owned(), buckets.await);
    }
    found
}

async fn describe(aws: &Caller<'_>, mut bucket: Map<String, Value>) -> Map<String, Value> {
    let name = text(&bucket, "Name");
    let region = text(&bucket, "BucketRegion");
    let aws = aws.in_region(&region);
    for (member, call, path) in [
        ("Policy", GET_BUCKET_POLICY, "Policy"),
        ("PublicAccessBlock", GET_PUBLIC_ACCESS_BLOCK, ""),
        ("Versioning", GET_BUCKET_VERSIONING, ""),
        ("Tagging", GET_BUCKET_TAGGING, ""),
        ("Website", GET_BUCKET_WEBSITE, ""),
        ("Encryption", GET_BUCKET_ENCRYPTION, ""),
        ("Logging", GET_BUCKET_LOGGING, ""),
        ("Acl", GET_BUCKET_ACL, ""),
        ("ObjectLock", GET_OBJECT_LOCK_CONFIGURATION, ""),
    ] {
        let input = json!({"Bucket": name});
        aws.add(&mut bucket, member, call, input, path).await;
    }
    bucket
}
