//! The API, version 1. Keys that are there stay; more may come.

pub(crate) mod about;
pub(crate) mod decisions;
pub(crate) mod estate;
pub(crate) mod events;
pub(crate) mod findings;
pub(crate) mod incidents;
pub(crate) mod paging;
pub(crate) mod records;
pub(crate) mod sources;
pub(crate) mod wallets;
mod words;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::Refused;
use crate::viewed::Viewed;

/// An answer in JSON with its tag; 304 where the asker has it already.
pub(crate) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Refused> {
    let body = serde_json::to_vec(value).map_err(|error| {
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("no JSON form: {error}"),
        )
    })?;
    Ok(private(tagged_body(headers, "application/json", body)))
}

/// An answer that the asker alone may keep, and asks after again.
pub(crate) fn private(mut response: Response) -> Response {
    let value = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}

/// A text with its tag, of a kind that everyone may have; 304 where the asker has it already.
pub(crate) fn tagged_text(headers: &HeaderMap, kind: &'static str, text: String) -> Response {
    tagged_body(headers, kind, text.into_bytes())
}

/// An answer with its tag; 304 where the asker has it already.
pub(crate) fn tagged_body(headers: &HeaderMap, kind: &'static str, body: Vec<u8>) -> Response {
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

pub(crate) fn shown(app: &App) -> Result<Arc<Viewed>, Refused> {
    app.viewed()?.ok_or_else(Refused::starting)
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
