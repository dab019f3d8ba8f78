//! Who may.
//!
//! On loopback nobody logs in: whoever can reach it is on the machine already. What a browser there may be
//! tricked into is kept out by the name that was asked for (a page elsewhere whose name leads here asks for
//! its own name) and by the origin of what changes anything. Elsewhere a token is needed: as a bearer token,
//! or in a cookie that scripts cannot read and other sites cannot send.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Method, StatusCode, header};
use portreeve_store::Role;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::Refused;

/// What the cookie is called. The prefix has browsers take it only over TLS and for this host alone.
pub(crate) const COOKIE: &str = "__Host-portreeve";

/// What every token begins with, so that scanners for lost secrets know it.
const PREFIX: &str = "portreeve_";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The token's name, or `loopback`.
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) by_cookie: bool,
}

/// A new token and what is kept of it.
///
/// # Errors
/// Where the system has no random bytes to give.
pub fn new_token() -> Result<(String, [u8; 32]), std::io::Error> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| std::io::Error::other("the system gives no random bytes"))?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("{PREFIX}{digits}");
    let hash = hash(&token);
    Ok((token, hash))
}

/// What is kept of a token.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.trim()).into()
}

/// Where a request came from. Behind a proxy that is the last address that the proxy added.
pub(crate) fn address(app: &App, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    forwarded
        .filter(|_| app.behind_proxy)
        .unwrap_or_else(|| peer.ip())
}

/// Whether the request asks for this server by a name that is its own. Only on loopback this can be known.
pub(crate) fn is_own_name(app: &App, headers: &HeaderMap, uri_host: Option<&str>) -> bool {
    if !app.is_open() {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or(uri_host);
    let name = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    });
    matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Whether what changes something comes from a page of this server, or from no page at all.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, it)| it == host),
        (Some(_), None) => false,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Who asks, where that is known and the role is enough.
pub(crate) fn admit(
    app: &App,
    peer: IpAddr,
    method: &Method,
    headers: &HeaderMap,
    needed: Role,
) -> Result<Caller, Refused> {
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    let caller = caller(app, peer, headers)?;
    // A bearer token is sent by no browser of itself.
    let by_browser = caller.by_cookie || caller.name == "loopback";
    if changes && by_browser && !is_same_origin(headers) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "this came from a page of another site",
        ));
    }
    if !caller.role.may(needed) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            format!("this needs the role {needed}; yours is {}", caller.role),
        ));
    }
    Ok(caller)
}

fn caller(app: &App, peer: IpAddr, headers: &HeaderMap) -> Result<Caller, Refused> {
    let (token, by_cookie) = match (bearer(headers), cookie(headers)) {
        (Some(token), _) => (token, false),
        (None, Some(token)) => (token, true),
        (None, None) if app.is_open() => {
            return Ok(Caller {
                name: "loopback".to_owned(),
                role: Role::Admin,
                by_cookie: false,
            });
        }
        (None, None) => return Err(Refused::unknown()),
    };
    if !app.rates.may_try(peer) {
        return Err(Refused::later(
            StatusCode::TOO_MANY_REQUESTS,
            "too many wrong tokens from this address",
            30,
        ));
    }
    match app.token_of(&hash(token))? {
        Some(token) => Ok(Caller {
            name: token.name,
            role: token.role,
            by_cookie,
        }),
        None => {
            app.rates.was_wrong(peer);
            Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "that token is not known, or has expired",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn tokens_differ_and_only_their_hash_is_kept() {
        let (one, hash_of_one) = new_token().unwrap();
        let (other, _) = new_token().unwrap();
        assert_ne!(one, other);
        assert_eq!((one.len(), hash(&one)), (PREFIX.len() + 64, hash_of_one));
        // Pasted with a line's end it is the same.
        assert_eq!(hash(&format!("{one}\n")), hash_of_one);
    }

    #[test]
    fn tokens_are_found_where_they_may_stand() {
        let both = headers(&[
            ("authorization", "bearer abc"),
            ("cookie", "a=1; __Host-portreeve=xyz; b=2"),
        ]);
        assert_eq!((bearer(&both), cookie(&both)), (Some("abc"), Some("xyz")));
        let other = headers(&[
            ("authorization", "Basic abc"),
            ("cookie", "x__Host-portreeve=1"),
        ]);
        assert_eq!((bearer(&other), cookie(&other)), (None, None));
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        assert!(is_same_origin(&headers(&[])));
        assert!(is_same_origin(&headers(&[(
            "sec-fetch-site",
            "same-origin"
        )])));
        assert!(is_same_origin(&headers(&[
            ("origin", "http://localhost:7373"),
            ("host", "localhost:7373")
        ])));
        assert!(!is_same_origin(&headers(&[(
            "sec-fetch-site",
            "cross-site"
        )])));
        assert!(!is_same_origin(&headers(&[(
            "sec-fetch-site",
            "same-site"
        )])));
        assert!(!is_same_origin(&headers(&[
            ("origin", "http://evil.example"),
            ("host", "localhost:7373")
        ])));
        assert!(!is_same_origin(&headers(&[
            ("origin", "null"),
            ("host", "localhost:7373")
        ])));
    }
}
