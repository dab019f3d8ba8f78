//! What statements mean: actions, principals, and what they are called.

use portreeve_model::EntityId;
use serde_json::{Map, Value};

use super::document::texts;
use crate::nodes::account_id;
use crate::wildcard::matches_any_case;
use crate::world::session_role;

/// Whether a statement allows.
pub(super) fn is_allow(statement: &Map<String, Value>) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some("Allow")
}

/// Whether a statement speaks of an action.
pub(super) fn covers_action(statement: &Map<String, Value>, action: &str) -> bool {
    let any = |member: &str| {
        let patterns = texts(statement.get(member));
        patterns
            .iter()
            .any(|pattern| matches_any_case(pattern, action))
    };
    match statement.contains_key("NotAction") {
        true => !any("NotAction"),
        false => any("Action"),
    }
}

/// How a statement is called: by its id, else by its number.
pub(super) fn statement_name(place: usize, statement: &Map<String, Value>, of: usize) -> String {
    match statement.get("Sid").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => format!("statement {id}"),
        _ if of == 1 => "the statement".to_owned(),
        _ => format!("statement {}", place + 1),
    }
}

/// The names under which a policy may mean a taker.
pub(super) struct Names {
    id: String,
    account: Option<String>,
    /// The provider of a web or SAML identity.
    provider: Option<String>,
}

/// The names of a taker.
pub(super) fn names_of(taker: &EntityId) -> Names {
    let id = taker.to_string();
    let is_arn = id.starts_with("arn:");
    Names {
        account: taker.aws_account().map(str::to_owned),
        provider: match is_arn {
            true => id.contains(":saml-provider/").then(|| {
                let end = id.rfind(':').unwrap_or(id.len());
                id[..end].to_owned()
            }),
            false => id.split(':').next().map(str::to_owned),
        },
        id,
    }
}

/// Whether a principal, as a policy writes it, means a taker or what it is among.
pub(super) fn names_principal(names: &Names, kind: &str, written: &str) -> bool {
    match kind {
        "Federated" => names.provider.as_deref().is_some_and(|provider| {
            written == provider || written.ends_with(&format!("oidc-provider/{provider}"))
        }),
        "Service" => false,
        _ => {
            let account = names.account.as_deref();
            written == "*"
                || written == names.id
                || account.is_some_and(|account| {
                    written == account || *written == *account_id(account).as_str()
                })
                || session_role(written).is_some_and(|(account, role)| {
                    names.account.as_deref() == Some(account)
                        && names.id.ends_with(&format!("/{role}"))
                })
        }
    }
}
