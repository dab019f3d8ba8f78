//! The format of cases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Atom, Decision, PolicyLayer, StatementRef};

/// One case. Policies are policy documents, or objects of a `name` and a `policy`; a list of
/// policies may also be a single one. A case holds all policies that there are: what it leaves
/// out does not exist.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Case {
    /// What the case is called.
    pub id: String,
    /// The question.
    pub request: CaseRequest,
    /// Policies of the principal and its groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_policies: Option<Box<RawValue>>,
    /// The resource's own policy: bucket policy, trust policy, key policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_policy: Option<Box<RawValue>>,
    /// The permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Box<RawValue>>,
    /// Policies given when the session was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_policy: Option<Box<RawValue>>,
    /// Service control policies from the root down.
    #[serde(default)]
    pub scps: Vec<CaseLevel>,
    /// Resource control policies from the root down.
    #[serde(default)]
    pub rcps: Vec<CaseLevel>,
    /// Policies of the VPC endpoint that the request comes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_policies: Option<Box<RawValue>>,
    /// Grants on the KMS key, in the shape of `ListGrants`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kms_grants: Vec<CaseGrant>,
    /// The access control list of the bucket, in the shape of `GetBucketAcl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_acl: Option<CaseAcl>,
    /// The access control list of the object, in the shape of `GetObjectAcl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_acl: Option<CaseAcl>,
    /// The organization that the accounts are in.
    #[serde(default)]
    pub organization: CaseOrganization,
    /// Settings of services that bear on the answer.
    #[serde(default)]
    pub settings: CaseSettings,
    /// What it means that the context does not hold a key.
    #[serde(default)]
    pub mode: CaseMode,
    /// The answer that is expected; none to only ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<CaseDecision>,
    /// The page of documentation that the case follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What the case shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The question of a case.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CaseRequest {
    /// The ARN of a user, role, session, root or identity provider; a service's name; `*` for
    /// anonymous.
    pub principal: String,
    /// The action, `s3:GetObject`.
    pub action: String,
    /// The resource's ARN, or `*` for actions that name none.
    pub resource: String,
    /// The account that owns the resource, where its ARN does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// All tags of the principal; of a session those of the session laid over the role's. Not
    /// given: in discovery they are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_tags: Option<BTreeMap<String, String>>,
    /// For a session the ARN of its role, where the role has a path, or of the user that called
    /// `GetFederationToken`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Roles that the principal assumed one after the other before it asks: the session of the
    /// last one is who asks, with the tags and the source identity that travel along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<CaseHop>,
    /// Condition keys with their values: strings, numbers, booleans, lists of them.
    #[serde(default)]
    pub context: BTreeMap<String, serde_json::Value>,
}

/// One role of a chain.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CaseHop {
    /// The role's ARN.
    pub role: String,
    /// The name of the session.
    #[serde(default = "session_name")]
    pub session_name: String,
    /// The role's own tags.
    #[serde(default)]
    pub role_tags: BTreeMap<String, String>,
    /// The tags passed.
    #[serde(default)]
    pub session_tags: BTreeMap<String, String>,
    /// The keys of those that go along.
    #[serde(default)]
    pub transitive_tag_keys: Vec<String>,
    /// The source identity that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

fn session_name() -> String {
    "session".to_owned()
}

/// What is known of the organization.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct CaseOrganization {
    /// The management account: SCPs do not bound its principals, RCPs not its resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_account: Option<String>,
}

/// A grant in the shape of `ListGrants`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CaseGrant {
    /// The grant's id.
    #[serde(default)]
    pub grant_id: String,
    /// Who may use the key, by ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// Which service may use the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// Who may retire the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// The account that made it, as its root's ARN or its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuing_account: Option<String>,
    /// What it permits.
    #[serde(default)]
    pub operations: Vec<String>,
    /// What it asks of the request.
    #[serde(default)]
    pub constraints: CaseGrantConstraints,
}

/// What a grant asks of the request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CaseGrantConstraints {
    /// The whole encryption context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<BTreeMap<String, String>>,
    /// A part of the encryption context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<BTreeMap<String, String>>,
    /// On whose behalf a service acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
}

/// An access control list in the shape of `GetBucketAcl`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CaseAcl {
    /// Its entries.
    #[serde(default)]
    pub grants: Vec<CaseAclGrant>,
}

/// One entry of an access control list.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CaseAclGrant {
    /// To whom.
    pub grantee: CaseAclGrantee,
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
}

/// To whom an entry gives its permission.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CaseAclGrantee {
    /// The address of a group: `http://acs.amazonaws.com/groups/global/AllUsers`.
    #[serde(default, rename = "URI", skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The canonical id of an account; see [`S3Settings::canonical_users`].
    #[serde(default, rename = "ID", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// One level of an organization.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CaseLevel {
    /// The root, unit or account.
    #[serde(default)]
    pub org: String,
    /// The policies attached there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Box<RawValue>>,
}

/// Settings of services.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct CaseSettings {
    /// Those of S3.
    #[serde(default)]
    pub s3: S3Settings,
}

/// Settings of S3.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct S3Settings {
    /// The public-access block of bucket and account together.
    #[serde(default)]
    pub block_public_access: CaseBlock,
    /// `BucketOwnerEnforced`: access control lists have no effect. Anything else, or nothing:
    /// they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_ownership: Option<String>,
    /// The account numbers behind canonical ids, as far as they are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub canonical_users: BTreeMap<String, String>,
    /// Whether the bucket's tags count in conditions; where it is off, `aws:ResourceTag/…` is
    /// absent. Not given: they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_abac_enabled: Option<bool>,
}

/// A public-access block: all four settings on or off together, or each by itself in the shape
/// of `GetPublicAccessBlock`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum CaseBlock {
    /// All on, or all off.
    All(bool),
    /// Each by itself.
    Each(CaseBlockSettings),
}

impl Default for CaseBlock {
    fn default() -> Self {
        CaseBlock::All(false)
    }
}

/// The settings of a public-access block.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct CaseBlockSettings {
    /// See [`block_public_acls`](super::super::PublicAccessBlock::block_public_acls).
    pub block_public_acls: bool,
    /// See [`ignore_public_acls`](super::super::PublicAccessBlock::ignore_public_acls).
    pub ignore_public_acls: bool,
    /// See [`block_public_policy`](super::super::PublicAccessBlock::block_public_policy).
    pub block_public_policy: bool,
    /// See [`restrict_public_buckets`](super::super::PublicAccessBlock::restrict_public_buckets).
    pub restrict_public_buckets: bool,
}

/// What an absent key means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseMode {
    /// It is absent.
    #[default]
    Strict,
    /// It is unknown.
    Discovery,
}

/// The answer to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseDecision {
    /// Allowed.
    Allowed,
    /// Denied.
    Denied,
    /// It hangs on what is not known.
    Depends,
    /// The request, or a policy, is not valid.
    Invalid,
}

impl From<Decision> for CaseDecision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allowed => CaseDecision::Allowed,
            Decision::Denied => CaseDecision::Denied,
            Decision::Depends => CaseDecision::Depends,
        }
    }
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CaseOutcome {
    /// The case's id.
    pub id: String,
    /// The answer.
    pub decision: CaseDecision,
    /// The layer that it rests on.
    pub layer: Option<PolicyLayer>,
    /// The statement that it rests on.
    pub statement: Option<StatementRef>,
    /// What it hangs on.
    pub depends_on: Vec<Atom>,
    /// Why it is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the answer is the one expected; true where none is.
    pub pass: bool,
}
