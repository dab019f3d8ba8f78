//! The policies of a case, read, and checked for what their layer may hold.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::document::Document;
use super::super::principal::PrincipalEntry;
use super::super::request::AttachedPolicy;
use super::super::statement::{ActionPattern, Effect, Part, Statement};
use super::format::CaseLevel;
use crate::PolicyLayer;

pub(super) fn levels(
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
pub(super) fn policies(
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
                    .all(|entry| *entry == PrincipalEntry::Everyone)
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
