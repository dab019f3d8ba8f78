//! What a call made of the estate: each call that changes who may do what, as effects on spots of
//! the estate.
//!
//! One file for each group of services. Only calls that succeeded and that write come here; the records
//! of those that change something are read whole.

mod iam;
mod organization;
mod resources;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use portreeve_model::{Effect, EntityId, EntityKind, Held, PolicyLayer, Relation, Spot};
use serde_json::Value;

use super::arn;

/// The effects of a call that succeeded. `record` is the whole record.
pub(super) fn read(
    record: &str,
    service: &str,
    operation: &str,
    account: Option<&str>,
    region: &str,
) -> Vec<Effect> {
    let read: fn(&Call<'_>) -> Option<Vec<Effect>> = match service {
        "iam" => iam::effects,
        "organizations" | "sso" => organization::effects,
        // Objects come and go by the million, and change nothing of who may do what.
        "s3" if !operation.contains("Bucket") => return Vec::new(),
        "s3" | "kms" | "secretsmanager" | "lambda" | "sqs" | "sns" | "ecr" | "ec2" => {
            resources::effects
        }
        _ => return Vec::new(),
    };
    if !is_told(operation) {
        return Vec::new();
    }
    let Some(account) = account.filter(|account| arn::is_account(account)) else {
        return Vec::new();
    };
    let call = Call {
        // Lambda's operations carry the date of their version.
        operation: operation
            .split_once("20")
            .map_or(operation, |(name, _)| name),
        service,
        account,
        region,
        record: &Whole::of(record),
    };
    read(&call).unwrap_or_default()
}

/// Cheap, for the many calls that are none of these.
fn is_told(operation: &str) -> bool {
    const VERBS: [&str; 20] = [
        "Add",
        "Associate",
        "Attach",
        "Create",
        "Delete",
        "Detach",
        "Disassociate",
        "Move",
        "Put",
        "Remove",
        "Replace",
        "Retire",
        "Revoke",
        "Run",
        "Set",
        "Tag",
        "Terminate",
        "Untag",
        "Update",
        "Upload",
    ];
    VERBS.iter().any(|verb| operation.starts_with(verb))
}

/// One call, its record at hand.
struct Call<'r> {
    service: &'r str,
    operation: &'r str,
    account: &'r str,
    region: &'r str,
    record: &'r Whole<'r>,
}

/// A record, read whole when a call is one that changes something: most are not.
struct Whole<'r> {
    text: &'r str,
    read: OnceCell<Value>,
}

impl<'r> Whole<'r> {
    fn of(text: &'r str) -> Self {
        Self {
            text,
            read: OnceCell::new(),
        }
    }

    /// A part of it, by its path.
    fn at(&self, path: &str) -> Option<&Value> {
        let read = || serde_json::from_str(self.text).unwrap_or_default();
        at(self.read.get_or_init(read), path)
    }

    /// A part of one of its fields, by its path.
    fn below(&self, field: &str, path: &str) -> Option<&Value> {
        at(self.at(field)?, path)
    }
}

impl<'r> Call<'r> {
    /// A part of the request, by its path.
    fn asked(&self, path: &str) -> Option<&'r Value> {
        self.record.below("requestParameters", path)
    }

    /// A part of the response, by its path.
    fn answered(&self, path: &str) -> Option<&'r Value> {
        self.record.below("responseElements", path)
    }

    fn asked_text(&self, path: &str) -> Option<&'r str> {
        self.asked(path).and_then(text)
    }

    fn answered_text(&self, path: &str) -> Option<&'r str> {
        self.answered(path).and_then(text)
    }

    /// The ARN of something in the account and region.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{resource}",
            arn::partition(self.region),
            self.region,
            self.account
        )
    }

    /// The ARN of something of IAM's.
    fn iam(&self, kind: &str, path: &str, name: &str) -> EntityId {
        let path = path.trim_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        let partition = arn::partition(self.region);
        EntityId::from(format!(
            "arn:{partition}:iam::{}:{kind}/{path}{slash}{name}",
            self.account
        ))
    }

    /// Tags in a request, in any of the spellings of AWS.
    fn tags(&self, path: &str) -> Vec<(String, String)> {
        match self.asked(path) {
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(|tag| {
                    let part =
                        |names: [&str; 3]| names.iter().find_map(|name| text(tag.get(name)?));
                    let key = part(["key", "Key", "tagKey"])?;
                    let value = part(["value", "Value", "tagValue"]).unwrap_or_default();
                    Some((key.to_owned(), value.to_owned()))
                })
                .collect(),
            Some(Value::Object(map)) => map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), text(value)?.to_owned())))
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path.split('.').try_fold(value, |value, step| {
        value
            .get(step)
            .or_else(|| value.get(step.parse::<usize>().ok()?))
    })?;
    (!found.is_null()).then_some(found)
}

/// A text that is not empty.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// A policy document: an object, or a text that holds one, URL-encoded or not. What is none is not
/// told: long parameters are left out of records.
fn document(value: Option<&Value>) -> Held {
    let read = |value: &Value| match value {
        Value::Object(_) => Some(Arc::from(value.to_string())),
        Value::String(text) => {
            let text = decoded(text.trim());
            let whole = serde_json::from_str::<Value>(&text).ok()?;
            whole.is_object().then(|| Arc::from(&*text))
        }
        _ => None,
    };
    Held::told(value.and_then(read))
}

/// The text with its percent escapes undone, where it is a document in that form.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.starts_with('%') {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// An effect of which the record does not tell what was there before.
fn set(spot: Spot, after: Held) -> Effect {
    Effect {
        spot,
        before: Held::Unknown,
        after,
    }
}

/// Something is taken away that must have been there.
fn taken(spot: Spot) -> Effect {
    Effect {
        spot,
        before: Held::Something,
        after: Held::Nothing,
    }
}

/// An entity is made, with nothing but what is told beside it.
fn made(id: impl Into<EntityId>, kind: EntityKind) -> Effect {
    Effect {
        spot: entity(id, kind),
        before: Held::Nothing,
        after: Held::there(),
    }
}

/// An entity is made, of which the record does not tell all.
fn made_in_part(id: impl Into<EntityId>, kind: EntityKind) -> Effect {
    Effect {
        after: Held::Something,
        ..made(id, kind)
    }
}

fn deleted(id: impl Into<EntityId>, kind: EntityKind) -> Effect {
    taken(entity(id, kind))
}

fn entity(id: impl Into<EntityId>, kind: EntityKind) -> Spot {
    Spot::Entity {
        id: id.into(),
        kind,
    }
}

fn own_document(subject: &EntityId, layer: PolicyLayer, name: &str) -> Spot {
    Spot::Document {
        subject: subject.clone(),
        layer,
        name: name.to_owned(),
    }
}

fn resource_policy(subject: &EntityId) -> Spot {
    own_document(subject, PolicyLayer::Resource, "")
}

fn attachment(subject: &EntityId, layer: PolicyLayer, policy: &str) -> Spot {
    Spot::Relation(Relation::Policy {
        subject: subject.clone(),
        layer,
        name: policy.to_owned(),
        document: Arc::from(""),
    })
}

fn tag(entity: &EntityId, key: &str) -> Spot {
    Spot::Tag {
        entity: entity.clone(),
        key: key.to_owned(),
    }
}

fn attribute(entity: &EntityId, name: &str) -> Spot {
    Spot::Attribute {
        entity: entity.clone(),
        name: name.to_owned(),
    }
}

fn tagged(entity: &EntityId, tags: Vec<(String, String)>) -> impl Iterator<Item = Effect> {
    tags.into_iter()
        .map(move |(key, value)| set(tag(entity, &key), Held::told(Some(value))))
}
