//! How surfaces call: pages put together, what is not allowed noted, secrets left out.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::{CallError, Client, Meaning, Session};
use crate::endpoint::partition;
use crate::model;
use crate::surface::{Call, Found, Surface};

/// How many elements of a list are asked about side by side; the client bounds all calls together.
const SIDE_BY_SIDE: usize = 16;

/// How many things that were not seen are named; more are only counted.
const NAMED: usize = 5;

/// More pages than this are an endless list.
const PAGES: usize = 100_000;

/// What was asked for and not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Unseen {
    /// The action that was not allowed, or that failed.
    pub action: String,
    /// The service's word for why, `AccessDenied`; `NoAnswer` where none came.
    pub code: String,
    /// What the service said, the first time.
    pub message: String,
    /// How many calls it was.
    pub count: u64,
    /// What the first of them asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
}

/// The answer to a call.
pub(crate) enum Seen {
    Found(Value),
    /// There is none.
    Absent,
    /// It may be there.
    Unseen,
}

impl Seen {
    pub(crate) fn found(self) -> Option<Value> {
        match self {
            Seen::Found(value) => Some(value),
            Seen::Absent | Seen::Unseen => None,
        }
    }
}

/// Makes the calls of one surface in one place.
pub(crate) struct Caller<'c> {
    client: &'c Client,
    session: &'c Session,
    account: String,
    region: String,
    surface: &'c Surface,
    state: Rc<State>,
}

/// What is known of the calls made so far.
#[derive(Default)]
struct State {
    unseen: RefCell<BTreeMap<(String, String), Unseen>>,
    calls: Cell<u64>,
    expired: Cell<bool>,
}

impl<'c> Caller<'c> {
    pub(crate) fn new(
        client: &'c Client,
        session: &'c Session,
        account: &str,
        region: &str,
        surface: &'c Surface,
    ) -> Self {
        Self {
            client,
            session,
            account: account.to_owned(),
            region: region.to_owned(),
            surface,
            state: Rc::default(),
        }
    }

    /// The same in another region; in its own where that is not known.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        let known = Some(region).filter(|region| !region.is_empty());
        Self {
            region: known.unwrap_or(&self.region).to_owned(),
            account: self.account.clone(),
            state: self.state.clone(),
            ..*self
        }
    }

    /// The account that is read.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// The name of the partition that is read.
    pub(crate) fn partition(&self) -> &'static str {
        partition(&self.region).name
    }

    /// What was not seen, by action.
    pub(crate) fn unseen(&self) -> Vec<Unseen> {
        self.state.unseen.borrow().values().cloned().collect()
    }

    /// How many calls were made, retries not counted.
    pub(crate) fn calls(&self) -> u64 {
        self.state.calls.get()
    }

    /// Whether the credentials ran out on the way.
    pub(crate) fn expired(&self) -> bool {
        self.state.expired.get()
    }

    async fn call(&self, call: Call, input: &Value) -> Result<Value, CallError> {
        if !self.surface.calls.contains(&call) {
            return Err(CallError::NoAnswer {
                action: call.action(),
                reason: format!("the surface {} does not declare it", self.surface.id),
            });
        }
        self.state.calls.set(self.state.calls.get() + 1);
        self.client
            .call(
                self.session,
                call.service,
                call.operation,
                &self.region,
                input,
            )
            .await
    }

    /// Notes a call that has no answer, unless it says that there is no such thing.
    fn note(&self, call: Call, input: &Value, error: &CallError) -> Seen {
        let meaning = error.meaning();
        if meaning == Meaning::Absent {
            return Seen::Absent;
        }
        if meaning == Meaning::Expired {
            self.state.expired.set(true);
        }
        let key = (call.action(), error.code().to_owned());
        let mut unseen = self.state.unseen.borrow_mut();
        let entry = unseen.entry(key).or_insert_with(|| Unseen {
            action: call.action(),
            code: error.code().to_owned(),
            message: match error {
                CallError::Refused { message, .. } => message.clone(),
                CallError::NoAnswer { reason, .. } => reason.clone(),
            },
            ..Unseen::default()
        });
        entry.count += 1;
        let of = input.as_object().into_iter().flat_map(Map::values);
        if let Some(of) = of.filter_map(Value::as_str).next()
            && entry.of.len() < NAMED
        {
            entry.of.push(of.to_owned());
            entry.of.sort();
        }
        Seen::Unseen
    }

    /// Notes something that no call says: `action` is what was wanted.
    pub(crate) fn miss(&self, call: Call, code: &str, message: &str) {
        let error = CallError::Refused {
            action: call.action(),
            code: code.to_owned(),
            message: message.to_owned(),
            region: None,
        };
        let _ = self.note(call, &Value::Null, &error);
    }

    /// One call.
    pub(crate) async fn one(&self, call: Call, input: Value) -> Seen {
        match self.call(call, &input).await {
            Ok(value) => Seen::Found(value),
            Err(error) => self.note(call, &input, &error),
        }
    }

    /// All pages of a call, their lists put together; what came before a page that failed is kept.
    pub(crate) async fn pages(&self, call: Call, input: Value) -> Option<Value> {
        let pages = model::operation(call.service, call.operation)
            .and_then(|(_, operation)| operation.pages.as_ref());
        let mut input = input;
        let mut all: Option<Value> = None;
        for _ in 0..PAGES {
            let answer = match self.call(call, &input).await {
                Ok(answer) => answer,
                Err(error) => {
                    return match self.note(call, &input, &error) {
                        // No list at all: no organization, no Identity Center.
                        Seen::Absent => all.or_else(|| Some(Value::Object(Map::new()))),
                        _ => all,
                    };
                }
            };
            let Some(pages) = pages else {
                return Some(answer);
            };
            let more = pages.more.as_deref().is_none_or(|path| {
                at(&answer, path).is_some_and(|more| more == &Value::Bool(true))
            });
            let tokens: Vec<Option<Value>> = pages
                .output
                .iter()
                .map(|path| {
                    path.split(" || ")
                        .find_map(|path| at(&answer, path).cloned())
                })
                .collect();
            let before = input.clone();
            if let Value::Object(input) = &mut input {
                for (name, token) in pages.input.iter().zip(&tokens) {
                    match token {
                        Some(token) => input.insert(name.clone(), token.clone()),
                        None => input.remove(name),
                    };
                }
            }
            match &mut all {
                None => all = Some(answer),
                Some(all) => {
                    for path in &pages.items {
                        join(all, &answer, path);
                    }
                }
            }
            let goes_on = tokens
                .iter()
                .flatten()
                .any(|token| token.as_str() != Some(""));
            if !more || !goes_on || input == before {
                break;
            }
        }
        let mut all = all?;
        for path in pages
            .into_iter()
            .flat_map(|pages| pages.output.iter().chain(&pages.more))
        {
            for path in path.split(" || ") {
                remove(&mut all, path);
            }
        }
        Some(all)
    }

    /// The list that a call gives page by page; `None` where it is not seen.
    pub(crate) async fn list(&self, call: Call, input: Value) -> Option<Vec<Value>> {
        let items = model::operation(call.service, call.operation)
            .and_then(|(_, operation)| operation.pages.as_ref()?.items.first());
        let Some(path) = items else {
            self.miss(
                call,
                "NoPages",
                "the service model does not say where the list is",
            );
            return None;
        };
        let mut all = self.pages(call, input).await?;
        match take(&mut all, path) {
            Some(Value::Array(list)) => Some(list),
            _ => Some(Vec::new()),
        }
    }

    /// Adds what a call answers to an object, under `name`: `null` where there is none, nothing where
    /// it is not seen. `path` leads into the answer; empty for the whole.
    pub(crate) async fn add(
        &self,
        object: &mut Map<String, Value>,
        name: &str,
        call: Call,
        input: Value,
        path: &str,
    ) {
        let value = match self.one(call, input).await {
            Seen::Found(mut answer) if !path.is_empty() => {
                take(&mut answer, path).unwrap_or_default()
            }
            Seen::Found(answer) => answer,
            Seen::Absent => Value::Null,
            Seen::Unseen => return,
        };
        object.insert(name.to_owned(), value);
    }

    /// Does something for each element of a list, several at a time, and keeps their order.
    pub(crate) async fn each(
        &self,
        list: Vec<Value>,
        work: impl AsyncFn(Map<String, Value>) -> Map<String, Value>,
    ) -> Value {
        let work = &work;
        let done: Vec<Value> = futures_util::stream::iter(list)
            .map(|element| async move {
                match element {
                    Value::Object(object) => Value::Object(work(object).await),
                    other => other,
                }
            })
            .buffered(SIDE_BY_SIDE)
            .collect()
            .await;
        Value::Array(done)
    }
}

/// Adds a list to what was found, where it was seen.
pub(crate) fn put(found: &mut Found, name: &str, list: Option<impl Into<Value>>) {
    if let Some(list) = list {
        found.insert(name.to_owned(), list.into());
    }
}

/// The text of a member; empty where there is none.
pub(crate) fn text(object: &Map<String, Value>, name: &str) -> String {
    let text = object.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// What stands at a path of names with dots between.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

/// Takes out what stands at a path.
pub(crate) fn take(value: &mut Value, path: &str) -> Option<Value> {
    let value = path
        .split('.')
        .try_fold(value, |value, name| value.get_mut(name))?;
    Some(value.take())
}

/// Removes what stands at a path; a list on the way stands for all its elements.
pub(crate) fn remove(value: &mut Value, path: &str) {
    if let Value::Array(values) = value {
        for value in values {
            remove(value, path);
        }
        return;
    }
    match path.split_once('.') {
        Some((name, rest)) => {
            if let Some(inner) = value.get_mut(name) {
                remove(inner, rest);
            }
        }
        None => {
            if let Value::Object(object) = value {
                object.remove(path);
            }
        }
    }
}

/// Adds the list at a path of one answer to that of the answers before.
fn join(all: &mut Value, next: &Value, path: &str) {
    let Some(Value::Array(more)) = at(next, path) else {
        return;
    };
    let mut place = all;
    for name in path.split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else {
            return;
        };
        place = object.entry(name).or_insert(Value::Null);
    }
    match place {
        Value::Array(list) => list.extend(more.iter().cloned()),
        other => *other = Value::Array(more.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_joined_at_their_paths() {
        let mut all = json!({"L": {"Items": [1], "NextMarker": "a"}});
        join(&mut all, &json!({"L": {"Items": [2, 3]}}), "L.Items");
        join(&mut all, &json!({"M": [4]}), "M");
        remove(&mut all, "L.NextMarker");
        assert_eq!(all, json!({"L": {"Items": [1, 2, 3]}, "M": [4]}));
    }

    #[test]
    fn what_is_removed_is_removed_from_every_element() {
        let mut value = json!({"a": [{"b": {"c": 1, "d": 2}}, {"b": [{"c": 3}]}, 4]});
        remove(&mut value, "a.b.c");
        assert_eq!(value, json!({"a": [{"b": {"d": 2}}, {"b": [{}]}, 4]}));
    }
}
