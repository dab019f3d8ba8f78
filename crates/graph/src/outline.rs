//! A coarse reading of policies: which actions of the catalogue a document may allow or deny at
//! all, and on resources of what names. Of what is allowed it only ever says too much;
//! authorisation then decides. It is what keeps the graph from asking about every principal and
//! every resource.

use std::borrow::Cow;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::wildcard::{matches_any_case, without_variables};

/// A set of actions, by their place in [`Actions`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ActionSet(SmallVec<[u64; 4]>);

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

    pub(crate) fn meets(&self, other: &ActionSet) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .any(|(mine, theirs)| mine & theirs != 0)
    }

    /// Whether it holds all of another.
    pub(crate) fn covers(&self, other: &ActionSet) -> bool {
        (0..other.0.len())
            .all(|word| other.0[word] & !self.0.get(word).copied().unwrap_or_default() == 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// The actions that the catalogue asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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

    /// The set of those that are known among some.
    pub(crate) fn set<'t>(&self, names: impl IntoIterator<Item = &'t str>) -> ActionSet {
        let mut set = ActionSet::default();
        for index in names.into_iter().filter_map(|name| self.index(name)) {
            set.insert(index);
        }
        set
    }

    /// All of them.
    pub(crate) fn everything(&self) -> ActionSet {
        self.all_but(&ActionSet::default())
    }

    fn covered(&self, pattern: &str) -> ActionSet {
        let mut set = ActionSet::default();
        for (index, action) in self.0.iter().enumerate() {
            if matches_any_case(pattern, action) {
                set.insert(index);
            }
        }
        set
    }

    fn all_but(&self, set: &ActionSet) -> ActionSet {
        let mut rest = ActionSet::default();
        for index in (0..self.0.len()).filter(|&index| !set.contains(index)) {
            rest.insert(index);
        }
        rest
    }
}

/// Which of its caller's own keys a statement looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Looks {
    /// At who the caller is: its name, its ARN, its unique id.
    pub(crate) at_name: bool,
    /// At these tags of the caller, in lower case; an empty name for all tags.
    pub(crate) at_tags: Vec<String>,
    /// At tags of the resource.
    pub(crate) at_resource_tags: bool,
    /// At variables in its patterns of resources, which are widened here.
    pub(crate) in_resources: bool,
}

impl Looks {
    /// Notes a condition key or a policy variable.
    fn key(&mut self, key: &str) {
        let key = key.to_ascii_lowercase();
        if let Some(tag) = key.strip_prefix("aws:principaltag/") {
            let tag = tag.split([',', '}']).next().unwrap_or_default().trim();
            if !self.at_tags.iter().any(|known| known == tag) {
                self.at_tags.push(tag.to_owned());
            }
        }
        self.at_name |= ["aws:username", "aws:userid", "aws:principalarn"]
            .iter()
            .any(|name| key.starts_with(name));
        self.at_resource_tags |= key.contains("resourcetag");
    }

    /// Notes the variables of a text.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            rest = &rest[start + 2..];
            self.key(rest);
        }
    }
}

/// One statement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) actions: ActionSet,
    /// Patterns of resources, widened.
    pub(crate) resources: Vec<String>,
    /// Patterns of resources that it leaves out, widened.
    pub(crate) excepted: Vec<String>,
    /// AWS principals that it names: ARNs, account numbers, `*`.
    pub(crate) principals: Vec<String>,
    /// Identity providers that it names.
    pub(crate) federated: Vec<String>,
    /// Services that it names.
    pub(crate) services: Vec<String>,
    /// Its conditions: operator, key, values.
    pub(crate) conditions: Vec<(String, String, Vec<String>)>,
    pub(crate) looks: Looks,
}

/// A statement that denies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Denial {
    pub(crate) actions: ActionSet,
    /// Patterns of resources that it denies or leaves out, widened.
    pub(crate) resources: Vec<String>,
    pub(crate) looks: Looks,
    /// All that it says, its id apart: denials with the same text deny the same.
    pub(crate) text: String,
}

/// What a document may allow and deny.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outline {
    pub(crate) grants: Vec<Grant>,
    pub(crate) denials: Vec<Denial>,
    /// All AWS principals that its statements name or leave out.
    pub(crate) names: Vec<String>,
    /// All actions of its statements that allow.
    pub(crate) actions: ActionSet,
    /// Whether it is a document at all.
    pub(crate) readable: bool,
    /// Whether it may deny anything.
    pub(crate) denies: bool,
    /// Whether it holds nothing but well-formed statements, so that this outline tells of every
    /// one of them all that it may do.
    pub(crate) plain: bool,
}

/// Reads outlines. The actions that a pattern covers are worked out once.
pub(crate) struct Outliner<'a> {
    actions: &'a Actions,
    covered: HashMap<String, ActionSet>,
}

impl<'a> Outliner<'a> {
    pub(crate) fn new(actions: &'a Actions) -> Self {
        Self {
            actions,
            covered: HashMap::default(),
        }
    }

    /// Reads a document. Of one that cannot be read nothing is known, and the graph is made of what
    /// is known: it is named in the notes instead.
    pub(crate) fn read(&mut self, text: &str) -> Outline {
        let mut outline = match serde_json::from_str::<Plain<'_>>(text) {
            Ok(document) => self.plain(&document),
            Err(_) => self.lenient(text),
        };
        for grant in &outline.grants {
            outline.actions.extend(&grant.actions);
            if !outline.plain {
                outline.names.extend(grant.principals.iter().cloned());
            }
        }
        outline
    }

    fn plain(&mut self, document: &Plain<'_>) -> Outline {
        let mut outline = Outline {
            readable: true,
            plain: true,
            ..Outline::default()
        };
        for statement in &document.statements.0 {
            match self.plain_statement(statement, &mut outline) {
                Some(plain) => outline.plain &= plain,
                None => outline.plain = false,
            }
        }
        outline.denies = !outline.denials.is_empty() || !outline.plain;
        outline
    }

    /// Whether the statement is well formed; `None` where nothing can be made of it.
    fn plain_statement(&mut self, raw: &RawValue, outline: &mut Outline) -> Option<bool> {
        let Ok(statement) = serde_json::from_str::<Statement<'_>>(raw.get()) else {
            let value: Value = serde_json::from_str(raw.get()).ok()?;
            outline.grants.extend(self.grant(&value));
            return Some(false);
        };
        let denies = match statement.effect.as_deref() {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => {
                let value: Value = serde_json::from_str(raw.get()).ok()?;
                outline.grants.extend(self.grant(&value));
                return Some(false);
            }
        };
        let mut plain = true;
        let actions = match (&statement.action, &statement.not_action) {
            (Some(listed), None) => {
                plain &= listed.0.iter().all(|pattern| is_action_pattern(pattern));
                self.covered_by(listed.0.iter().map(Cow::as_ref))
            }
            (None, Some(excepted)) => {
                plain &= excepted.0.iter().all(|pattern| is_action_pattern(pattern));
                let covered = self.covered_by(excepted.0.iter().map(Cow::as_ref));
                self.actions.all_but(&covered)
            }
            (Some(listed), Some(_)) => {
                plain = false;
                self.covered_by(listed.0.iter().map(Cow::as_ref))
            }
            (None, None) => {
                plain = false;
                ActionSet::default()
            }
        };
        let mut looks = Looks::default();
        let widened = |listed: &Option<Texts<'_>>, looks: &mut Looks| -> Vec<String> {
            let listed = listed.as_ref().map(|texts| &texts.0).into_iter().flatten();
            listed
                .map(|pattern| {
                    looks.text(pattern);
                    looks.in_resources |= pattern.contains("${");
                    without_variables(pattern).into_owned()
                })
                .collect()
        };
        let mut resources = widened(&statement.resource, &mut looks);
        let excepted = widened(&statement.not_resource, &mut looks);
        let conditions = match statement.condition {
            Some(raw) => match serde_json::from_str::<Value>(raw.get()) {
                Ok(value) => conditions_of(&value),
                Err(_) => {
                    plain = false;
                    Vec::new()
                }
            },
            None => Vec::new(),
        };
        for (_, key, values) in &conditions {
            looks.key(key);
            values.iter().for_each(|value| looks.text(value));
        }
        let mut named = Grant::default();
        if let Some(raw) = statement.principal {
            match serde_json::from_str::<Value>(raw.get()) {
                Ok(value) => principals_of(&value, &mut named),
                Err(_) => plain = false,
            }
        }
        outline.names.extend(named.principals.iter().cloned());
        if let Some(raw) = statement.not_principal {
            let mut left_out = Grant::default();
            match serde_json::from_str::<Value>(raw.get()) {
                Ok(value) => principals_of(&value, &mut left_out),
                Err(_) => plain = false,
            }
            outline.names.extend(left_out.principals);
            named.principals.push("*".to_owned());
        }
        if denies {
            let text = statement.said();
            resources.extend(excepted);
            outline.denials.push(Denial {
                actions,
                resources,
                looks,
                text,
            });
            return Some(plain);
        }
        if statement.resource.is_none() {
            resources.push("*".to_owned());
        }
        outline.grants.push(Grant {
            actions,
            resources,
            excepted,
            conditions,
            looks,
            ..named
        });
        Some(plain)
    }

    /// Reads what is there of a document that is not of the usual form.
    fn lenient(&mut self, text: &str) -> Outline {
        let document = serde_json::from_str::<Value>(text).unwrap_or_default();
        let grants = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().filter_map(|s| self.grant(s)).collect(),
            Some(statement) => self.grant(statement).into_iter().collect(),
            None => Vec::new(),
        };
        Outline {
            grants,
            readable: document.is_object(),
            denies: true,
            ..Outline::default()
        }
    }

    fn grant(&mut self, statement: &Value) -> Option<Grant> {
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
            return None;
        }
        let set = match (statement.get("Action"), statement.get("NotAction")) {
            (Some(listed), _) => self.covered_by(texts(listed).into_iter()),
            (None, Some(excepted)) => {
                let covered = self.covered_by(texts(excepted).into_iter());
                self.actions.all_but(&covered)
            }
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
            // Of what is not understood it is taken that it looks at everything.
            looks: Looks {
                at_name: true,
                at_tags: vec![String::new()],
                at_resource_tags: true,
                in_resources: true,
            },
            ..Grant::default()
        };
        if let Some(principal) = statement.get("Principal") {
            principals_of(principal, &mut grant);
        }
        if statement.get("NotPrincipal").is_some() {
            grant.principals.push("*".to_owned());
        }
        grant.conditions = statement
            .get("Condition")
            .map(conditions_of)
            .unwrap_or_default();
        Some(grant)
    }

    fn covered_by<'t>(&mut self, patterns: impl Iterator<Item = &'t str>) -> ActionSet {
        let mut set = ActionSet::default();
        for pattern in patterns {
            if let Some(known) = self.covered.get(pattern) {
                set.extend(known);
                continue;
            }
            let covered = self.actions.covered(pattern);
            set.extend(&covered);
            self.covered.insert(pattern.to_owned(), covered);
        }
        set
    }
}

impl Outline {
    /// Reads one document.
    pub(crate) fn of(text: &str, actions: &Actions) -> Self {
        Outliner::new(actions).read(text)
    }
}

/// A document as AWS writes it, and nothing beside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'t> {
    #[serde(rename = "Version", default)]
    _version: Option<Cow<'t, str>>,
    #[serde(rename = "Id", default)]
    _id: Option<Cow<'t, str>>,
    #[serde(rename = "Statement", borrow)]
    statements: Statements<'t>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement<'t> {
    #[serde(rename = "Sid", default)]
    _sid: Option<Cow<'t, str>>,
    #[serde(rename = "Effect", borrow, default)]
    effect: Option<Cow<'t, str>>,
    #[serde(rename = "Action", borrow, default)]
    action: Option<Texts<'t>>,
    #[serde(rename = "NotAction", borrow, default)]
    not_action: Option<Texts<'t>>,
    #[serde(rename = "Resource", borrow, default)]
    resource: Option<Texts<'t>>,
    #[serde(rename = "NotResource", borrow, default)]
    not_resource: Option<Texts<'t>>,
    #[serde(rename = "Principal", borrow, default)]
    principal: Option<&'t RawValue>,
    #[serde(rename = "NotPrincipal", borrow, default)]
    not_principal: Option<&'t RawValue>,
    #[serde(rename = "Condition", borrow, default)]
    condition: Option<&'t RawValue>,
}

impl Statement<'_> {
    /// Everything that it says but its id.
    fn said(&self) -> String {
        let texts = |texts: &Option<Texts<'_>>| texts.as_ref().map(|texts| texts.0.join("\n"));
        let raw = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
        let parts = [
            self.effect.as_deref().map(str::to_owned),
            texts(&self.action),
            texts(&self.not_action),
            texts(&self.resource),
            texts(&self.not_resource),
            raw(self.principal),
            raw(self.not_principal),
            raw(self.condition),
        ];
        format!("{parts:?}")
    }
}

/// One statement or a list of them.
struct Statements<'t>(Vec<&'t RawValue>);

impl<'de: 't, 't> Deserialize<'de> for Statements<'t> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('[') {
            let list = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            return Ok(Self(list));
        }
        Ok(Self(vec![raw]))
    }
}

/// One text or a list of them.
struct Texts<'t>(Vec<Cow<'t, str>>);

impl<'de: 't, 't> Deserialize<'de> for Texts<'t> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vec<Cow<'de, str>>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a text or a list of texts")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(vec![Cow::Borrowed(text)])
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(vec![Cow::Owned(text.to_owned())])
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(Text(text)) = list.next_element()? {
                    texts.push(text);
                }
                Ok(texts)
            }
        }
        deserializer.deserialize_any(Visitor).map(Texts)
    }
}

#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// Whether a text is a pattern of actions as AWS takes it.
fn is_action_pattern(text: &str) -> bool {
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return true;
    }
    match text.split_once(':') {
        Some((service, name)) => !service.is_empty() && !name.is_empty() && !name.contains(':'),
        None => false,
    }
}

fn principals_of(principal: &Value, grant: &mut Grant) {
    match principal {
        Value::Object(principal) => {
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
        Value::String(anyone) => grant.principals.push(anyone.clone()),
        _ => {}
    }
}

fn conditions_of(condition: &Value) -> Vec<(String, String, Vec<String>)> {
    let mut found = Vec::new();
    let Value::Object(operators) = condition else {
        return found;
    };
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else { continue };
        for (key, values) in keys {
            let values = texts(values).into_iter().map(str::to_owned).collect();
            found.push((operator.clone(), key.clone(), values));
        }
    }
    found
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

    #[test]
    fn what_a_statement_looks_at_is_noted() {
        let outline = Outline::of(
            r#"{"Statement":[
                {"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/${aws:username}"},
                {"Effect":"Allow","Action":"iam:PassRole","Resource":"*",
                 "Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/Team}"}}},
                {"Sid":"a","Effect":"Deny","Action":"*","NotResource":"x"},
                {"Sid":"b","Effect":"Deny","Action":"*","NotResource":"x"}]}"#,
            &actions(),
        );
        assert!(outline.plain && outline.denies);
        assert!(outline.grants[0].looks.at_name && !outline.grants[1].looks.at_name);
        assert_eq!(outline.grants[1].looks.at_tags, ["team"]);
        assert!(outline.grants[1].looks.at_resource_tags);
        assert_eq!(outline.denials[0].text, outline.denials[1].text);
    }

    #[test]
    fn what_is_not_of_the_usual_form_is_not_plain() {
        for text in [
            r#"{"Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","More":1}]}"#,
            r#"{"Statement":[{"Effect":"allow","Action":"iam:PassRole","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":["iam:PassRole",3],"Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Effect":"Deny","Action":"iam:PassRole","Resource":"*"}]}"#,
            r#"{"Statement":{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"},"More":1}"#,
        ] {
            let outline = Outline::of(text, &actions());
            assert!(
                !outline.plain && outline.denies && outline.readable,
                "{text}"
            );
        }
    }
}
