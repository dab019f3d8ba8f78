//! What stands before every route and behind every answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::{Caller, address, admit, is_own_name};
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

/// Lets through who may, and says who it is. What a page refuses is drawn as a page.
pub(crate) async fn admit_callers(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    matched: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let is_page = is_page(matched.as_str());
    let mut who = None;
    let response = match let_in(&app, peer, matched.as_str(), &request) {
        Ok(caller) => {
            who.clone_from(&caller);
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(refused)
            if is_page
                && request.method() == Method::GET
                && refused.status() == StatusCode::UNAUTHORIZED =>
        {
            Redirect::to("/login").into_response()
        }
        Err(refused) => refused.into_response(),
    };
    match response.extensions().get::<Refused>() {
        // A page of another name that leads here is shown nothing of this one.
        Some(refused) if is_page && refused.status() != StatusCode::MISDIRECTED_REQUEST => {
            pages::sorry(&app, who.as_ref(), refused)
        }
        _ => response,
    }
}

/// Whether people look at what is there, not programs.
pub(crate) fn is_page(path: &str) -> bool {
    !path.starts_with("/api/")
}

/// Who asks, where the route is not for everyone.
fn let_in(
    app: &App,
    peer: SocketAddr,
    route: &str,
    request: &Request,
) -> Result<Option<Caller>, Refused> {
    let (method, headers) = (request.method(), request.headers());
    let from = address(app, peer, headers);
    if !is_own_name(app, headers, request.uri().host()) {
        let status = StatusCode::MISDIRECTED_REQUEST;
        return Err(Refused::new(status, "this server is called localhost"));
    }
    if !app.rates.may_ask(from) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let words = "too many requests from this address";
        return Err(Refused::later(status, words, 1));
    }
    let Some(needed) = role_of(method, route) else {
        return Ok(None);
    };
    if app.read_only && !matches!(*method, Method::GET | Method::HEAD) {
        let words = "this case was opened to be read; nothing can be written to it";
        return Err(Refused::new(StatusCode::FORBIDDEN, words));
    }
    let caller = admit(app, from, method, headers, needed);
    if let Err(refused) = &caller
        && refused.status() == StatusCode::FORBIDDEN
    {
        let what = format!("{method} {route}: {}", refused.words());
        // The refusal stands whether it can be written down or not.
        drop(app.audit(&from.to_string(), "denied", &what));
    }
    caller.map(Some)
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
