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

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::arn::{ArnParts, is_account};
use super::document::Document;
use super::evaluate::evaluate_bounded;
use super::keys::resource_part;
use super::request::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, ContextValue, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target,
};
use super::statement::Part;
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
    /// Settings of services that bear on the answer.
    #[serde(default)]
    pub settings: CaseSettings,
    /// What it means that the context does not hold a key.
    #[serde(default)]
    pub mode: CaseMode,
    /// The answer that is expected; none to only ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<CaseDecision>,
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
    /// Condition keys with their values: strings, numbers, booleans, lists of them.
    #[serde(default)]
    pub context: BTreeMap<String, serde_json::Value>,
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
    /// Whether the bucket's or the account's public-access block is on: then anonymous requests
    /// are refused.
    #[serde(default)]
    pub block_public_access: bool,
    /// Whether the bucket's tags count in conditions; where it is off, `aws:ResourceTag/…` is
    /// absent. Not given: they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_abac_enabled: Option<bool>,
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
    let mut caller = caller(&request.principal)?;
    caller.all_tags_known = case.mode == CaseMode::Strict;
    let service = service(&request.action)?;
    check_resource(&request.resource)?;
    if let Some(account) = &request.resource_account
        && !is_account(account)
    {
        return Err(format!(
            "resource_account {account:?} is not an account number"
        ));
    }
    let context = context(case, service)?;
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
        exempt_from_scp: false,
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
    let resource = ResourcePolicies {
        policy,
        kind,
        account: request.resource_account.clone(),
        rcps: levels(PolicyLayer::Rcp, "rcp", &case.rcps)?,
    };
    let question = Request {
        principal: &caller,
        action: &request.action,
        target: Target::Exact(&request.resource),
        context: &context,
    };
    let answer = evaluate_bounded(&question, &principal, &boundary, Some(&resource));
    let blocked = case.settings.s3.block_public_access
        && service.eq_ignore_ascii_case("s3")
        && caller.kind == CallerKind::Anonymous;
    if blocked && answer.decision != Decision::Denied {
        let layer = Some(PolicyLayer::Resource);
        return Ok(crate::Answer::decided(Decision::Denied, layer, None));
    }
    Ok(answer)
}

fn caller(principal: &str) -> Result<Caller, String> {
    let caller = Caller::from_arn(principal)
        .ok_or_else(|| format!("principal {principal:?} is not the ARN of a principal"))?;
    let without_account = matches!(caller.kind, CallerKind::Service | CallerKind::Anonymous);
    let readable = !principal.contains(|character: char| character.is_control());
    let literal = without_account || !principal.contains(['*', '?']);
    if !readable || !literal || !(without_account || is_account(&caller.account)) {
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
    if control || !(arn || resource == "*") {
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
    for (key, value) in &case.request.context {
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
                context.set(key, texts.ok_or_else(invalid)?);
            }
            single => {
                context.set(key, text(single).ok_or_else(invalid)?);
            }
        }
    }
    Ok(context)
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
    document.statements().iter().find_map(|statement| {
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
            PolicyLayer::Trust | PolicyLayer::Resource if !principal => {
                "has neither Principal nor NotPrincipal"
            }
            _ => return None,
        };
        Some(format!("$.Statement[{}] {reason}", statement.index))
    })
}
