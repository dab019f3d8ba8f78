//! A coarse reading of policies: which actions of the catalogue a document may allow at all, and
//! on resources of what names. It only ever says too much; authorisation then decides. It is what
//! keeps the graph from asking about every principal and every resource.

use serde_json::Value;

use crate::wildcard::{matches_any_case, without_variables};

/// A set of actions, by their place in [`Actions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ActionSet(Vec<u64>);

impl ActionSet {
    pub(crate) fn insert(&mut self, action: usize) {
        let word = action / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (action % 64);
    }

    pub(crate) fn contains(&self, action: usize) -> bool {
        self.0
            .get(action / 64)
            .is_some_and(|word| word >> (action % 64) & 1 == 1)
    }

    pub(crate) fn extend(&mut self, other: &ActionSet) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// The actions that the catalogue asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actions(Vec<String>);

impl Actions {
    pub(crate) fn of(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    pub(crate) fn index(&self, action: &str) -> Option<usize> {
        self.0
            .binary_search_by(|known| known.as_str().cmp(action))
            .ok()
    }

    fn covered_by(&self, patterns: &[&str]) -> ActionSet {
        let mut set = ActionSet::default();
        for (index, action) in self.0.iter().enumerate() {
            if patterns
                .iter()
                .any(|pattern| matches_any_case(pattern, action))
            {
                set.insert(index);
            }
        }
        set
    }

    fn not_covered_by(&self, patterns: &[&str]) -> ActionSet {
        let mut set = ActionSet::default();
        for (index, action) in self.0.iter().enumerate() {
            if !patterns
                .iter()
                .any(|pattern| matches_any_case(pattern, action))
            {
                set.insert(index);
            }
        }
        set
    }
}

/// One statement that allows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant {
    pub(crate) actions: ActionSet,
    /// Patterns of resources, widened.
    pub(crate) resources: Vec<String>,
    /// AWS principals that it names: ARNs, account numbers, `*`.
    pub(crate) principals: Vec<String>,
    /// Identity providers that it names.
    pub(crate) federated: Vec<String>,
    /// Services that it names.
    pub(crate) services: Vec<String>,
    /// Its conditions: operator, key, values.
    pub(crate) conditions: Vec<(String, String, Vec<String>)>,
}

/// What a document may allow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) grants: Vec<Grant>,
    /// All actions of its statements.
    pub(crate) actions: ActionSet,
    /// Whether it is a document at all.
    pub(crate) readable: bool,
    /// Whether it may deny anything.
    pub(crate) denies: bool,
}

impl Outline {
    /// Reads a document. Of one that cannot be read nothing is known, and the graph is made of what
    /// is known: it is named in the notes instead.
    pub(crate) fn of(text: &str, actions: &Actions) -> Self {
        let document = serde_json::from_str::<Value>(text).unwrap_or_default();
        let grants = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().filter_map(|s| grant(s, actions)).collect(),
            Some(statement) => grant(statement, actions).into_iter().collect(),
            None => Vec::new(),
        };
        let mut outline = Self {
            grants,
            actions: ActionSet::default(),
            readable: document.is_object(),
            denies: text.contains("Deny") || text.contains('\\') || !document.is_object(),
        };
        for grant in &outline.grants {
            outline.actions.extend(&grant.actions);
        }
        outline
    }
}

fn grant(statement: &Value, actions: &Actions) -> Option<Grant> {
    if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
        return None;
    }
    let set = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(listed), _) => actions.covered_by(&texts(listed)),
        (None, Some(excepted)) => actions.not_covered_by(&texts(excepted)),
        (None, None) => ActionSet::default(),
    };
    let mut grant = Grant {
        actions: set,
        resources: match statement.get("Resource") {
            Some(listed) => texts(listed)
                .into_iter()
                .map(|pattern| without_variables(pattern).into_owned())
                .collect(),
            None => vec!["*".to_owned()],
        },
        ..Grant::default()
    };
    match statement.get("Principal") {
        Some(Value::Object(principal)) => {
            for (kind, listed) in principal {
                let listed = texts(listed).into_iter().map(str::to_owned);
                match kind.as_str() {
                    "AWS" => grant.principals.extend(listed),
                    "Federated" => grant.federated.extend(listed),
                    "Service" => grant.services.extend(listed),
                    _ => {}
                }
            }
        }
        Some(Value::String(anyone)) => grant.principals.push(anyone.clone()),
        _ => {}
    }
    if statement.get("NotPrincipal").is_some() {
        grant.principals.push("*".to_owned());
    }
    if let Some(Value::Object(operators)) = statement.get("Condition") {
        for (operator, keys) in operators {
            let Value::Object(keys) = keys else { continue };
            for (key, values) in keys {
                let values = texts(values).into_iter().map(str::to_owned).collect();
                grant
                    .conditions
                    .push((operator.clone(), key.clone(), values));
            }
        }
    }
    Some(grant)
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions() -> Actions {
        Actions::of(vec!["iam:PassRole".into(), "s3:GetObject".into()])
    }

    #[test]
    fn actions_are_covered_by_patterns_in_any_case() {
        let outline = Outline::of(
            r#"{"Statement":{"Effect":"Allow","Action":["IAM:pass*"],"Resource":"arn:aws:iam::*:role/${aws:username}"}}"#,
            &actions(),
        );
        assert!(outline.actions.contains(0));
        assert!(!outline.actions.contains(1));
        assert_eq!(outline.grants[0].resources, ["arn:aws:iam::*:role/*"]);
    }

    #[test]
    fn not_action_leaves_the_rest_and_deny_grants_nothing() {
        let outline = Outline::of(
            r#"{"Statement":[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}"#,
            &actions(),
        );
        assert_eq!(outline.grants.len(), 1);
        assert!(outline.actions.contains(0) && !outline.actions.contains(1));
    }

    #[test]
    fn what_cannot_be_read_allows_nothing_that_is_known() {
        for text in ["", "{", "{}", "3", r#"{"Statement":7}"#] {
            let outline = Outline::of(text, &actions());
            assert!(outline.actions.is_empty(), "{text}");
        }
    }
}
