//! Edits of a policy's text, statement by statement. They are told by the places of statements in
//! the text as it is, so that any set of them can be made together, in any order.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_authz::aws::decode_document;
use portreeve_model::PolicyLayer;
use serde_json::{Map, Value, json};

/// One edit of one policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StatementEdit {
    /// A statement goes.
    Remove { statement: usize },
    /// A pattern of actions, as it is written, goes from a statement.
    TakeAction { statement: usize, pattern: String },
    /// A statement that covers all but some actions covers one less.
    ExceptAction { statement: usize, action: String },
    /// A principal, as it is written, goes from a statement.
    TakePrincipal {
        statement: usize,
        kind: String,
        principal: String,
    },
    /// A statement asks for a second factor.
    RequireMfa { statement: usize },
    /// A statement comes that denies.
    Deny(Denial),
}

/// What a statement that comes denies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Denial {
    pub(super) action: String,
    /// Patterns of resources.
    pub(super) resources: Vec<String>,
    /// The principal whom it binds, where the policy is not its own.
    pub(super) principal: Option<String>,
}

/// The statements of a policy; none where it is no policy.
pub(super) fn statements(text: &str) -> Vec<Map<String, Value>> {
    let policy: Value = serde_json::from_str(&decode_document(text)).unwrap_or_default();
    let list = match policy.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    // A statement that is no object keeps its place.
    let object = |value: Value| match value {
        Value::Object(statement) => statement,
        _ => Map::new(),
    };
    list.into_iter().map(object).collect()
}

/// The texts of a member that is one text or a list of them.
pub(super) fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The principals of a statement, each with its kind: `AWS`, `Federated`, `Service`; a bare `*`
/// has none.
pub(super) fn principals(statement: &Map<String, Value>) -> Vec<(&str, &str)> {
    match statement.get("Principal") {
        Some(Value::String(all)) => vec![("", all)],
        Some(Value::Object(kinds)) => {
            let each = |(kind, list)| -> Vec<(&str, &str)> {
                let names = texts(Some(list)).into_iter();
                names.map(|name| (String::as_str(kind), name)).collect()
            };
            kinds.iter().flat_map(each).collect()
        }
        _ => Vec::new(),
    }
}

/// A policy after some edits; `None` where nothing is left of it. `text` is what it is before, if
/// there is one.
///
/// A policy that cannot be without a statement keeps one that grants nothing: a role's trust, a
/// managed policy.
pub(super) fn edited(
    text: Option<&str>,
    layer: PolicyLayer,
    is_managed: bool,
    edits: &BTreeSet<&StatementEdit>,
) -> Option<String> {
    let before: Value = text.map_or(Value::Null, |text| {
        serde_json::from_str(&decode_document(text)).unwrap_or_default()
    });
    let mut list: Vec<Option<Map<String, Value>>> = statements(text.unwrap_or_default())
        .into_iter()
        .map(Some)
        .collect();
    let mut come = Vec::new();
    for edit in edits {
        match edit {
            StatementEdit::Deny(denial) => come.push(denial),
            edit => edit_statement(&mut list, edit),
        }
    }
    let mut left: Vec<Value> = list
        .into_iter()
        .flatten()
        .filter(|statement| !statement.is_empty())
        .map(Value::Object)
        .collect();
    if text.is_none() && layer == PolicyLayer::ServiceControl {
        // What no policy of a level allows is denied there.
        left.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    }
    left.extend(denials(&come));
    if left.is_empty() {
        match (layer, is_managed) {
            (PolicyLayer::Trust, _) => left.push(json!({
                "Sid": "PortreeveNobody", "Effect": "Deny", "Principal": "*",
                "Action": "sts:AssumeRole"
            })),
            // It may be called by everyone who has credentials, whatever policies say.
            (_, true) => left.push(json!({
                "Sid": "PortreeveNothing", "Effect": "Allow", "Action": "sts:GetCallerIdentity",
                "Resource": "*"
            })),
            _ => return None,
        }
    }
    let mut after = Map::new();
    let version = before.get("Version").cloned();
    after.insert(
        "Version".to_owned(),
        version.unwrap_or_else(|| "2012-10-17".into()),
    );
    after.extend(before.get("Id").map(|id| ("Id".to_owned(), id.clone())));
    after.insert("Statement".to_owned(), Value::Array(left));
    serde_json::to_string_pretty(&Value::Object(after)).ok()
}

fn edit_statement(list: &mut [Option<Map<String, Value>>], edit: &StatementEdit) {
    let place = match edit {
        StatementEdit::Remove { statement }
        | StatementEdit::TakeAction { statement, .. }
        | StatementEdit::ExceptAction { statement, .. }
        | StatementEdit::TakePrincipal { statement, .. }
        | StatementEdit::RequireMfa { statement } => *statement,
        StatementEdit::Deny(_) => return,
    };
    let Some(slot) = list.get_mut(place) else {
        return;
    };
    let Some(statement) = slot else {
        return;
    };
    let is_left = match edit {
        StatementEdit::TakeAction { pattern, .. } => without(statement, "Action", |action| {
            action.eq_ignore_ascii_case(pattern)
        }),
        StatementEdit::ExceptAction { action, .. } => {
            let mut all: Vec<&str> = texts(statement.get("NotAction"));
            all.push(action);
            let all = json!(all);
            statement.insert("NotAction".to_owned(), all);
            true
        }
        StatementEdit::TakePrincipal {
            kind, principal, ..
        } => take_principal(statement, kind, principal),
        StatementEdit::RequireMfa { .. } => {
            let conditions = statement
                .entry("Condition")
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(conditions) = conditions {
                let asked = conditions
                    .entry("Bool")
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(asked) = asked {
                    asked.insert("aws:MultiFactorAuthPresent".to_owned(), "true".into());
                }
            }
            true
        }
        StatementEdit::Remove { .. } | StatementEdit::Deny(_) => false,
    };
    if !is_left {
        *slot = None;
    }
}

/// Takes texts out of a member; whether any is left.
fn without(statement: &mut Map<String, Value>, member: &str, goes: impl Fn(&str) -> bool) -> bool {
    let left: Vec<&str> = texts(statement.get(member))
        .into_iter()
        .filter(|text| !goes(text))
        .collect();
    let left = json!(left);
    let any = left.as_array().is_some_and(|left| !left.is_empty());
    statement.insert(member.to_owned(), left);
    any
}

/// Takes a principal out of a statement; whether any is left.
fn take_principal(statement: &mut Map<String, Value>, kind: &str, principal: &str) -> bool {
    let Some(Value::Object(kinds)) = statement.get_mut("Principal") else {
        return false;
    };
    if !without(kinds, kind, |name| name == principal) {
        kinds.remove(kind);
    }
    !kinds.is_empty()
}

/// Statements that deny, those of the same resources and principal joined.
fn denials(list: &[&Denial]) -> Vec<Value> {
    type Of<'d> = (&'d [String], Option<&'d str>);
    let mut actions: BTreeMap<Of<'_>, BTreeSet<&str>> = BTreeMap::new();
    for denial in list {
        let of = (&*denial.resources, denial.principal.as_deref());
        actions.entry(of).or_default().insert(&denial.action);
    }
    let statement = |(of, actions): (Of<'_>, BTreeSet<&str>)| {
        let (resources, principal) = of;
        let mut statement = json!({"Effect": "Deny", "Action": actions, "Resource": resources});
        if let Some(principal) = principal {
            statement["Condition"] = json!({"ArnEquals": {"aws:PrincipalArn": principal}});
        }
        statement
    };
    actions.into_iter().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use portreeve_authz::aws::Document;

    use super::*;

    fn apply(text: &str, layer: PolicyLayer, edits: &[StatementEdit]) -> Option<Value> {
        let after = edited(Some(text), layer, false, &edits.iter().collect())?;
        Document::parse(&after).expect("what is written can be read");
        Some(serde_json::from_str(&after).unwrap())
    }

    #[test]
    fn edits_of_one_policy_are_made_together_whatever_their_order() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"A","Effect":"Allow","Action":["iam:PassRole","s3:GetObject"],"Resource":"*"},
            {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;
        let take = StatementEdit::TakeAction {
            statement: 0,
            pattern: "IAM:passrole".to_owned(),
        };
        let remove = StatementEdit::Remove { statement: 1 };
        let one = apply(text, PolicyLayer::Identity, &[take.clone(), remove.clone()]).unwrap();
        assert_eq!(
            one,
            apply(text, PolicyLayer::Identity, &[remove.clone(), take]).unwrap()
        );
        assert_eq!(one["Statement"][0]["Action"], json!(["s3:GetObject"]));
        assert_eq!(one["Statement"].as_array().unwrap().len(), 1);

        let both = [StatementEdit::Remove { statement: 0 }, remove];
        assert_eq!(apply(text, PolicyLayer::Identity, &both), None);
    }

    #[test]
    fn url_encoded_texts_are_edited_as_what_they_hold() {
        let text = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22NotAction%22%3A%22iam%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
        let edit = StatementEdit::ExceptAction {
            statement: 0,
            action: "kms:Sign".to_owned(),
        };
        let after = apply(text, PolicyLayer::Identity, &[edit]).unwrap();
        assert_eq!(
            after["Statement"][0]["NotAction"],
            json!(["iam:*", "kms:Sign"])
        );
    }

    #[test]
    fn a_trust_without_anyone_lets_nobody_in_and_can_be_stored() {
        let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["a","b"],
            "Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
        let take = |kind: &str, principal: &str| StatementEdit::TakePrincipal {
            statement: 0,
            kind: kind.to_owned(),
            principal: principal.to_owned(),
        };
        let after = edited(
            Some(text),
            PolicyLayer::Trust,
            false,
            &[take("AWS", "a"), take("AWS", "b")].iter().collect(),
        );
        let after: Value = serde_json::from_str(&after.unwrap()).unwrap();
        assert_eq!(
            after["Statement"][0]["Principal"],
            json!({"Service": "ec2.amazonaws.com"})
        );
        let all = [
            take("AWS", "a"),
            take("AWS", "b"),
            take("Service", "ec2.amazonaws.com"),
        ];
        let after = apply(text, PolicyLayer::Trust, &all).unwrap();
        assert_eq!(after["Statement"][0]["Effect"], "Deny");
    }

    #[test]
    fn denials_on_the_same_are_one_statement_in_a_new_policy() {
        let deny = |action: &str, resource: &str| {
            StatementEdit::Deny(Denial {
                action: action.to_owned(),
                resources: vec![resource.to_owned()],
                principal: None,
            })
        };
        let edits = [
            deny("s3:GetObject", "*"),
            deny("s3:PutObject", "*"),
            deny("kms:Sign", "arn:aws:kms:eu-west-1:111122223333:key/k"),
        ];
        let after = edited(None, PolicyLayer::Identity, false, &edits.iter().collect()).unwrap();
        Document::parse(&after).unwrap();
        let after: Value = serde_json::from_str(&after).unwrap();
        assert_eq!(after["Statement"].as_array().unwrap().len(), 2);
    }
}
