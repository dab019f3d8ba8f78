//! The question of a case, checked: a request that AWS could not get is refused with the reason.

use std::collections::BTreeSet;

use super::super::arn::{ArnParts, is_account};
use super::super::condition::{is_address, is_date, is_number, is_truth};
use super::super::keys::resource_part;
use super::super::request::{
    Absent, Caller, CallerKind, Context, ContextValue, ResourcePolicyKind,
};
use super::super::session::{Assumption, Session};
use super::format::{Case, CaseMode};
use crate::PolicyLayer;

/// As long as an ARN may be, in bytes.
const MAX_ARN: usize = 2048;

/// Who asks: the principal, or the session of the last role of the chain.
pub(super) fn session(case: &Case) -> Result<Session, String> {
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
pub(super) fn service(action: &str) -> Result<&str, String> {
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

pub(super) fn check_resource(resource: &str) -> Result<(), String> {
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

pub(super) fn context(case: &Case, service: &str) -> Result<Context, String> {
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
pub(super) fn policy_kind(
    action: &str,
    service: &str,
    resource: &str,
) -> (ResourcePolicyKind, PolicyLayer) {
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
