//! Test cases for policies: one question with all the policies that bear on it, and the answer
//! that its author expects. One JSON object a case.
//!
//! ```
//! use portreeve_authz::aws::case::{Case, CaseDecision, run};
//!
//! let case: Case = serde_json::from_str(r#"{
//!     "id": "readers read",
//!     "request": {
//!         "principal": "arn:aws:iam::111122223333:user/anna",
//!         "action": "s3:GetObject",
//!         "resource": "arn:aws:s3:::web-prod/index.html",
//!         "context": {}
//!     },
//!     "identity_policies": [{"Version": "2012-10-17", "Statement": {
//!         "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::web-prod/*"}}],
//!     "mode": "strict",
//!     "expected": "allowed"
//! }"#).unwrap();
//! let outcome = run(&case);
//! assert_eq!(outcome.decision, CaseDecision::Allowed);
//! assert!(outcome.pass);
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::access::{PublicAccessBlock, ResourceAccess};
use super::acl::{AclGrant, AclGrantee, AclPermission};
use super::arn::{ArnParts, is_account};
use super::condition::{is_address, is_date, is_number, is_truth};
use super::document::Document;
use super::evaluate::evaluate_bounded;
use super::grant::{GrantConstraint, KmsGrant};
use super::keys::resource_part;
use super::request::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, ContextValue, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target,
};
use super::session::{Assumption, Session};
use super::statement::{ActionPattern, Effect, Part, Statement};
use crate::{Atom, Decision, PolicyLayer, StatementRef};

/// As long as an ARN may be, in bytes.
const MAX_ARN: usize = 2048;

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
    /// See [`PublicAccessBlock::block_public_acls`].
    pub block_public_acls: bool,
    /// See [`PublicAccessBlock::ignore_public_acls`].
    pub ignore_public_acls: bool,
    /// See [`PublicAccessBlock::block_public_policy`].
    pub block_public_policy: bool,
    /// See [`PublicAccessBlock::restrict_public_buckets`].
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

/// Runs a case.
pub fn run(case: &Case) -> CaseOutcome {
    let mut outcome = CaseOutcome {
        id: case.id.clone(),
        decision: CaseDecision::Invalid,
        layer: None,
        statement: None,
        depends_on: Vec::new(),
        reason: None,
        pass: false,
    };
    match answer(case) {
        Ok(answer) => {
            outcome.decision = answer.decision.into();
            outcome.layer = answer.layer;
            outcome.statement = answer.statement;
            outcome.depends_on = answer.depends_on;
        }
        Err(reason) => outcome.reason = Some(reason),
    }
    outcome.pass = case
        .expected
        .is_none_or(|expected| expected == outcome.decision);
    outcome
}

fn answer(case: &Case) -> Result<crate::Answer, String> {
    let request = &case.request;
    let session = session(case)?;
    let caller = &session.caller;
    let service = service(&request.action)?;
    check_resource(&request.resource)?;
    if let Some(account) = &request.resource_account
        && !is_account(account)
    {
        return Err(format!(
            "resource_account {account:?} is not an account number"
        ));
    }
    let mut context = context(case, service)?;
    session.add_to(&mut context);
    let (kind, layer) = policy_kind(&request.action, service, &request.resource);
    let identity = policies(PolicyLayer::Identity, "identity", &case.identity_policies)?;
    let boundary = policies(PolicyLayer::Boundary, "boundary", &case.boundary)?;
    let principal = PrincipalPolicies {
        identity,
        boundary: None,
        session: policies(PolicyLayer::Session, "session", &case.session_policy)?,
        scps: levels(PolicyLayer::Scp, "scp", &case.scps)?,
        endpoint: policies(
            PolicyLayer::Endpoint,
            "endpoint",
            &case.vpc_endpoint_policies,
        )?,
        exempt_from_scp: case
            .organization
            .management_account
            .as_ref()
            .is_some_and(|account| *account == caller.account),
    };
    let mut policy = policies(layer, "resource", &case.resource_policy)?;
    if policy.len() > 1 {
        return Err("resource_policy holds more than one policy".to_owned());
    }
    // What a case leaves out does not exist: a role without trust trusts nobody.
    let policy = policy.pop().or_else(|| {
        let none = || AttachedPolicy::new("resource", Document::default());
        (kind != ResourcePolicyKind::Ordinary).then(none)
    });
    let rcps = levels(PolicyLayer::Rcp, "rcp", &case.rcps)?;
    let owner = request
        .resource_account
        .as_deref()
        .or(ArnParts::new(&request.resource).account())
        .unwrap_or(&caller.account);
    let free_of_rcps = case.organization.management_account.as_deref() == Some(owner);
    let resource = ResourcePolicies {
        policy,
        kind,
        account: request.resource_account.clone(),
        rcps: if free_of_rcps { Vec::new() } else { rcps },
    };
    let access = access(case, kind)?;
    let question = Request {
        principal: caller,
        action: &request.action,
        target: Target::Exact(&request.resource),
        context: &context,
    };
    Ok(evaluate_bounded(
        &question,
        &principal,
        &boundary,
        Some(&resource),
        &access,
    ))
}

/// Who asks: the principal, or the session of the last role of the chain.
fn session(case: &Case) -> Result<Session, String> {
    let request = &case.request;
    let mut caller = caller(&request.principal)?;
    caller.all_tags_known = case.mode == CaseMode::Strict || request.principal_tags.is_some();
    caller.tags = request.principal_tags.clone().unwrap_or_default();
    if let Some(issuer) = &request.issuer {
        let named = Caller::from_arn(issuer);
        let fits = named.is_some_and(|named| {
            matches!(named.kind, CallerKind::Role | CallerKind::User)
                && named.account == caller.account
        });
        if caller.kind != CallerKind::Session || !fits {
            return Err(format!(
                "issuer {issuer:?} is not whose session the principal is"
            ));
        }
        caller.issuer = Some(issuer.clone());
    }
    let mut session = Session::start(caller);
    for hop in &request.chain {
        let assumption = Assumption {
            role: hop.role.clone(),
            session_name: hop.session_name.clone(),
            role_tags: hop.role_tags.clone(),
            session_tags: hop.session_tags.clone(),
            transitive_tag_keys: hop.transitive_tag_keys.clone(),
            source_identity: hop.source_identity.clone(),
        };
        session = session
            .assume(&assumption)
            .map_err(|error| format!("chain: {error}"))?;
    }
    Ok(session)
}

/// What opens or closes the resource beside its policies.
fn access(case: &Case, kind: ResourcePolicyKind) -> Result<ResourceAccess, String> {
    if !case.kms_grants.is_empty() {
        if kind != ResourcePolicyKind::KmsKey {
            return Err("kms_grants are given, and the resource is no KMS key".to_owned());
        }
        let grants: Result<Vec<KmsGrant>, String> = case.kms_grants.iter().map(grant).collect();
        return ResourceAccess::of_key(&grants?).map_err(|error| error.to_string());
    }
    let settings = &case.settings.s3;
    let enforced = settings.object_ownership.as_deref() == Some("BucketOwnerEnforced");
    let list = |list: &Option<CaseAcl>| -> Result<Vec<AclGrant>, String> {
        let grants = list.iter().flat_map(|list| &list.grants);
        let read: Result<Vec<AclGrant>, String> =
            grants.map(|grant| acl_grant(grant, settings)).collect();
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

fn grant(grant: &CaseGrant) -> Result<KmsGrant, String> {
    let id = &grant.grant_id;
    let grantee = match (&grant.grantee_principal, &grant.grantee_service_principal) {
        (Some(grantee), None) | (None, Some(grantee)) => grantee.clone(),
        _ => return Err(format!("grant {id:?}: it has not one grantee")),
    };
    let constraints = &grant.constraints;
    let constraint = match (
        &constraints.encryption_context_equals,
        &constraints.encryption_context_subset,
    ) {
        (None, None) => GrantConstraint::None,
        (Some(pairs), None) => GrantConstraint::Equals(pairs.clone()),
        (None, Some(pairs)) => GrantConstraint::Subset(pairs.clone()),
        (Some(_), Some(_)) => {
            return Err(format!("grant {id:?}: it has two constraints of one kind"));
        }
    };
    let account = |text: &String| {
        let number = text.split(':').nth(4).unwrap_or(text);
        number.to_owned()
    };
    Ok(KmsGrant {
        id: id.clone(),
        grantee,
        operations: grant.operations.clone(),
        constraint,
        source_arn: constraints.source_arn.clone(),
        retiring: grant.retiring_principal.clone(),
        issuing_account: grant.issuing_account.as_ref().map(account),
    })
}

fn acl_grant(grant: &CaseAclGrant, settings: &S3Settings) -> Result<AclGrant, String> {
    let permission = AclPermission::from_name(&grant.permission)
        .ok_or_else(|| format!("acl: {:?} is no permission of a list", grant.permission))?;
    let grantee = match (&grant.grantee.uri, &grant.grantee.id) {
        (Some(uri), None) => match uri.rsplit('/').next() {
            Some("AllUsers") => AclGrantee::Everyone,
            Some("AuthenticatedUsers") => AclGrantee::Authenticated,
            Some("LogDelivery") => AclGrantee::LogDelivery,
            _ => return Err(format!("acl: {uri:?} is no group of S3")),
        },
        (None, Some(id)) => match settings.canonical_users.get(id) {
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

fn caller(principal: &str) -> Result<Caller, String> {
    let caller = Caller::from_arn(principal)
        .ok_or_else(|| format!("principal {principal:?} is not the ARN of a principal"))?;
    let without_account = matches!(caller.kind, CallerKind::Service | CallerKind::Anonymous);
    let readable = !principal.contains(|character: char| character.is_control());
    let literal = without_account || !principal.contains(['*', '?']);
    let partition = without_account || in_a_partition(principal);
    // A session has a name beside its role's.
    let named = caller.kind != CallerKind::Session
        || resource_part(principal).starts_with("federated-user/")
        || resource_part(principal)
            .split('/')
            .filter(|part| !part.is_empty())
            .count()
            == 3;
    let well_formed = readable && literal && partition && named;
    if !well_formed || !(without_account || is_account(&caller.account)) {
        return Err(format!(
            "principal {principal:?} is not the ARN of one principal"
        ));
    }
    Ok(caller)
}

/// The service of a well-formed action.
fn service(action: &str) -> Result<&str, String> {
    let word = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match action.split_once(':') {
        Some((service, name)) if word(service, b"-") && word(name, b"-_.") => Ok(service),
        _ => Err(format!(
            "action {action:?} is not of the form service:Action"
        )),
    }
}

/// Whether an ARN is of a partition that there is: `aws`, `aws-cn`, `aws-us-gov` and their like.
fn in_a_partition(arn: &str) -> bool {
    let partition = arn.split(':').nth(1).unwrap_or_default();
    partition == "aws" || partition.starts_with("aws-")
}

fn check_resource(resource: &str) -> Result<(), String> {
    let control = resource.contains(|character: char| character.is_control());
    let mut parts = resource.splitn(6, ':');
    let arn = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| !partition.is_empty())
        && parts.next().is_some_and(|service| !service.is_empty())
        && parts.next().is_some()
        && parts
            .next()
            .is_some_and(|account| account.is_empty() || account == "aws" || is_account(account))
        && parts.next().is_some_and(|name| !name.is_empty());
    if resource.len() > MAX_ARN {
        return Err("resource is longer than any ARN".to_owned());
    }
    if control || !((arn && in_a_partition(resource)) || resource == "*") {
        return Err(format!("resource {resource:?} is neither an ARN nor `*`"));
    }
    Ok(())
}

fn context(case: &Case, service: &str) -> Result<Context, String> {
    let mut context = Context::new(match case.mode {
        CaseMode::Strict => Absent::Absent,
        CaseMode::Discovery => Absent::Unknown,
    });
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Bool(value) => Some(value.to_string()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let tags_count =
        case.settings.s3.bucket_abac_enabled != Some(false) || !service.eq_ignore_ascii_case("s3");
    let mut seen = BTreeSet::new();
    for (key, value) in &case.request.context {
        if !seen.insert(key.to_ascii_lowercase()) {
            return Err(format!(
                "context key {key:?} is given twice: case does not matter"
            ));
        }
        let invalid = || format!("context key {key:?} has a value that is neither text nor list");
        if key.is_empty() {
            return Err("the context has a key without a name".to_owned());
        }
        let is_tag = key.to_ascii_lowercase().starts_with("aws:resourcetag/");
        if is_tag && !tags_count {
            context.set(key, ContextValue::Absent);
            continue;
        }
        match value {
            serde_json::Value::Array(values) => {
                let texts: Option<Vec<String>> = values.iter().map(text).collect();
                let texts = texts.ok_or_else(invalid)?;
                texts.iter().try_for_each(|text| check_type(key, text))?;
                context.set(key, texts);
            }
            single => {
                let text = text(single).ok_or_else(invalid)?;
                check_type(key, &text)?;
                context.set(key, text);
            }
        }
    }
    Ok(context)
}

/// Whether a value is of the type that a global key has ("AWS global condition context keys", IAM
/// User Guide): a request could not carry another.
fn check_type(key: &str, value: &str) -> Result<(), String> {
    let (fits, kind) = match key.to_ascii_lowercase().as_str() {
        "aws:sourceip" | "aws:vpcsourceip" => (is_address(value), "an IP address"),
        "aws:multifactorauthpresent"
        | "aws:principalisawsservice"
        | "aws:securetransport"
        | "aws:viaawsservice" => (is_truth(value), "true or false"),
        "aws:currenttime" | "aws:epochtime" | "aws:tokenissuetime" => (is_date(value), "a date"),
        "aws:multifactorauthage" => (is_number(value), "a number"),
        _ => return Ok(()),
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "context key {key:?} has the value {value:?}, which is not {kind}"
    ))
}

/// How the resource's policy counts, told by action and resource.
fn policy_kind(action: &str, service: &str, resource: &str) -> (ResourcePolicyKind, PolicyLayer) {
    let name = resource_part(resource);
    let is = |other: &str| service.eq_ignore_ascii_case(other);
    let arn_service = resource.split(':').nth(2).unwrap_or_default();
    if is("sts") && arn_service == "iam" && name.starts_with("role/") && action.contains(':') {
        (ResourcePolicyKind::RoleTrust, PolicyLayer::Trust)
    } else if is("kms") && ArnParts::new(resource).account().is_some() && name.starts_with("key/") {
        (ResourcePolicyKind::KmsKey, PolicyLayer::Resource)
    } else {
        (ResourcePolicyKind::Ordinary, PolicyLayer::Resource)
    }
}

fn levels(
    layer: PolicyLayer,
    name: &str,
    levels: &[CaseLevel],
) -> Result<Vec<Vec<AttachedPolicy>>, String> {
    let level = |level: &CaseLevel| {
        let name = if level.org.is_empty() {
            name
        } else {
            &level.org
        };
        policies(layer, name, &level.policies)
    };
    levels.iter().map(level).collect()
}

/// Reads the policies of one field: a list or a single one, each a document or a named one.
fn policies(
    layer: PolicyLayer,
    name: &str,
    raw: &Option<Box<RawValue>>,
) -> Result<Vec<AttachedPolicy>, String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(default)]
        name: Option<String>,
        #[serde(borrow, alias = "document")]
        policy: Option<&'a RawValue>,
    }

    let Some(raw) = raw.as_deref() else {
        return Ok(Vec::new());
    };
    let broken = |error: serde_json::Error| format!("{name}: {error}");
    let items: Vec<&RawValue> = if raw.get().starts_with('[') {
        serde_json::from_str(raw.get()).map_err(broken)?
    } else {
        vec![raw]
    };
    let mut policies = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let named: Option<Named<'_>> = serde_json::from_str(item.get())
            .ok()
            .filter(|named: &Named<'_>| named.policy.is_some());
        let (given, text) = match &named {
            Some(Named {
                name,
                policy: Some(policy),
            }) => (name.clone(), policy.get()),
            _ => (None, item.get()),
        };
        let count = items.len();
        let name = given.unwrap_or_else(|| {
            if count == 1 {
                name.to_owned()
            } else {
                format!("{name}[{index}]")
            }
        });
        let document = Document::parse(text).map_err(|error| format!("{name}: {error}"))?;
        if let Some(reason) = misplaced(&document, layer) {
            return Err(format!("{name}: {reason}"));
        }
        policies.push(AttachedPolicy::new(name, document));
    }
    Ok(policies)
}

/// Why a document cannot stand in a layer, though it is a policy.
fn misplaced(document: &Document, layer: PolicyLayer) -> Option<String> {
    let mut sids = BTreeSet::new();
    // Policies of IAM and of Organizations take each Sid once; other services do not say.
    let unique = !matches!(layer, PolicyLayer::Resource | PolicyLayer::Endpoint);
    document.statements().iter().find_map(|statement| {
        if let Some(sid) = &statement.sid
            && !sids.insert(sid)
            && unique
        {
            return Some(format!(
                "$.Statement[{}].Sid appears twice",
                statement.index
            ));
        }
        let principal = !matches!(statement.principal, Part::Absent);
        let resource = !matches!(statement.resources, Part::Absent);
        let reason = match layer {
            PolicyLayer::Identity
            | PolicyLayer::Boundary
            | PolicyLayer::Session
            | PolicyLayer::Scp => {
                if principal {
                    "has a Principal, which only policies of resources have"
                } else if !resource {
                    "has neither Resource nor NotResource"
                } else {
                    return None;
                }
            }
            PolicyLayer::Trust if resource => "has a Resource, which a trust policy has not",
            PolicyLayer::Trust if !of_sts(statement) => {
                "has actions other than of STS, which a trust policy has not"
            }
            PolicyLayer::Rcp => return rcp_misplaced(statement),
            PolicyLayer::Trust | PolicyLayer::Resource if !principal => {
                "has neither Principal nor NotPrincipal"
            }
            _ => return None,
        };
        Some(format!("$.Statement[{}] {reason}", statement.index))
    })
}

/// Whether a statement is of STS alone.
fn of_sts(statement: &Statement) -> bool {
    statement.actions.as_ref().is_none_or(|element| {
        element
            .patterns
            .iter()
            .all(|pattern| pattern.service().is_none_or(|service| service == "sts"))
    })
}

/// What RCPs may hold, from "RCP syntax" (Organizations User Guide).
fn rcp_misplaced(statement: &Statement) -> Option<String> {
    let everyone = match &statement.principal {
        Part::Read(element) => {
            !element.negated
                && element
                    .entries
                    .iter()
                    .all(|entry| *entry == super::principal::PrincipalEntry::Everyone)
        }
        Part::Absent | Part::Unreadable => false,
    };
    let excepts = statement
        .actions
        .as_ref()
        .is_some_and(|element| element.negated);
    let full = statement.conditions.is_empty()
        && statement.actions.as_ref().is_some_and(|element| {
            matches!(&*element.patterns, [ActionPattern::Everything]) && !element.negated
        });
    let reason = if !everyone {
        "has a Principal other than `*`, which an RCP has not"
    } else if excepts {
        "has NotAction, which an RCP has not"
    } else if statement.effect == Some(Effect::Allow) && !full {
        "allows, which only the RCP that allows everything does"
    } else {
        return None;
    };
    Some(format!("$.Statement[{}] {reason}", statement.index))
}
