//! What opens or closes the resource of a case beside its policies.

use super::super::access::{PublicAccessBlock, ResourceAccess};
use super::super::acl::AclGrant;
use super::super::grant::{GrantError, KmsGrant};
use super::super::request::ResourcePolicyKind;
use super::format::{Case, CaseAcl, CaseBlock};

/// What opens or closes the resource beside its policies.
pub(super) fn access(case: &Case, kind: ResourcePolicyKind) -> Result<ResourceAccess, String> {
    if !case.kms_grants.is_empty() {
        if kind != ResourcePolicyKind::KmsKey {
            return Err("kms_grants are given, and the resource is no KMS key".to_owned());
        }
        let grants: Result<Vec<KmsGrant>, GrantError> =
            case.kms_grants.iter().map(KmsGrant::try_from).collect();
        let access = grants.and_then(|grants| ResourceAccess::of_key(&grants));
        return access.map_err(|error| error.to_string());
    }
    let settings = &case.settings.s3;
    let enforced = settings.object_ownership.as_deref() == Some("BucketOwnerEnforced");
    let list = |list: &Option<CaseAcl>| -> Result<Vec<AclGrant>, String> {
        let grants = list.iter().flat_map(|list| &list.grants);
        let read: Result<Vec<AclGrant>, String> = grants
            .map(|grant| AclGrant::read(grant, &settings.canonical_users))
            .collect();
        Ok(if enforced { Vec::new() } else { read? })
    };
    let block = match settings.block_public_access {
        CaseBlock::All(true) => PublicAccessBlock::ALL,
        CaseBlock::All(false) => PublicAccessBlock::default(),
        CaseBlock::Each(each) => PublicAccessBlock {
            block_public_acls: each.block_public_acls,
            ignore_public_acls: each.ignore_public_acls,
            block_public_policy: each.block_public_policy,
            restrict_public_buckets: each.restrict_public_buckets,
        },
    };
    let (bucket, object) = (list(&case.bucket_acl)?, list(&case.object_acl)?);
    Ok(ResourceAccess::of_bucket(&bucket, &object, block))
}
