//! What opens or closes a resource beside policies: KMS grants, S3 access control lists, S3
//! public-access blocks.

use std::sync::Arc;

use super::acl::{self, AclGrant, AclOf};
use super::grant::{CompiledGrant, GrantError, KmsGrant};
use super::public::is_public;
use super::request::{AttachedPolicy, Caller, CallerKind, ResourcePolicies};
use crate::aws::pattern::Tri;

/// The four settings of an S3 public-access block, as they come out of bucket and account
/// together: the stricter of the two counts.
///
/// `BlockPublicAcls` and `BlockPublicPolicy` refuse changes and bear on no access that is there,
/// so that they are kept for completeness only. See "Blocking public access to your Amazon S3
/// storage" (S3 User Guide,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicAccessBlock {
    /// Refuses to set access control lists that are public.
    pub block_public_acls: bool,
    /// Ignores what access control lists give the public.
    pub ignore_public_acls: bool,
    /// Refuses to set bucket policies that are public.
    pub block_public_policy: bool,
    /// Keeps everyone but the owner's account and AWS services out of buckets whose policy is
    /// public.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All four settings on.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// What opens or closes a resource beside its policies, compiled once and used for many
/// questions: to clone it costs nothing. [`Default`] is nothing.
#[derive(Clone, Debug, Default)]
pub struct ResourceAccess {
    pub(super) grants: Arc<[CompiledGrant]>,
    acls: Arc<[AttachedPolicy]>,
    restrict_public_buckets: bool,
}

impl ResourceAccess {
    /// The grants of a KMS key.
    ///
    /// # Errors
    ///
    /// The first grant that cannot be understood: an operation or a grantee that is none.
    pub fn of_key(grants: &[KmsGrant]) -> Result<Self, GrantError> {
        Ok(Self {
            grants: grants
                .iter()
                .map(KmsGrant::compile)
                .collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    /// The same of grants that are read already: the policy of each ([`KmsGrant::as_policy`]),
    /// named `grant:ID`, and the account that made it.
    pub fn of_grants(grants: impl IntoIterator<Item = (AttachedPolicy, Option<String>)>) -> Self {
        let compiled = |(policy, issuing_account)| CompiledGrant {
            policy,
            issuing_account,
        };
        Self {
            grants: grants.into_iter().map(compiled).collect(),
            ..Self::default()
        }
    }

    /// The access control lists of a bucket and of the object that is asked about, and the
    /// public-access block. Where the bucket enforces its owner's ownership of all objects, lists
    /// have no effect: then hand in none.
    pub fn of_bucket(bucket: &[AclGrant], object: &[AclGrant], block: PublicAccessBlock) -> Self {
        let list = |of, grants: &[AclGrant]| {
            let kept: Vec<AclGrant> = grants
                .iter()
                .filter(|grant| !(block.ignore_public_acls && grant.is_public()))
                .cloned()
                .collect();
            (!kept.is_empty()).then(|| acl::compile(of, &kept))
        };
        Self {
            acls: list(AclOf::Bucket, bucket)
                .into_iter()
                .chain(list(AclOf::Object, object))
                .collect(),
            restrict_public_buckets: block.restrict_public_buckets,
            ..Self::default()
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.acls.is_empty() && !self.restrict_public_buckets
    }

    /// What allows in the manner of the resource's policy.
    pub(super) fn policies(&self) -> impl Iterator<Item = &AttachedPolicy> + Clone {
        let grants = self.grants.iter().map(|grant| &grant.policy);
        self.acls.iter().chain(grants)
    }

    /// Whether a public-access block keeps the caller out: the bucket's policy is public, and the
    /// caller is neither of the owner's account nor an AWS service.
    pub(super) fn keeps_out(
        &self,
        caller: &Caller,
        owner: Option<&str>,
        resource: Option<&ResourcePolicies>,
    ) -> Tri {
        let inside = match caller.kind {
            CallerKind::Service => true,
            CallerKind::Anonymous | CallerKind::Federated => false,
            _ => owner.is_none_or(|owner| owner == caller.account),
        };
        if !self.restrict_public_buckets || inside {
            return Tri::No;
        }
        resource
            .and_then(|resource| resource.policy.as_ref())
            .map_or(Tri::No, |policy| is_public(&policy.document))
    }
}
