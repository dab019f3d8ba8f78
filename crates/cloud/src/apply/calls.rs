//! Calls in one account and region, and what is read out of their answers.

use serde_json::{Value, json};

use crate::client::{CallError, Client, Meaning, Session};

/// Calls in one account and region.
pub(super) struct Aws<'a> {
    pub(super) client: &'a Client,
    pub(super) session: &'a Session,
    pub(super) region: String,
}

impl Aws<'_> {
    pub(super) async fn call(
        &self,
        service: &str,
        name: &str,
        input: Value,
    ) -> Result<Value, CallError> {
        self.client
            .call(self.session, service, name, &self.region, &input)
            .await
    }

    /// A call whose thing may not be there.
    pub(super) async fn ask(
        &self,
        service: &str,
        name: &str,
        input: Value,
    ) -> Result<Option<Value>, CallError> {
        match self.call(service, name, input).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.meaning() == Meaning::Absent => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A list of all pages; `token` is the member of input and output that leads on.
    pub(super) async fn list(
        &self,
        (service, name): (&str, &str),
        input: Value,
        items: &str,
        (token, next): (&str, &str),
    ) -> Result<Vec<Value>, CallError> {
        let mut all = Vec::new();
        let mut input = input;
        loop {
            let mut answer = self.call(service, name, input.clone()).await?;
            if let Some(Value::Array(list)) = answer.get_mut(items).map(Value::take) {
                all.extend(list);
            }
            let more = answer
                .get(next)
                .filter(|more| more.as_str().is_some_and(|more| !more.is_empty()));
            match more {
                Some(more) if input.get(token) != Some(more) => input[token] = more.clone(),
                _ => return Ok(all),
            }
        }
    }
}

pub(super) const MARKER: (&str, &str) = ("Marker", "Marker");
pub(super) const NEXT: (&str, &str) = ("NextToken", "NextToken");

/// A document that a service keeps as text; text that is none stays text, and equals no document.
pub(super) fn parsed(text: Option<&Value>) -> Value {
    match text {
        Some(Value::String(text)) if text.trim().is_empty() => Value::Null,
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

pub(super) fn has(list: &[Value], member: &str, wanted: &str) -> Value {
    json!(
        list.iter()
            .any(|entry| entry.get(member).is_some_and(|found| found == wanted))
    )
}

pub(super) fn on(state: &Value) -> bool {
    state == &Value::Bool(true)
}

pub(super) fn missing(action: &str, reason: &str) -> CallError {
    CallError::NoAnswer {
        action: action.to_owned(),
        reason: reason.to_owned(),
    }
}
