//! S3 access control lists.
//!
//! Follows "Access control list (ACL) overview" and its "Mapping of ACL permissions and access
//! policy permissions" (S3 User Guide,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>).

use std::collections::BTreeMap;

use super::case::CaseAclGrant;
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

    /// Reads one entry; `accounts` are the numbers behind canonical ids, as far as they are known.
    pub(super) fn read(
        grant: &CaseAclGrant,
        accounts: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let permission = AclPermission::from_name(&grant.permission)
            .ok_or_else(|| format!("acl: {:?} is no permission of a list", grant.permission))?;
        let grantee = match (&grant.grantee.uri, &grant.grantee.id) {
            (Some(uri), None) => match uri.rsplit('/').next() {
                Some("AllUsers") => AclGrantee::Everyone,
                Some("AuthenticatedUsers") => AclGrantee::Authenticated,
                Some("LogDelivery") => AclGrantee::LogDelivery,
                _ => return Err(format!("acl: {uri:?} is no group of S3")),
            },
            (None, Some(id)) => match accounts.get(id) {
                Some(account) => AclGrantee::Account(account.clone()),
                None => AclGrantee::Canonical(id.clone()),
            },
            _ => return Err("acl: an entry has not one grantee".to_owned()),
        };
        Ok(AclGrant {
            grantee,
            permission,
        })
    }
}

/// Reads the entries of a list: JSON, as `Grants` of `GetBucketAcl`. What is no entry is left out.
pub fn read_acl(grants: &str) -> Vec<AclGrant> {
    let read: Vec<serde_json::Value> = serde_json::from_str(grants).unwrap_or_default();
    let entries = read
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok());
    entries
        .filter_map(|entry| AclGrant::read(&entry, &BTreeMap::new()).ok())
        .collect()
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
