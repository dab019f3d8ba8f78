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

mod access;
mod format;
mod policies;
mod question;

pub use format::{
    Case, CaseAcl, CaseAclGrant, CaseAclGrantee, CaseBlock, CaseBlockSettings, CaseDecision,
    CaseGrant, CaseGrantConstraints, CaseHop, CaseLevel, CaseMode, CaseOrganization, CaseOutcome,
    CaseRequest, CaseSettings, S3Settings,
};

use access::access;
use policies::{levels, policies};
use question::{check_resource, context, policy_kind, service, session};

use super::arn::{ArnParts, is_account};
use super::document::Document;
use super::evaluate::evaluate_bounded;
use super::request::{
    AttachedPolicy, PrincipalPolicies, Request, ResourcePolicies, ResourcePolicyKind, Target,
};
use crate::PolicyLayer;

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
        access: access(case, kind)?,
    };
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
    ))
}
