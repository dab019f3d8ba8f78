//! Where a token is given, and taken into a cookie.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use portreeve_view::html::live;
use serde::Deserialize;

use super::framed;
use crate::access::{COOKIE, hash};
use crate::api::apart;
use crate::app::App;
use crate::error::Refused;
use crate::extract::Form;

pub(crate) async fn login(State(app): State<Arc<App>>) -> Response {
    framed(&app, None, None, live::login(false))
}

#[derive(Deserialize)]
pub(crate) struct Login {
    token: String,
}

/// Takes a token into a cookie that scripts cannot read and other sites cannot send.
pub(crate) async fn log_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    axum::extract::ConnectInfo(peer): axum::extract::ConnectInfo<std::net::SocketAddr>,
    Form(login): Form<Login>,
) -> Result<Response, Refused> {
    let from = crate::access::address(&app, peer, &headers);
    if !app.rates.may_try(from) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let words = "too many wrong tokens from this address";
        return Err(Refused::later(status, words, 30));
    }
    let (for_work, token) = (app.clone(), login.token.trim().to_owned());
    let found = apart(move || {
        let found = for_work.token_of(&hash(&token))?;
        if let Some(found) = &found {
            for_work.audit(&found.name, "login", "")?;
        }
        Ok(found.map(|_| token))
    })
    .await?;
    Ok(match found {
        Some(token) => {
            let cookie = format!(
                "{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200"
            );
            let mut response = Redirect::to("/").into_response();
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, value);
            }
            response
        }
        None => {
            app.rates.was_wrong(from);
            let page = framed(&app, None, None, live::login(true));
            (StatusCode::UNAUTHORIZED, page).into_response()
        }
    })
}
