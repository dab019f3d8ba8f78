//! What the statements of a policy say, for checks of how a policy is written. What a policy comes
//! to for a request is asked of authorisation ([`Scene::access`](crate::scene::Scene::access)).

use portreeve_authz::aws::decode_document;
use portreeve_graph::wildcard::matches_any_case;
use serde_json::Value;

/// One statement, its parts as lists. What cannot be read is left out, so that a part may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) allows: bool,
    /// Principals by type, as `("AWS", "arn:…")`; `*` is `("*", "*")`.
    pub(crate) principals: Vec<(String, String)>,
    pub(crate) not_principals: bool,
    pub(crate) actions: Vec<String>,
    pub(crate) not_actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) not_resources: Vec<String>,
    /// Operator, key and values, keys in lower case.
    pub(crate) conditions: Vec<(String, String, Vec<String>)>,
}

impl Statement {
    /// Whether it is for anyone at all.
    pub(crate) fn is_for_anyone(&self) -> bool {
        let anyone = |(kind, id): &(String, String)| id == "*" && (kind == "*" || kind == "AWS");
        self.principals.iter().any(anyone)
    }

    /// The principals of one type.
    pub(crate) fn of_type<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s str> {
        let own = self.principals.iter().filter(move |(own, _)| own == kind);
        own.map(|(_, id)| id.as_str())
    }

    /// Whether its `Action` covers an action: a pattern with `*` and `?`, in any case of letters.
    pub(crate) fn covers(&self, action: &str) -> bool {
        let any = |patterns: &[String]| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| matches_any_case(pattern, action))
        };
        any(&self.actions) || (!self.not_actions.is_empty() && !any(&self.not_actions))
    }

    /// Whether it is for every resource.
    pub(crate) fn is_for_everything(&self) -> bool {
        self.resources.iter().any(|resource| resource == "*")
    }

    /// The values that it asks of a condition key by an operator that asks for likeness.
    pub(crate) fn wanted(&self, key: &str) -> Vec<&str> {
        self.conditions
            .iter()
            .filter(|(operator, own, _)| {
                own == key && !operator.to_ascii_lowercase().contains("not")
            })
            .flat_map(|(_, _, values)| values.iter().map(String::as_str))
            .collect()
    }

    /// Whether any of its conditions is on one of these keys, in lower case.
    pub(crate) fn is_on_any(&self, keys: &[&str]) -> bool {
        self.conditions
            .iter()
            .any(|(_, own, _)| keys.iter().any(|key| own == key))
    }
}

/// The statements of a policy; none where it cannot be read.
pub(crate) fn statements(document: &str) -> Vec<Statement> {
    let text = decode_document(document);
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return Vec::new();
    };
    match value.get("Statement") {
        Some(Value::Array(list)) => list.iter().map(statement).collect(),
        Some(one @ Value::Object(_)) => vec![statement(one)],
        _ => Vec::new(),
    }
}

fn statement(value: &Value) -> Statement {
    let list = |name: &str| strings(value.get(name));
    Statement {
        allows: value.get("Effect").and_then(Value::as_str) == Some("Allow"),
        principals: principals(value.get("Principal")),
        not_principals: value.get("NotPrincipal").is_some(),
        actions: list("Action"),
        not_actions: list("NotAction"),
        resources: list("Resource"),
        not_resources: list("NotResource"),
        conditions: conditions(value.get("Condition")),
    }
}

fn principals(value: Option<&Value>) -> Vec<(String, String)> {
    match value {
        Some(Value::String(all)) => vec![("*".to_owned(), all.clone())],
        Some(Value::Object(types)) => types
            .iter()
            .flat_map(|(kind, ids)| {
                let ids = strings(Some(ids)).into_iter();
                ids.map(move |id| (kind.clone(), id))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn conditions(value: Option<&Value>) -> Vec<(String, String, Vec<String>)> {
    let operators = value.and_then(Value::as_object).into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| {
                (
                    operator.clone(),
                    key.to_ascii_lowercase(),
                    strings(Some(values)),
                )
            })
        })
        .collect()
}

/// A scalar or a list of them, as text.
pub(crate) fn strings(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_in_every_spelling() {
        let read = statements(
            r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": ["a", "*"], "Service": "s"},
               "Action": "S3:Get*", "Resource": ["x"], "Condition": {"Bool": {"aws:SecureTransport": false}}}}"#,
        );
        let [one] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert!(one.allows && one.is_for_anyone() && one.covers("s3:GetObject"));
        assert_eq!(one.of_type("Service").collect::<Vec<_>>(), ["s"]);
        assert_eq!(one.wanted("aws:securetransport"), ["false"]);
        assert!(!one.covers("s3:PutObject") && !one.is_for_everything());
        assert!(statements("not json").is_empty());
        assert!(
            statements(r#"{"Statement": [1, null]}"#)
                .iter()
                .all(|one| !one.allows)
        );
    }
}
