//! The API, version 1. Keys that are there stay; more may come.

pub(crate) mod estate;
pub(crate) mod events;
pub(crate) mod findings;
pub(crate) mod incidents;
pub(crate) mod records;
pub(crate) mod sources;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portreeve_engine::serve::Shown;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::Refused;

/// The most items of one page, and how many there are where nothing is said.
pub(crate) const MOST: usize = 1_000;
const USUAL: usize = 100;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// The items of a page: those behind the one with the id `after`.
pub(crate) fn page<T>(
    all: Vec<T>,
    id: impl Fn(&T) -> &str,
    after: Option<&str>,
    limit: Option<usize>,
) -> Result<Listing<T>, Refused> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refused::bad(format!("limit is a number from 1 to {MOST}")));
    }
    let start = match after {
        None => 0,
        Some(after) => {
            let place = all.iter().position(|item| id(item) == after);
            place.ok_or_else(|| Refused::bad("after is the id of an item of this list"))? + 1
        }
    };
    let total = all.len();
    let items: Vec<T> = all.into_iter().skip(start).take(limit).collect();
    let next = match items.last() {
        Some(last) if start + items.len() < total => Some(id(last).to_owned()),
        _ => None,
    };
    Ok(Listing { items, total, next })
}

/// An answer in JSON with its tag; 304 where the asker has it already.
pub(crate) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Refused> {
    let body = serde_json::to_vec(value).map_err(|error| {
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("no JSON form: {error}"),
        )
    })?;
    let mut response = tagged_body(headers, "application/json", body);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    Ok(response)
}

/// A text with its tag, of a kind that everyone may have; 304 where the asker has it already.
pub(crate) fn tagged_text(headers: &HeaderMap, kind: &'static str, text: String) -> Response {
    tagged_body(headers, kind, text.into_bytes())
}

fn tagged_body(headers: &HeaderMap, kind: &'static str, body: Vec<u8>) -> Response {
    let digest = Sha256::digest(&body);
    let digits: String = digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{digits}\"");
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(body));
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Works on a thread that may wait: graphs are searched and the store is asked there.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Err(Refused::new(status, "this could not be worked out"))
    })
}

pub(crate) fn shown(app: &App) -> Result<Arc<Shown>, Refused> {
    app.shown().ok_or_else(Refused::starting)
}

/// Words that are to be stored: none without content, none that is a book.
pub(crate) fn words(text: &str, most: usize) -> Result<&str, Refused> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(Refused::bad(format!(
            "between 1 and {most} characters are wanted"
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let all = || vec!["a", "b", "c", "d", "e"];
        let mut after = None;
        let mut seen = Vec::new();
        loop {
            let listing = page(all(), |item| item, after.as_deref(), Some(2)).unwrap();
            assert_eq!(listing.total, 5);
            seen.extend(listing.items);
            after = listing.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, all());
        assert!(page(all(), |item| item, Some("x"), None).is_err());
        assert!(page(all(), |item| item, None, Some(0)).is_err());
        assert!(page(all(), |item| item, None, Some(1_001)).is_err());
    }

    #[test]
    fn a_known_answer_is_not_sent_again() {
        let first = tagged(&HeaderMap::new(), &[1, 2]).unwrap();
        let tag = first.headers()[header::ETAG].clone();
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, tag);
        assert_eq!(
            tagged(&headers, &[1, 2]).unwrap().status(),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(tagged(&headers, &[1, 3]).unwrap().status(), StatusCode::OK);
    }
}
