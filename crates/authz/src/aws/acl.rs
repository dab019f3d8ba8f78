//! S3 access control lists.
//!
//! Follows "Access control list (ACL) overview" and its "Mapping of ACL permissions and access
//! policy permissions" (S3 User Guide,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>).

use super::document::Document;
use super::principal::{PrincipalElement, PrincipalEntry};
use super::request::AttachedPolicy;
use super::statement::{ActionElement, ActionPattern, Effect, Part, Statement};

/// To whom an access control list gives a permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AclGrantee {
    /// The group `AllUsers`: anyone, with credentials or without.
    Everyone,
    /// The group `AuthenticatedUsers`: any principal of any account.
    Authenticated,
    /// The group `LogDelivery`: S3's own delivery of server access logs.
    LogDelivery,
    /// An account, by its number.
    Account(String),
    /// An account by its canonical id, of which the number is not known.
    Canonical(String),
}

/// What an access control list permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AclPermission {
    /// To list a bucket, or to read an object.
    Read,
    /// To create objects in a bucket; nothing on an object.
    Write,
    /// To read the list itself.
    ReadAcp,
    /// To change the list itself.
    WriteAcp,
    /// All four.
    FullControl,
}

impl AclPermission {
    /// Reads the name that S3 gives it: `READ`, `FULL_CONTROL`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "READ" => AclPermission::Read,
            "WRITE" => AclPermission::Write,
            "READ_ACP" => AclPermission::ReadAcp,
            "WRITE_ACP" => AclPermission::WriteAcp,
            "FULL_CONTROL" => AclPermission::FullControl,
            _ => return None,
        })
    }
}

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclGrant {
    /// To whom.
    pub grantee: AclGrantee,
    /// What.
    pub permission: AclPermission,
}

impl AclGrant {
    /// Whether S3 calls it public: it is for everyone, or for everyone with an account.
    pub fn is_public(&self) -> bool {
        matches!(
            self.grantee,
            AclGrantee::Everyone | AclGrantee::Authenticated
        )
    }
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AclOf {
    Bucket,
    Object,
}

/// The policy that says the same as a list.
pub(super) fn compile(of: AclOf, grants: &[AclGrant]) -> AttachedPolicy {
    let statements = grants.iter().enumerate().filter_map(|(index, grant)| {
        let actions: Vec<ActionPattern> = actions(of, grant.permission)
            .iter()
            .filter_map(|action| ActionPattern::compile(action).ok())
            .collect();
        let entry = match &grant.grantee {
            AclGrantee::Everyone => PrincipalEntry::Everyone,
            AclGrantee::Authenticated => PrincipalEntry::Authenticated,
            AclGrantee::LogDelivery => PrincipalEntry::Service("logging.s3.amazonaws.com".into()),
            AclGrantee::Account(account) => PrincipalEntry::Account(account.as_str().into()),
            AclGrantee::Canonical(id) => PrincipalEntry::Canonical(id.as_str().into()),
        };
        (!actions.is_empty()).then(|| Statement {
            effect: Some(Effect::Allow),
            actions: Some(ActionElement {
                negated: false,
                patterns: actions.into(),
            }),
            principal: Part::Read(PrincipalElement {
                negated: false,
                entries: Box::new([entry]),
            }),
            resources: Part::Absent,
            defect: None,
            ..Statement::unknown(index, "")
        })
    });
    let name = match of {
        AclOf::Bucket => "acl:bucket",
        AclOf::Object => "acl:object",
    };
    AttachedPolicy::new(name, Document::compile(statements.collect(), Vec::new()))
}

fn actions(of: AclOf, permission: AclPermission) -> &'static [&'static str] {
    match (of, permission) {
        (AclOf::Bucket, AclPermission::Read) => &[
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
        ],
        (AclOf::Bucket, AclPermission::Write) => &["s3:PutObject"],
        (AclOf::Bucket, AclPermission::ReadAcp) => &["s3:GetBucketAcl"],
        (AclOf::Bucket, AclPermission::WriteAcp) => &["s3:PutBucketAcl"],
        (AclOf::Bucket, AclPermission::FullControl) => &[
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:PutObject",
            "s3:GetBucketAcl",
            "s3:PutBucketAcl",
        ],
        (AclOf::Object, AclPermission::Read) => &["s3:GetObject", "s3:GetObjectVersion"],
        (AclOf::Object, AclPermission::Write) => &[],
        (AclOf::Object, AclPermission::ReadAcp) => &["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
        (AclOf::Object, AclPermission::WriteAcp) => &["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
        (AclOf::Object, AclPermission::FullControl) => &[
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:GetObjectAcl",
            "s3:GetObjectVersionAcl",
            "s3:PutObjectAcl",
            "s3:PutObjectVersionAcl",
        ],
    }
}
