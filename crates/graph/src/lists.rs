//! What S3's access control lists and public-access blocks make of a bucket, as inventories show them.
//!
//! Follows "Access control list (ACL) overview" and "Blocking public access to your Amazon S3 storage"
//! (S3 User Guide, <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>).
//! Lists name accounts by canonical ids, which nothing ties to account numbers: only what is given to
//! everyone, or to everyone with an account, is taken from them.

use std::collections::BTreeMap;

use portreeve_authz::aws::{AclGrant, PublicAccessBlock, read_acl};

/// What is known of an entity beside its policies.
type Attributes = BTreeMap<String, String>;

/// The public-access block of a bucket and of its account together: the stricter counts.
pub(crate) fn block(bucket: &Attributes, account: Option<&Attributes>) -> PublicAccessBlock {
    let on = |name: &str| {
        let given = |of: &Attributes| {
            let flag = of.get(name);
            flag.is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
        };
        given(bucket) || account.is_some_and(given)
    };
    PublicAccessBlock {
        block_public_acls: on("BlockPublicAcls"),
        ignore_public_acls: on("IgnorePublicAcls"),
        block_public_policy: on("BlockPublicPolicy"),
        restrict_public_buckets: on("RestrictPublicBuckets"),
    }
}

/// What a bucket's list gives to the public. Where a block has S3 ignore that, it still stands here.
pub(crate) fn public_list(bucket: &Attributes) -> Vec<AclGrant> {
    let list = bucket.get("Grants").map(|text| read_acl(text));
    let mut list = list.unwrap_or_default();
    list.retain(AclGrant::is_public);
    list
}
