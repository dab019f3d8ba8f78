//! What the service answers, taken apart. None of it is believed.

use alloy_primitives::Address;
use serde_json::Value;

use super::ServiceError;

/// The longest query that is followed to a next page.
const QUERY: usize = 1_024;

/// What it says of a Safe.
pub(super) struct Said {
    /// The whole, with what [`read_queues`](crate::safe::read_queues) takes from it.
    pub(super) document: Value,
    /// The nonce that the Safe takes next.
    pub(super) nonce: Option<u64>,
}

/// A page of its transactions.
pub(super) struct Page {
    pub(super) entries: Vec<Value>,
    /// How many there are on all pages, by its count.
    pub(super) count: Option<u64>,
    /// The query of the next page.
    pub(super) next: Option<String>,
}

fn json(bytes: &[u8]) -> Result<Value, ServiceError> {
    serde_json::from_slice(bytes).map_err(|error| ServiceError::Garbage(error.to_string()))
}

fn garbage<T>(what: &str) -> Result<T, ServiceError> {
    Err(ServiceError::Garbage(what.to_owned()))
}

/// Reads what it says of a Safe.
pub(super) fn said(bytes: &[u8], safe: Address) -> Result<Said, ServiceError> {
    let document = json(bytes)?;
    let address = document.get("address").and_then(Value::as_str);
    match address.map(str::parse::<Address>) {
        Some(Ok(address)) if address == safe => {}
        Some(Ok(_)) => return garbage("it is of another Safe"),
        _ => return garbage("expected `address`, the Safe's"),
    }
    // A number before version 5 of the service, text since.
    let nonce = document.get("nonce").and_then(|nonce| match nonce {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    Ok(Said { document, nonce })
}

/// Reads a page of transactions.
pub(super) fn page(bytes: &[u8]) -> Result<Page, ServiceError> {
    let mut document = json(bytes)?;
    let Some(Value::Array(entries)) = document.get_mut("results").map(Value::take) else {
        return garbage("expected `results[]`, a page of transactions");
    };
    let next = match document.get("next") {
        None | Some(Value::Null) => None,
        // Wherever it points, the same place is asked with its query: no answer leads elsewhere.
        Some(Value::String(address)) => match address.split_once('?') {
            Some((_, query)) if is_query(query) => Some(query.to_owned()),
            _ => return garbage("`next` holds no query"),
        },
        Some(_) => return garbage("`next` is no address"),
    };
    Ok(Page {
        entries,
        count: document.get("count").and_then(Value::as_u64),
        next,
    })
}

fn is_query(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"&=%_-.+:,".contains(&byte);
    !text.is_empty() && text.len() <= QUERY && text.bytes().all(plain)
}
