//! What stands before every route and behind every answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::{address, admit, is_own_name};
use crate::app::App;
use crate::error::Refused;
use crate::pages;
use crate::routes::role_of;

/// Scripts and connections from here alone, nothing framed, nothing sent elsewhere. Styles of single
/// elements stand in the pages themselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Lets through who may, and says who it is.
pub(crate) async fn admit_callers(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    matched: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let from = address(&app, peer, request.headers());
    if !is_own_name(&app, request.headers(), request.uri().host()) {
        let status = StatusCode::MISDIRECTED_REQUEST;
        return Refused::new(status, "this server is called localhost").into_response();
    }
    if !app.rates.may_ask(from) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        return Refused::later(status, "too many requests from this address", 1).into_response();
    }
    let is_page = !matched.as_str().starts_with("/api/") && request.method() == Method::GET;
    if let Some(needed) = role_of(request.method(), matched.as_str()) {
        match admit(&app, from, request.method(), request.headers(), needed) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
            }
            Err(refused) if is_page && refused.status() == StatusCode::UNAUTHORIZED => {
                return Redirect::to("/login").into_response();
            }
            Err(refused) => {
                if refused.status() == StatusCode::FORBIDDEN {
                    let what = format!(
                        "{} {}: {}",
                        request.method(),
                        matched.as_str(),
                        refused.words()
                    );
                    // The refusal stands whether it can be written down or not.
                    drop(app.audit(&from.to_string(), "denied", &what));
                }
                if is_page && refused.status() == StatusCode::FORBIDDEN {
                    return pages::refused(&app, &refused);
                }
                return refused.into_response();
            }
        }
    }
    next.run(request).await
}

/// What every answer says to the browser.
pub(crate) async fn with_headers(request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let value = if is_asset { "no-cache" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    response
}
