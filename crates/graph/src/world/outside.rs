//! Who is named from outside the estate, and by which id.

use std::collections::BTreeSet;

use portreeve_authz::aws::{Caller, CallerKind};
use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};

use crate::nodes::account_id;
use crate::policies::{Policies, PolicyId};

/// The identities outside the estate that its trust and resource policies name.
pub(crate) fn outside_identities(
    estate: &Estate,
    policies: &Policies,
    held: &[Option<PolicyId>],
) -> BTreeSet<String> {
    let inside: BTreeSet<&str> = estate
        .entities()
        .filter(|entity| entity.kind != EntityKind::External && !entity.inferred)
        .filter_map(|entity| entity.account.as_deref())
        .collect();
    let mut found = BTreeSet::new();
    for (relation, policy) in estate.relations().iter().zip(held) {
        let (
            Relation::Policy {
                layer: PolicyLayer::Trust | PolicyLayer::Resource | PolicyLayer::Grant,
                ..
            },
            Some(policy),
        ) = (relation, policy)
        else {
            continue;
        };
        for grant in &policies.outline_of(*policy).grants {
            for principal in &grant.principals {
                let id = principal_id(principal);
                let foreign = match account_in(&id) {
                    Some(account) => !inside.contains(account),
                    None => id == "*",
                };
                if foreign {
                    found.insert(id);
                }
            }
            for (provider, subject) in crate::doors::subjects(grant) {
                found.insert(crate::doors::identity(&provider, &subject));
            }
        }
    }
    found
}

/// The account number in an ARN.
pub(super) fn account_in(id: &str) -> Option<&str> {
    let account = id.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// A principal as a policy names it, by its id: account numbers become the account's ARN.
pub(crate) fn principal_id(named: &str) -> String {
    if named.len() == 12 && named.bytes().all(|byte| byte.is_ascii_digit()) {
        account_id(named).to_string()
    } else if let Some((account, role)) = session_role(named) {
        format!("session:{account}:{role}")
    } else {
        named.to_owned()
    }
}

/// The account and the role name of a session's ARN.
pub(crate) fn session_role(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (service, account) = (parts.nth(2)?, parts.nth(1)?);
    let session = parts.next()?.strip_prefix("assumed-role/")?;
    let role = session.split('/').next()?;
    (service == "sts" && !role.is_empty()).then_some((account, role))
}

/// An identity outside, as one who asks. For a whole account it is anyone of that account.
pub(super) fn outside_caller(id: &str) -> Option<Caller> {
    if id == "*" {
        return Some(Caller::new(CallerKind::Anonymous, "*"));
    }
    match Caller::from_arn(id) {
        Some(caller) if caller.kind == CallerKind::Root => Some(Caller::new(
            CallerKind::User,
            format!("arn:aws:iam::{}:user/anyone", caller.account),
        )),
        Some(caller) if caller.kind != CallerKind::Federated => Some(caller),
        _ => None,
    }
}
